"""YAML 1.2 on the C parser: what scalars mean, where things stand, what survives the journey."""

import json
import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitord.config import scalars
from monitord.config.tree import Map, Place, Seq, pack, plain, unpack
from monitord.config.yaml12 import Reading, parse
from monitord.secrets import SecretRef
from tests.world.vectors import vector_path

FILE = "a.yaml"


def read(text: str) -> Reading:
    return parse(text.encode(), Reading(FILE))


def tree(text: str) -> Any:
    reading = read(text)
    assert reading.problems == []
    return reading.tree


@pytest.mark.parametrize("word", ["no", "No", "NO", "yes", "on", "off", "On", "y", "n", "TrUe"])
def test_words_of_yaml_1_1_are_texts(word: str) -> None:
    assert tree(f"{word}: {word}") == {word: word}


@pytest.mark.parametrize(
    "text",
    ["22:30", "02:30:00", "1_000", "0b11", "2027-01-31", "0x", "0o9", "1.2.3", ".", "-", "+"],
)
def test_numbers_of_yaml_1_1_and_near_numbers_are_texts(text: str) -> None:
    assert scalars.resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("007", 7),
        ("-12", -12),
        ("+12", 12),
        ("0o17", 15),
        ("0xFF", 255),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e3", -1500.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("+.INF", math.inf),
    ],
)
def test_core_schema_scalars(text: str, value: object) -> None:
    """Source: YAML 1.2.2, 10.3.2."""
    given_value = scalars.resolve(text)
    assert given_value == value
    assert type(given_value) is type(value)


def test_not_a_number_is_one() -> None:
    value = scalars.resolve(".NaN")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize("style", ["'{}'", '"{}"', "|-\n  {}", ">-\n  {}", "!!str {}"])
@pytest.mark.parametrize("word", ["true", "12", "null", "1.5"])
def test_whatever_is_quoted_is_a_text(style: str, word: str) -> None:
    assert tree("k: " + style.format(word)) == {"k": word}


def test_keys_are_texts_as_written() -> None:
    assert tree("{80: a, true: b, null: c, 0x1f: d, 1.50: e}") == {
        "80": "a",
        "true": "b",
        "null": "c",
        "0x1f": "d",
        "1.50": "e",
    }


def test_a_secret_is_a_reference() -> None:
    assert tree("{a: !secret env:X, b: !secret file:/run/x, c: !secret credential:y}") == {
        "a": SecretRef("env", "X"),
        "b": SecretRef("file", "/run/x"),
        "c": SecretRef("credential", "y"),
    }


def test_every_key_and_value_knows_its_place() -> None:
    top = tree("hosts:\n  web1: {address: 10.0.0.1,\n    groups: [a,\n      b]}\n")
    assert top.key_place("hosts") == Place(FILE, 1, 1)
    web1 = top["hosts"]["web1"]
    assert top["hosts"].key_place("web1") == Place(FILE, 2, 3)
    assert web1.value_place("address") == Place(FILE, 2, 19)
    assert web1.key_place("groups") == Place(FILE, 3, 5)
    assert web1["groups"].value_place(1) == Place(FILE, 4, 7)
    assert [(key, place.line) for key, _, place in web1.entries()] == [
        ("address", 2),
        ("groups", 3),
    ]


def test_columns_count_characters_and_not_bytes() -> None:
    assert tree("{köln: a, zürich: b}").value_place("zürich") == Place(FILE, 1, 19)


def test_a_byte_order_mark_is_no_content() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n", Reading(FILE)).tree == {"a": 1}


def test_an_alias_is_the_same_value_again() -> None:
    top = tree("a: &x {b: [1, 2]}\nc: *x\n")
    assert top["c"] is top["a"]


def test_a_tree_survives_the_journey_as_json() -> None:
    top = tree("a: {b: [1, 2.5, true, null, no], c: !secret env:X}\nd: []\ne: {}\n")
    again = unpack(pack(top), FILE)
    assert again == top
    assert again["a"].key_place("c") == top["a"].key_place("c")
    assert again["a"]["b"].value_place(4) == top["a"]["b"].value_place(4)
    assert plain(again) == top
    assert type(plain(again)["a"]["b"]) is list


_TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.builds(SecretRef, st.text(), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def _as_tree(value: Any) -> Any:
    if isinstance(value, dict):
        out = Map(FILE)
        for key, item in value.items():
            out[key] = _as_tree(item)
            out.marks.extend((1, 2, 3, 4))
        return out
    if isinstance(value, list):
        items = Seq(FILE)
        for item in value:
            items.append(_as_tree(item))
            items.marks.extend((5, 6))
        return items
    return value


@given(_TREES)
def test_packing_loses_nothing(value: Any) -> None:
    made = _as_tree(value)
    assert unpack(pack(made), FILE) == made


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    reading = parse(data, Reading(FILE))
    assert reading.problems or not reading.broken
    assert all(problem.line >= 1 and problem.column >= 1 for problem in reading.problems)


_SIGNS = {"␣": " ", "←": "\r", "⇔": "\ufeff", "↵": ""}
_READ_OTHERWISE = {("652Z", 0), ("Y2GN", 0)}
"""Valid cases that PyYAML's parser reads as YAML 1.1 had them: `?foo` as a key, `&an:chor`."""


def _written(shown: str) -> str:
    """Give the YAML that a case of the test suite means; the signs are in the suite's ReadMe."""
    text = re.sub("—*»", "\t", shown)
    for sign, meant in _SIGNS.items():
        text = text.replace(sign, meant)
    return text.removesuffix("∎\n").replace("∎", "")


def _documents(text: str) -> list[Any]:
    found, rest, decoder = [], text.strip(), json.JSONDecoder()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def test_the_yaml_test_suite_is_read_rightly_or_refused_with_a_sentence() -> None:
    """The parser is one of YAML 1.1 syntax: it refuses some valid files and must misread none."""
    misread, read_well = set(), 0
    for path in sorted(vector_path("fuzz/yaml-test-suite").glob("*.yaml")):
        case: dict[str, Any] = {}
        for index, part in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
            case = {**case, "fail": False, **part}
            if "yaml" not in case:
                continue
            reading = read(_written(case["yaml"]))
            assert all(problem.text and "\n" not in problem.text for problem in reading.problems)
            meant = _documents(case.get("json") or "")
            if reading.problems or case["fail"] or len(meant) != 1:
                continue
            read_well += 1
            if plain(reading.tree) != meant[0]:
                misread.add((path.stem, index))
    assert misread == _READ_OTHERWISE
    assert read_well > 50
