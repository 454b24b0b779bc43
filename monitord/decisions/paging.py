"""Decides who is told next of an incident that waits for a person, and when. Pure; it tells nobody.

The clock of a policy begins when its first step is told and never begins anew while the incident
lives: neither a flap nor a restart moves it. Automation that still works holds the tiers above the
desk back (a P1 excepted), but not their clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.model.ids import Instant
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.policy import AFTER, NEVER, TIERS, Policy, PolicyStep

NextOpen = Callable[[str, Instant], Instant | None]
"""Gives when a calendar of this name is open next, from an instant on; None: never."""

_MICRO = timedelta(microseconds=1)
_AT_WORK = frozenset({IncidentStatus.OPEN, IncidentStatus.REPAIRING, IncidentStatus.WAITING})
_LOOK_AGAIN = timedelta(seconds=30)
_LAPSED = "whoever answered no longer does, and it is still bad"


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the people of a step. `paged` is how many steps have been told then.

    `next_at` is when the next one is due (None: this was the last).
    """

    step: PolicyStep
    paged: int
    next_at: Instant | None
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Tell nobody now; look again at `until` (None: only when something happens)."""

    until: Instant | None
    reason: str


def decide(
    policy: Policy,
    incident: Incident,
    *,
    now: Instant,
    next_open: NextOpen,
    asking: bool = False,
    early: str = "",
    lapsed: bool = False,
) -> Tell | Hold:
    """Decide about an incident whose `page_at` has come.

    Args:
        policy: who is told, in which order.
        incident: it has a ticket; `paged` counts the steps that were told.
        now: the instance's time.
        next_open: asks calendars.
        asking: a plan of it waits for a person's yes: it is not automation that works.
        early: why the next tier must hear before its time (an SLA that is about to break).
        lapsed: the answer has ended that people gave after they were told last.
    """
    place = next_place(policy, incident)
    if place is None and not lapsed:
        return Hold(None, "everybody of the policy has been told")
    opens = pages_at(policy, incident.priority, now, next_open)
    if place is None:  # nobody comes after the last: an answer that ended is none any more
        again = Tell(policy.steps[-1], incident.paged, None, early or _LAPSED)
        return again if opens == now else _closed(policy, incident, opens)
    step = policy.steps[place % len(policy.steps)]
    works = incident.status in _AT_WORK and not asking
    if place and works and incident.priority != "P1" and not early:
        return Hold(_later(now, _LOOK_AGAIN), "automation still works on it")
    if opens != now:
        return _closed(policy, incident, opens)
    following = policy.steps[(place + 1) % len(policy.steps)]
    last = place + 1 >= len(policy.steps) * (1 + policy.repeat)
    next_at = None if last else _later(now, wait_of(following, incident.priority))
    return Tell(step, place + 1, next_at, early or _why(place, incident))


def next_place(policy: Policy, incident: Incident) -> int | None:
    """Give the number of the step that is told next, from 0 over all rounds; None: no more.

    Steps below the incident's tier are passed over: an approval that nobody gave has raised it.
    The last one never is: somebody must hear of it.
    """
    place, count = incident.paged, len(policy.steps)
    reached = TIERS.index(incident.tier) if incident.tier in TIERS else 0
    while place < count - 1 and TIERS.index(policy.steps[place].tier) < reached:
        place += 1
    return place if place < count * (1 + policy.repeat) else None


def hand_on(
    policy: Policy,
    incident: Incident,
    there: Callable[[PolicyStep], bool],
    *,
    reason: str,
    now: Instant,
) -> Tell | Hold:
    """Decide to whom an incident goes that a person hands on: the next step with somebody there.

    Neither hours nor automation that still works hold it: a person asks. Hold says why nobody is
    left; the rounds of `repeat` count for the clock only.
    """
    place, count = next_place(policy, incident), len(policy.steps)
    if place is None or place >= count:
        tier = policy.steps[-1].tier
        return Hold(None, f"{tier} is the last tier of the policy {policy.name}, and was told")
    found = next((n for n in range(place, count) if there(policy.steps[n])), None)
    if found is None:
        tiers = ", ".join(dict.fromkeys(step.tier for step in policy.steps[place:]))
        return Hold(None, f"nobody else is on call now in {tiers} of the policy {policy.name}")
    following = policy.steps[(found + 1) % count]
    last = found + 1 >= count * (1 + policy.repeat)
    next_at = None if last else _later(now, wait_of(following, incident.priority))
    return Tell(policy.steps[found], found + 1, next_at, reason)


def wait_of(step: PolicyStep, priority: str) -> timedelta:
    """Give how long the step before this one may stay unanswered."""
    return step.after.get(priority, AFTER.get(priority, AFTER["P3"]))


def told(step: PolicyStep, on_call: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """Give the people of a step, each once; `on_call` gives those of a rotation, first the first.

    Vendors are named on the ticket; they are nobody whom we can page.
    """
    found: dict[str, None] = {}
    for word in step.tell:
        kind, _, name = word.partition("/")
        if kind == "person":
            found[name] = None
        elif kind == "rotation":
            found.update(dict.fromkeys(on_call(name)))
    return tuple(found)


def vendors(step: PolicyStep) -> tuple[str, ...]:
    """Give the vendors of a step."""
    pairs = (word.partition("/") for word in step.tell)
    return tuple(name for kind, _, name in pairs if kind == "vendor")


def pages_at(policy: Policy, priority: str, now: Instant, next_open: NextOpen) -> Instant | None:
    """Give when a priority pages next, from now on; None: never."""
    hours = policy.hours.get(priority, "")
    if hours == NEVER:
        return None
    return next_open(hours, now) if hours else now


def _closed(policy: Policy, incident: Incident, opens: Instant | None) -> Hold:
    if opens is None:
        return Hold(None, f"{incident.priority} pages nobody: it stands in the digest")
    return Hold(opens, f"{incident.priority} waits for {policy.hours[incident.priority]}")


def _why(place: int, incident: Incident) -> str:
    if place == 0 or incident.paged == 0:
        return "it waits for a person"
    return f"nobody of {incident.tier} has answered"


def _later(now: Instant, wait: timedelta) -> Instant:
    return Instant(now + wait // _MICRO)
