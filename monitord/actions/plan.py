"""Plans: a runbook and its context, rendered into the steps that will be done, and as text.

Core and executor both render with this, so equal content gives equal text; the executor refuses
what differs. Pure. Nothing here decides whether a plan may run.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from monitord.actions import ACTIONS
from monitord.actions.text import fill
from monitord.model.catalog import Host, Runbook, Rung, StepSpec
from monitord.model.effect import PlannedStep, StepContext, canonical, from_json, to_json
from monitord.model.incident import Phase
from monitord.model.kinds import ActionKind


def render(
    runbook: Runbook,
    rung: Rung,
    context: StepContext,
    actions: Mapping[str, ActionKind] = ACTIONS,
) -> tuple[PlannedStep, ...]:
    """Give the steps of a plan in their order: collect, require, steps.

    The rung's parameters are filled in with the context's own (which are the same, or none).

    Raises:
        ValueError: a slot has no value or a value does not fit; the text names runbook and step.
    """
    context = _with_parameters(context, rung)
    phases = (
        (Phase.COLLECT, runbook.collect),
        (Phase.REQUIRE, runbook.require),
        (Phase.STEP, runbook.steps),
    )
    return tuple(
        _planned(runbook, phase, step, context, actions)
        for phase, specs in phases
        for step in specs
    )


def _with_parameters(context: StepContext, rung: Rung) -> StepContext:
    parameters = {**rung.parameters, **context.parameters}
    return StepContext(context.host, context.address, context.item, parameters)


def _planned(
    runbook: Runbook,
    phase: Phase,
    step: StepSpec,
    context: StepContext,
    actions: Mapping[str, ActionKind],
) -> PlannedStep:
    try:
        effect = actions[step.kind].render(step.spec, context)
    except ValueError as error:
        raise ValueError(f"runbook {runbook.name}, {phase} {step.kind}: {error}") from None
    return PlannedStep(phase, step.kind, context.host, effect, step.idempotent, step.timeout)


def resources(
    runbook: Runbook,
    rung: Rung,
    context: StepContext,
    actions: Mapping[str, ActionKind] = ACTIONS,
) -> tuple[str, ...]:
    """Give the names of the locks that a run of `runbook` holds alone, sorted.

    The runbook's own `lock:` replaces what its steps name; it always stands below the host's name.
    A runbook whose steps name nothing holds its host.

    Raises:
        ValueError: as `render`.
    """
    context = _with_parameters(context, rung)
    if runbook.lock:
        own = fill(runbook.lock, context).removeprefix(f"{context.host}:")
        return (f"{context.host}:{own}",)
    named = {actions[step.kind].resource(step.spec, context) for step in runbook.steps}
    return tuple(sorted(named - {""})) or (f"{context.host}:host",)


def to_text(steps: Sequence[PlannedStep]) -> str:
    """Give a plan as canonical JSON: equal plans are equal texts."""
    rows = [
        {
            "index": index,
            "phase": str(step.phase),
            "kind": step.kind,
            "target": step.target,
            "effect": json.loads(to_json(step.effect)),
            "idempotent": step.idempotent,
            "timeout": step.timeout.total_seconds(),
        }
        for index, step in enumerate(steps)
    ]
    return canonical({"steps": rows})


def from_text(text: str) -> tuple[PlannedStep, ...]:
    """Read what `to_text` wrote.

    Raises:
        ValueError: the text is not a plan.
    """
    try:
        return tuple(_read(row) for row in json.loads(text)["steps"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a plan: {error!r}") from error


def _read(row: Mapping[str, object]) -> PlannedStep:
    return PlannedStep(
        phase=str(row["phase"]),
        kind=str(row["kind"]),
        target=str(row["target"]),
        effect=from_json(canonical(row["effect"])),
        idempotent=row["idempotent"] is True,
        timeout=timedelta(seconds=float(str(row["timeout"]))),
    )


def render_items(
    runbook: Runbook,
    rung: Rung,
    host: Host,
    items: Sequence[str],
    actions: Mapping[str, ActionKind] = ACTIONS,
) -> tuple[PlannedStep, ...]:
    """Give one plan for several items of a host, phase by phase; equal steps are done once.

    Raises:
        ValueError: as `render`.
    """
    steps: dict[tuple[str, str], PlannedStep] = {}
    for item in items or [""]:
        context = StepContext(host.name, host.address, item, rung.parameters)
        for step in render(runbook, rung, context, actions):
            steps.setdefault((step.phase, to_json(step.effect)), step)
    order = [Phase.COLLECT, Phase.REQUIRE, Phase.STEP]
    return tuple(sorted(steps.values(), key=lambda step: order.index(Phase(step.phase))))
