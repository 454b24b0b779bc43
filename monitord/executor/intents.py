"""Whether a step may be done: the executor's own reading of the store and its own rendering.

It believes nothing that the core says but the step's number. Every refusal is a sentence. It does
nothing itself: no process, no socket, no file but HALT.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitord.actions.plan import dated, render_items, to_text
from monitord.errors import NotBegunError, RefusedByExecutorError
from monitord.model.catalog import Catalog, Host, Runbook, Rung
from monitord.model.effect import PlannedStep, to_json
from monitord.model.ids import EPOCH, CheckKey, Instant, StateKey, StepId, split_state_key
from monitord.model.incident import Attempt, AttemptStatus, Phase, Step, StepStatus
from monitord.model.kinds import ActionKind
from monitord.store.contract import View

_ACTING = frozenset({AttemptStatus.RUNNING, AttemptStatus.LINK})
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")  # what a file's name need not hold


@dataclass(frozen=True, slots=True)
class Intent:
    """The rows of one step.

    `store` names the database whose epochs count: its own identity (meta row `identity`), else the
    name that the executor goes by. `first_failed` is when the outage began, for what is looked up.
    Of an undo, `takes_back` are the first and the last step that its attempt acted by.
    """

    step: Step
    attempt: Attempt
    epoch: int
    store: str
    first_failed: Instant = EPOCH
    takes_back: tuple[StepId, StepId] | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A step that may be done now: its rows, the plan's own step, and the host it is done on."""

    intent: Intent
    planned: PlannedStep
    host: Host


def read_intent(view: View, step_id: StepId, name: str) -> Intent:
    """Read a step and what belongs to it, in one snapshot.

    Raises:
        RefusedByExecutorError: there is no such step.
    """
    step = view.step(step_id)
    attempt = view.attempt(step.attempt) if step else None
    if step is None or attempt is None:
        raise RefusedByExecutorError(f"step {step_id} is not in the store")
    store = _UNFIT.sub("_", view.meta("identity") or name)[-60:]
    incident = view.incident(attempt.incident)
    began = incident.first_failed if incident else EPOCH
    epoch = int(view.meta("epoch") or 0)
    return Intent(step, attempt, epoch, store, began, _taken_back(view, step))


def _taken_back(view: View, step: Step) -> tuple[StepId, StepId] | None:
    acted = [one.id for one in view.steps(step.attempt) if one.phase is Phase.STEP]
    return (min(acted), max(acted)) if step.phase is Phase.UNDO and acted else None


def must_not_be_halted(state: Path) -> None:
    """Raise unless there is certainly no HALT file: what cannot be looked at counts as halted.

    Raises:
        NotBegunError: halted.
    """
    halt = state / "HALT"
    try:
        halt.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotBegunError(f"{halt} cannot be looked at ({error.strerror})") from error
    raise NotBegunError(f"halted: {halt} exists (monitord resume removes it)")


def grant(
    intent: Intent, catalog: Catalog, actions: Mapping[str, ActionKind], now: Instant
) -> Grant:
    """Give the leave to do a step.

    Raises:
        RefusedByExecutorError: it is not an open intent of the newest epoch, its host may not be
            acted on, or what the store holds is not what this executor renders.
    """
    _must_be_open(intent, now)
    if catalog.settings.observe:
        raise RefusedByExecutorError("observe: true lets nothing out")
    host = _host(intent, catalog)
    plan = _same_plan(intent, catalog, host, actions)
    return Grant(intent, _same_step(intent.step, plan), host)


def _must_be_open(intent: Intent, now: Instant) -> None:
    step, attempt = intent.step, intent.attempt
    if step.status is not StepStatus.INTENT:
        raise RefusedByExecutorError(f"step {step.id} is {step.status}, not an open intent")
    undoes = step.phase is Phase.UNDO and bool(attempt.undoing)
    if not undoes and (attempt.status not in _ACTING or attempt.undoing):
        raise RefusedByExecutorError(f"attempt {attempt.id} is {attempt.status}, not RUNNING")
    if step.epoch != intent.epoch:
        raise RefusedByExecutorError(
            f"step {step.id} is of epoch {step.epoch}, the store is at {intent.epoch}:"
            " a newer daemon has taken over"
        )
    if now >= step.deadline:
        raise RefusedByExecutorError(f"step {step.id} came after its own deadline")


def _host(intent: Intent, catalog: Catalog) -> Host:
    name = intent.step.target
    host = catalog.hosts.get(name)
    if host is None or name != intent.attempt.host:
        raise RefusedByExecutorError(f"{name} is not the attempt's host {intent.attempt.host}")
    if not host.login.may_act:
        raise RefusedByExecutorError(f"{name} is only watched: its login has no `act:`")
    return host


def _same_plan(
    intent: Intent, catalog: Catalog, host: Host, actions: Mapping[str, ActionKind]
) -> tuple[PlannedStep, ...]:
    """Render the plan ourselves; it must be the stored one, letter for letter."""
    attempt = intent.attempt
    runbook, rung = _rung(attempt, catalog)
    try:
        rung = dated(rung, attempt.business_date)
        plan = render_items(runbook, rung, host, _items(attempt), actions)
    except ValueError as error:
        raise RefusedByExecutorError(f"attempt {attempt.id} cannot be planned: {error}") from None
    if to_text(plan) != attempt.plan:
        raise RefusedByExecutorError(
            f"the plan of attempt {attempt.id} is not what {runbook.name} renders here"
        )
    return plan


def _items(attempt: Attempt) -> list[str]:
    """Give the items that the plan is for; keys of another check have no place in it."""
    for key in attempt.items:
        if key != attempt.key and not key.startswith(f"{attempt.key}/"):
            raise RefusedByExecutorError(f"{key} is no item of {attempt.key}")
    return [split_state_key(StateKey(key))[1] for key in attempt.items]


def _rung(attempt: Attempt, catalog: Catalog) -> tuple[Runbook, Rung]:
    runbook = catalog.runbooks.get(attempt.runbook)
    if runbook is None or runbook.hash != attempt.runbook_hash:
        raise RefusedByExecutorError(f"runbook {attempt.runbook} is not the one that was planned")
    check = catalog.checks.get(CheckKey(attempt.key))
    ladder = (*check.remediate, *check.starts) if check and check.host == attempt.host else ()
    for rung in ladder:
        if rung.runbook == runbook.name:
            return runbook, rung
    raise RefusedByExecutorError(f"{attempt.key} has no {runbook.name} on its ladder")


def _same_step(step: Step, plan: tuple[PlannedStep, ...]) -> PlannedStep:
    if not 0 <= step.position < len(plan):
        raise RefusedByExecutorError(f"the plan has no step {step.position}")
    planned = plan[step.position]
    stored = (str(step.phase), step.kind, step.target, step.effect, step.idempotent)
    ours = (
        planned.phase,
        planned.kind,
        planned.target,
        to_json(planned.effect),
        planned.idempotent,
    )
    if stored != ours:
        raise RefusedByExecutorError(f"step {step.id} is not step {step.position} of its plan")
    return planned
