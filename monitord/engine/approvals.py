"""Attempts that wait for a person's yes: approved, denied, void, or expired to the next tier.

Nothing here runs by itself: without a yes to this exact plan an attempt never leaves APPROVAL but
to VOID. A waiting attempt holds no lock; every guard is asked again when it is approved. Who may
say yes was decided before (docs/decisions/trust.md).
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from monitord import links
from monitord.actions import plan as plans
from monitord.clock import after
from monitord.decisions.escalation import next_tier
from monitord.decisions.guards import evaluate, first_refusal
from monitord.decisions.remediation import next_rung
from monitord.decisions.ticket_document import iso
from monitord.engine import ladder, ticketing
from monitord.engine.instance import Instance
from monitord.engine.situation import ExactPlan, exact_plan, situation
from monitord.engine.turn import AfterCommit, AttemptTurn, Turn
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Check, Rung
from monitord.model.effect import digest
from monitord.model.ids import AttemptId
from monitord.model.incident import Attempt, AttemptStatus, Incident, IncidentStatus
from monitord.store.contract import Tx, View

_LOOK_AGAIN = timedelta(seconds=15)
_A = AttemptStatus


def pending(view: View, incident: Incident) -> Attempt | None:
    """Give the attempt of an incident that waits for approval."""
    waiting = view.attempts(incident=incident.id, statuses=[_A.APPROVAL])
    return waiting[-1] if waiting else None


def look(turn: Turn) -> bool:
    """Tell whether the turn's incident goes on waiting for approval; end what cannot wait."""
    waiting = pending(turn.tx, turn.incident)
    if waiting is None or turn.incident.status is not IncidentStatus.WAITING:
        return False
    if turn.now >= waiting.deadline:
        _expire(turn, waiting)
        return True
    stale = _why_void(turn, waiting)
    if stale:
        _void(turn, waiting, stale)
        return False
    ticketing.catch_up(turn.tx, turn.instance, turn.incident.id, turn.now)
    soon = min(waiting.deadline, after(turn.now, _LOOK_AGAIN))
    turn.tx.change_incident(turn.incident.id, turn.incident.status, due_at=soon)
    return True


def _expire(turn: Turn, waiting: Attempt) -> None:
    """Go to the next tier: nobody answered the ones who were asked."""
    reason = f"nobody approved attempt {waiting.id} of {waiting.runbook} in time"
    _void(turn, waiting, reason)
    tier = next_tier(turn.incident.tier)
    turn.tx.change_incident(turn.incident.id, turn.incident.status, tier=tier)
    turn.incident = replace(turn.incident, tier=tier)
    ladder.hand_over(turn, reason)


def _void(turn: Turn, waiting: Attempt, why: str, *, by: str = "monitord") -> None:
    changes = {"finished": turn.now, "outcome": why, "approve_key": "", "due_at": None}
    turn.tx.move_attempt(waiting.id, _A.APPROVAL, _A.VOID, **changes)
    turn.instance.counters.attempts[_A.VOID.lower()] += 1
    turn.tx.add_audit(turn.now, by, "void", f"attempt {waiting.id}", why)
    turn.note("approval-void", f"attempt {waiting.id} is void: {why}", attempt=waiting.id)


def _rung_of(turn: Turn, waiting: Attempt) -> tuple[Check, Rung] | None:
    """Give the rung that a waiting attempt stands for, if it is still the next one."""
    check, catalog = turn.instance.check(turn.incident.key), turn.instance.catalog
    found = next_rung(turn.incident, check, catalog.runbooks) if check is not None else None
    if check is None or found is None or found[1].runbook != waiting.runbook:
        return None
    return check, found[1]


def _why_void(turn: Turn, waiting: Attempt) -> str:
    """Say what of the plan is not what was asked about any more; empty: it still is."""
    found = _rung_of(turn, waiting)
    if found is None:
        return f"{waiting.runbook} is not the next rung any more"
    instance = turn.instance
    if instance.catalog.runbooks[waiting.runbook].hash != waiting.runbook_hash:
        return f"{waiting.runbook} has changed"
    plan = exact_plan(instance, turn.incident, *found)
    if plan.problem or plans.to_text(plan.steps) != waiting.plan:
        return "the plan has changed: other items are bad now"
    return ""


