"""Begins the undo of an attempt, and says which of its steps is next.

An undo is the last part of the plan: each step at most once, journalled as an intent, barred by
people's orders. It has no status of its own: `Attempt.undoing` holds why, and the row stays where
it stood, for what has ended cannot be moved (docs/decisions/undo.md). How it ends is settled in
settling.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.actions import plan as plans
from monitord.clock import after
from monitord.engine.holding import take_hold
from monitord.engine.turn import AttemptTurn
from monitord.model.effect import Pause, PlannedStep, from_json
from monitord.model.incident import LIVE_ATTEMPTS, Attempt, Phase, Step, StepStatus
from monitord.model.text import one_line

_SLACK = timedelta(seconds=30)
_WHY = 300  # characters


def begin_undo(turn: AttemptTurn, why: str) -> str:
    """Have the undo steps of the turn's attempt run, whatever its status.

    A step that is under way ends first. The turn's attempt is the changed one afterwards.

    Returns:
        Why nothing can be undone, for a person; empty: it began.
    """
    attempt, tx = turn.attempt, turn.tx
    told = _why_not(turn)
    if told:
        return told
    steps = plans.from_text(attempt.plan)
    undo = [step for step in steps if step.phase == Phase.UNDO]
    is_busy = any(_is_under_way(step) for step in tx.steps(attempt.id))
    needs = sum((step.timeout for step in undo), _SLACK)
    changes: dict[str, Any] = {
        "undoing": one_line(why, _WHY),
        "position": len(steps) - len(undo),
        "deadline": max(attempt.deadline, after(turn.now, needs)),
        "due_at": None if is_busy else turn.now,
        "catalog": attempt.catalog,
    }
    if attempt.status not in LIVE_ATTEMPTS:
        holder = _take_locks_again(turn)
        if holder:
            return f"{holder} is being worked on: undo it when that has ended"
        changes["catalog"] = turn.instance.catalog.hash  # the executor has forgotten the old one
    tx.change_attempt(attempt.id, attempt.status, **changes)
    turn.attempt = replace(attempt, **changes)
    tx.add_audit(turn.now, "monitord", "undo", f"attempt {attempt.id}", why)
    text = f"attempt {attempt.id} of {attempt.runbook} is undone: {why}"
    turn.note("undoing", text, attempt=attempt.id, runbook=attempt.runbook)
    turn.after.calls.append(take_hold(turn.instance, turn.attempt))
    return ""


def next_undo(attempt: Attempt, journal: Sequence[Step]) -> tuple[int, PlannedStep] | None:
    """Give the place and step of the plan that is to be undone with next; None: all is done.

    One that takes back a single step is left out where that step provably never began.
    """
    plan = plans.from_text(attempt.plan)
    began = {step.position for step in journal if step.started is not None}
    tried = {step.position for step in journal}
    for place in range(attempt.position, len(plan)):
        step = plan[place]
        if step.phase != Phase.UNDO or place in tried:
            continue
        if step.undoes is None or step.undoes in began:
            return place, step
    return None


def _is_under_way(step: Step) -> bool:
    """Tell whether a step's end is still to come; a pause is cut short."""
    return step.status is StepStatus.INTENT and not isinstance(from_json(step.effect), Pause)


def _why_not(turn: AttemptTurn) -> str:
    attempt, instance = turn.attempt, turn.instance
    if attempt.undoing:
        return f"attempt {attempt.id} was undone once already: {attempt.undoing}"
    if attempt.effect_at is None:
        return f"attempt {attempt.id} changed nothing"
    if all(step.phase != Phase.UNDO for step in plans.from_text(attempt.plan)):
        return f"{attempt.runbook} had no undo: when attempt {attempt.id} was planned"
    if instance.check(attempt.key) is None:
        return f"{attempt.key} is no longer configured"
    runbook = instance.catalog.runbooks.get(attempt.runbook)
    if attempt.status not in LIVE_ATTEMPTS and (
        runbook is None or runbook.hash != attempt.runbook_hash
    ):
        return f"{attempt.runbook} was changed since: its undo would not fit attempt {attempt.id}"
    return ""


def _take_locks_again(turn: AttemptTurn) -> str:
    """Take the locks of an attempt that has ended; gives the name of one that is held."""
    attempt = turn.attempt
    whole = f"{attempt.host}:host"
    locks = [(name, True) for name in attempt.locks]
    if whole not in attempt.locks:
        locks.append((whole, False))
    return turn.tx.take_locks(attempt.id, locks) or ""
