"""Plans: a runbook and its context, rendered into the steps that will be done, and as text.

Core and executor both render with this, so equal content gives equal text; the executor refuses
what differs. Pure. Nothing here decides whether a plan may run.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from monitord.actions import ACTIONS
from monitord.actions.text import fill
from monitord.model.catalog import Host, Runbook, Rung, StepSpec
from monitord.model.effect import PlannedStep, StepContext, canonical, from_json, to_json
from monitord.model.incident import Phase
from monitord.model.kinds import ActionKind

_ORDER = (Phase.COLLECT, Phase.REQUIRE, Phase.STEP, Phase.UNDO)


def render(
    runbook: Runbook,
    rung: Rung,
    context: StepContext,
    actions: Mapping[str, ActionKind] = ACTIONS,
) -> tuple[PlannedStep, ...]:
    """Give the steps of a plan in their order: collect, require, steps, undo.

    The rung's parameters are filled in with the context's own (which are the same, or none).

    Raises:
        ValueError: a slot has no value or a value does not fit; the text names runbook and step.
    """
    context = _with_parameters(context, rung)
    phases = (
        (Phase.COLLECT, runbook.collect),
        (Phase.REQUIRE, runbook.require),
        (Phase.STEP, runbook.steps),
        (Phase.UNDO, runbook.undo),
    )
    before = len(runbook.collect) + len(runbook.require)
    return tuple(
        replace(
            _planned(runbook, phase, step, context, actions),
            undoes=before + step.undoes - 1 if step.undoes else None,
        )
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
    changing = (*runbook.steps, *runbook.undo)
    named = {actions[step.kind].resource(step.spec, context) for step in changing}
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
            **({} if step.undoes is None else {"undoes": step.undoes}),
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
    undoes = row.get("undoes")
    return PlannedStep(
        phase=str(row["phase"]),
        kind=str(row["kind"]),
        target=str(row["target"]),
        effect=from_json(canonical(row["effect"])),
        idempotent=row["idempotent"] is True,
        timeout=timedelta(seconds=float(str(row["timeout"]))),
        undoes=undoes if isinstance(undoes, int) else None,
    )


def dated(rung: Rung, business_date: str) -> Rung:
    """Give a rung whose commands know the business date of a chain's run; empty: of none.

    Raises:
        ValueError: it is no date.
    """
    if not business_date:
        return rung
    day = date.fromisoformat(business_date).isoformat()
    return replace(rung, parameters={**rung.parameters, "business_date": day})


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
    steps: dict[tuple[str, str, str], PlannedStep] = {}
    for item in items or [""]:
        context = StepContext(host.name, host.address, item, rung.parameters)
        own = render(runbook, rung, context, actions)
        for step in own:
            taken_back = "" if step.undoes is None else to_json(own[step.undoes].effect)
            steps.setdefault((step.phase, to_json(step.effect), taken_back), step)
    keys = sorted(steps, key=lambda key: _ORDER.index(Phase(key[0])))
    places = {effect: place for place, (phase, effect, _) in enumerate(keys) if phase == Phase.STEP}
    return tuple(
        replace(steps[key], undoes=places[key[2]]) if key[2] else steps[key] for key in keys
    )
