"""The stage that takes an open incident up its ladder: wait, begin an attempt, climb, hand over.

It asks the pure decisions and writes their outcome in one transaction; it runs nothing on a host.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from monitord import links
from monitord.actions import plan as plans
from monitord.clock import after
from monitord.decisions import remediation
from monitord.decisions.escalation import ticket_at_once
from monitord.decisions.guards import WANT_A_LOOK, Verdict, evaluate, told
from monitord.decisions.orders import last_end
from monitord.decisions.reach import Reach
from monitord.decisions.verbs import HELD
from monitord.engine import inhibiting, linking, parts, shadow, ticketing
from monitord.engine.instance import Instance
from monitord.engine.situation import (
    ExactPlan,
    checks_of,
    date_of,
    exact_plan,
    items_of,
    order_over,
    situation,
    states_of,
)
from monitord.engine.turn import Turn
from monitord.model import effect
from monitord.model.catalog import Check, Rung
from monitord.model.ids import AttemptId, Instant
from monitord.model.incident import Attempt, AttemptStatus, Incident, IncidentStatus, Phase
from monitord.model.result import Status
from monitord.model.ticket import Verb

_LOOK_AGAIN = timedelta(seconds=15)
_SLACK = timedelta(seconds=30)
APPROVAL_LASTS = timedelta(minutes=15)
"""How long a plan waits for a person's yes before the next tier is asked."""


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
    _tell_later(turn)


def _tell_later(turn: Turn) -> None:
    """Look again when the order ends that keeps an escalated incident from paging."""
    order = ticketing.kept_quiet(turn.tx, turn.instance, turn.incident, turn.now)
    until = order.expires if order is not None else None
    if turn.incident.part_of:  # looked at again, should nothing say that the other is over
        until = after(turn.now, _LOOK_AGAIN)
    turn.tx.change_incident(turn.incident.id, IncidentStatus.ESCALATED, due_at=until)
    if order is not None:
        number, tx = turn.incident.id, turn.tx
        turn.after.events.extend(ticketing.note_quiet(tx, number, order, turn.now))


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
    if not (inhibiting.look(turn) if turn.incident.inhibited_by else parts.look(turn)):
        return
    incident, now = turn.incident, turn.now
    if incident.status is IncidentStatus.ESCALATED:
        ticketing.catch_up(turn.tx, turn.instance, incident.id, now)
        _tell_later(turn)
        return
    first = _quiet(turn) or remediation.of_many(incident, now)
    if isinstance(first, remediation.HandOver):
        hand_over(turn, first.reason)
        return
    if first is not None:
        _wait(turn, first)
        return
    check = turn.instance.check(incident.key)
    if ticket_at_once(incident, check):
        _tell(turn)
    ticketing.catch_up(turn.tx, turn.instance, incident.id, now)
    early = remediation.begin(
        incident,
        check,
        now=now,
        bad_since=_bad_since(turn),
        maintained_until=_maintained_until(turn, check),
    )
    if early is not None or check is None:
        _wait(turn, early or remediation.Wait("the check is no longer configured", None))
        return
    _climb(turn, check)


def _climb(turn: Turn, check: Check) -> None:
    """Go up from the incident's position until something is to be done or waited for."""
    instance = turn.instance
    while True:
        found = remediation.next_rung(turn.incident, check, instance.catalog.runbooks)
        if found is None:
            _without_rung(turn, check)
            return
        place, rung = found
        plan = exact_plan(instance, turn.incident, check, rung)
        facts = situation(turn.tx, instance, turn.incident, rung, plan, now=turn.now)
        rung = facts.rung
        if rung.mode == "approve":  # what else stands in its way is told before anybody is asked
            facts = replace(facts, approved=True)
        verdicts = evaluate(facts)
        queued = remediation.queued_since(turn.tx.events(turn.incident.id))
        move = remediation.decide(place, rung, verdicts, now=turn.now, queued_since=queued)
        match move:
            case remediation.Climb():
                _refused(turn, rung, move.guard, move.reason, plan, verdicts)
                if rung.mode == "shadow" and move.guard == "mode":
                    shadow.record(turn, facts, describe(plan))
                _stand_at(turn, move.position)
                continue
            case remediation.Start():
                _begin(turn, check, move.position, rung, plan, verdicts)
            case remediation.Wait():
                _stand_at(turn, place)
                _wait(turn, move, runbook=rung.runbook, guards=told(verdicts))
                if move.guard in WANT_A_LOOK:
                    turn.after.calls.append(partial(instance.beliefs.recheck, [check.key]))
            case remediation.HandOver():
                refuse_all(turn, rung, verdicts, plan)
                hand_over(turn, move.reason)
        return


