"""The pydantic models of calendars, service levels and priorities, and the words in them.

They judge the shape of each text alone; names are resolved in calendars.py and slas.py.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from monitord.config.fields import Gap, Names, Share, Zone, not_a, shown
from monitord.model.calendar import DAY, Day, Span
from monitord.model.spec import Spec

OFF = "off"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december",
)  # fmt: skip
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHORTEST_NAME = 3
_LAST_NTH = 5
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_NUMBER = re.compile(r"-?\d{1,2}")


def parse_spans(value: object) -> tuple[Span, ...]:
    """Read `08:00-17:00`, `22:00-06:00` (to the next day), several of them, or `off`.

    Raises:
        ValueError: no such times, or two that overlap.
    """
    if isinstance(value, tuple) and all(isinstance(one, Span) for one in value):
        return value
    texts = value if isinstance(value, list) else [value]
    parts = [part.strip() for text in texts for part in _text(text).split(",")]
    if parts == [OFF]:
        return ()
    if not parts:
        raise ValueError("a list is empty (write off)")
    found = sorted((_span(part) for part in parts), key=lambda span: span.start)
    for before, after in pairwise(found):
        if after.start < before.end:
            raise ValueError(f"{shown(value)} holds two spans that overlap (write them as one)")
    return tuple(found)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{not_a(value, "times of a day")} (write "08:00-17:00" or off)')  # noqa: TRY004 - pydantic tells ValueErrors only
    return value


def _span(text: str) -> Span:
    first, dash, last = text.partition("-")
    start, end = _seconds(first.strip()), _seconds(last.strip())
    if not dash or start is None or end is None or start >= DAY or end > 2 * DAY:
        raise ValueError(f'{text!r} is not a span of time (write "08:00-17:00" or "22:00-06:00")')
    if start == end:
        raise ValueError(f'{text!r} is empty (a whole day is "00:00-24:00")')
    return Span(start, end if end > start else end + DAY)


def _seconds(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None or int(match[2]) > 59 or int(match[3] or 0) > 59:  # noqa: PLR2004 - a clock
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def parse_weekdays(text: str) -> tuple[int, ...]:
    """Read `mon`, `monday`, `mon-fri`, `sat, sun` or `daily`; 0 is Monday.

    Raises:
        ValueError: no such days.
    """
    if text == "daily":
        return tuple(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        start = _named(first.strip(), WEEKDAYS)
        end = _named(last.strip(), WEEKDAYS) if last else start
        if start is None or end is None:
            raise ValueError(f"{text!r} are no weekdays (write mon-fri, sat or daily)")
        found += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    return tuple(dict.fromkeys(found))


def _named(text: str, names: tuple[str, ...]) -> int | None:
    word = text.lower()
    if len(word) < _SHORTEST_NAME:
        return None
    return next((place for place, name in enumerate(names) if name.startswith(word)), None)


def parse_days(text: str) -> tuple[Day, Day, int]:
    """Read the days of a rule: first, last, and every how many of them.

    `2026-12-24`, `december 24`, `day -1` (of every month), `friday -1`, `monday 1 september`; from
    one to another with ` - ` between; with ` / 2` every second day of that.

    Raises:
        ValueError: no such days.
    """
    body, slash, count = text.partition("/")
    every = count.strip()
    if slash and (not every.isdecimal() or not int(every)):
        raise ValueError(f"{text!r}: every {every!r}th day is none (write / 2)")
    parts = re.split(r"\s+-\s+", body.strip())
    days = [_day(part, text) for part in parts[:1]]
    if len(parts) == 2:  # noqa: PLR2004 - from one to another
        days.append(_day(_completed(parts[1], parts[0]), text))
    elif len(parts) > 2:  # noqa: PLR2004 - as above
        raise ValueError(f"{text!r} has more than two ends (write 2026-12-24 - 2027-01-06)")
    first, last = days[0], days[-1]
    if (first.on is None, not first.month) != (last.on is None, not last.month):
        raise ValueError(f"{text!r} goes from one kind of day to another (write both alike)")
    if first.on and last.on and last.on < first.on:
        raise ValueError(f"{text!r} ends before it begins (swap them)")
    return first, last, int(every or 1)


def _completed(last: str, first: str) -> str:
    """Read `december 24 - 31` and `day 1 - 7`: the second day has the first word of the first."""
    return f"{first.split(maxsplit=1)[0]} {last}" if _NUMBER.fullmatch(last.strip()) else last


def _day(part: str, whole: str) -> Day:
    words = part.split()
    found = None
    if len(words) == 1:
        found = _date(words[0])
    elif _NUMBER.fullmatch(words[1]) and len(words) <= 3:  # noqa: PLR2004 - monday 1 september
        found = _recurring(words, int(words[1]))
    if found is None:
        raise ValueError(
            f"{whole!r} is no day (write 2026-12-24, december 24, day -1, friday -1 or"
            " monday 1 september)"
        )
    return found


def _date(word: str) -> Day | None:
    try:
        return Day(on=date.fromisoformat(word))
    except ValueError:
        return None


def _recurring(words: list[str], number: int) -> Day | None:
    weekday, month = _named(words[0], WEEKDAYS), _named(words[0], MONTHS)
    if weekday is not None and 0 < abs(number) <= _LAST_NTH:
        of = _named(words[2], MONTHS) if len(words) > 2 else -1  # noqa: PLR2004 - the third word
        return None if of is None else Day(weekday=weekday, nth=number, month=of + 1)
    if len(words) > 2 or number == 0:  # noqa: PLR2004 - only a weekday has a month behind it
        return None
    longest = 31 if month is None else _LONGEST_MONTHS[month]
    if abs(number) > longest or (month is None and words[0] != "day"):
        return None
    return Day(day=number, month=0 if month is None else month + 1)


def _words(parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _nines(value: object) -> float:
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)%", str(value))
    if isinstance(value, float) and 0 < value <= 1:
        return value
    if match is None or not 0 < float(match[1]) <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"{shown(value)} is not an availability (write 99.9%)")
    return float(match[1]) / 100


_SPANS_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    "examples": ["08:00-17:00", "off"],
}
Spans = Annotated[Any, BeforeValidator(parse_spans), WithJsonSchema(_SPANS_SCHEMA)]
Weekdays = Annotated[str, _words(parse_weekdays)]
Days = Annotated[str, _words(parse_days)]
Nines = Annotated[
    float, BeforeValidator(_nines), WithJsonSchema({"type": "string", "examples": ["99.9%"]})
]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]


class CalendarModel(Spec):
    """When something is open: hours by weekday, days that differ, holidays, other calendars."""

    timezone: Zone | None = None
    hours: Mapping[Weekdays, Spans] = {}
    dates: Mapping[Days, Spans] = {}
    holidays: Names = ()
    exclude: Names = ()
    also: Names = ()


class TargetModel(Spec):
    """What is promised in one priority; what is left out is not promised."""

    respond: Gap | None = None
    resolve: Gap | None = None
    calendar: str = ""


class SlaModel(Spec):
    """A service level; a priority that is left out is as in the built-in one."""

    calendar: str = ""
    P1: TargetModel | None = None
    P2: TargetModel | None = None
    P3: TargetModel | None = None
    P4: TargetModel | None = None
    P5: TargetModel | None = None
    warn: tuple[Share, ...] = (0.5, 0.8)
    availability: Nines | None = None
    window: Literal["month", "quarter", "year"] = "month"


class UrgencyModel(Spec):
    """The priorities of one impact, by what is the matter."""

    down: Priority | None = None
    critical: Priority | None = None
    warning: Priority | None = None
    unknown: Priority | None = None