@dataclass(frozen=True, slots=True)
class Approvals:
    """What people say to waiting attempts, on the command line, in the API and by a link."""

    instance: Instance

    async def approve(self, number: AttemptId, *, by: str) -> None:
        """Begin a waiting attempt in a person's name.

        Raises:
            NotFoundError: there is no such attempt.
            CommandRefusedError: it does not wait, its plan has changed, or a guard refuses.
        """
        await self._answer(number, lambda turn: self._approve(turn, by))

    async def deny(self, number: AttemptId, *, by: str, reason: str) -> None:
        """Void a waiting attempt: its incident goes to a person. Errors as for `approve`."""
        if not reason.strip():
            raise CommandRefusedError("a denial needs a reason; add --reason '…'")

        def work(turn: AttemptTurn) -> str:
            why = f"denied by {by}: {reason}"
            _void(turn, turn.attempt, why, by=by)
            ladder.hand_over(turn, f"attempt {number} of {turn.attempt.runbook} was {why}")
            return ""

        await self._answer(number, work)

    async def by_link(self, word: str) -> Attempt:
        """Give the attempt that a link is for, while it waits for an answer.

        Raises:
            NotFoundError: the link was used, is void, or never was one.
        """
        number = await self.instance.store.read(lambda view: _number(view, word))
        found = await self.instance.store.read(lambda view: view.attempt(AttemptId(number)))
        if found is None:
            raise NotFoundError("this link is not valid (any more)")
        return found

    async def show(self, word: str) -> Mapping[str, Any]:
        """Give what the page behind a link shows; errors as for `by_link`."""
        attempt = await self.by_link(word)
        incident = await self.instance.store.read(lambda view: view.incident(attempt.incident))
        return {
            "attempt": attempt.id,
            "runbook": attempt.runbook,
            "key": attempt.key,
            "summary": incident.summary if incident is not None else "",
            "until": iso(attempt.deadline),
            "plan": ladder.describe(ExactPlan(plans.from_text(attempt.plan))),
        }

    async def _answer(self, number: AttemptId, work: Callable[[AttemptTurn], str]) -> None:
        """Do what a person answered; a text from `work` is committed, then told as a refusal."""
        instance, out = self.instance, AfterCommit()

        def write(tx: Tx) -> str:
            attempt = tx.attempt(number)
            incident = tx.incident(attempt.incident) if attempt is not None else None
            if attempt is None or incident is None:
                raise NotFoundError(f"there is no attempt {number}; `monitord tickets` tells them")
            now = instance.now()
            if attempt.status is not _A.APPROVAL or now >= attempt.deadline:
                what = attempt.status if attempt.status is not _A.APPROVAL else "expired"
                raise CommandRefusedError(
                    f"attempt {number} is {what}: only one that waits for approval can be answered"
                )
            return work(AttemptTurn(tx, instance, incident, now, out, attempt=attempt))

        refused = await instance.store.write(write)
        out.run(instance)
        instance.wake()
        if refused:
            raise CommandRefusedError(refused)

    def _approve(self, turn: AttemptTurn, by: str) -> str:
        """Have the attempt run if all guards let it; gives why not."""
        stale, found = _why_void(turn, turn.attempt), _rung_of(turn, turn.attempt)
        if stale or found is None:
            _void(turn, turn.attempt, stale)
            turn.tx.change_incident(turn.incident.id, turn.incident.status, due_at=turn.now)
            return f"{stale}; it is planned anew, look at the new plan"
        check, rung = found
        plan = exact_plan(turn.instance, turn.incident, check, rung)
        said_yes = replace(turn.attempt, approved=turn.now, approved_by=by)
        facts = situation(
            turn.tx, turn.instance, turn.incident, rung, plan, now=turn.now, attempt=said_yes
        )
        refused = first_refusal(evaluate(facts))
        if refused is not None:
            return f"refused by {refused[0]}: {refused[1].reason}; it still waits"
        _run(turn, check, rung, plan, by)
        return ""


def _run(turn: AttemptTurn, check: Check, rung: Rung, plan: ExactPlan, by: str) -> None:
    """Move an approved attempt to RUNNING, with its locks and a deadline that begins now."""
    tx, now, attempt, instance = turn.tx, turn.now, turn.attempt, turn.instance
    fresh = ladder.new_attempt(instance, turn.incident, check, rung, plan, now)
    if tx.take_locks(attempt.id, plan.locks) is not None:
        raise AssertionError("a lock was taken between guard and approval")
    tx.move_attempt(
        attempt.id,
        _A.APPROVAL,
        _A.RUNNING,
        approved=now,
        approved_by=by,
        approve_key="",
        started=now,
        due_at=now,
        deadline=fresh.deadline,
        catalog=fresh.catalog,  # of an equal runbook; the executor may have dropped the old one
        epoch=instance.epoch,
    )
    tx.move_incident(
        turn.incident.id,
        turn.incident.status,
        IncidentStatus.REPAIRING,
        due_at=None,
        waiting_for="",
    )
    tx.add_audit(now, by, "approve", f"attempt {attempt.id}", digest(attempt.plan))
    text = f"attempt {attempt.id} of {attempt.runbook} was approved by {by}"
    turn.note("approved", text, attempt=attempt.id, by=by)
    ticketing.open_or_update(tx, instance, turn.incident.id, now)


def _number(view: View, word: str) -> int:
    """Give the number of the waiting attempt whose link this is, or 0."""
    wanted = links.digest(word)
    for attempt in view.attempts(statuses=[_A.APPROVAL]):
        if hmac.compare_digest(attempt.approve_key, wanted):
            return attempt.id
    return 0