def _begin(
    turn: Turn, check: Check, place: int, rung: Rung, plan: ExactPlan, verdicts: Sequence[Verdict]
) -> None:
    if rung.mode != "approve":
        start(turn, check, place, rung, plan, verdicts=verdicts)
    elif turn.incident.part_of:
        _wait(turn, remediation.nobody_told(rung))
    else:
        ask(turn, check, place, rung, plan, verdicts=verdicts)


def _without_rung(turn: Turn, check: Check) -> None:
    """Nothing on the ladder answers any more: a person does, or for a WARNING its ticket waits."""
    move = remediation.without_rung(turn.incident, check)
    if isinstance(move, remediation.HandOver):
        hand_over(turn, move.reason)
        return
    if turn.incident.ticket is None:
        _tell(turn)
    _wait(turn, move)


def _tell(turn: Turn) -> None:
    """Give a person the ticket as it is now; the incident of this turn learns its number."""
    events = ticketing.open_or_update(turn.tx, turn.instance, turn.incident.id, turn.now)
    turn.after.events.extend(events)
    turn.incident = turn.tx.incident(turn.incident.id) or turn.incident


def _stand_at(turn: Turn, position: int) -> None:
    """Keep the position, so that a refused rung is not refused again at each look."""
    if position != turn.incident.rung:
        turn.tx.change_incident(turn.incident.id, turn.incident.status, rung=position)
        turn.incident = replace(turn.incident, rung=position)


def _bad_since(turn: Turn) -> Instant:
    """Give when the first of the incident's items became hard what it is."""
    bad = [s.since for s in states_of(turn.instance, turn.incident) if s.hard is not Status.OK]
    return min(bad, default=turn.incident.opened)


def _maintained_until(turn: Turn, check: Check | None) -> Instant | None:
    if check is None:
        return None
    orders = turn.tx.orders(verb=Verb.MAINTENANCE)
    host = turn.instance.catalog.hosts[check.host]
    return last_end(orders, Verb.MAINTENANCE, host, check, turn.now)


def start(
    turn: Turn,
    check: Check,
    position: int,
    rung: Rung,
    plan: ExactPlan,
    *,
    by: str = "automation",
    verdicts: Sequence[Verdict] = (),
) -> AttemptId:
    """Write a new attempt with its locks, and the incident as REPAIRING."""
    tx, incident, now = turn.tx, turn.incident, turn.now
    for other in tx.attempts(incident=incident.id, statuses=[AttemptStatus.APPROVAL]):
        why = {"finished": now, "outcome": f"{by} started {rung.runbook}", "approve_key": ""}
        tx.move_attempt(other.id, AttemptStatus.APPROVAL, AttemptStatus.VOID, **why)
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
        guards=told(verdicts),
    )
    return number


