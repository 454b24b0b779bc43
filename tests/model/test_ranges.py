import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.ranges import Range, parse_range
from tests.world.vectors import vector

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
HINT = "is not a threshold (write 80, 10:, ~:5, 10:20 or @10:20)"


def bound(value: Any) -> float:
    """Read a bound of the vectors: a number, "inf" or "-inf"."""
    return float(value)


def as_in_vector(given_range: Range | None) -> dict[str, Any] | None:
    if given_range is None:
        return None
    alert = "inside" if given_range.inside else "outside"
    return {"start": given_range.start, "end": given_range.end, "alert": alert}


def expected(case: dict[str, Any] | None) -> dict[str, Any] | None:
    if case is None:
        return None
    return {**case, "start": bound(case["start"]), "end": bound(case["end"])}


def holds(case: dict[str, Any]) -> None:
    if case["expected"] == "rejected":
        with pytest.raises(ValueError, match="write"):
            parse_range(case["input"])
        return
    parsed = parse_range(case["input"])
    assert as_in_vector(parsed) == expected(case["expected"]), case["input"]
    for check in case.get("checks", []):
        assert parsed.alerts(check["value"]) is check["alert"], (case["input"], check)


def test_ranges_are_read_as_monitoring_plugins_reads_them() -> None:
    cases = vector("perfdata/monitoring_plugins_ranges.json")["range_cases"]
    assert len(cases) == 11
    assert sum(len(case["checks"]) for case in cases) == 16
    for case in cases:
        holds(case)


def test_pairs_of_thresholds_judge_as_in_monitoring_plugins() -> None:
    cases = vector("perfdata/monitoring_plugins_ranges.json")["threshold_cases"]
    assert len(cases) == 5
    assert sum(len(case["checks"]) for case in cases) == 11
    for case in cases:
        warning, critical = (
            None if case[name] is None else parse_range(case[name])
            for name in ("warning", "critical")
        )
        assert as_in_vector(warning) == expected(case["expected_warning"])
        assert as_in_vector(critical) == expected(case["expected_critical"])
        for check in case["checks"]:
            state = "OK"
            if warning is not None and warning.alerts(check["value"]):
                state = "WARNING"
            if critical is not None and critical.alerts(check["value"]):
                state = "CRITICAL"
            assert state == check["state"], (case, check)


def test_ranges_are_read_as_telegraf_reads_them() -> None:
    cases = vector("perfdata/telegraf.json")["threshold_cases"]
    assert len(cases) == 5
    for case in cases:
        holds(case)


@pytest.mark.parametrize(
    ("text", "start", "end", "inside"),
    [
        ("80", 0, 80, False),
        ("90%", 0, 90, False),
        ("10%:", 10, math.inf, False),
        ("5%:90%", 5, 90, False),
        ("~:10", -math.inf, 10, False),
        ("~:", -math.inf, math.inf, False),
        (":10", 0, 10, False),
        ("@10:20", 10, 20, True),
        ("@~:-5", -math.inf, -5, True),
        (" 10:20 ", 10, 20, False),
        ("-5:+5", -5, 5, False),
        ("1e3", 0, 1000, False),
        (".5:1.", 0.5, 1, False),
        ("0", 0, 0, False),
    ],
)
def test_a_range_has_these_ends(text: str, start: float, end: float, inside: bool) -> None:
    assert parse_range(text) == Range(start, end, inside, text.strip())


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "@", "%", "~", "x", "10:20:30", "10:~", "~5", "1_0", "nan", "inf", "inf:"],
        *["0x10", "1e999", "10 :20", "@@5", "٣", "5%%x", "80 %"],
    ],
)
def test_what_is_no_range_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="threshold") as caught:
        parse_range(text)
    assert str(caught.value) == f"{text!r} {HINT}"


@pytest.mark.parametrize(
    ("text", "cure"),
    [("20:10", "10:20"), ("@20:10", "@10:20"), ("20%:10%", "10:20"), ("-5", "-5:0")],
)
def test_a_range_that_starts_above_its_end_is_turned_round(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match="above") as caught:
        parse_range(text)
    assert str(caught.value) == f"{text!r} starts above its end (write {cure})"


def test_a_value_that_is_no_number_lies_nowhere() -> None:
    assert parse_range("10:20").alerts(math.nan)
    assert not parse_range("@10:20").alerts(math.nan)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_both_ends_belong_to_the_range(one: float, other: float, value: float) -> None:
    start, end = sorted((one, other))
    outside, inside = parse_range(f"{start!r}:{end!r}"), parse_range(f"@{start!r}:{end!r}")
    assert outside.alerts(value) is not (start <= value <= end)
    assert inside.alerts(value) is not outside.alerts(value)
    assert not outside.alerts(start)
    assert not outside.alerts(end)


@given(st.one_of(st.text(), st.text(alphabet="@~:%.+-e0159 ", max_size=12)))
def test_any_text_is_a_range_or_a_value_error(text: str) -> None:
    try:
        parsed = parse_range(text)
    except ValueError:
        return
    assert parsed.start <= parsed.end
    assert parse_range(parsed.text) == parsed
