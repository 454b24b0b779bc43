"""Decides which clocks run for an incident: of service levels, of a vendor, of a deadline. Pure.

Service levels are ours; a vendor's run from when a person handed it over until it gave it back; a
deadline is a customer's own and stands still for nobody. What a clock is stands in sla.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.decisions import sla
from monitord.decisions.sla import Promise, SlaClock, Terms
from monitord.decisions.verbs import IN_HAND
from monitord.model.ids import Instant
from monitord.model.incident import Incident
from monitord.model.policy import Vendor
from monitord.model.sla import DEFAULT, Pause, Paused, Sla
from monitord.model.ticket import Event, Order

DEADLINE, DEADLINE_THERE = "deadline", "deadline-there"
"""The kinds of the timeline's lines that name a deadline: said to us, or on a ticket elsewhere."""
PAUSED, WENT_ON, ANSWERED = "sla-paused", "sla-went-on", "vendor-answered"
"""The kinds of the lines of a pause."""
BEARING = (*(verb.value for verb in IN_HAND), DEADLINE, DEADLINE_THERE)
"""The kinds of the timeline's lines by which clocks go; no other bears on them."""

_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows that bear on the clocks of one incident.

    `events` is its timeline, `steps` the recorded steps of the wall clock, `pauses` its own,
    `works` excused maintenance that bears on all of it.
    """

    events: Sequence[Event]
    steps: Sequence[tuple[Instant, int]] = ()
    pauses: Sequence[Paused] = ()
    works: Sequence[Order] = ()


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a customer wants it over; `whose` said so, and it was told at `since`."""

    at: Instant
    whose: str
    since: Instant
    reason: str = ""


def running(
    incident: Incident,
    levels: Iterable[Sla],
    vendors: Mapping[str, Vendor],
    facts: Facts,
    now: Instant,
) -> list[SlaClock]:
    """Give all clocks of an incident at `now`, those that have stopped too."""
    course = sla.course_of(incident, facts.events, steps=facts.steps, pauses=pauses(facts))
    found = [clock for level in levels for clock in sla.clocks(level, course, now=now)]
    for row in facts.pauses:
        if row.vendor in vendors:
            found += _of_a_vendor(vendors[row.vendor], row, course, now)
    said = deadline(facts.events)
    if said is not None:
        found.append(_of_a_deadline(said, course, now))
    return found


def pauses(facts: Facts) -> tuple[Pause, ...]:
    """Give the times that do not count, with their reasons."""
    own = [Pause(row.starts, row.end, _why(row), row.vendor) for row in facts.pauses]
    ends = ((work, min(work.ended or work.expires, work.expires)) for work in facts.works)
    works = [
        Pause(work.starts, end, f"maintenance: {work.reason}")
        for work, end in ends
        if work.starts < end
    ]
    return (*own, *works)


def deadline(events: Iterable[Event]) -> Deadline | None:
    """Give the deadline that holds: the earliest of those that were named last, each at its place.

    Every backend's ticket is a place, and what somebody told monitord is one.
    """
    found: dict[str, Deadline | None] = {}
    for event in events:
        if event.kind not in (DEADLINE, DEADLINE_THERE):
            continue
        at, whose = event.data.get("due"), str(event.data.get("whose", event.actor))
        said = None if at is None else Deadline(at, whose, event.at, event.data.get("reason", ""))
        found[str(event.data.get("backend", ""))] = said
    named = (one for one in found.values() if one is not None)
    return min(named, key=lambda one: one.at, default=None)


def held_by(rows: Iterable[Paused]) -> list[Paused]:
    """Give the pauses by which a vendor holds an incident: until somebody says it is back."""
    return [row for row in rows if row.vendor and row.ended is None]


def lasting(rows: Iterable[Paused], now: Instant) -> list[Paused]:
    """Give those that last now."""
    return [row for row in rows if row.starts <= now < row.end]


def is_new(event: Event, clock: str) -> bool:
    """Tell whether a line begins a clock anew that may have called before (`Clock.sla`)."""
    if event.kind in (DEADLINE, DEADLINE_THERE):
        return clock == DEADLINE
    return event.kind == PAUSED and clock == whose_vendor(str(event.data.get("vendor", "")))


def whose_vendor(name: str) -> str:
    """Give how the clocks of a vendor are called; no service level is called so."""
    return f"vendor {name}"


def _why(row: Paused) -> str:
    return f"{whose_vendor(row.vendor)}: {row.reason}" if row.vendor else row.reason


def _of_a_vendor(vendor: Vendor, row: Paused, course: sla.Course, now: Instant) -> list[SlaClock]:
    """Give the vendor's clocks: to answer, and to give it back repaired; nobody pauses them."""
    back = min((at for at in (row.ended, course.resolved) if at is not None), default=None)
    answered = row.answered if row.answered is not None else back
    whose = whose_vendor(vendor.name)
    ends = (
        (Promise.RESPOND, vendor.respond, answered),
        (Promise.RESOLVE, vendor.resolve, back),
    )
    return [
        sla.run(
            Terms(whose, promise, allowed, vendor.calendar, whose=whose),
            row.starts,
            stop,
            now=now,
            steps=course.steps,
        )
        for promise, allowed, stop in ends
        if allowed is not None
    ]


def _of_a_deadline(said: Deadline, course: sla.Course, now: Instant) -> SlaClock:
    """Give the clock of a deadline: it began when the deadline was told."""
    since = sla.on_present_scale(said.since, course.steps, now)
    allowed = max(said.at - since, 0) * _MICRO
    whose = f"deadline of {said.whose}"
    terms = Terms(DEADLINE, Promise.DEADLINE, allowed, warn=DEFAULT.warn, whose=whose)
    return sla.run(terms, said.since, course.resolved, now=now, steps=course.steps)
