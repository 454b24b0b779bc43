"""Writes how steps and attempts end, and where the incident goes from there.

All of it inside the transaction of the turn; what a status may become is listed in the model.
"""

from datetime import timedelta

from monitord.decisions import remediation
from monitord.decisions.verification import first_look
from monitord.engine import ladder, ticketing
from monitord.engine.links import end_again
from monitord.engine.ports import StepOutcome
from monitord.engine.trust import judge
from monitord.engine.turn import AttemptTurn
from monitord.engine.undoing import begin_undo
from monitord.model.catalog import Check, Rung
from monitord.model.incident import (
    LIVE_ATTEMPTS,
    OPEN_STATUSES,
    AttemptStatus,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.result import Status
from monitord.model.text import one_line

_TRIES = 2  # intents at most for one place of the plan
_SAID = 160  # characters of a failed step's last line in the timeline
_SHOWN = 20  # results during an attempt that its timeline keeps
_A = AttemptStatus


def settle(turn: AttemptTurn, step: Step, outcome: StepOutcome) -> None:
    """Write a step's outcome and say where the attempt goes from here."""
    row = turn.tx.step(step.id) or step  # a step of the clock has moved it since it was sent
    moved = turn.tx.move_step(
        step.id,
        StepStatus.INTENT,
        outcome.status,
        started=None if outcome.never_started else row.intended,
        finished=turn.now,
        exit_code=outcome.exit_code,
        output=outcome.output,
        error=outcome.error,
    )
    if not moved:
        return
    ended = _ended(outcome)
    turn.note(
        f"step-{outcome.status.lower()}",
        f"{step.phase} {step.position + 1}: {ended}",
        attempt=turn.attempt.id,
        step=step.id,
        exit_code=outcome.exit_code,
    )
    _report_rerun(turn, step, outcome)
    if step.kind == "link":
        end_again(turn, step, outcome)
    if turn.attempt.undoing:
        _go_on_undoing(turn, step, outcome, ended)
        return
    if turn.attempt.status is not _A.RUNNING:
        turn.tx.release_locks(turn.attempt.id)  # it was ended meanwhile; this step held them
        return
    if outcome.status is StepStatus.DONE or step.phase is Phase.COLLECT:
        turn.tx.change_attempt(
            turn.attempt.id, _A.RUNNING, position=step.position + 1, due_at=turn.now
        )
    elif step.phase is Phase.REQUIRE and outcome.never_started and _may_repeat(turn, step):
        # Not asked is not refused: the guards say at the next turn what kept it (a halt).
        turn.tx.change_attempt(turn.attempt.id, _A.RUNNING, due_at=turn.now)
    elif step.phase is Phase.REQUIRE:
        fail(turn, f"refused: precondition {step.position + 1} not met: {ended}")
    elif outcome.status is StepStatus.UNKNOWN:
        _after_unknown(turn, step, ended)
    else:
        fail(turn, f"step {step.position + 1} failed: {ended}")


def _ended(outcome: StepOutcome) -> str:
    """Say how a step ended; of one that did not succeed also the last line that it printed."""
    if outcome.status is StepStatus.DONE:
        return f"exit {outcome.exit_code}" if outcome.exit_code else "done"
    said = next((line for line in reversed(outcome.output.splitlines()) if line.strip()), "")
    ended = outcome.error or f"exit {outcome.exit_code}"
    return f"{ended}: {one_line(said, _SAID)}" if said else ended


def _report_rerun(turn: AttemptTurn, step: Step, outcome: StepOutcome) -> None:
    """A job that was run again has ended: its watcher hears so, whether it is wrapped or not."""
    check = turn.instance.check(turn.attempt.key)
    if step.kind != "job" or step.phase is not Phase.STEP or check is None or check.kind != "job":
        return
    if outcome.exit_code is not None:
        turn.start(f"report {check.key}", lambda: turn.instance.job_ended(check.key, outcome))


def verify(turn: AttemptTurn, why: str) -> None:
    """Go from acting to proving."""
    found = rung_of(turn)
    if found is None:
        interrupt(turn, "its check or runbook is no longer configured")
        return
    settled = first_look(found[1].verify, began=turn.now)
    turn.tx.move_attempt(
        turn.attempt.id,
        _A.RUNNING,
        _A.VERIFYING,
        verifying=turn.now,
        oks=0,
        outcome=why,
        due_at=settled,
    )
    judge_from, attempt = turn.instance.beliefs.judge_from, turn.attempt.id
    turn.after.calls.append(lambda: judge_from(attempt, settled))
    text = f"attempt {turn.attempt.id}: {why}; now the check must prove it"
    turn.note("verifying", text, attempt=turn.attempt.id)


def fail(turn: AttemptTurn, outcome: str) -> None:
    """End an attempt without success, undone where its runbook says so; then the next rung."""
    runbook = turn.instance.catalog.runbooks.get(turn.attempt.runbook)
    undoes = runbook is not None and runbook.on_failure == "undo"
    if undoes and turn.attempt.effect_at is not None and not begin_undo(turn, outcome):
        return
    finish(turn, _A.FAILED, outcome)
    text = f"attempt {turn.attempt.id} failed: {outcome}"
    turn.note("attempt-failed", text, attempt=turn.attempt.id)
    ladder.follow(turn, rung=turn.incident.rung + 1)


def end_undo(turn: AttemptTurn, problem: str = "") -> None:
    """End an attempt whose undo is over; `problem` says why it is not wholly undone.

    What was not undone goes to a person; so does what a person called wrong. Else the next rung.
    """
    attempt, incident = turn.attempt, turn.incident
    told = problem or "undone"
    if attempt.status in LIVE_ATTEMPTS:
        finish(turn, _A.FAILED, f"{attempt.undoing}; {told}")
    else:
        outcome = f"{attempt.outcome}; {attempt.undoing}; {told}"
        turn.tx.change_attempt(attempt.id, attempt.status, outcome=outcome, due_at=None)
        turn.tx.release_locks(attempt.id)
        _release_hold(turn)
    text = f"attempt {attempt.id} of {attempt.runbook}: {told} ({attempt.undoing})"
    turn.note("undo-failed" if problem else "undone", text, attempt=attempt.id)
    if incident.status is IncidentStatus.REPAIRING and not (problem or attempt.wrong):
        ladder.follow(turn, rung=incident.rung + 1)
    elif incident.status is IncidentStatus.REPAIRING:
        ladder.hand_over(turn, text)
    elif incident.status in OPEN_STATUSES and incident.ticket is not None:
        lines = ticketing.open_or_update(turn.tx, turn.instance, incident.id, turn.now)
        turn.after.events.extend(lines)


def _go_on_undoing(turn: AttemptTurn, step: Step, outcome: StepOutcome, ended: str) -> None:
    """A step ended while its attempt is being undone: it may have been the one in its way."""
    attempt = turn.attempt
    if step.phase is Phase.UNDO and outcome.status is not StepStatus.DONE:
        end_undo(turn, f"undo step {step.position + 1} {outcome.status.lower()}: {ended}")
        return
    position = step.position + 1 if step.phase is Phase.UNDO else attempt.position
    turn.tx.change_attempt(attempt.id, attempt.status, position=position, due_at=turn.now)


def interrupt(turn: AttemptTurn, outcome: str) -> None:
    """End an attempt that cannot go on: a person must look."""
    status = _A.VOID if turn.attempt.status is _A.PLANNED else _A.INTERRUPTED
    finish(turn, status, outcome)
    text = f"attempt {turn.attempt.id} interrupted: {outcome}"
    turn.note("attempt-interrupted", text, attempt=turn.attempt.id)
    if turn.incident.status is IncidentStatus.REPAIRING:
        ladder.hand_over(turn, text)


def stop_before_effect(
    turn: AttemptTurn, check: Check, reason: str, move: remediation.Move
) -> None:
    """A guard refused before anything was done: nothing is spent but the plan."""
    finish(turn, _A.INTERRUPTED, f"before any effect: {reason}")
    match move:
        case remediation.HandOver():
            ladder.hand_over(turn, move.reason)
        case remediation.Climb():
            ladder.follow(turn, rung=move.position)
        case remediation.Wait():
            # If it has recovered, the state machine must see that first: two looks of its own.
            wait = max(timedelta(microseconds=(move.until or 0) - turn.now), 2 * check.retry_every)
            ladder.follow(turn, rung=turn.incident.rung, due_in=wait)
            recheck, key = turn.instance.beliefs.recheck, check.key
            turn.after.calls.append(lambda: recheck([key]))
        case remediation.Start():
            raise AssertionError("a refused attempt cannot start")


def plan_anew(turn: AttemptTurn, why: str) -> None:
    """End an attempt whose incident changed before anything was done; its rung gets a new plan."""
    finish(turn, _A.INTERRUPTED, f"before any effect: {why}")
    text = f"attempt {turn.attempt.id} is planned anew: {why}"
    turn.note("attempt-interrupted", text, attempt=turn.attempt.id)
    ladder.follow(turn, rung=turn.incident.rung)


def finish(turn: AttemptTurn, status: AttemptStatus, outcome: str) -> bool:
    """End an attempt: its locks are free from this commit on, its hold ends right after."""
    attempt = turn.attempt
    moved = turn.tx.move_attempt(
        attempt.id, attempt.status, status, finished=turn.now, outcome=outcome, due_at=None
    )
    if not moved:
        return False
    turn.tx.release_locks(attempt.id)
    turn.instance.counters.attempts[status.value.lower()] += 1
    judge(turn)
    _release_hold(turn)
    return True


def _release_hold(turn: AttemptTurn) -> None:
    _show_what_was_held(turn)
    release, attempt, now = turn.instance.beliefs.release, turn.attempt.id, turn.now
    turn.after.calls.append(lambda: release(attempt, now))


def rung_of(turn: AttemptTurn) -> tuple[Check, Rung] | None:
    """Give the check and rung of the attempt; None when its check or runbook is gone.

    A rung that a reload took off the ladder counts as long as the attempt runs: it keeps its plan.
    """
    attempt, catalog = turn.attempt, turn.instance.catalog
    check, runbook = turn.instance.check(attempt.key), catalog.runbooks.get(attempt.runbook)
    if check is None or runbook is None:
        return None
    rungs = (rung for rung in check.remediate if rung.runbook == attempt.runbook)
    bare = Rung(runbook.name, attempt.mode, runbook.limits, runbook.verify)
    return check, next(rungs, bare)


def _after_unknown(turn: AttemptTurn, step: Step, ended: str) -> None:
    if step.idempotent and _may_repeat(turn, step):
        turn.tx.change_attempt(turn.attempt.id, _A.RUNNING, due_at=turn.now)
        return
    place = step.position + 1
    verify(turn, f"the outcome of step {place} is unknown ({ended}): the check decides")


def _may_repeat(turn: AttemptTurn, step: Step) -> bool:
    steps = turn.tx.steps(turn.attempt.id)
    return sum(other.position == step.position for other in steps) < _TRIES


def _show_what_was_held(turn: AttemptTurn) -> None:
    seen = turn.instance.beliefs.seen_during(turn.attempt.id)
    bad = [f"{key}: {r.status.name}: {r.summary}" for key, r in seen if r.status is not Status.OK]
    if bad:
        text = f"during attempt {turn.attempt.id}: " + "; ".join(bad[:_SHOWN])
        turn.note("during-attempt", text, attempt=turn.attempt.id, results=len(bad))
