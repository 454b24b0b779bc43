"""Decides what a service's rows say of a window: what each check was, what was announced. Pure.

It names times, with which decisions/availability.py computes; no row is taken for more than it
says.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from monitord.decisions.availability import Period, Piece, Time, Work
from monitord.decisions.calendars import instant_of, wall_time, zone_of
from monitord.model.ids import Instant
from monitord.model.result import Status
from monitord.model.service import ServiceChange
from monitord.model.sla import Sla
from monitord.model.state import Change, CheckState, Transition
from monitord.model.ticket import Order, Verb

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_SEEN = {Status.OK: Time.UP, Status.WARNING: Time.UP, Status.CRITICAL: Time.DOWN}


def window_of(sla: Sla, at: Instant) -> Period:
    """Give the month, quarter or year around `at`, on the wall clock of the level's calendar."""
    zone = zone_of(sla.calendar.zone)
    wall, months = wall_time(zone, at), _MONTHS[sla.window]
    first = wall.year * 12 + (wall.month - 1) // months * months
    start, end = (
        datetime(month // 12, month % 12 + 1, 1)  # noqa: DTZ001 - a time on the wall
        for month in (first, first + months)
    )
    return instant_of(zone, start), instant_of(zone, end)


def track(
    transitions: Sequence[Transition], state: CheckState | None, window: Period
) -> tuple[Piece, ...]:
    """Give what one state key was in a window.

    Args:
        transitions: those of this key at or after the window's start, oldest first.
        state: what is believed now; None: nothing is known of it any more.
        window: the last piece ends with it, or with the last transition of a key that is gone.
    """
    at, end = window
    if transitions:
        time = _before(transitions[0])
    elif state is not None:
        at, time = max(at, state.since), _named(state.hard, state.unreachable, state.stale)
    else:
        return ()
    found: list[Piece] = []
    for one in transitions:
        border = max(at, min(_since(one), end))
        found.append(Piece(at, border, time))
        at, time = border, _named(one.after, one.unreachable, one.change is Change.STALE)
    if state is not None:
        found.append(Piece(at, end, time))
    return tuple(one for one in found if one.start < one.end and one.time is not Time.NO_DATA)


def service_track(changes: Sequence[ServiceChange], window: Period) -> tuple[Piece, ...]:
    """Give what a service was in a window by its own rows, oldest first.

    The first may be from before the window; before it nothing is known.
    """
    if not changes:  # it was not judged yet
        return ()
    borders = [*(change.at for change in changes[1:]), window[1]]
    found = []
    for change, border in zip(changes, borders, strict=True):
        start, end = max(change.at, window[0]), min(border, window[1])
        if start < end and change.time != Time.NO_DATA:
            found.append(Piece(start, end, Time(change.time)))
    return tuple(found)


def _since(transition: Transition) -> Instant:
    """Give when it began: a failure with its first failed probe, all else when it was believed."""
    failed = transition.first_failed
    if failed is not None and transition.change is Change.HARD:
        fails = transition.after is Status.CRITICAL and transition.before is not Status.CRITICAL
        return min(failed, transition.at) if fails else transition.at
    return transition.at


def _before(first: Transition) -> Time:
    """Name what was before the first transition of a window."""
    unreachable = first.change is Change.REACHABLE or (
        first.unreachable and first.change is not Change.UNREACHABLE
    )
    return _named(first.before, unreachable, first.change is Change.FRESH)


def _named(hard: Status, unreachable: bool, stale: bool) -> Time:
    if hard is Status.PENDING:
        return Time.NO_DATA
    if unreachable:
        return Time.UNREACHABLE
    return Time.STALE if stale else _SEEN.get(hard, Time.UNKNOWN)


def works(orders: Iterable[Order], window: Period) -> tuple[Work, ...]:
    """Give the maintenance among orders that all bear on the service, cut at the window."""
    found = []
    for order in orders:
        if order.verb is Verb.MAINTENANCE:
            ended = order.expires if order.ended is None else min(order.ended, order.expires)
            start, end = max(order.starts, window[0]), min(ended, window[1])
            if start < end:
                found.append(Work(start, end, order.reason, order.excused))
    return tuple(found)


OUTAGES = "outages"
"""Under this name the store keeps when monitord did not run: JSON, [[from, until], …] in µs."""


def outages(text: str, window: Period) -> tuple[Period, ...]:
    """Give the times in which monitord did not run, cut at the window."""
    cut = ((max(start, window[0]), min(end, window[1])) for start, end in json.loads(text))
    return tuple((Instant(start), Instant(end)) for start, end in cut if start < end)
