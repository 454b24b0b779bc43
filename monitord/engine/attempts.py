"""The stage that carries attempts through their plans: intent, effect, outcome, one step at a time.

Before each effect the intent is committed in the transaction that asks the guards again; the
executor finds it there. After a crash an open intent is adopted, never sent blindly again. What a
failure means for the incident is decided in decisions/; what a step does, in the executor.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from monitord.actions import plan as plans
from monitord.clock import after
from monitord.decisions import guards, remediation
from monitord.decisions.guards import Refusal, evaluate, evidence, first_refusal, told
from monitord.engine.asking import have_done, learn
from monitord.engine.holding import take_hold
from monitord.engine.instance import Instance
from monitord.engine.links import begin_again
from monitord.engine.outside import begin, due_in, guarded, look, name_of
from monitord.engine.ports import StepOutcome
from monitord.engine.settling import (
    end_undo,
    interrupt,
    plan_anew,
    rung_of,
    settle,
    stop_before_effect,
    verify,
)
from monitord.engine.situation import ExactPlan, items_of, situation
from monitord.engine.turn import AfterCommit, AttemptTurn
from monitord.engine.undoing import next_undo
from monitord.engine.what_changed import who_works
from monitord.model.catalog import Check, Rung
from monitord.model.effect import Pause, PlannedStep, describe, to_json
from monitord.model.ids import AttemptId, Instant, StepId
from monitord.model.incident import (
    LIVE_ATTEMPTS,
    Attempt,
    AttemptStatus,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.result import Status
from monitord.store.contract import Tx

_BAR_EVERY_INTENT = frozenset({"halt", "maintenance", "taken"})
"""Guards that are asked before evidence and preconditions too (invariant I8)."""
_LOOK_VALID = timedelta(seconds=30)
_A = AttemptStatus


@dataclass(frozen=True, slots=True)
class Looked:
    """What the look before the first effect saw of the items at worst, when, and who is there."""

    at: Instant
    status: Status
    person: str = ""


class Attempts:
    """Carries attempts on. It remembers only what is lost without harm: looks before an effect."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._looked: dict[AttemptId, Looked] = {}

    def carry_on(self, turn: AttemptTurn) -> None:
        """Take a PLANNED or RUNNING attempt whose time has come one step further."""
        attempt, tx = turn.attempt, turn.tx
        if attempt.undoing:
            self._undo(turn)
            return
        if turn.incident.status is not IncidentStatus.REPAIRING:
            interrupt(turn, "its incident is no longer being repaired")
            return
        if attempt.status is _A.PLANNED:
            tx.move_attempt(
                attempt.id, _A.PLANNED, _A.RUNNING, started=turn.now, epoch=turn.instance.epoch
            )
            turn.attempt = attempt = replace(attempt, status=_A.RUNNING, started=turn.now)
            turn.note("attempt-started", f"attempt {attempt.id} of {attempt.runbook} begins")
        open_step = next((s for s in tx.steps(attempt.id) if s.status is StepStatus.INTENT), None)
        if open_step is not None:
            self._resume(turn, open_step)
        elif turn.now >= attempt.deadline:
            interrupt(turn, "its deadline passed")
        else:
            self._next(turn)

    async def adopt_leftovers(self) -> None:
        """Learn what became of steps whose attempts were ended while they ran: they hold locks."""
        view = self._instance.store.read
        for step in await view(lambda view: view.open_steps()):
            attempt = await view(lambda view, step=step: view.attempt(step.attempt))  # type: ignore[misc]  # bound at once
            if attempt is not None and attempt.incident and attempt.status not in LIVE_ATTEMPTS:
                adopt = partial(self._adopt, step, attempt)
                work = guarded(self._instance, attempt, adopt)
                self._instance.start(name_of(attempt), work)

    def _undo(self, turn: AttemptTurn) -> None:
        """Take an undo one step further; no guard but people's orders stands in its way."""
        journal = turn.tx.steps(turn.attempt.id)
        open_step = next((s for s in journal if s.status is StepStatus.INTENT), None)
        if open_step is not None:
            self._resume(turn, open_step)
            return
        following = next_undo(turn.attempt, journal)
        if following is None:
            end_undo(turn)
            return
        found = rung_of(turn)
        if found is None:
            end_undo(turn, "not undone: its check or runbook is no longer configured")
            return
        steps = plans.from_text(turn.attempt.plan)
        refused = self._ask(turn, found[1], steps, looked=turn.incident.severity, acts=False)
        if refused is not None:
            end_undo(turn, f"not undone: {refused[0]}: {refused[1].reason}")
            return
        place, planned = following
        turn.attempt = replace(turn.attempt, position=place)
        self._intend(turn, planned)

    def _resume(self, turn: AttemptTurn, step: Step) -> None:
        planned = plans.from_text(turn.attempt.plan)[step.position]
        if isinstance(planned.effect, Pause):  # it was over when the attempt became due
            settle(turn, step, StepOutcome(StepStatus.DONE))
            return
        attempt = turn.attempt
        begin(turn, lambda: self._adopt(step, attempt))

    def _next(self, turn: AttemptTurn) -> None:
        attempt = turn.attempt
        steps = plans.from_text(attempt.plan)
        if attempt.position >= len(steps) or steps[attempt.position].phase == Phase.UNDO:
            verify(turn, "all steps are done")
            return
        found = rung_of(turn)
        if found is None:
            interrupt(turn, "its check or runbook is no longer configured")
            return
        planned = steps[attempt.position]
        may = self._may_act if planned.phase == Phase.STEP else self._may_look
        if may(turn, *found, steps):
            self._intend(turn, planned)

    def _may_look(
        self, turn: AttemptTurn, check: Check, rung: Rung, steps: tuple[PlannedStep, ...]
    ) -> bool:
        """Ask before evidence and preconditions only what bars every intent: people's orders."""
        refused = self._ask(turn, rung, steps, looked=turn.incident.severity, acts=False)
        if refused is None:
            return True
        guard, refusal, move = refused
        stop_before_effect(turn, check, f"{guard}: {refusal.reason}", move)
        return False

    def _may_act(
        self, turn: AttemptTurn, check: Check, rung: Rung, steps: tuple[PlannedStep, ...]
    ) -> bool:
        """Ask the guards again, after a last look at the check before the first effect."""
        attempt = turn.attempt
        looked = self._looked.pop(attempt.id, None)
        if attempt.effect_at is None:
            other = _changed_since_the_plan(turn)
            if other:
                plan_anew(turn, other)
                return False
            if looked is None or turn.now > after(looked.at, _LOOK_VALID):
                items = turn.incident.items
                begin(turn, lambda: self._look_first(attempt, check, items))
                return False
        # From the first effect on the check is held: what the incident says is the evidence.
        seen = looked.status if looked is not None else turn.incident.severity
        person = looked.person if looked is not None else ""
        refused = self._ask(turn, rung, steps, looked=seen, person=person)
        if refused is None:
            return True
        guard, refusal, move = refused
        if attempt.effect_at is not None:
            verify(turn, f"stopped by {guard} before step {attempt.position + 1}")
        else:
            stop_before_effect(turn, check, f"{guard}: {refusal.reason}", move)
        return False

    def _ask(
        self,
        turn: AttemptTurn,
        rung: Rung,
        steps: tuple[PlannedStep, ...],
        *,
        looked: Status,
        person: str = "",
        acts: bool = True,
    ) -> tuple[str, Refusal, remediation.Move] | None:
        attempt = turn.attempt
        locks = tuple((name, True) for name in attempt.locks)
        facts = situation(
            turn.tx,
            turn.instance,
            turn.incident,
            rung,
            ExactPlan(steps, locks),
            now=turn.now,
            attempt=attempt,
            looked=looked,
            person=person,
        )
        bars = [guard for guard in guards.GUARDS if acts or guard.name in _BAR_EVERY_INTENT]
        verdicts = evaluate(facts, bars)
        refused = first_refusal(verdicts)
        if refused is None:
            return None
        guard, refusal = refused
        turn.instance.counters.refusals[guard] += 1
        turn.note(
            "refused",
            f"{attempt.runbook} stopped by {guard}: {refusal.reason}",
            attempt=attempt.id,
            runbook=attempt.runbook,
            guard=guard,
            reason=refusal.reason,
            guards=told(verdicts) if acts else [],
        )
        move = remediation.decide(turn.incident.rung, rung, verdicts, now=turn.now)
        return guard, refusal, move

    def _intend(self, turn: AttemptTurn, planned: PlannedStep) -> None:
        """Commit the intent; the work begins when this transaction is durable."""
        tx, attempt, now = turn.tx, turn.attempt, turn.now
        step = _new_step(turn, planned)
        number = tx.add_step(step)
        changes: dict[str, Any] = {"epoch": turn.instance.epoch, "position": attempt.position}
        if isinstance(planned.effect, Pause):
            changes["due_at"] = after(now, timedelta(seconds=planned.effect.seconds))
        else:
            intended = replace(step, id=number)
            begin(turn, lambda: self._perform(intended, attempt))
        if planned.phase == Phase.STEP and attempt.effect_at is None:
            changes["effect_at"] = now
            tx.add_audit(now, "monitord", "act", planned.target, f"attempt {attempt.id}")
            turn.after.calls.insert(0, take_hold(turn.instance, attempt))
        tx.change_attempt(attempt.id, attempt.status, **changes)
        if planned.kind == "link" and planned.phase == Phase.STEP:
            begin_again(turn)
        text = f"{planned.phase} {attempt.position + 1}: {describe(planned.effect)}"
        phase = str(planned.phase)
        turn.note("step-intended", text, attempt=attempt.id, step=number, phase=phase)

    async def _look_first(self, attempt: Attempt, check: Check, items: Sequence[str]) -> None:
        """Run the check once more before the first effect."""
        work = look(self._instance, check, items), who_works(self._instance, attempt)
        seen, person = await asyncio.gather(*work)
        self._looked[attempt.id] = Looked(self._instance.now(), evidence(seen), person)
        await due_in(self._instance, attempt.id, timedelta())

    async def _perform(self, step: Step, attempt: Attempt) -> None:
        renew = partial(self._renew, step, attempt)
        await self._record(step, attempt, await have_done(self._instance, step, renew))

    async def _adopt(self, step: Step, attempt: Attempt) -> None:
        """Learn what became of a step that was under way when a process ended."""
        renew = partial(self._renew, step, attempt)
        await self._record(step, attempt, await learn(self._instance, step, renew))

    async def _renew(self, step: Step, attempt: Attempt) -> Step | str:
        """Give an intent that provably never began this epoch, or say why it may not begin now."""
        instance = self._instance
        check = instance.check(attempt.key)
        if check is None:
            return "its check is no longer configured"
        items = [check.key] if check.kind == "chain" else attempt.items
        looked = evidence(await look(instance, check, items))
        person = await who_works(instance, attempt) if step.phase is Phase.STEP else ""

        def work(tx: Tx) -> Step | str:
            now = instance.now()
            live, incident = tx.attempt(attempt.id), tx.incident(attempt.incident)
            if live is None or incident is None or not _may_begin(live, step):
                return "its attempt has ended"
            if now >= live.deadline:
                return "the deadline of its attempt has passed"
            turn = AttemptTurn(tx, instance, incident, now, AfterCommit(), attempt=live)
            found = rung_of(turn)
            if found is None:
                return "its runbook is no longer configured"
            steps = plans.from_text(live.plan)
            acts = step.phase is Phase.STEP
            is_first = all(s.phase is not Phase.STEP or s.id == step.id for s in tx.steps(live.id))
            seen = looked if acts and is_first else incident.severity
            there = person if is_first else ""
            refused = self._ask(turn, found[1], steps, looked=seen, person=there, acts=acts)
            if refused is not None:
                return f"{refused[0]}: {refused[1].reason}"
            epoch, deadline = instance.epoch, after(now, steps[step.position].timeout)
            tx.change_step(step.id, StepStatus.INTENT, epoch=epoch, deadline=deadline)
            return replace(step, epoch=epoch, deadline=deadline)

        return await instance.insist(work)

    async def _record(self, step: Step, attempt: Attempt, outcome: StepOutcome) -> None:
        instance = self._instance
        committed = AfterCommit()

        def work(tx: Tx) -> None:
            live, incident = tx.attempt(attempt.id), tx.incident(attempt.incident)
            if live is not None and incident is not None:
                now = instance.now()
                turn = AttemptTurn(tx, instance, incident, now, committed, attempt=live)
                settle(turn, step, outcome)

        await instance.insist(work)
        committed.run(instance)


