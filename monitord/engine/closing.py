"""How incidents and their attempts end but for a recovery: in a person's name, or by time.

It moves the rows and tells the ticket stage; why one is closed was decided by whoever calls.
"""

from collections.abc import Collection, Iterable

from monitord.decisions import incidents as decisions
from monitord.engine import ticketing
from monitord.engine.instance import Instance
from monitord.model.effect import Pause, from_json
from monitord.model.ids import AttemptId, IncidentId, Instant, StateKey
from monitord.model.incident import (
    LIVE_ATTEMPTS,
    OPEN_STATUSES,
    Attempt,
    AttemptStatus,
    IncidentStatus,
    StepStatus,
)
from monitord.model.ticket import Event
from monitord.store.contract import Tx

_ALL = 1_000_000


def close_resolved(tx: Tx, now: Instant) -> list[Event]:
    """Close incidents that can no longer reopen."""
    events = []
    for incident in tx.incidents([IncidentStatus.RESOLVED], due_by=now):
        moved = tx.move_incident(
            incident.id, IncidentStatus.RESOLVED, IncidentStatus.CLOSED, closed=now, due_at=None
        )
        if moved:
            ticketing.close(tx, incident, now)
            events.append(Event(incident.id, now, "closed", f"closed: {incident.cause}"))
    tx.add_events(events)
    return events


def close_by_person(
    tx: Tx,
    instance: Instance,
    number: IncidentId,
    now: Instant,
    *,
    by: str,
    reason: str,
    cure: str = "",
) -> list[Event] | None:
    """Close an incident in a person's name, from any status; None when there is none to close."""
    incident = tx.incident(number)
    if incident is None or incident.status is IncidentStatus.CLOSED:
        return None
    for attempt in tx.attempts(incident=number):
        end_attempt(tx, attempt, now, f"incident closed by {by}")
    tx.move_incident(
        number,
        incident.status,
        IncidentStatus.CLOSED,
        closed=now,
        closed_by=by,
        close_reason=reason,
        cure=cure or incident.cure,
        cause=incident.cause or "closed",
        due_at=None,
    )
    event = Event(number, now, "closed", f"closed by {by}: {reason}", actor=by)
    tx.add_events([event])
    tx.add_audit(now, by, "close", f"incident {number}", reason)
    ticketing.resolve(tx, instance, number, now)
    ticketing.close(tx, incident, now)
    let_go(tx, number, now)
    return [event]


def let_go(tx: Tx, number: IncidentId, now: Instant) -> None:
    """Have the parts of an incident that is over looked at: whether they are bad by themselves."""
    for part in tx.parts(number):
        if part.status is not IncidentStatus.REPAIRING:
            tx.change_incident(part.id, part.status, due_at=now)


def forget_items(
    tx: Tx, instance: Instance, gone: Collection[str], now: Instant, *, by: str, reason: str
) -> list[Event]:
    """Take what is no longer watched out of its incidents; one that is left empty is closed."""
    events: list[Event] = []
    for incident in tx.incidents(OPEN_STATUSES, limit=_ALL):
        rest = tuple(item for item in incident.items if item not in gone)
        if rest == incident.items:
            continue
        if not rest:
            closed = close_by_person(tx, instance, incident.id, now, by=by, reason=reason)
            events.extend(closed or ())
            continue
        left = [tx.state(StateKey(item)) for item in rest]
        severity = decisions.worst(state.hard for state in left if state is not None)
        tx.change_incident(incident.id, incident.status, items=rest, severity=severity)
    return events


def end_attempt(tx: Tx, attempt: Attempt, now: Instant, outcome: str) -> bool:
    """End a live attempt whose incident is over.

    A step that runs ends by its own deadline; until then it keeps the attempt's locks. One that is
    being undone is left alone: half undone is worse than either, and it ends by itself.
    """
    if attempt.undoing:
        return False
    ends = {
        AttemptStatus.PLANNED: AttemptStatus.VOID,
        AttemptStatus.APPROVAL: AttemptStatus.VOID,
        AttemptStatus.RUNNING: AttemptStatus.INTERRUPTED,
        AttemptStatus.VERIFYING: AttemptStatus.FAILED,
    }
    end = ends.get(attempt.status)
    if end is None:
        return False
    moved = tx.move_attempt(
        attempt.id, attempt.status, end, finished=now, outcome=outcome, due_at=None
    )
    running = [step for step in tx.steps(attempt.id) if step.status is StepStatus.INTENT]
    for step in list(running):
        if isinstance(from_json(step.effect), Pause):  # only time passes: nobody would end it
            tx.move_step(step.id, step.status, StepStatus.FAILED, finished=now, error=outcome)
            running.remove(step)
    if moved and not running:
        tx.release_locks(attempt.id)
    return moved


def ended_among(tx: Tx, attempts: Iterable[AttemptId]) -> list[AttemptId]:
    """Give those of some attempts that are over: whoever ended them, their holds must go."""
    found = ((number, tx.attempt(number)) for number in attempts)
    return [
        number
        for number, attempt in found
        if attempt is None or attempt.status not in LIVE_ATTEMPTS
    ]
