"""Decides what happens next for an incident: which rung, wait for what, or a person. Pure.

The ladder is the check's `remediate` list. A position never goes back while the incident lives;
the guards' refusals say whether to wait, to climb, or to stop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.decisions.guards import Then, Verdict, first_refusal
from monitord.model.catalog import Check, Runbook, Rung
from monitord.model.ids import Instant
from monitord.model.incident import Incident
from monitord.model.result import Status

_PATIENCE = timedelta(minutes=15)
"""How long an incident may wait for a reason that needs no person before a person is told."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt with this rung."""

    position: int
    rung: Rung


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until` (None: when something happens)."""

    reason: str
    until: Instant | None


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


def begin(incident: Incident, check: Check | None, *, now: Instant) -> Wait | None:
    """Say whether it is too early, or not automation's business at all; None: ask the guards."""
    if incident.severity is Status.UNKNOWN:
        return Wait("nothing is repaired on UNKNOWN: a person finds out why", None)
    if check is None:
        return Wait("the check is no longer configured", None)
    earliest = Instant(incident.opened + check.first_rung_after // timedelta(microseconds=1))
    if check.remediate and now < earliest and incident.rung == 0 and incident.reopened == 0:
        return Wait("systemd and supervisors get a moment to repair it themselves", earliest)
    return None


def without_rung(incident: Incident, check: Check) -> Move:
    """Say what follows when no rung is left or none answers this severity."""
    if incident.severity is Status.WARNING:
        return Wait("no runbook answers a WARNING here: it is on the ticket", None)
    if not check.remediate:
        return HandOver("no runbook is attached to this check")
    if incident.rung == 0:
        return HandOver("no runbook on the ladder answers this status")
    return HandOver("the ladder is at its end")


def decide(
    incident: Incident,
    position: int,
    rung: Rung,
    verdicts: Sequence[Verdict],
    *,
    now: Instant,
) -> Move:
    """Turn the guards' verdicts about one rung into the next move."""
    found = first_refusal(verdicts)
    if found is None:
        return Start(position, rung)
    guard, refusal = found
    reason = f"{guard}: {refusal.reason}"
    if refusal.then is Then.PERSON:
        return HandOver(reason)
    if refusal.then is Then.NEXT:
        return Climb(position + 1, guard, refusal.reason)
    if _waited_too_long(incident, guard, now):
        return HandOver(f"waited {_PATIENCE.seconds // 60} min; {reason}")
    return Wait(reason, refusal.until)


def _waited_too_long(incident: Incident, guard: str, now: Instant) -> bool:
    """Only the queues (lock, at once) have a limit: the others have their own end."""
    patience = _PATIENCE // timedelta(microseconds=1)
    return guard in {"lock", "at once"} and now - incident.opened > patience