def _changed_since_the_plan(turn: AttemptTurn) -> str:
    """Say what of the incident the plan does not answer any more; empty: it still fits."""
    incident, attempt = turn.incident, turn.attempt
    check = turn.instance.check(attempt.key)
    items = items_of(turn.instance, incident, check) if check else incident.items
    joined = sorted(set(items) - set(attempt.items))
    if joined:
        return f"{joined[0]} has failed meanwhile"
    runbook = turn.instance.catalog.runbooks.get(attempt.runbook)
    if runbook is not None and incident.severity not in runbook.on:
        return f"it is {incident.severity.name} meanwhile, which {runbook.name} does not answer"
    return ""


def _new_step(turn: AttemptTurn, planned: PlannedStep) -> Step:
    return Step(
        id=StepId(0),  # the store numbers it
        attempt=turn.attempt.id,
        position=turn.attempt.position,
        phase=Phase(planned.phase),
        kind=planned.kind,
        target=planned.target,
        effect=to_json(planned.effect),
        idempotent=planned.idempotent,
        status=StepStatus.INTENT,
        intended=turn.now,
        deadline=after(turn.now, planned.timeout),
        epoch=turn.instance.epoch,
    )


def _may_begin(attempt: Attempt, step: Step) -> bool:
    """Tell whether a step that provably never began may still begin."""
    if attempt.undoing:
        return step.phase is Phase.UNDO
    return attempt.status is _A.RUNNING