def ask(
    turn: Turn,
    check: Check,
    position: int,
    rung: Rung,
    plan: ExactPlan,
    *,
    verdicts: Sequence[Verdict] = (),
) -> AttemptId:
    """Write an attempt that waits for a person's yes, without locks, and tell people of it."""
    tx, incident, now, instance = turn.tx, turn.incident, turn.now, turn.instance
    made = new_attempt(instance, incident, check, rung, plan, now)
    until = after(now, APPROVAL_LASTS)
    attempt = replace(made, due_at=None, deadline=until)
    number = tx.add_attempt(attempt)
    key = links.digest(linking.word_of(instance, replace(attempt, id=number)))
    tx.move_attempt(
        number, AttemptStatus.PLANNED, AttemptStatus.APPROVAL, approve_key=key, due_at=None
    )
    waits = f"a person's yes to attempt {number}: monitord approve {number}, or monitord deny"
    changes = {"rung": position, "waiting_for": waits, "due_at": after(now, _LOOK_AGAIN)}
    if incident.status is IncidentStatus.OPEN:
        tx.move_incident(incident.id, incident.status, IncidentStatus.WAITING, **changes)
    else:
        tx.change_incident(incident.id, incident.status, **changes)
    tx.add_audit(now, "monitord", "ask", f"attempt {number}", f"{rung.runbook} {incident.key}")
    turn.note(
        "approval-asked",
        f"attempt {number}: {rung.runbook} needs a person's yes within 15 minutes",
        attempt=number,
        runbook=rung.runbook,
        plan=describe(plan),
        guards=told(verdicts),
    )
    _tell(turn)
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
    # An undo gets its own time where it begins.
    steps = (step for step in plan.steps if step.phase != Phase.UNDO)
    work = sum((step.timeout for step in steps), timedelta())
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
        items=items_of(instance, incident, check),
        business_date=date_of(instance, check),
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


def _wait(turn: Turn, wait: remediation.Wait, **said: Any) -> None:
    incident, until = turn.incident, wait.until
    if incident.ticket is not None:  # when an order ends that keeps it quiet, people are told
        order = ticketing.kept_quiet(turn.tx, turn.instance, incident, turn.now)
        if order is not None:
            until = min(until or order.expires, order.expires)
    if incident.part_of:  # looked at again, should nothing say that the other is over
        soon = after(turn.now, _LOOK_AGAIN)
        until = min(until or soon, soon)
    changes: dict[str, Any] = {"waiting_for": wait.reason, "due_at": until}
    if incident.status is IncidentStatus.OPEN:
        turn.tx.move_incident(incident.id, incident.status, IncidentStatus.WAITING, **changes)
    else:
        turn.tx.change_incident(incident.id, incident.status, **changes)
    if incident.waiting_for != wait.reason:
        turn.note("waiting", f"waits: {wait.reason}", guard=wait.guard, **said)


def _quiet(turn: Turn) -> remediation.Wait | remediation.HandOver | None:
    """Say why neither repair nor ticket is due: a person works there, or the parent's tells it."""
    instance, incident = turn.instance, turn.incident
    order = order_over(turn.tx, instance, HELD, incident, turn.now)
    if order is not None:
        soon = after(turn.now, _LOOK_AGAIN)
        until = min(order.expires, soon) if order.until_ok else order.expires
        return remediation.Wait(f"{order.verb} by {order.by}: {order.reason}", until)
    severity = incident.severity
    down = [instance.beliefs.reach_of(each, severity) for each in checks_of(instance, incident)]
    if down and severity is not Status.OK and all(each is Reach.DOWN for each in down):
        if not parts.is_told(turn):  # a person has closed it
            down_too = "what it stands behind or needs is down, and no incident tells it"
            return remediation.HandOver(down_too)
        reason = "what it stands behind or needs is down: that incident tells it"
        return remediation.Wait(reason, after(turn.now, _LOOK_AGAIN))
    return None


def refuse_all(turn: Turn, rung: Rung, verdicts: Sequence[Verdict], plan: ExactPlan) -> None:
    """Write every refusal, so that a person sees all reasons at once."""
    for verdict in verdicts:
        if verdict.refusal is not None:
            _refused(turn, rung, verdict.guard, verdict.refusal.reason, plan, verdicts)


def _refused(
    turn: Turn,
    rung: Rung,
    guard: str,
    reason: str,
    plan: ExactPlan,
    verdicts: Sequence[Verdict],
) -> None:
    turn.instance.counters.refusals[guard] += 1
    turn.note(
        "refused",
        f"{rung.runbook} refused by {guard}: {reason}",
        runbook=rung.runbook,
        guard=guard,
        reason=reason,
        plan=describe(plan),
        guards=told(verdicts),
    )
