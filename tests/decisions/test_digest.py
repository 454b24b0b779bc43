"""When a morning digest is due: on the wall clock of each, late on the same day, once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from monitord.clock import as_instant
from monitord.decisions.digest import Morning, due_today, since, text
from monitord.model.calendar import Calendar
from monitord.model.ids import Instant
from monitord.model.policy import Digest

BERLIN = "Europe/Berlin"
HALF_PAST_SEVEN = Digest(time(7, 30), ("person/kim",))
NIGHT = Digest(time(2, 30), ("person/kim",))


def at(day: str, clock: str) -> Instant:
    """Give an instant of UTC."""
    return as_instant(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC))


def due(digest: Digest, now: Instant, calendar: Calendar | None = None) -> Instant | None:
    return due_today(digest, BERLIN, calendar, now)


def test_it_is_due_on_the_wall_clock_and_late_until_midnight_there() -> None:
    assert due(HALF_PAST_SEVEN, at("2027-01-15", "06:29:59")) is None
    morning = at("2027-01-15", "06:30:00")
    for now in ("06:30:00", "12:00:00", "22:59:59"):
        assert due(HALF_PAST_SEVEN, at("2027-01-15", now)) == morning
    assert due(HALF_PAST_SEVEN, at("2027-01-15", "23:00:00")) is None


def test_a_time_that_the_clock_change_skips_comes_at_its_end_and_a_doubled_one_once() -> None:
    assert due(NIGHT, at("2027-03-28", "00:59:59")) is None
    assert due(NIGHT, at("2027-03-28", "09:00:00")) == at("2027-03-28", "01:00:00")
    first = at("2027-10-31", "00:30:00")
    assert due(NIGHT, at("2027-10-31", "00:45:00")) == first
    assert due(NIGHT, at("2027-10-31", "01:45:00")) == first


def test_it_looks_back_to_the_last_morning_of_anybody_and_a_week_at_most() -> None:
    monday, friday = at("2027-01-18", "06:30:00"), at("2027-01-15", "06:30:00")
    begun = at("2026-11-01", "00:00:00")
    assert since({"kim": friday, "lee": at("2027-01-18", "05:30:00")}, begun, monday) == friday
    week = timedelta(days=7) // timedelta(microseconds=1)
    assert since({}, begun, monday) == monday - week


def test_where_there_is_nothing_to_say_there_is_none() -> None:
    assert text(Morning(), BERLIN) is None
