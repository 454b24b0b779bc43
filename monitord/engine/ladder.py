"""The stage that takes an open incident up its ladder: wait, begin an attempt, climb, hand over.

It asks the pure decisions and writes their outcome in one transaction; it runs nothing on a host.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.actions import plan as plans
from monitord.clock import after
from monitord.decisions import remediation
from monitord.decisions.escalation import ticket_at_once
from monitord.decisions.guards import Verdict, evaluate
from monitord.decisions.reach import Reach
from monitord.engine import ticketing
from monitord.engine.instance import Instance
from monitord.engine.situation import ExactPlan, exact_plan, order_in_force, situation
from monitord.engine.turn import Turn
from monitord.model import effect
from monitord.model.catalog import Check, Rung
from monitord.model.ids import AttemptId, Instant
from monitord.model.incident import Attempt, AttemptStatus, Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.ticket import Verb

_LOOK_AGAIN = timedelta(seconds=15)
_SLACK = timedelta(seconds=30)


def hand_over(turn: Turn, reason: str) -> None:
    """Stop automation for an incident: ESCALATED, a ticket, and the reason on both."""
    incident, tx, now = turn.incident, turn.tx, turn.now
    moved = tx.move_incident(
        incident.id,
        incident.status,
        IncidentStatus.ESCALATED,
        escalated=now,
        due_at=None,
        waiting_for="",
    )
    if not moved:
        return
    turn.note("escalated", f"handed over to {incident.tier}: {reason}", reason=reason)
    tx.add_audit(now, "monitord", "escalate", f"incident {incident.id}", reason)
    turn.after.events.extend(ticketing.open_or_update(tx, turn.instance, incident.id, now))


def follow(turn: Turn, *, rung: int, due_in: timedelta = timedelta()) -> None:
    """Put an incident whose attempt ended back on the ladder, at position `rung`."""
    turn.tx.move_incident(
        turn.incident.id,
        IncidentStatus.REPAIRING,
        IncidentStatus.WAITING,
        rung=rung,
        due_at=after(turn.now, due_in),
        waiting_for="the next decision",
    )


def climb(turn: Turn) -> None:
    """Take an incident whose time has come one decision further."""
    incident, now = turn.incident, turn.now
    check = turn.instance.check(incident.key)
    quiet = _quiet(turn, check)
    if quiet is not None:
        _wait(turn, quiet)
        return
    if ticket_at_once(incident, check):
        turn.after.events.extend(ticketing.open_or_update(turn.tx, turn.instance, incident.id, now))
    early = remediation.begin(incident, check, now=now)
    if early is not None or check is None:
        _wait(turn, early or remediation.Wait("the check is no longer configured", None))
        return
    _climb(turn, check, incident.rung)


def _climb(turn: Turn, check: Check, position: int) -> None:
    """Go up from `position` until something is to be done or waited for."""
    while True:
        at = _at(turn.incident, position)
        found = remediation.next_rung(at, check, turn.instance.catalog.runbooks)
        if found is None:
            _act(turn, check, remediation.without_rung(at, check), ExactPlan())
            return
        place, rung = found
        plan = exact_plan(turn.instance, turn.incident, check, rung)
        facts = situation(turn.tx, turn.instance, turn.incident, rung, plan, now=turn.now)
        verdicts = evaluate(facts)
        move = remediation.decide(turn.incident, place, rung, verdicts, now=turn.now)
        if not isinstance(move, remediation.Climb):
            _act(turn, check, move, plan, verdicts)
            return
        turn.instance.counters.refusals[move.guard] += 1
        _refused(turn, rung, move.guard, move.reason, plan)
        position = move.position


def _act(
    turn: Turn,
    check: Check,
    move: remediation.Move,
    plan: ExactPlan,
    verdicts: Sequence[Verdict] = (),
) -> None:
    match move:
        case remediation.Start():
            start(turn, check, move.position, move.rung, plan)
        case remediation.Wait():
            _wait(turn, move)
        case remediation.HandOver():
            for verdict in verdicts:
                if verdict.refusal is not None:
                    turn.instance.counters.refusals[verdict.guard] += 1
                    _refused(turn, None, verdict.guard, verdict.refusal.reason, plan)
            hand_over(turn, move.reason)
        case remediation.Climb():
            raise AssertionError("a climb is followed in _climb")


def start(
    turn: Turn, check: Check, position: int, rung: Rung, plan: ExactPlan, *, by: str = "automation"
) -> AttemptId:
    """Write a new attempt with its locks, and the incident as REPAIRING."""
    tx, incident, now = turn.tx, turn.incident, turn.now
    attempt = new_attempt(turn.instance, incident, check, rung, plan, now, by=by)
    number = tx.add_attempt(attempt)
    holder = tx.take_locks(number, plan.locks)
    if holder is not None:  # the guard saw it free in this same transaction
        raise AssertionError(f"lock {holder} was taken between guard and plan")
    tx.move_incident(
        incident.id,
        incident.status,
        IncidentStatus.REPAIRING,
        rung=position,
        due_at=None,
        waiting_for="",
    )
    tx.add_audit(now, by, "plan", f"attempt {number}", f"{attempt.runbook} {incident.key}")
    turn.note(
        "attempt-planned",
        f"attempt {number}: {attempt.runbook} on {', '.join(attempt.targets)}",
        attempt=number,
        runbook=attempt.runbook,
        plan=describe(plan),
    )
    return number


def new_attempt(
    instance: Instance,
    incident: Incident,
    check: Check,
    rung: Rung,
    plan: ExactPlan,
    now: Instant,
    *,
    by: str = "automation",
) -> Attempt:
    """Give the row of a new attempt, bound to its exact plan."""
    work = sum((step.timeout for step in plan.steps), timedelta())
    host = instance.catalog.hosts[check.host]
    return Attempt(
        id=AttemptId(0),  # the store numbers it
        incident=incident.id,
        key=incident.key,
        host=host.name,
        runbook=rung.runbook,
        runbook_hash=instance.catalog.runbooks[rung.runbook].hash,
        catalog=instance.catalog.hash,
        mode=rung.mode,
        status=AttemptStatus.PLANNED,
        plan=plans.to_text(plan.steps),
        targets=tuple(dict.fromkeys(step.target for step in plan.steps)),
        locks=tuple(name for name, exclusive in plan.locks if exclusive),
        planned=now,
        due_at=now,
        deadline=after(now, work + rung.verify.within + _SLACK),
        groups=host.groups,
        epoch=instance.epoch,
        by=by,
        items=incident.items,
    )


def describe(plan: ExactPlan) -> list[dict[str, str]]:
    """Give a plan for people: one row per step."""
    return [
        {
            "phase": str(step.phase),
            "kind": step.kind,
            "target": step.target,
            "text": effect.describe(step.effect),
        }
        for step in plan.steps
    ]


def _wait(turn: Turn, wait: remediation.Wait) -> None:
    incident = turn.incident
    changes: dict[str, Any] = {"waiting_for": wait.reason, "due_at": wait.until}
    if incident.status is IncidentStatus.OPEN:
        turn.tx.move_incident(incident.id, incident.status, IncidentStatus.WAITING, **changes)
    else:
        turn.tx.change_incident(incident.id, incident.status, **changes)
    if incident.waiting_for != wait.reason:
        turn.note("waiting", f"waits: {wait.reason}")


def _quiet(turn: Turn, check: Check | None) -> remediation.Wait | None:
    """Say why neither repair nor ticket is due: maintenance, or the parent's incident tells it."""
    checks = [check] if check is not None else _checks_of(turn)
    if not checks:
        return None
    orders = [
        order_in_force(turn.tx, turn.instance, Verb.MAINTENANCE, each, turn.now) for each in checks
    ]
    if orders and all(order is not None for order in orders):
        order = next(order for order in orders if order is not None)
        until = (
            min(order.expires, after(turn.now, _LOOK_AGAIN)) if order.until_ok else order.expires
        )
        return remediation.Wait(f"maintenance by {order.by}: {order.reason}", until)
    severity = turn.incident.severity
    down = [turn.instance.beliefs.reach_of(each, severity) for each in checks]
    if severity is not Status.OK and all(each is Reach.DOWN for each in down):
        reason = "what it stands behind or needs is down: that incident tells it"
        return remediation.Wait(reason, after(turn.now, _LOOK_AGAIN))
    return None


def _checks_of(turn: Turn) -> list[Check]:
    found = (turn.instance.check("/".join(item.split("/")[:2])) for item in turn.incident.items)
    return [check for check in found if check is not None]


def _refused(turn: Turn, rung: Rung | None, guard: str, reason: str, plan: ExactPlan) -> None:
    name = rung.runbook if rung is not None else ""
    turn.note(
        "refused",
        f"{name or 'automation'} refused by {guard}: {reason}",
        runbook=name,
        guard=guard,
        reason=reason,
        plan=describe(plan),
    )


def _at(incident: Incident, position: int) -> Incident:
    return replace(incident, rung=position)
