"""Decides what happens next for an incident: which rung, wait for what, or a person. Pure.

The ladder is the check's `remediate` list. A position goes back only when a WARNING becomes
CRITICAL; the guards' refusals say whether to wait, to climb, or to stop (docs/decisions/ladder.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.decisions.guards import QUEUES, Then, Verdict, first_refusal
from monitord.decisions.incidents import is_many, is_shared
from monitord.model.catalog import Check, Runbook, Rung
from monitord.model.ids import Instant
from monitord.model.incident import Incident
from monitord.model.result import Status
from monitord.model.ticket import Event

_PATIENCE = timedelta(minutes=15)
"""How long an incident may queue for other repairs to end before a person is told."""

_COLLECTS = timedelta(seconds=30)
"""How long an outage of many is looked at before a person gets its one ticket."""

_AFTER_MAINTENANCE = timedelta(minutes=10)
_MOMENTS = 2  # times that an incident surely gets its moment to recover by itself


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt with this rung."""

    position: int
    rung: Rung


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until` (None: when something happens). `guard` names who asked for it."""

    reason: str
    until: Instant | None
    guard: str = ""


@dataclass(frozen=True, slots=True)
class Climb:
    """This rung is refused for good: go on at `position`."""

    position: int
    guard: str
    reason: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Automation stops here: a person, with this reason."""

    reason: str


Move = Start | Wait | Climb | HandOver


def next_rung(
    incident: Incident, check: Check, runbooks: Mapping[str, Runbook]
) -> tuple[int, Rung] | None:
    """Give the first rung at or after the incident's position that answers its severity."""
    for position in range(incident.rung, len(check.remediate)):
        rung = check.remediate[position]
        if incident.severity in runbooks[rung.runbook].on:
            return position, rung
    return None


def begin(
    incident: Incident,
    check: Check | None,
    *,
    now: Instant,
    bad_since: Instant,
    maintained_until: Instant | None = None,
) -> Wait | None:
    """Say whether it is too early, or not automation's business at all; None: ask the guards.

    Args:
        incident: the outage.
        check: its check (an UNKNOWN incident has none).
        now: the instant of the decision.
        bad_since: when the hard status of its oldest item began.
        maintained_until: when a maintenance of the check last ended.
    """
    if incident.severity is Status.UNKNOWN:
        return Wait("nothing is repaired on UNKNOWN: a person finds out why", None)
    if check is None:
        return Wait("the check is no longer configured", None)
    if not check.remediate:
        return None
    if maintained_until is not None:
        over = _later(maintained_until, _AFTER_MAINTENANCE)
        if now < over:
            return Wait("after maintenance what was worked on gets ten minutes to settle", over)
    earliest = _later(bad_since, check.first_rung_after)
    # A clock that was set back must not make this moment an hour.
    early = now < earliest <= _later(now, check.first_rung_after)
    if incident.rung == 0 and early and not _comes_and_goes(incident, now):
        return Wait("systemd and supervisors get a moment to repair it themselves", earliest)
    return None


def _comes_and_goes(incident: Incident, now: Instant) -> bool:
    """Tell whether it has come back so often, for so long, that nothing repairs it by itself.

    The clock is that of the incident: a flap never begins it anew. Quick ups and downs are left to
    the flap detection, since a repair would chase noise.
    """
    return incident.reopened >= _MOMENTS and now >= _later(incident.opened, _PATIENCE)


def of_many(incident: Incident, now: Instant) -> Wait | HandOver | None:
    """Say what follows for an outage of many: a person, once it is seen how many; else None."""
    if incident.severity is not Status.CRITICAL or not is_shared(incident.key):
        return None
    earliest = _later(incident.opened, _COLLECTS)
    if now < earliest <= _later(now, _COLLECTS):
        return Wait("many fail at once: it is being seen how many", earliest)
    if is_many(incident.key):
        many = f"{len(incident.items)} fail at once"
        return HandOver(f"{many}: no repair of each would cure what they have in common")
    return HandOver(
        "the monitor's own network is lost, or part of it: it is not repaired from here"
    )


def without_rung(incident: Incident, check: Check) -> Wait | HandOver:
    """Say what follows when no rung is left or none answers this severity."""
    if incident.severity is Status.WARNING:
        return Wait("no runbook answers a WARNING here: it is on the ticket", None)
    if not check.remediate:
        return HandOver("no runbook is attached to this check")
    if incident.rung == 0:
        return HandOver("no runbook on the ladder answers this status")
    return HandOver("the ladder is at its end")


def decide(
    position: int,
    rung: Rung,
    verdicts: Sequence[Verdict],
    *,
    now: Instant,
    queued_since: Instant | None = None,
) -> Move:
    """Turn the guards' verdicts about one rung into the next move.

    `queued_since` is when the incident began to wait for other repairs, if it still does.
    """
    found = first_refusal(verdicts)
    if found is None:
        return Start(position, rung)
    guard, refusal = found
    reason = f"{guard}: {refusal.reason}"
    if refusal.then is Then.PERSON:
        return HandOver(reason)
    if refusal.then is Then.NEXT:
        return Climb(position + 1, guard, refusal.reason)
    # Only the queues have a limit: what else waits has its own end.
    if guard in QUEUES and queued_since is not None and now >= _later(queued_since, _PATIENCE):
        return HandOver(f"waited {_PATIENCE.seconds // 60} min; {reason}")
    return Wait(reason, refusal.until, guard)


def nobody_told(rung: Rung) -> Wait:
    """Say why nobody is asked for a yes: an incident that is told instead of this one is on."""
    return Wait(f"{rung.runbook} needs a person's yes, and nobody is told of this now", None)


def queued_since(timeline: Iterable[Event]) -> Instant | None:
    """Give when an incident began to wait for other repairs, by its timeline; None: it does not.

    What was not waited in between (it recovered and failed again, maintenance) is left out, but a
    flap does not begin the count anew: only its turn does, an attempt.
    """
    since: Instant | None = None
    left: Instant | None = None  # when it left the queue, to which it may come back
    for event in timeline:
        if event.kind == "attempt-planned":
            since = left = None
        elif event.kind == "waiting" and event.data.get("guard") in QUEUES:
            away = event.at - left if left is not None else 0
            since, left = Instant((since or event.at) + max(0, away)), None
        elif event.kind in {"waiting", "resolved"} and since is not None:
            left = left or event.at
    return since if left is None else None


def _later(start: Instant, wait: timedelta) -> Instant:
    return Instant(start + wait // timedelta(microseconds=1))
