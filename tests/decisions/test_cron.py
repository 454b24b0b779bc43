"""Cron lines come when cronie's would; robfig/cron's cases hold but for those named here."""

from datetime import datetime
from typing import Any

import pytest

from monitord.decisions.calendars import instant_of, zone_of
from monitord.decisions.cron import next_fire, parse, parse_field
from monitord.model.ids import Instant
from tests.world.vectors import vector

SECOND = 1_000_000
ROBFIG = "cron/robfig_cron.json"
NEW_YORK = "America/New_York"
OURS = {  # (the line without its zone, from) → when it comes here
    # where both days are restricted: a field that begins with * restricts nothing, as in cronie
    ("0 0 0 */5 Apr,Aug,Oct Mon", "2012-07-09T23:35:00"): "2012-08-06T00:00:00",
    # a time that does not exist comes once, at the end of the gap
    ("0 30 2 11 Mar ?", "2012-03-11T00:00:00-05:00"): "2012-03-11T03:00:00-04:00",
    ("0 0 2 * * ?", "2012-03-11T00:00:00-05:00"): "2012-03-11T03:00:00-04:00",
    # a time that is doubled comes once, the first time
    ("0 30 1 04 Nov ?", "2012-11-04T01:45:00-04:00"): "2013-11-04T01:30:00-05:00",
    ("0 0 1 * * ?", "2012-11-04T01:00:00-04:00"): "2012-11-05T01:00:00-05:00",
}
NOT_THEN = {"* * */10 * Sun": "2012-07-15T00:00:00"}  # not a tenth day, though a Sunday


def test_the_cases_are_all_there() -> None:
    found = vector(ROBFIG)
    names = ("next_cases", "activation_cases", "invalid_specs", "field_cases")
    assert [len(found[name]) for name in names] == [62, 29, 21, 14]


def moment(text: str, zone: str) -> Instant:
    """Give an instant of a text with an offset, or of the wall clock of a zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        return instant_of(zone_of(zone), found)
    return Instant(round(found.timestamp()) * SECOND)


def bare(spec: str) -> str:
    return spec.split(" ", 1)[1] if "TZ=" in spec else spec


def zone_for(case: dict[str, Any]) -> str:
    if "from_time_zone" in case:
        return str(case["from_time_zone"])
    return "Asia/Kolkata" if "+05:30" in case["from"] else "UTC"


def test_a_line_comes_next_when_robfig_says_but_for_clock_changes_and_stars() -> None:
    differing = set()
    for case in vector(ROBFIG)["next_cases"]:
        zone, expected = zone_for(case), case["expected_next"]
        found = next_fire(parse(case["spec"]), zone, moment(case["from"], zone))
        if found != (None if expected is None else moment(expected, zone)):
            key = (bare(case["spec"]), case["from"])
            assert found == moment(OURS[key], zone), case
            differing.add(key)
    assert differing == set(OURS)


def test_a_line_comes_exactly_when_robfig_says() -> None:
    differing = {}
    for case in vector(ROBFIG)["activation_cases"]:
        at = moment(case["time"], "UTC")
        comes = next_fire(parse(case["spec"]), "UTC", Instant(at - SECOND)) == at
        if comes is not case["fires_exactly_then"]:
            differing[case["spec"]] = case["time"]
    assert differing == NOT_THEN


def test_what_robfig_refuses_is_refused() -> None:
    for case in vector(ROBFIG)["invalid_specs"]:
        words = (case["field"], case["min"], case["max"]) if "field" in case else (case["spec"],)
        with pytest.raises(ValueError, match=r"cron line|number|does not lie"):
            (parse_field if "field" in case else parse)(*words)


def test_a_field_allows_what_robfig_says() -> None:
    for case in vector(ROBFIG)["field_cases"]:
        found = parse_field(case["field"], case["min"], case["max"])
        assert list(found) == case["expected"], case


def runs(line: str, start: str, zone: str, count: int) -> list[str]:
    """Give the next runs after a time on the wall, in UTC."""
    at: Instant | None = instant_of(zone_of(zone), datetime.fromisoformat(start))
    found = []
    for _ in range(count):
        assert at is not None
        at = next_fire(parse(line), zone, at)
        assert at is not None
        found.append(datetime.fromtimestamp(at / SECOND, zone_of("UTC")).isoformat()[:16])
    return found


def test_0_and_7_are_sunday() -> None:
    for line in ("0 12 * * 0", "0 12 * * 7", "0 12 * * sun", "0 12 * * 7-7"):
        assert runs(line, "2026-11-23T00:00", "UTC", 1) == ["2026-11-29T12:00"]
    assert parse("0 12 * * 5-7") != parse("0 12 * * 1-5")
    assert parse("0 0 * * fri-sun").weekdays == (0, 5, 6)


def test_in_the_night_without_an_hour_a_daily_line_comes_once_after_the_gap() -> None:
    assert runs("30 2 * * *", "2026-03-28T12:00", "Europe/Berlin", 2) == [
        "2026-03-29T01:00",
        "2026-03-30T00:30",
    ]
    assert runs("*/15 2 * * *", "2026-03-28T12:00", "Europe/Berlin", 2) == [
        "2026-03-29T01:00",
        "2026-03-30T00:00",
    ]


def test_in_the_night_with_an_hour_twice_a_daily_line_comes_once() -> None:
    assert runs("30 2 * * *", "2026-10-24T12:00", "Europe/Berlin", 2) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


def test_a_line_of_every_hour_goes_by_the_clock() -> None:
    assert runs("30 * * * *", "2026-03-29T01:00", "Europe/Berlin", 2) == [
        "2026-03-29T00:30",
        "2026-03-29T01:30",
    ]
    assert runs("30 * * * *", "2026-10-25T02:00", "Europe/Berlin", 3) == [
        "2026-10-25T00:30",
        "2026-10-25T01:30",
        "2026-10-25T02:30",
    ]
    assert runs("*/30 * * * *", "2026-04-05T01:15", "Australia/Lord_Howe", 4) == [
        "2026-04-04T14:30",
        "2026-04-04T15:00",
        "2026-04-04T15:30",
        "2026-04-04T16:00",
    ]


def test_the_line_itself_may_name_its_zone() -> None:
    assert runs("CRON_TZ=Asia/Tokyo 0 9 * * *", "2026-11-23T12:00", "UTC", 1) == [
        "2026-11-24T00:00"
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("30 2", "is not a cron line (write"),
        ("61 2 * * *", "'61' does not lie in 0-59"),
        ("0 0 * * funday", "'funday' is neither a number nor a name"),
        ("@every 5m", "is not a cron line"),
        ("TZ=Mars/Base 0 0 * * *", "'Mars/Base' is not a time zone"),
        ("0 0 */0 * *", "a step over 0"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_cure(line: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is asserted below
        parse(line)
    assert told in str(caught.value)
