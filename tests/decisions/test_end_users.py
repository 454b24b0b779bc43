"""What end users are told: the worst of a day first, and never up where nobody saw it."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitord.decisions.availability import Correction, Period, Time, Work
from monitord.decisions.end_users import DAYS, Day, Word, days, stands, window
from monitord.model.ids import Instant
from monitord.model.service import ServiceChange, ServiceState

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
HOUR = 3_600_000_000
DAY = 24 * HOUR
NOON = Instant(1_795_780_800_000_000)  # 2026-11-27 12:00:00 UTC
PERIOD = window(UTC, NOON)
FIRST = PERIOD[0]
UP, DOWN = ServiceState.UP, ServiceState.DOWN


def change(hours: float, state: ServiceState, time: str = "") -> ServiceChange:
    named = time or {UP: "up", DOWN: "down", ServiceState.DEGRADED: "up"}.get(state, "unknown")
    return ServiceChange(0, "shop", Instant(int(FIRST + hours * HOUR)), state, named, "", ())


def piece(start: float, end: float) -> tuple[Instant, Instant]:
    return Instant(int(FIRST + start * HOUR)), Instant(int(FIRST + end * HOUR))


def told(changes: list[ServiceChange], **more: object) -> list[Day]:
    return days(UTC, PERIOD, changes, **more)  # type: ignore[arg-type] # each test gives its own


def test_the_page_tells_of_ninety_days_with_today() -> None:
    found = told([change(0, UP)])
    assert (len(found), found[0].day, found[-1].day) == (
        DAYS,
        date(2026, 8, 30),
        date(2026, 11, 27),
    )
    assert {day.word for day in found} == {Word.UP}
    assert found[-1].times == {Word.UP: 12 * HOUR}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([], ["unknown"] * 3),
        ([change(36, UP)], ["unknown", "unknown", "up"]),
        ([change(30, UP)], ["unknown", "up", "up"]),
        ([change(-9, UP), change(23.9, DOWN), change(24.1, UP)], ["down", "down", "up"]),
        (
            [change(0, UP), change(1, ServiceState.DEGRADED), change(2, UP)],
            ["degraded", "up", "up"],
        ),
        ([change(0, ServiceState.UNKNOWN), change(1, DOWN), change(2, UP)], ["down", "up", "up"]),
        ([change(-1, ServiceState.DEGRADED)], ["degraded"] * 3),
    ],
)
def test_a_day_is_called_by_the_worst_of_it(changes: list[ServiceChange], words: list[str]) -> None:
    assert [day.word for day in told(changes)[:3]] == words


def test_work_that_was_announced_and_times_that_nobody_saw_have_their_own_words() -> None:
    changes = [change(0, UP), change(2, DOWN), change(4, UP)]
    work = Work(*piece(1, 5), "a new disk at web1", excused=True)
    assert told(changes, works=[work])[0].times == {
        Word.UP: 22 * HOUR,
        Word.MAINTENANCE: 2 * HOUR,
    }
    away = told(changes, outages=[piece(24, 47)])[1]
    assert (away.word, away.times[Word.UNKNOWN]) == (Word.UNKNOWN, 23 * HOUR)


def test_what_a_person_corrected_is_told_as_it_was() -> None:
    changes = [change(0, UP), change(2, DOWN), change(4, UP)]
    said = Correction(*piece(2, 4), Time.UP, "the probe was wrong", "lee")
    assert told(changes, corrections=[said])[0].times == {Word.UP: 24 * HOUR}


def test_days_are_those_of_the_wall_in_nights_in_which_the_clock_changes() -> None:
    period: Period = window(BERLIN, Instant(NOON - 31 * DAY))  # 2026-10-27
    found = days(BERLIN, period, [change(-9999, UP)])
    lengths = {day.day: sum(day.times.values()) // HOUR for day in found}
    assert lengths[date(2026, 10, 24)] == 24
    assert lengths[date(2026, 10, 25)] == 25
    assert sum(lengths.values()) == (period[1] - period[0]) // HOUR


def test_what_is_not_up_while_work_is_announced_is_being_worked_on() -> None:
    work = Work(Instant(NOON - HOUR), NOON, "a new disk at web1")
    down = ServiceChange(0, "shop", Instant(NOON - 2 * HOUR), DOWN, "down", "web1", ())
    up = ServiceChange(0, "shop", Instant(NOON - 2 * HOUR), UP, "up", "", ())
    assert stands(down, [work]) == (Word.MAINTENANCE, NOON - HOUR)
    assert stands(up, [work]) == (Word.UP, NOON - 2 * HOUR)
    assert stands(down, []) == (Word.DOWN, NOON - 2 * HOUR)
    assert stands(None, [work]) == (Word.UNKNOWN, None)
    assert timedelta(microseconds=PERIOD[1] - PERIOD[0]) < timedelta(days=DAYS)
