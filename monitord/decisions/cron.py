"""Decides when a cron line comes next. Pure; APScheduler's triggers do the counting.

Read as cronie reads it: 0 and 7 are Sunday; where both the day of the month and the weekday are
restricted, one of them is enough, and a field that begins with * restricts nothing. A time that
does not exist comes once, at the end of the gap; one that is doubled comes once, the first time. A
line of every hour (its hours begin with *) goes by the clock instead: in both of the doubled hours,
and not in the one that is skipped.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from monitord.decisions.calendars import (
    HORIZON,
    change_between,
    instant_of,
    wall_time,
    zone_of,
)
from monitord.model.ids import Instant

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)", re.DOTALL)
_PART = re.compile(r"(\*|\?|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:/(\d+))?")
_FIELDS = 5
_SUNDAY = 7


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line that was read.

    The fields are what they allow, 0 is Sunday. `zone` is what TZ= before the line says (empty:
    nothing does). `either`: the day of the month or the weekday is enough. `hourly`: its hours
    begin with *.
    """

    text: str
    zone: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    hourly: bool


@lru_cache(maxsize=1024)
def parse(text: str) -> Cron:
    """Read five fields, six (the first are seconds), or a word as @daily; TZ=… may stand before.

    Raises:
        ValueError: it cannot be read; the text says what is wrong and how to write it.
    """
    zone, line = "", text.strip()
    if found := _ZONE.fullmatch(line):
        zone, line = found[1], found[2].strip()
        try:
            zone_of(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{text!r}: {zone!r} is not a time zone") from None
    fields = _NICKNAMES.get(line, line).split()
    if len(fields) not in (_FIELDS, _FIELDS + 1):
        raise ValueError(f'{text!r} is not a cron line (write "30 2 * * 1-5" or @daily)')
    second, minute, hour, day, month, weekday = ["0", *fields][-_FIELDS - 1 :]
    try:
        return Cron(
            text,
            zone,
            parse_field(second, 0, 59),
            parse_field(minute, 0, 59),
            parse_field(hour, 0, 23),
            parse_field(day, 1, 31),
            parse_field(month, 1, 12, _MONTHS),
            tuple(sorted({one % _SUNDAY for one in parse_field(weekday, 0, _SUNDAY, _WEEKDAYS)})),
            either=day[0] not in "*?" and weekday[0] not in "*?",
            hourly=hour[0] == "*",
        )
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None


def parse_field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    """Read one field: `*`, `5`, `1-5`, `*/15`, `mon-fri`, `5/15` (from 5 on), several with commas.

    Raises:
        ValueError: it cannot be read, or leaves `low` to `high`.
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[1] in "*?" and match[2]):
            raise ValueError(f"{part!r} is no number, range or step")
        step = int(match[3] or 1)
        first = low if match[1] in "*?" else _number(match[1], low, names)
        last = first if match[1] not in "*?" and match[3] is None else high
        if match[2]:
            last = _number(match[2], low, names)
            if high == _SUNDAY and last == 0 < first:  # fri-sun
                last = _SUNDAY
        if not step or not low <= first <= last <= high:
            raise ValueError(f"{part!r} does not lie in {low}-{high}, rising, with a step over 0")
        found.update(range(first, last + 1, step))
    return tuple(sorted(found))


def _number(word: str, low: int, names: tuple[str, ...]) -> int:
    if word.isdecimal():
        return int(word)
    if word.lower() in names:
        return names.index(word.lower()) + low
    raise ValueError(f"{word!r} is neither a number nor a name")


def next_fire(cron: Cron, zone: str, after: Instant) -> Instant | None:
    """Give the first instant after `after` at which the line comes, on the wall clock of `zone`.

    A zone that the line itself names goes before it. None: never (30 February), or not within
    `HORIZON` years.
    """
    clock = zone_of(cron.zone or zone)
    if not any(day <= _LONGEST_MONTHS[month - 1] for day in cron.days for month in cron.months):
        return None
    last = wall_time(clock, after) + timedelta(days=366 * HORIZON)
    if cron.hourly:
        return _by_the_clock(cron, clock, after, last)
    wall = _next_wall(cron, wall_time(clock, after), last)
    while wall is not None and (found := instant_of(clock, wall)) <= after:
        wall = _next_wall(cron, wall, last)  # what comes twice has been
    return None if wall is None else found


def _by_the_clock(cron: Cron, clock: ZoneInfo, after: Instant, last: datetime) -> Instant | None:
    """Give the next instant at which the wall shows an allowed time, however often it does."""
    at, base = after, wall_time(clock, after)
    while (wall := _next_wall(cron, base, last)) is not None:
        ahead = (wall - wall_time(clock, at)) // timedelta(microseconds=1)
        found = Instant(at + ahead)
        if wall_time(clock, found) == wall:
            return found
        at = change_between(clock, at, found)
        base = wall_time(clock, at) - timedelta(microseconds=1)
    return None


def _next_wall(cron: Cron, wall: datetime, last: datetime) -> datetime | None:
    """Give the next time on the wall after `wall` that the fields allow, before `last`."""
    start = (wall + timedelta(microseconds=1)).replace(tzinfo=UTC)
    found: datetime = _trigger(cron).get_next_fire_time(None, start)
    wall = found.replace(tzinfo=None)
    return wall if wall < last else None


@lru_cache(maxsize=1024)
def _trigger(cron: Cron) -> BaseTrigger:
    """Give the trigger of the fields, on a clock that is never set (the zone is judged here)."""
    fields = {"second": cron.seconds, "minute": cron.minutes, "hour": cron.hours}
    fields |= {"month": cron.months}
    common = {name: ",".join(map(str, values)) for name, values in fields.items()}
    days = {"day": ",".join(map(str, cron.days))}
    weekdays = {"day_of_week": ",".join(_WEEKDAYS[day] for day in cron.weekdays)}
    if not cron.either:
        return CronTrigger(**common, **days, **weekdays, timezone=UTC)
    ways = [CronTrigger(**common, **way, timezone=UTC) for way in (days, weekdays)]
    return OrTrigger(ways)
