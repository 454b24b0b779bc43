"""Plugin output in the house's own cases, and whatever a hostile plugin may print."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.ranges import Range
from monitord.probes.perfdata import MOST_ITEMS, Perfdatum, parse_output, parse_perfdata
from monitord.probes.units import base_unit, to_measurement


def items(text: str) -> dict[str, float]:
    return {item.label: item.value for item in parse_perfdata(text)[0]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a=1 b=2", {"a": 1, "b": 2}),
        ("'with blank'=1", {"with blank": 1}),
        ("'it''s'=1", {"it's": 1}),
        ("'a=b'=1", {"a=b": 1}),
        ("'a|b'=1 'c;d'=2", {"a|b": 1, "c;d": 2}),
        ("can't=1", {"can't": 1}),
        ("'unclosed=1 b=2", {"'unclosed": 1, "b": 2}),
        ("a=U b=2", {"b": 2}),
        ("a=-1.5e3;;;; b=.5 c=5.", {"a": -1500, "b": 0.5, "c": 5}),
        ("a=1, b=2,", {"a": 1, "b": 2}),
        ("p::a=1 b=2 q::c=3 d=4", {"p::a": 1, "p::b": 2, "q::c": 3, "q::d": 4}),
        ("a=1;2;3;4;5;6;7", {"a": 1}),
    ],
)
def test_items(text: str, told: dict[str, float]) -> None:
    assert items(text) == told


@pytest.mark.parametrize(
    "text",
    ["=1", "a", "a=", "a=x", "a=1,5", "a=1_000", "a=0x10", "a=1e999", "a=nan", "a=1;x", "a=1;;2:1",
     "a=1;;;x", "a=1;1_0", "a=1;;;;inf", "''=1", "a=१", "a=1;१"],
)  # fmt: skip
def test_what_is_no_item_is_kept_as_a_complaint(text: str) -> None:
    assert parse_perfdata(f"good=1 {text} fine=2")[1] == (text,)
    assert items(f"good=1 {text} fine=2") == {"good": 1, "fine": 2}


def test_limits_are_ranges() -> None:
    ((item,), _) = parse_perfdata("load=5;~:4;@10:20;0;100")
    assert item == Perfdatum(
        "load",
        5,
        "",
        Range(-math.inf, 4, text="~:4"),
        Range(10, 20, inside=True, text="@10:20"),
        0,
        100,
    )


@pytest.mark.parametrize(
    ("text", "value", "unit", "limits"),
    [
        ("a=250ms;200;500", 0.25, "s", ("0.2", "0.5")),
        ("a=3us", 3e-6, "s", ("", "")),
        ("a=2MiB;1:3;@2:4", 2097152, "B", ("1048576:3145728", "@2097152:4194304")),
        ("a=2MB;~:3;4:", 2_000_000, "B", ("~:3000000", "4000000:")),
        ("a=50%;80;90", 50, "%", ("80", "90")),
        ("a=7c", 7, "c", ("", "")),
        ("a=12°C", 12, "C", ("", "")),
        ("a=12furlongs", 12, "", ("", "")),
        ("a=1.7e308MB", 1.7e308, "B", ("", "")),
    ],
)
def test_measurements_are_in_base_units(
    text: str, value: float, unit: str, limits: tuple[str, str]
) -> None:
    told = to_measurement(parse_perfdata(text)[0][0])
    assert told.value == pytest.approx(value)
    assert told.unit == unit
    assert (told.warning, told.critical) == limits


@pytest.mark.parametrize(
    ("unit", "base"),
    [("mW", ("W", 1e-3)), ("MW", ("W", 1e6)), ("gb", ("b", 1e9)), ("Gib", ("b", 2**30)),
     ("GiB", ("B", 2**30)), ("mb", ("b", 1e6)), ("m", ("s", 60)), ("", ("", 1)), ("x", ("", 1))],
)  # fmt: skip
def test_spelling_decides_on_the_unit(unit: str, base: tuple[str, float]) -> None:
    assert base_unit(unit) == base


@pytest.mark.parametrize(
    ("output", "text", "long_text", "told"),
    [
        ("", "", "", {}),
        ("OK", "OK", "", {}),
        ("OK - fine | a=1\n", "OK - fine", "", {"a": 1}),
        ("OK\nmore\n  lines\n", "OK", "more\nlines", {}),
        ("OK|a=1\nmore|b=2\nc=3\n", "OK", "more", {"a": 1, "b": 2, "c": 3}),
        ("OK|a=1\r\nmore\r\n", "OK", "more", {"a": 1}),
        ("|a=1", "", "", {"a": 1}),
        ("OK\n|a=1", "OK", "", {"a": 1}),
    ],
)
def test_an_output_is_cut_at_its_bars(
    output: str, text: str, long_text: str, told: dict[str, float]
) -> None:
    said = parse_output(output)
    assert (said.text, said.long_text) == (text, long_text)
    assert {item.label: item.value for item in said.perfdata} == told


def test_a_flood_of_items_is_cut_off() -> None:
    told, _ = parse_perfdata(" ".join(f"a{n}=1" for n in range(MOST_ITEMS * 2)))
    assert len(told) == MOST_ITEMS


@pytest.mark.parametrize(
    "piece", ["'a ", "'", "''", "=", "a=1;", "'='", "a::", "|", "\n", "1", "1.", "e1", ";1:"]
)
def test_a_hostile_output_is_read_in_linear_time(piece: str) -> None:
    """64 KiB of the worst that was found takes milliseconds; a quadratic reader takes minutes."""
    for start in ("OK|", "OK|a=", "OK|a=1;"):
        parse_output(start + piece * (65536 // len(piece)) + "_")


PARTS = st.lists(
    st.one_of(
        st.sampled_from(["'", "''", "=", ";", "|", "\n", " ", "::", "U", ",", "@", "~", ":", "%"]),
        st.sampled_from(["1", "-1.5e3", "1e999", "ms", "MB", "label", "nan"]),
        st.text(max_size=3),
    ),
    max_size=40,
).map("".join)


@given(PARTS)
def test_any_output_is_read_without_an_error(output: str) -> None:
    said = parse_output(output)
    for item in said.perfdata:
        told = to_measurement(item)
        assert item.label
        assert math.isfinite(told.value)
    assert len(said.rejected) <= 20
    assert "\n" not in said.text


@given(
    st.text("abc ='|;:", min_size=1, max_size=10).filter(
        lambda t: t.strip() == t and "::" not in t
    ),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "s", "%", "B", "c"]),
)
def test_what_is_written_by_the_rules_is_read_back(label: str, value: float, unit: str) -> None:
    quoted = label.replace("'", "''")
    ((item,), rejected) = parse_perfdata(f"'{quoted}'={value!r}{unit}")
    assert (item.label, item.value, item.unit) == (label, value, unit)
    assert rejected == ()
