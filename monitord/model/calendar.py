"""Calendars: when a thing is open, as written, with every name resolved.

They hold wall-clock times of one zone; what instants that makes is decided in decisions/calendars.
"""

from dataclasses import dataclass
from datetime import date

DAY = 86_400
"""Seconds of a day as the wall clock counts them: 24:00."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (included) to `end` (not included), in seconds of wall time since midnight.

    0 <= start < DAY and start < end <= 2 * DAY: an end beyond DAY lies on the next day. The span
    belongs to the day on which it starts.
    """

    start: int
    end: int


WHOLE_DAY = (Span(0, DAY),)


@dataclass(frozen=True, slots=True)
class Day:
    """One day, or one that comes again each month or year.

    Exactly one of: `on` a date; `day` of the month (1 to 31, -1 is the last); the `nth` `weekday`
    (0 is Monday; nth 1 to 5, or -1 to -5 from the end). With `month` (1 to 12) it comes once a
    year, with 0 in every month.
    """

    on: date | None = None
    day: int = 0
    weekday: int = 0
    nth: int = 0
    month: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """On the days from `first` to `last` (both included), of these every `every`th: `hours`.

    They stand in place of the week's hours; none at all: closed.
    """

    first: Day
    last: Day
    hours: tuple[Span, ...] = ()
    every: int = 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """When something is open.

    A day's hours come from the first of `rules` that fits it, else from `holidays` (then none),
    else from `week`, Monday first. `rules` are ordered by precedence; a rule whose days come again
    (`Day.day` or `Day.nth` without a month) yields to a holiday. `holidays` are country codes of
    the library of that name, with a subdivision behind a dash: DE-BW. What `exclude` is open in is
    taken away from that; what `also` is open in is added last.
    """

    name: str
    zone: str = "UTC"
    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    rules: tuple[Rule, ...] = ()
    holidays: tuple[str, ...] = ()
    exclude: tuple["Calendar", ...] = ()
    also: tuple["Calendar", ...] = ()


ALWAYS = Calendar("24x7", week=(WHOLE_DAY,) * 7)
"""Open at any time; every configuration has it by its name."""
