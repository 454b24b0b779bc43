"""Shifts as iCalendar (RFC 5545) and back: the library writes, folds, escapes and reads values.

What comes in is hostile until shown otherwise: it is cut into events here, with their lines, and
only the few plain properties that are used reach the library. What repeats is refused, not guessed.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from monitord.api.bodies import BadBodyError
from monitord.clock import as_datetime, as_instant
from monitord.config.names import nearest
from monitord.decisions.calendars import instant_of, zone_of
from monitord.model.ids import Instant
from monitord.model.oncall import Person, Rotation, Shift
from monitord.model.text import one_line

LONGEST = 512 * 1024
"""Characters of a file that is read."""

LONGEST_BODY = 3 * LONGEST
"""Bytes of the request that brings it: JSON escapes what is not ASCII."""

MOST_EVENTS = 300
"""So many go into one transaction without holding others up."""

_MOST_LINES = 20_000
_LONGEST_LINE = 2_000
_DEEPEST = 4
_YEARS = range(2000, 2200)
_NAME = re.compile(r"[A-Za-z0-9-]+")
_READ = frozenset(("SUMMARY", "DTSTART", "DTEND", "DURATION", "STATUS"))
_REPEATS = frozenset(("RRULE", "RDATE", "EXRULE", "RECURRENCE-ID"))
_BROKEN = (ValueError, AttributeError, TypeError, KeyError, OverflowError)
_EVENT = ["VCALENDAR", "VEVENT"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event: who is on call from when to when; `line` is where it begins."""

    person: str
    starts: Instant
    ends: Instant
    line: int


