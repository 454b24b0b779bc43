"""Decides who is on call when: turns, layers, what people have changed, what nobody covers. Pure.

Turns are counted on the wall clock of their zone, so a hand-over at 08:00 is at 08:00 all year; in
the night of a clock change one turn is longer or shorter. A hand-over at a time that does not exist
is at the end of the gap, one at a time that comes twice at the first of the two.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitord.decisions import calendars
from monitord.model.ids import Instant
from monitord.model.oncall import Layer, Override, Person, Rotation, Shift, ShiftKind

_MONTHS = 12


def on_call(rotation: Rotation, overrides: Iterable[Override], at: Instant) -> tuple[str, ...]:
    """Give who is on call at an instant: the one whose shift it is first, then who is beside.

    Without overrides there is exactly one, or nobody where no layer has its hours.
    """
    found = shifts(rotation, overrides, at, Instant(at + 1))
    return tuple(dict.fromkeys(shift.person for shift in sorted(found, key=_first_first)))


def shifts(
    rotation: Rotation, overrides: Iterable[Override], start: Instant, end: Instant
) -> list[Shift]:
    """Give the shifts between two instants, cut at both, in order.

    Those of several people overlap only where one is `beside`; else they are apart, and what lies
    between them is covered by nobody.
    """
    found: list[Shift] = []
    for number, layer in enumerate(rotation.layers, 1):
        found = _laid_over(found, list(_turns(layer, number, start, end)))
    beside: list[Shift] = []
    for override in sorted(overrides, key=lambda one: one.id):
        own = _own(override, start, end)
        if own is None or override.rotation != rotation.name:
            continue
        if override.beside:
            beside.append(own)
        else:
            _override(found, own, override.instead)
    return sorted([*_joined(found), *beside], key=lambda one: (one.starts, _first_first(one)))


def gaps(
    rotation: Rotation, overrides: Iterable[Override], start: Instant, end: Instant
) -> list[tuple[Instant, Instant]]:
    """Give the spans in which somebody must be on call and nobody is, cut at both instants."""
    found = []
    on = shifts(rotation, overrides, start, end)
    for opens, closes in calendars.open_periods(rotation.cover, start, end):
        at = opens
        for shift in on:
            if shift.starts > at and at < closes:
                found.append((at, min(shift.starts, closes)))
            at = max(at, shift.ends)
        if at < closes:
            found.append((at, closes))
    return found


def counts(override: Override) -> bool:
    """Tell whether it changes who is on call: a swap only once both have said yes."""
    return override.kind is not ShiftKind.SWAP or override.agreed is not None


def of_people(overrides: Iterable[Override], people: Mapping[str, Person]) -> list[Override]:
    """Leave out overrides by people who are gone: the rotation stands as written there."""
    return [one for one in overrides if one.person in people]


def person_of(people: Mapping[str, Person], login: str) -> Person | None:
    """Give who acts in the name of an account."""
    return next((person for person in people.values() if person.login == login), None)


def turn(layer: Layer, at: Instant) -> int:
    """Give the number of the turn in which an instant lies; that of `layer.start` is 0.

    A turn that the clock change made empty is passed over, and so is its member.
    """
    wall = calendars.wall_time(calendars.zone_of(layer.zone), at)
    if layer.every.months:
        months = (wall.year - layer.start.year) * _MONTHS + wall.month - layer.start.month
        number = months // layer.every.months
    else:
        number = (wall - layer.start) // layer.every.length
    while begins(layer, number) > at:
        number -= 1
    while begins(layer, number + 1) <= at:
        number += 1
    return number


def begins(layer: Layer, number: int) -> Instant:
    """Give when a turn begins: the hand-over from the one before it."""
    if layer.every.months:
        wall = _months_later(layer.start, number * layer.every.months)
    else:
        wall = layer.start + number * layer.every.length
    return calendars.instant_of(calendars.zone_of(layer.zone), wall)


def _months_later(start: datetime, months: int) -> datetime:
    """Give the same day of a later month, or that month's last where it has no such day."""
    year, month = divmod(start.year * _MONTHS + start.month - 1 + months, _MONTHS)
    return start.replace(
        year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1])
    )


def _turns(layer: Layer, number: int, start: Instant, end: Instant) -> Iterator[Shift]:
    """Give the shifts of one layer alone: its turns, where it has its hours."""
    for opens, closes in _hours(layer, start, end):
        place, at = turn(layer, opens), opens
        while at < closes:
            place, ends = place + 1, min(begins(layer, place + 1), closes)
            member = layer.members[(place - 1) % len(layer.members)]
            if at < ends:
                yield Shift(member, at, ends, number)
            at = ends


def _hours(layer: Layer, start: Instant, end: Instant) -> Sequence[tuple[Instant, Instant]]:
    if start >= end:
        return []
    if layer.hours is None:
        return [(start, end)]
    return calendars.open_periods(layer.hours, start, end)


def _laid_over(below: Sequence[Shift], above: Sequence[Shift]) -> list[Shift]:
    """Lay shifts over others; both are in order and each apart from its neighbours."""
    found, place = list(above), 0
    for shift in below:
        while place and above[place - 1].ends > shift.starts:
            place -= 1
        while place < len(above) and above[place].ends <= shift.starts:
            place += 1
        at = shift.starts
        while place < len(above) and above[place].starts < shift.ends:
            if at < above[place].starts:
                found.append(replace(shift, starts=at, ends=above[place].starts))
            at, place = above[place].ends, place + 1
        if at < shift.ends:
            found.append(replace(shift, starts=at))
    return sorted(found, key=lambda one: one.starts)


def _override(below: list[Shift], own: Shift, instead: str) -> None:
    """Lay one override over the shifts: over all of them, or those of one person."""
    # Only what it touches is made anew: a year of hours with hundreds of overrides took seconds.
    low = bisect_right(below, own.starts, key=lambda one: one.ends)
    high = bisect_left(below, own.ends, lo=low, key=lambda one: one.starts)
    touched = below[low:high]
    cut = [
        replace(own, starts=max(own.starts, shift.starts), ends=min(own.ends, shift.ends))
        for shift in touched
        if shift.person == instead
    ]
    below[low:high] = _laid_over(touched, cut if instead else [own])


def _own(override: Override, start: Instant, end: Instant) -> Shift | None:
    """Give the part of an override that is in force between two instants, if any."""
    ends = override.ends if override.ended is None else min(override.ends, override.ended)
    low, high = max(override.starts, start), min(ends, end)
    if low >= high or not counts(override):
        return None
    return Shift(override.person, low, high, layer=0, override=override.id, beside=override.beside)


def _joined(found: Iterable[Shift]) -> list[Shift]:
    """Make one of what adjoins and has the same person for the same reason."""
    joined: list[Shift] = []
    for shift in found:
        last = joined[-1] if joined else None
        if (
            last
            and last.ends == shift.starts
            and replace(last, ends=shift.ends) == replace(shift, starts=last.starts)
        ):
            joined[-1] = replace(last, ends=shift.ends)
        else:
            joined.append(shift)
    return joined


def _first_first(shift: Shift) -> tuple[bool, int]:
    return shift.beside, shift.override
