"""Decides what is open when: calendars over instants (µs UTC). Pure; it reads no clock.

A wall-clock time that does not exist (the clock was set forward over it) is the end of the gap; one
that comes twice is the first of the two. So what adjoins on paper adjoins in that night too. Each
year of a calendar is laid out once and kept: a question costs microseconds then.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from monitord.model.calendar import Calendar, Day, Rule, Span
from monitord.model.ids import Instant

HORIZON = 12
"""Years that are looked ahead and back: a 29 February may be eight years away."""

_MICRO = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


def is_open(calendar: Calendar, at: Instant) -> bool:
    """Tell whether `at` lies in the calendar's open time; the end of a span is closed."""
    year = _year(calendar, _year_of(at))
    place = bisect_right(year.starts, at) - 1
    return place >= 0 and at < year.ends[place]


def next_open(calendar: Calendar, at: Instant) -> Instant | None:
    """Give the first open instant at or after `at`; None: none within `HORIZON` years."""
    first = _year_of(at)
    for number in range(first, first + HORIZON):
        year = _year(calendar, number)
        place = bisect_right(year.ends, at)
        if place < len(year.starts):
            return Instant(max(at, year.starts[place]))
    return None


def add_open_time(calendar: Calendar, start: Instant, duration: timedelta) -> Instant | None:
    """Give the earliest instant by which `duration` of open time has passed since `start`.

    A negative duration goes back, to the latest instant from which on so much had passed; zero is
    `start` itself. None: there is not so much open time within `HORIZON` years.
    """
    number, left = _year_of(start), duration // _MICRO
    if not left:
        return start
    done = _year(calendar, number).before(start)
    step = 1 if left > 0 else -1
    for way in range(HORIZON):
        year = _year(calendar, number + way * step)
        if way:
            done = 0 if left > 0 else year.total
        goal = done + left
        if left > 0 and goal <= year.total:
            return year.reached(goal)
        if left < 0 and goal >= 0 and done:
            return year.left(goal)
        left = goal - year.total if left > 0 else goal
    return None


def open_periods(calendar: Calendar, start: Instant, end: Instant) -> list[tuple[Instant, Instant]]:
    """Give the open periods between two instants, cut at both, in order and apart."""
    years = range(_year_of(start), _year_of(end) + 1)
    found = (period for number in years for period in _periods(_year(calendar, number)))
    cut = _merged((max(low, start), min(high, end)) for low, high in found)
    return [(Instant(low), Instant(high)) for low, high in cut]


def open_time_between(calendar: Calendar, start: Instant, end: Instant) -> timedelta:
    """Give how much open time lies between two instants; negative where `end` is the earlier."""
    if end < start:
        return -open_time_between(calendar, end, start)
    first, last = _year_of(start), _year_of(end)
    found = _year(calendar, last).before(end) - _year(calendar, first).before(start)
    return (found + sum(_year(calendar, year).total for year in range(first, last))) * _MICRO


@lru_cache(maxsize=128)
def zone_of(name: str) -> ZoneInfo:
    """Give a zone by its name in the time zone database."""
    return ZoneInfo(name)


def wall_time(zone: ZoneInfo, at: Instant) -> datetime:
    """Give what a clock on the wall shows, without a zone."""
    return (_EPOCH + at * _MICRO).astimezone(zone).replace(tzinfo=None, fold=0)


def instant_of(zone: ZoneInfo, wall: datetime) -> Instant:
    """Give when a clock on the wall shows this; see the module for what is not there or doubled."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return Instant((moment - _EPOCH) // _MICRO)
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # in a gap this lies before it
    low, high = ((one - _EPOCH) // _MICRO for one in (before, moment))
    return change_between(zone, Instant(low), Instant(high))


def change_between(zone: ZoneInfo, start: Instant, end: Instant) -> Instant:
    """Give the first instant of another offset than `start` has; `end` has another one."""
    low, high = start // _SECOND, end // _SECOND
    offset = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
    return Instant(high * _SECOND)


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()


@dataclass(frozen=True, slots=True)
class _Year:
    """The open periods of one year of UTC, in order, apart from each other; µs.

    `sums` is how much is open before each of them, within the year; `total` in all of it.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]
    total: int

    def before(self, at: Instant) -> int:
        """Give how much of the year is open before `at`."""
        place = bisect_right(self.starts, at) - 1
        if place < 0:
            return 0
        return self.sums[place] + min(at, self.ends[place]) - self.starts[place]

    def reached(self, amount: int) -> Instant:
        """Give the first instant before which `amount` (over 0) is open."""
        place = bisect_left(self.sums, amount) - 1
        return Instant(self.starts[place] + amount - self.sums[place])

    def left(self, amount: int) -> Instant:
        """Give the last instant before which no more than `amount` (below the total) is open."""
        place = bisect_right(self.sums, amount) - 1
        return Instant(self.starts[place] + amount - self.sums[place])


