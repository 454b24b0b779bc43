"""Calendars agree with working_hours (Ruby), Icinga and Nagios, or say here where they do not.

Where they differ, docs/decisions/calendars.md says why; each such case is named below with what we
answer instead, so that none can creep in.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitord.config.calendar_models import WEEKDAYS, parse_days, parse_spans, parse_weekdays
from monitord.decisions.calendars import (
    add_open_time,
    hours_on,
    instant_of,
    is_open,
    next_open,
    open_time_between,
    zone_of,
)
from monitord.model.calendar import ALWAYS, Calendar, Rule
from monitord.model.ids import Instant
from tests.world.vectors import vector

SECOND = 1_000_000
A_MOMENT = timedelta(microseconds=1)
Case = dict[str, Any]


def calendar_of(
    hours: Mapping[str, str],
    zone: str = "UTC",
    days: Mapping[str, str] | None = None,
    exclude: tuple[Calendar, ...] = (),
    also: tuple[Calendar, ...] = (),
) -> Calendar:
    """Make a calendar out of the words that a user writes."""
    week = [()] * 7
    for words, spans in hours.items():
        for weekday in parse_weekdays(words):
            week[weekday] = parse_spans(spans)
    rules = []
    for words, spans in (days or {}).items():
        first, last, every = parse_days(words)
        rules.append(Rule(first, last, parse_spans(spans), every))
    return Calendar("of the case", zone, tuple(week), tuple(rules), (), exclude, also)


def closed(calendar: Calendar) -> Calendar:
    """Give the calendar that is open exactly where this one is not."""
    return Calendar("closed", week=ALWAYS.week, exclude=(calendar,))


# working_hours adds and counts open time

RUBY = "business_hours/working_hours.json"
DEFAULT = {day: {"09:00": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")}
MIDNIGHT = "2014-04-08T00:00:00Z"  # 24:00 is the next day's midnight, not a microsecond before
OURS = {
    ("advance_to_closing_time", "2014-04-07T00:00:00Z"): MIDNIGHT,
    ("advance_to_closing_time", "2014-04-06T17:00:00Z"): MIDNIGHT,
    ("advance_to_closing_time", "2014-04-07T23:59:59.999999Z"): MIDNIGHT,
    ("working_time_between_seconds", "2020-10-24T22:00:00Z"): 90_000,  # that Sunday had 25 hours
}


def ruby_calendar(case: Case) -> Calendar:
    hours = DEFAULT if case["working_hours"] == "default" else case["working_hours"]
    days = dict.fromkeys(case.get("holidays", ()), "off")
    days |= {day: _joined(spans) for day, spans in case.get("holiday_hours", {}).items()}
    week = {day: _joined(spans) for day, spans in hours.items()}
    return calendar_of(week, case["time_zone"], days)


def _joined(spans: Mapping[str, str]) -> str:
    return ", ".join(f"{start}-{end}" for start, end in spans.items())


def moment(text: str) -> Instant:
    found = datetime.fromisoformat(text)
    return Instant(
        (found.astimezone(UTC) - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    )


def local(calendar: Calendar, text: str) -> datetime:
    """Give a date or moment as the wall clock of the calendar shows it."""
    found = datetime.fromisoformat(text)
    return found.astimezone(zone_of(calendar.zone)).replace(tzinfo=None) if found.tzinfo else found


def working(calendar: Calendar, day: date) -> bool:
    zone = zone_of(calendar.zone)
    begin, end = (
        instant_of(zone, datetime.combine(one, datetime.min.time()))
        for one in (day, day + timedelta(days=1))
    )
    return open_time_between(calendar, begin, end) > timedelta(0)


def add_days(calendar: Calendar, text: str, count: int) -> datetime:
    found, step = local(calendar, text), timedelta(days=1 if count > 0 else -1)
    for number in range(abs(count) + 1 if count else 0):
        found += step if number else timedelta(0)
        while not working(calendar, found.date()):
            found += step
    return found


def days_between(calendar: Calendar, first: str, last: str) -> int:
    begin, end = local(calendar, first).date(), local(calendar, last).date()
    if end < begin:
        return -days_between(calendar, last, first)
    days = [begin + timedelta(days=number + 1) for number in range((end - begin).days)]
    return sum(working(calendar, day) for day in days)


def advance(calendar: Calendar, at: Instant) -> Instant | None:
    return next_open(calendar, at)


def closing(calendar: Calendar, at: Instant) -> Instant | None:
    opens = next_open(calendar, at)
    return None if opens is None else next_open(closed(calendar), opens)


def next_opening(calendar: Calendar, at: Instant) -> Instant | None:
    rest = next_open(closed(calendar), at)
    return None if rest is None else next_open(calendar, rest)


def last_open(calendar: Calendar, at: Instant) -> Instant | None:
    found = add_open_time(calendar, at, -A_MOMENT)
    return None if found is None else Instant(found + 1)


INSTANTS: Mapping[str, Callable[[Calendar, Instant], Instant | None]] = {
    "advance_to_working_time": advance,
    "advance_to_closing_time": closing,
    "next_working_time": next_opening,
    "return_to_working_time": last_open,
}


def test_the_ruby_cases_are_all_there() -> None:
    found = vector(RUBY)
    assert len(found["cases"]) == 146
    assert (len(found["invalid_configs"]), len(found["valid_configs"])) == (8, 2)
    assert len({(case["op"], case["args"][0]) for case in found["cases"]} & set(OURS)) == len(OURS)


def test_open_time_is_counted_as_working_hours_does() -> None:
    for case in vector(RUBY)["cases"]:
        op, args, calendar = case["op"], case["args"], ruby_calendar(case)
        expected = OURS.get((op, args[0]), case["expected"])
        assert _answer(op, args, calendar, expected), case


def _answer(op: str, args: list[Any], calendar: Calendar, expected: Any) -> bool:
    if op in INSTANTS:
        return INSTANTS[op](calendar, moment(args[0])) == moment(expected)
    if op == "add_days":
        return bool(add_days(calendar, *args) == local(calendar, expected))
    if op.startswith("add_"):
        unit = timedelta(**{op.removeprefix("add_"): args[1]})
        found = add_open_time(calendar, moment(args[0]), unit)
        return found is not None and round(found / SECOND) * SECOND == moment(expected)
    return bool(FACTS[op](calendar, *args) == expected)


FACTS: Mapping[str, Callable[..., object]] = {
    "is_working_day": lambda calendar, day: working(calendar, date.fromisoformat(day)),
    "in_working_hours": lambda calendar, text: is_open(calendar, moment(text)),
    "working_days_between": days_between,
    "working_time_between_seconds": lambda calendar, start, end: round(
        open_time_between(calendar, moment(start), moment(end)).total_seconds()
    ),
}


def test_what_working_hours_refuses_is_refused_or_means_something_here() -> None:
    """A span may end on the next day, so 24:10 and 12:30-12:00 are no mistakes to us."""
    taken = {"outside the day", "ends before it starts"}
    empty = {"no working hours given"}  # refused by check-config: a calendar without hours
    for case in vector(RUBY)["invalid_configs"]:
        if case["why"] in empty:
            continue
        refused = False
        try:
            for day, spans in case["working_hours"].items():
                parse_weekdays(day)
                parse_spans(_joined(spans) if isinstance(spans, dict) else spans)
        except ValueError:
            refused = True
        assert refused is (case["why"] not in taken), case
    for case in vector(RUBY)["valid_configs"]:
        calendar_of({day: _joined(spans) for day, spans in case["working_hours"].items()})


# Icinga knows time periods, and the nights on which the clock is set

ICINGA = "timeperiods/icinga2.json"
LOS_ANGELES = "America/Los_Angeles"
THREE = 1615716000  # 03:00 PDT, when 02:00 to 03:00 did not exist
SKIPPED = {  # a time that was skipped is the end of the gap for us, an hour later for Icinga
    "01:30-02:30": (1615714200, THREE),
    "02:30-03:30": (THREE, THREE + 1800),
    "02:15-03:45": (THREE, THREE + 2700),
}


def icinga_calendar(ranges: Mapping[str, str], zone: str, *more: Any) -> Calendar:
    week = {day: spans for day, spans in ranges.items() if day in WEEKDAYS}
    days = {day: spans for day, spans in ranges.items() if day not in WEEKDAYS}
    return calendar_of(week, zone, days, *more)


def test_the_icinga_cases_are_all_there() -> None:
    counts = {name: len(cases) for name, cases in vector(ICINGA).items() if isinstance(cases, list)}
    assert counts == {
        "dst_cases": 106,
        "day_spec_cases": 9,
        "in_range_cases": 7,
        "time_range_cases": 12,
        "nth_weekday_cases": 18,
        "include_exclude_cases": 4,
    }


def test_the_nights_of_the_clock_change_are_icingas_but_for_times_that_were_skipped() -> None:
    differing = 0
    for case in vector(ICINGA)["dst_cases"]:
        calendar = icinga_calendar({case["day"]: case["ranges"]}, LOS_ANGELES)
        at = Instant(case["reference_epoch"] * SECOND)
        find = _next_segment if case["op"] == "find_next_segment" else _running_segment
        expected = case["expected"]
        expected = expected and (expected["begin_epoch"], expected["end_epoch"])
        found = find(calendar, at)
        if found != expected:
            differing += 1
            assert found == SKIPPED[case["ranges"]], case
    assert differing == 12


def _next_segment(calendar: Calendar, at: Instant) -> tuple[int, int] | None:
    rest = next_open(closed(calendar), at) if is_open(calendar, Instant(at - 1)) else at
    begin = None if rest is None else next_open(calendar, rest)
    if begin is None or begin > at + 86_400 * SECOND:
        return None
    return _segment(calendar, begin)


def _running_segment(calendar: Calendar, at: Instant) -> tuple[int, int] | None:
    return _segment(calendar, at) if is_open(calendar, at) else None


def _segment(calendar: Calendar, at: Instant) -> tuple[int, int]:
    begin, end = last_open(closed(calendar), at), next_open(closed(calendar), at)
    assert begin is not None
    assert end is not None
    return begin // SECOND, end // SECOND


def test_day_specs_name_icingas_days() -> None:
    for case in vector(ICINGA)["day_spec_cases"]:
        if case.get("expected") == "rejected":
            with pytest.raises(ValueError, match="is no day"):
                parse_days(case["spec"])
            continue
        calendar = calendar_of({}, "UTC", {case["spec"]: "00:00-24:00"})
        begin = moment(case["expected_begin"] + "Z")
        assert _segment(calendar, begin) == (
            begin // SECOND,
            moment(case["expected_end"] + "Z") // SECOND,
        ), case


def test_every_nth_day_of_a_range_is_icingas() -> None:
    for case in vector(ICINGA)["in_range_cases"]:
        begin, end = (datetime.fromtimestamp(case[name], UTC) for name in ("begin", "end"))
        words = f"{begin:%Y-%m-%d} - {end:%Y-%m-%d} / {case['stride']}"
        calendar = calendar_of({}, "UTC", {words: f"{begin:%H:%M}-{end:%H:%M}"})
        assert is_open(calendar, Instant(case["reference"] * SECOND)) is case["expected"], case


def test_time_ranges_are_icingas() -> None:
    for case in vector(ICINGA)["time_range_cases"]:
        calendar = calendar_of({}, "UTC", {case["day"]: case["range"]})
        begin, end = (moment(case[name] + "Z") for name in ("expected_begin", "expected_end"))
        assert _segment(calendar, begin) == (begin // SECOND, end // SECOND), case


def test_the_nth_weekday_of_a_month_is_icingas() -> None:
    for case in vector(ICINGA)["nth_weekday_cases"]:
        calendar = calendar_of({}, "UTC", {f"{case['weekday']} {case['n']}": "00:00-24:00"})
        first = date.fromisoformat(case["month"] + "-01")
        days = [first + timedelta(days=number) for number in range(31)]
        assert [str(day) for day in days if hours_on(calendar, day)] == [case["expected"]], case


def test_excluded_and_added_calendars_are_icingas() -> None:
    for case in vector(ICINGA)["include_exclude_cases"]:
        others = [
            tuple(icinga_calendar(one, "UTC") for one in case.get(key, ()))
            for key in ("excludes", "includes")
        ]
        calendar = icinga_calendar(case["ranges"], case["time_zone"], *others)
        for region in case["regions"]:
            for epoch, inside in region["inside"].items():
                assert is_open(calendar, Instant(int(epoch) * SECOND)) is inside, case
            for begin, end in region["segments"]:
                assert _segment(calendar, Instant(begin * SECOND)) == (begin, end), case


def test_around_the_clock_is_always_open() -> None:
    sweep = vector(ICINGA)["always_inside"]
    calendar = calendar_of({"daily": "00:00-24:00"}, sweep["time_zone"])
    for epoch in range(sweep["from_epoch"], sweep["to_epoch"], sweep["probe_step_s"]):
        assert is_open(calendar, Instant(epoch * SECOND))


# Nagios knows exceptions and exclusions

NAGIOS = "timeperiods/nagios.json"
EXCLUSIVE = {  # an end is not part of its span for us; it is for Nagios
    ("Test_exclude2", 1278939600): (False, 1279058280),  # 23:58:00, not 23:59:00
    ("sunday_only", 1256429700): (False, 1256440500),  # 01:15:00 is closed
    ("sunday_only", 1256508000): (False, 1257033600),  # 22:00:00 is closed
}


def nagios_calendar(name: str, zone: str) -> Calendar:
    ranges = dict(vector(NAGIOS)["periods"][name])
    excluded = ranges.pop("exclude", None)
    others = (nagios_calendar(excluded, zone),) if excluded else ()
    return icinga_calendar(ranges, zone, others)


def test_the_nagios_cases_are_all_there() -> None:
    found = vector(NAGIOS)
    assert (len(found["cases"]), len(found["periods"])) == (16, 13)
    assert {(case["period"], case["time"]) for case in found["cases"]} >= set(EXCLUSIVE)


def test_periods_are_nagios_but_for_their_last_second() -> None:
    for case in vector(NAGIOS)["cases"]:
        calendar = nagios_calendar(case["period"], case["time_zone"])
        at = Instant(case["time"] * SECOND)
        opens = next_open(calendar, at)
        found = is_open(calendar, at), opens and opens // SECOND
        expected = case["valid"], case["next_valid"]
        assert found == EXCLUSIVE.get((case["period"], case["time"]), expected), case


def test_a_period_without_hours_is_never_open_and_one_of_all_hours_always() -> None:
    sweep = vector(NAGIOS)["always_valid"]
    assert next_open(nagios_calendar("none", "UTC"), moment("2026-01-01T00:00:00Z")) is None
    assert (sweep["count"], len(sweep["time_zones"])) == (1000, 3)
    for zone in sweep["time_zones"]:
        calendar = nagios_calendar("24x7", zone)
        for number in range(sweep["count"]):
            at = Instant((sweep["start_epoch"] + number * sweep["step_s"]) * SECOND)
            assert next_open(calendar, at) == at