def write(rotation: str, shifts: Iterable[Shift], *, now: Instant) -> str:
    """Give an iCalendar text with one event for each shift, all in UTC.

    An event keeps its UID while person and beginning stay, so that a calendar changes it in place.
    """
    from icalendar import Calendar  # 50 ms, which only those who ask for one pay
    from icalendar import Event as IcsEvent

    calendar = Calendar()
    calendar.add("prodid", "-//monitord//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"on call: {rotation}")
    for shift in shifts:
        event = IcsEvent()
        stays = f"{rotation}\0{shift.person}\0{shift.starts}"
        event.add("uid", f"{hashlib.sha256(stays.encode()).hexdigest()[:32]}@monitord")
        event.add("dtstamp", as_datetime(now))
        event.add("dtstart", as_datetime(shift.starts))
        event.add("dtend", as_datetime(shift.ends))
        event.add("summary", shift.person)
        event.add("description", f"on call: {rotation}" + " (beside)" * shift.beside)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()


def read(text: str, rotation: Rotation, people: Mapping[str, Person]) -> list[Event]:
    """Read the events of an iCalendar text; a time without a zone is of the rotation's zone.

    Raises:
        BadBodyError: anything in it cannot be taken; the text begins with the line.
    """
    if len(text) > LONGEST:
        raise BadBodyError(f"the file has more than {LONGEST // 1024} KiB; split it")
    zone = rotation.layers[0].zone
    found = [_event(block, zone, people) for block in _blocks(text) if not block.cancelled]
    if not found:
        raise BadBodyError("the file holds no event; is it an iCalendar (.ics) file?")
    return found


@dataclass(slots=True)
class _Block:
    """An event as written: the lines that are used, by name, with their numbers."""

    line: int
    lines: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def cancelled(self) -> bool:
        return self.lines.get("STATUS", (0, ""))[1].upper() == "STATUS:CANCELLED"


def _blocks(text: str) -> list[_Block]:
    found: list[_Block] = []
    inside: list[str] = []
    number = 0
    for number, line in _unfolded(text):
        name = (_NAME.match(line) or [""])[0].upper()
        if name == "BEGIN":
            inside.append(line[6:].strip().upper())
            if len(inside) > _DEEPEST or inside[0] != "VCALENDAR":
                raise _wrong(number, "no iCalendar file (it begins with BEGIN:VCALENDAR)")
            if inside == _EVENT:
                found.append(_Block(number))
        elif name == "END":
            if not inside or inside.pop() != line[4:].strip().upper():
                raise _wrong(number, f"{one_line(line, 40)} ends what has not begun")
        elif inside == _EVENT:
            _take(found[-1], number, name, line)
        if len(found) > MOST_EVENTS:
            raise _wrong(number, f"more than {MOST_EVENTS} events; split the file")
    if inside:
        raise _wrong(number, f"the file ends in the middle of {one_line(inside[-1], 40)}")
    return found


def _take(block: _Block, number: int, name: str, line: str) -> None:
    if name in _REPEATS:
        raise _wrong(number, f"{name}: what repeats is not taken; write the rotation so instead")
    if name in _READ:
        if len(line) > _LONGEST_LINE:
            raise _wrong(number, f"{name} has more than {_LONGEST_LINE} characters")
        if name in block.lines:
            raise _wrong(number, f"{name} stands twice in one event")
        block.lines[name] = number, line


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines with their numbers; what begins with a blank goes on with the line before."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if len(lines) > _MOST_LINES:
        raise BadBodyError(f"the file has more than {_MOST_LINES} lines; split it")
    at, parts = 1, [""]
    for number, line in enumerate(lines, 1):
        if line[:1] in (" ", "\t"):
            parts.append(line[1:])
            continue
        if any(parts):
            yield at, "".join(parts)
        at, parts = number, [line]
    if any(parts):
        yield at, "".join(parts)


def _event(block: _Block, zone: str, people: Mapping[str, Person]) -> Event:
    from icalendar import Event as IcsEvent

    lines = ["BEGIN:VEVENT", *(line for _, line in block.lines.values()), "END:VEVENT", ""]
    try:
        written: Any = IcsEvent.from_ical("\r\n".join(lines))
        person = _person(block, str(written.get("SUMMARY", "")).strip(), people)
        starts = _moment(block, written, "DTSTART", zone)
        ends = _end(block, written, starts, zone)
    except _BROKEN as error:
        told = one_line(str(error), 100)
        raise _wrong(block.line, f"this event cannot be read: {told}") from error
    if ends <= starts:
        raise _wrong(block.line, "this event ends before it begins")
    return Event(person, starts, ends, block.line)


def _person(block: _Block, summary: str, people: Mapping[str, Person]) -> str:
    if summary in people:
        return summary
    line = block.lines.get("SUMMARY", (block.line, ""))[0]
    shown = one_line(summary, 60)
    near = nearest(shown, people)
    raise _wrong(line, f"SUMMARY: there is no person '{shown}'{near}")


def _moment(block: _Block, written: Any, name: str, zone: str) -> Instant:
    if name not in block.lines:
        raise _wrong(block.line, f"this event has no {name}")
    number, line = block.lines[name]
    moment: object = written[name].dt
    if not isinstance(moment, date) or moment.year not in _YEARS:
        raise _wrong(number, f"{one_line(line, 60)} is no time that can be taken")
    if not isinstance(moment, datetime):
        return instant_of(zone_of(zone), datetime(moment.year, moment.month, moment.day))  # noqa: DTZ001 - a time on the wall
    if moment.tzinfo is not None:
        return as_instant(moment)
    if "TZID" in written[name].params:
        raise _wrong(
            number, f"{one_line(line, 60)}: no such time zone (write Europe/Berlin or UTC)"
        )
    return instant_of(zone_of(zone), moment)


def _end(block: _Block, written: Any, starts: Instant, zone: str) -> Instant:
    if "DURATION" in block.lines:
        length: object = written["DURATION"].dt
        if not isinstance(length, timedelta):
            raise _wrong(block.lines["DURATION"][0], "DURATION is no length of time")
        return Instant(starts + length // timedelta(microseconds=1))
    if "DTEND" in block.lines:
        return _moment(block, written, "DTEND", zone)
    first: object = written["DTSTART"].dt
    if isinstance(first, datetime) or not isinstance(first, date):
        raise _wrong(block.line, "this event has no end (DTEND or DURATION)")
    after = first + timedelta(days=1)
    return instant_of(zone_of(zone), datetime(after.year, after.month, after.day))  # noqa: DTZ001 - a time on the wall


def _wrong(line: int, text: str) -> BadBodyError:
    return BadBodyError(f"line {line}: {text}")