_Periods = list[tuple[int, int]]


@lru_cache(maxsize=256)  # a year of office hours is some 25 kB
def _year(calendar: Calendar, number: int) -> _Year:
    low, high = _new_year(number), _new_year(number + 1)
    found = _merged((max(a, low), min(b, high)) for a, b in _written(calendar, number))
    for other in calendar.exclude:
        found = _without(found, _periods(_year(other, number)))
    for other in calendar.also:
        found = _merged([*found, *_periods(_year(other, number))])
    lengths = [end - start for start, end in found]
    sums = tuple(accumulate(lengths[:-1], initial=0)) if lengths else ()
    starts, ends = tuple(a for a, _ in found), tuple(b for _, b in found)
    return _Year(starts, ends, sums, sum(lengths))


def _written(calendar: Calendar, number: int) -> Iterator[tuple[int, int]]:
    """Give the periods of all days that may reach into a year, as their hours say."""
    zone = zone_of(calendar.zone)
    day, last = date(number, 1, 1) - timedelta(days=3), date(number + 1, 1, 1)
    while day <= last:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a time on the wall
        for span in hours_on(calendar, day):
            start = instant_of(zone, midnight + timedelta(seconds=span.start))
            yield start, instant_of(zone, midnight + timedelta(seconds=span.end))
        day += timedelta(days=1)


def _merged(periods: Iterable[tuple[int, int]]) -> _Periods:
    found: _Periods = []
    for start, end in sorted(period for period in periods if period[0] < period[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _without(periods: _Periods, taken: _Periods) -> _Periods:
    found: _Periods = []
    place = 0
    for start, end in periods:
        while place < len(taken) and taken[place][1] <= start:
            place += 1
        at, nearest = start, place
        while nearest < len(taken) and taken[nearest][0] < end:
            found.append((at, taken[nearest][0]))
            at, nearest = taken[nearest][1], nearest + 1
        found.append((at, end))
    return [(start, end) for start, end in found if start < end]


def _periods(year: _Year) -> _Periods:
    return list(zip(year.starts, year.ends, strict=True))


def _new_year(number: int) -> Instant:
    return Instant((datetime(number, 1, 1, tzinfo=UTC) - _EPOCH) // _MICRO)


def _year_of(at: Instant) -> int:
    return (_EPOCH + at * _MICRO).year


def hours_on(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """Give the spans that start on a day, as its own hours say (without `exclude` and `also`)."""
    holiday = any(day in _holidays(code, day.year) for code in calendar.holidays)
    for rule in calendar.rules:
        if not (holiday and yields(rule)) and fits(rule, day):
            return rule.hours
    return () if holiday else calendar.week[day.weekday()]


def yields(rule: Rule) -> bool:
    """Tell whether a holiday goes before this rule: one that comes again in every month."""
    return rule.first.on is None and not rule.first.month


@lru_cache(maxsize=1024)
def _holidays(code: str, year: int) -> frozenset[date]:
    import holidays  # 70 ms: only where a calendar has some

    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def fits(rule: Rule, day: date) -> bool:
    """Tell whether `day` is one of the rule's days."""
    return any(
        first <= day <= last and (day - first).days % rule.every == 0
        for first, last in _ranges(rule, day)
    )


def _ranges(rule: Rule, day: date) -> Iterator[tuple[date, date]]:
    """Give the occurrences of the rule's days that `day` may lie in."""
    if rule.first.on is not None:
        yield rule.first.on, rule.last.on or rule.first.on
        return
    every = 12 if rule.first.month else 1
    now = day.year * 12 + (rule.first.month or day.month) - 1
    for month in (now - every, now):
        first = _occurs(rule.first, month)
        if first is None:
            continue
        end = month + (rule.last.month - rule.first.month if rule.first.month else 0)
        last = _end(rule.last, end)
        yield first, last if last >= first else _end(rule.last, end + every)


def _occurs(day: Day, month: int) -> date | None:
    """Give the day in a month (counted from year 0); None where that month has none."""
    year, number = divmod(month, 12)
    weekday, length = monthrange(year, number + 1)
    if day.nth:
        first = (day.weekday - weekday) % 7 + 1
        count = (length - first) // 7 + 1
        place = first + 7 * ((day.nth if day.nth > 0 else count + 1 + day.nth) - 1)
        found = place if abs(day.nth) <= count else 0
    else:
        found = day.day if day.day > 0 else length + 1 + day.day
    return date(year, number + 1, found) if 0 < found <= length else None


def _end(day: Day, month: int) -> date:
    """Give the day as an end: of a month that has none, its last day (counted back: its first)."""
    found = _occurs(day, month)
    if found is not None:
        return found
    year, number = divmod(month, 12)
    length = monthrange(year, number + 1)[1]
    return date(year, number + 1, length if max(day.day, day.nth) > 0 else 1)
