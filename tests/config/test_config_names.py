"""Ranges, slots and arithmetic, globs: what they mean and what they refuse."""

import ast
import operator
import re
from collections.abc import Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.config.names import expand, fill, glob, has_slot, is_name, nearest, slots_of
from monitord.model.spec import format_duration, parse_duration, parse_size


def refusal(function: Callable[..., object], *arguments: object) -> str | None:
    """Give the sentence with which a function refuses, or None where it does not."""
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web1", ["web1"]),
        ("web[1-3]", ["web1", "web2", "web3"]),
        ("web[08-11]", ["web08", "web09", "web10", "web11"]),
        ("db[1,3,5-6]x", ["db1x", "db3x", "db5x", "db6x"]),
        ("r[1-2]-[a]", None),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("[7]", ["7"]),
    ],
)
def test_ranges(pattern: str, names: list[str] | None) -> None:
    expected = ["r1-[a]", "r2-[a]"] if names is None else names
    assert [name for name, _ in expand(pattern)] == expected


@pytest.mark.parametrize(
    "pattern",
    ["web[]", "web[1-]", "web[3-1]", "web[1,1]", "web[1-2,2]", "web[1--2]", "w[1-99999][1-99999]"],
)
def test_ranges_that_nobody_can_mean(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape(pattern)):
        expand(pattern)


@given(st.integers(0, 10**6), st.integers(0, 300), st.integers(1, 7))
def test_a_range_gives_each_number_once_in_order(low: int, count: int, width: int) -> None:
    names = expand(f"h[{str(low).zfill(width)}-{low + count}]x")
    assert [numbers for _, numbers in names] == [(low + step,) for step in range(count + 1)]
    assert all(int(name[1:-1]) == number for name, (number,) in names)
    assert len({name for name, _ in names}) == count + 1


@given(st.text(max_size=30))
def test_no_name_breaks_the_ranges(text: str) -> None:
    assert refusal(expand, text) != ""


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("http://{address}:8{n}/", "http://10.0.0.7:87/"),
        ("{host}", "web7"),
        ("10.1.1.{10+n}", "10.1.1.17"),
        ("{2*n-1}.{n*2+3*4}.{ n }", "13.26.7"),
        ("{n-10}", "-3"),
        ("{n2}", "3"),
        ("{{n}} and {{address}}", "{n} and {address}"),
        ('{"a": 1} {} {x} {item} \\d{3} {3,5}', '{"a": 1} {} {x} {item} \\d{3} {3,5}'),
    ],
)
def test_slots_are_filled_and_other_braces_stay(text: str, filled: str) -> None:
    assert fill(text, slots_of("web7", "10.0.0.7", (7, 3))) == filled


def test_a_filled_value_is_never_filled_again() -> None:
    assert fill("{address}", slots_of("web1", "{host}", ())) == "{host}"


@pytest.mark.parametrize("text", ["{n+}", "{+n}", "{n n}", "{n**2}", "{2n}", "{n--1}"])
def test_arithmetic_that_cannot_be_worked_out(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be worked out"):
        fill(text, slots_of("web1", "x", (1,)))


_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def _by_python(node: Any, n: int) -> int:
    if isinstance(node, ast.BinOp):
        return int(_OPERATORS[type(node.op)](_by_python(node.left, n), _by_python(node.right, n)))
    return n if isinstance(node, ast.Name) else int(node.value)


@given(
    st.lists(st.sampled_from(["n", "3", "10", "250"]), min_size=1, max_size=6),
    st.lists(st.sampled_from("+-*"), min_size=5, max_size=5),
    st.integers(0, 5000),
)
def test_arithmetic_agrees_with_python(terms: list[str], signs: list[str], n: int) -> None:
    body = terms[0] + "".join(sign + term for sign, term in zip(signs, terms[1:], strict=False))
    if "n" not in body:
        assert not has_slot(f"{{{body}}}")
        return
    expected = _by_python(ast.parse(body, mode="eval").body, n)
    assert fill(f"{{{body}}}", slots_of("h", "a", (n,))) == str(expected)


@given(st.text(max_size=40))
def test_no_text_breaks_the_slots(text: str) -> None:
    assert refusal(fill, text, slots_of("h", "a", (1,))) != ""


@given(st.text("ab*?/", max_size=6), st.text("ab/", max_size=6))
def test_globs_agree_with_fnmatch_apart_from_slashes(pattern: str, name: str) -> None:
    same_depth = pattern.count("/") == name.count("/")
    parts = zip(pattern.split("/"), name.split("/"), strict=False)
    expected = same_depth and all(fnmatchcase(part, piece) for piece, part in parts)
    assert bool(glob(pattern)(name)) is expected


def test_ranges_work_in_globs() -> None:
    matches = glob("web[1-2]/s*")
    assert [key for key in ("web1/site", "web2/site", "web3/site", "web1/x") if matches(key)] == [
        "web1/site",
        "web2/site",
    ]


@pytest.mark.parametrize("name", ["web1", "web-1.shop_2", "a:b@c+d", "10.0.0.1"])
def test_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-a", ".a", "ä", "a\n", "{n}", "a" * 201])
def test_what_cannot_be_a_name(name: str) -> None:
    assert not is_name(name)


def test_the_nearest_name_is_offered_only_where_it_is_near() -> None:
    known = ["disk-space", "memory", "load"]
    assert nearest("disk-spce", known) == " (did you mean disk-space?)"
    assert nearest("Memory", known) == " (did you mean memory?)"
    assert nearest("certificate", known) == ""


@given(st.integers(0, 10**10))
def test_a_duration_reads_back_as_written(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(value)) == value


@given(st.text(max_size=20) | st.integers() | st.floats() | st.booleans() | st.none())
def test_nothing_but_a_duration_is_one(value: object) -> None:
    assert "write" in (refusal(parse_duration, value) or "write")


@given(st.from_regex(r"\A[0-9]{1,400}[kMGT]?B?\Z"))
def test_no_size_is_too_large_to_be_refused(text: str) -> None:
    assert "write" in (refusal(parse_size, text) or "write")
