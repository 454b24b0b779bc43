"""Decides how an incident stands against its service levels: clocks, warnings, the breach to come.

Pure. Every clock runs from the first failed probe, in the open time of its calendar, without the
pauses, and without what the wall clock was set forward or back meanwhile. It pages nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from monitord.decisions.calendars import add_open_time, open_time_between
from monitord.decisions.verbs import IN_HAND
from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.incident import Incident
from monitord.model.sla import DEFAULT, Pause, Sla
from monitord.model.spec import format_duration
from monitord.model.ticket import Event

BROKEN = 1.0
"""The share of a clock at which its promise is broken."""


class Promise(StrEnum):
    """What a clock runs for."""

    RESPOND = "respond"  # a person of ours has taken notice
    RESOLVE = "resolve"  # the outage is over
    DEADLINE = "deadline"  # it is over by the time that a customer has named


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one incident, as its clocks see it; µs UTC as the wall clock showed it then.

    `responded` is when the first person took notice; where nobody did, `resolved` ends that clock
    too. `steps` are the recorded steps of the wall clock, oldest first: the time right after each,
    and how far it went forward (µs; negative: back).
    """

    priority: str
    first_failed: Instant
    responded: Instant | None = None
    resolved: Instant | None = None
    pauses: tuple[Pause, ...] = ()
    steps: tuple[tuple[Instant, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SlaClock:
    """One promise for one incident: of a service level, or of somebody else (`whose`).

    `allowed` and `elapsed` are open time; it is broken once `elapsed` reaches `allowed`. `due` is
    when that happens if nothing else does (of a pause whose end nobody knows: if it went on at
    once); None: its calendar does not open for so long. `stopped` is when the promise was met or
    the outage ended, `paused` the reason of the pause that lasts, `goes_on` when that ends (None:
    nobody knows). `calls` are the shares at which it calls, the last of them BROKEN, each with its
    instant; those that a pause without an end puts off are left out.
    """

    sla: str
    promise: Promise
    allowed: timedelta
    elapsed: timedelta
    due: Instant | None
    stopped: Instant | None = None
    paused: str = ""
    calls: tuple[tuple[float, Instant], ...] = ()
    goes_on: Instant | None = None
    whose: str = ""

    @property
    def remaining(self) -> timedelta:
        """Give the open time that is left; negative once it is broken."""
        return self.allowed - self.elapsed

    @property
    def breached(self) -> bool:
        """Tell whether the promise is broken, whether the clock still runs or not."""
        return self.elapsed >= self.allowed

    @property
    def breaks_at(self) -> Instant | None:
        """Forecast when the promise breaks; None: it is broken, met, or paused without an end."""
        endless = self.paused and self.goes_on is None
        if self.stopped is not None or endless or self.breached:
            return None
        return self.due


@dataclass(frozen=True, slots=True)
class Alarm:
    """A clock calls: it has used `share` of what it allows (BROKEN: all of it)."""

    at: Instant
    share: float
    clock: SlaClock


def of_services(catalog: Catalog, services: Iterable[str]) -> tuple[Sla, ...]:
    """Give the service levels that hold for a check of these services, each once.

    A service that names none, and a check of no service, has the default one.
    """
    known = [catalog.services[name] for name in services if name in catalog.services]
    names = dict.fromkeys(one.sla or DEFAULT.name for one in known) or {DEFAULT.name: None}
    return tuple(catalog.slas.get(name, DEFAULT) for name in names)


def clocks(sla: Sla, course: Course, *, now: Instant) -> tuple[SlaClock, ...]:
    """Give the clocks of an incident at `now`: to respond, to resolve, or those that are promised.

    Instants in the answer are on the wall clock as it goes now.
    """
    target = sla.targets.get(course.priority)
    if target is None:
        return ()
    responded = course.responded if course.responded is not None else course.resolved
    ours = tuple(pause for pause in course.pauses if not pause.vendor)
    ends = (
        (Promise.RESPOND, target.respond, responded, ours),
        (Promise.RESOLVE, target.resolve, course.resolved, course.pauses),
    )
    return tuple(
        run(
            Terms(sla.name, promise, allowed, target.calendar, sla.warn),
            course.first_failed,
            stop,
            now=now,
            pauses=pauses,
            steps=course.steps,
        )
        for promise, allowed, stop, pauses in ends
        if allowed is not None
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised: within which open time of `calendar`; `warn`: at which shares it calls."""

    sla: str
    promise: Promise
    allowed: timedelta
    calendar: Calendar = ALWAYS
    warn: tuple[float, ...] = ()
    whose: str = ""


def run(
    terms: Terms,
    start: Instant,
    stop: Instant | None,
    *,
    now: Instant,
    pauses: Sequence[Pause] = (),
    steps: Sequence[tuple[Instant, int]] = (),
) -> SlaClock:
    """Give a clock at `now` that began at `start`; all instants as the wall clock showed them."""

    def read(at: Instant) -> Instant:
        return on_present_scale(at, steps, now)

    def ends(pause: Pause) -> Instant:
        at = now if pause.end is None else pause.end
        return at if at >= now else read(at)  # what is still to come was said of today's clock

    start, end = read(start), now if stop is None else read(stop)
    gaps = [(read(one.start) if one.start <= now else one.start, ends(one)) for one in pauses]
    counted = _counted(start, gaps)
    elapsed = sum(
        (open_time_between(terms.calendar, a, min(b, end)) for a, b in counted if a < end),
        timedelta(),
    )
    lasting = None if stop is not None else _lasting(pauses, now)
    endless = lasting is not None and lasting.end is None
    calls = []
    for share in (*terms.warn, BROKEN):
        at = _reached(terms.calendar, counted, terms.allowed * share)
        if at is not None and (not endless or terms.allowed * share <= elapsed):
            calls.append((share, at))
    return SlaClock(
        terms.sla,
        terms.promise,
        terms.allowed,
        elapsed,
        _reached(terms.calendar, counted, terms.allowed),
        None if stop is None else end,
        "" if lasting is None else lasting.reason,
        tuple(calls),
        None if lasting is None else lasting.end,
        terms.whose,
    )


def alarms(running: Iterable[SlaClock]) -> list[Alarm]:
    """Give every call of clocks that still run, by their instants: those past and those to come."""
    found = [
        Alarm(at, share, clock)
        for clock in running
        if clock.stopped is None
        for share, at in clock.calls
    ]
    return sorted(found, key=lambda alarm: (alarm.at, alarm.share))


def next_alarm(running: Iterable[SlaClock], *, after: Instant) -> Alarm | None:
    """Give the first call after an instant: when the engine should look again. None: no more."""
    return next((alarm for alarm in alarms(running) if alarm.at > after), None)


def pressing(running: Sequence[SlaClock], *, now: Instant) -> Alarm | None:
    """Give the worst call that has come by `now`: the highest share, of these the earliest."""
    come = [alarm for alarm in alarms(running) if alarm.at <= now]
    return max(come, key=lambda alarm: (alarm.share, -alarm.at), default=None)


def sentence(alarm: Alarm) -> str:
    """Say to a person what a call means."""
    clock = alarm.clock
    allowed, whose = format_duration(clock.allowed), clock.whose or f"SLA {clock.sla}"
    if clock.promise is Promise.DEADLINE:
        if alarm.share >= BROKEN:
            return f"the {whose} has passed"
        return f"the {whose} is in danger: {alarm.share:.0%} of the time until then are used"
    what = clock.promise.value
    if alarm.share >= BROKEN:
        return f"{whose} is broken: {allowed} to {what} are used up"
    return f"{whose} is in danger: {alarm.share:.0%} of {allowed} to {what} are used"


def _lasting(pauses: Iterable[Pause], now: Instant) -> Pause | None:
    """Give the pause that lasts now: of several the one that ends last."""
    on = [one for one in pauses if one.start <= now and (one.end is None or one.end > now)]
    return max(on, key=lambda one: _FOREVER if one.end is None else one.end, default=None)


_FOREVER = Instant(2**62)


def _counted(
    start: Instant, gaps: Sequence[tuple[Instant, Instant]]
) -> list[tuple[Instant, Instant]]:
    """Give the times from `start` on that no pause covers; the last one has no end."""
    found = []
    for begin, end in sorted(gaps):
        if end <= start:
            continue
        if begin > start:
            found.append((start, begin))
        start = end
    return [*found, (start, _FOREVER)]


def _reached(
    calendar: Calendar, counted: Iterable[tuple[Instant, Instant]], amount: timedelta
) -> Instant | None:
    """Give when `amount` of open time is counted; None: not within the calendar's horizon."""
    for start, end in counted:
        found = add_open_time(calendar, start, amount)
        if end == _FOREVER or (found is not None and found <= end):
            return found
        amount -= open_time_between(calendar, start, end)
    return None


def on_present_scale(at: Instant, steps: Iterable[tuple[Instant, int]], now: Instant) -> Instant:
    """Give what the wall clock of today would have shown then: each later step is added.

    A reading that came twice, since the clock was set back over it, is taken for the second.
    """
    for wall, delta in steps:
        if at < wall or (delta < 0 and at > now):
            at = Instant(at + delta)
    return at


def course_of(
    incident: Incident,
    timeline: Iterable[Event],
    *,
    steps: Iterable[tuple[Instant, int]] = (),
    pauses: Iterable[Pause] = (),
) -> Course:
    """Give what became of an incident by its rows: who acknowledges or takes it has responded."""
    taken = [event.at for event in timeline if event.kind in _RESPONSES]
    return Course(
        incident.priority,
        incident.first_failed,
        min(taken, default=None),
        incident.resolved if incident.resolved is not None else incident.closed,
        tuple(pauses),
        tuple(steps),
    )


_RESPONSES = frozenset(verb.value for verb in IN_HAND)
