"""Decides what end users are told of a service: in plain words, day by day, and nothing internal.

Pure. What a time was is named by decisions/availability.py; a person's correction counts here too.
What nobody saw is never told as up.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitord.decisions.availability import Account, Correction, Period, Time, Work, pieces
from monitord.decisions.calendars import instant_of, wall_time
from monitord.decisions.watched import service_track
from monitord.model.ids import Instant
from monitord.model.service import ServiceChange, ServiceState

DAYS = 90
"""How far back the page tells."""


class Word(StrEnum):
    """What end users are told; of a day the first of these that was so at any time of it."""

    DOWN = "down"
    DEGRADED = "degraded"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"
    UP = "up"


_OF_STATE = {
    ServiceState.UP: Word.UP,
    ServiceState.DEGRADED: Word.DEGRADED,
    ServiceState.DOWN: Word.DOWN,
    ServiceState.UNKNOWN: Word.UNKNOWN,
}
_OF_TIME = {
    Time.UP: Word.UP,
    Time.DOWN: Word.DOWN,
    Time.MAINTENANCE: Word.MAINTENANCE,
    Time.EXCUSED: Word.MAINTENANCE,
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day on the wall clock of the page's zone; µs of it by word, up to now."""

    day: date
    times: dict[Word, int] = field(default_factory=dict)

    @property
    def word(self) -> Word:
        """What the day is called; a day of which less than half was seen is unknown."""
        for one in (Word.DOWN, Word.DEGRADED, Word.MAINTENANCE):
            if self.times.get(one):
                return one
        seen, unseen = self.times.get(Word.UP, 0), self.times.get(Word.UNKNOWN, 0)
        return Word.UP if seen > unseen else Word.UNKNOWN


def stands(last: ServiceChange | None, works: Iterable[Work]) -> tuple[Word, Instant | None]:
    """Give how a service stands now and since when; `works` are those in force that bear on it.

    What is not up while work on it was announced is maintenance.
    """
    if last is None:
        return Word.UNKNOWN, None
    began = [work.start for work in works]
    if began and last.state is not ServiceState.UP:
        return Word.MAINTENANCE, max(last.at, min(began))
    return _OF_STATE[last.state], last.at


def window(zone: ZoneInfo, now: Instant) -> Period:
    """Give from the first midnight that the page tells of until now."""
    return instant_of(zone, _midnight(wall_time(zone, now).date() - timedelta(days=DAYS - 1))), now


def days(
    zone: ZoneInfo,
    period: Period,
    changes: Sequence[ServiceChange],
    works: Iterable[Work] = (),
    outages: Iterable[Period] = (),
    corrections: Iterable[Correction] = (),
) -> list[Day]:
    """Give each day of a window.

    Args:
        zone: whose midnights part the days.
        period: from a midnight until now.
        changes: the service's rows, oldest first; the first may be from before.
        works: announced maintenance of the whole service.
        outages: when monitord itself did not watch.
        corrections: what people said that a time of the service really was.
    """
    account = Account(
        "",
        "",
        *period,
        agreed=(period,),
        tracks={"": service_track(changes, period)},
        works=tuple(replace(work, excused=False) for work in works),
        outages=tuple(outages),
        corrections=tuple(corrections),
    )
    first, last = (wall_time(zone, at).date() for at in period)
    found = [Day(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    borders = [instant_of(zone, _midnight(one.day)) for one in found]
    for start, end, word in _words(account, changes):
        at = start
        while at < end:
            number = max(0, bisect_right(borders, at) - 1)
            until = min(end, borders[number + 1]) if number + 1 < len(borders) else end
            times = found[number].times
            times[word] = times.get(word, 0) + until - at
            at = until
    return found


def _words(
    account: Account, changes: Sequence[ServiceChange]
) -> Iterator[tuple[Instant, Instant, Word]]:
    """Give what the window was, piece by piece: DEGRADED counts as up there, but not here."""
    starts = [change.at for change in changes]
    for start, end, time in pieces(account):
        word = _OF_TIME.get(time, Word.UNKNOWN)
        if word is not Word.UP:
            yield start, end, word
            continue
        at = start
        while at < end:
            number = bisect_right(starts, at) - 1
            until = min(end, starts[number + 1]) if number + 1 < len(starts) else end
            degraded = number >= 0 and changes[number].state is ServiceState.DEGRADED
            yield at, Instant(until), Word.DEGRADED if degraded else Word.UP
            at = Instant(until)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a time on the wall
