"""Runbooks: from trees to validated remediations, with `verify` and `limits` never missing.

What it decides: whether a file is a usable runbook. Who may run it, and when, is for the guards.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.config.context import Context
from monitord.config.fields import not_a
from monitord.config.names import nearest
from monitord.config.schema import LimitsModel, RunbookModel, StepModel, VerifyModel
from monitord.config.sections import Entry, Sections, valid_name
from monitord.config.sentences import finder, keys_of
from monitord.config.sources import Document
from monitord.config.tree import Map, Place, Seq, plain
from monitord.model.catalog import Limits, Runbook, StepSpec, Trust, VerifyPolicy
from monitord.model.effect import digest
from monitord.model.result import Status
from monitord.model.spec import format_duration

_PHASES = ("collect", "require", "steps", "undo")
_STEP_KEYS = tuple(keys_of(StepModel))
_STATUSES = {"warning": Status.WARNING, "critical": Status.CRITICAL}
_LOOK_APART = timedelta(seconds=1)  # the engine looks at most once a second
_SLOT = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_OWN_SLOTS = frozenset({"host", "address", "item"})
_NEEDED = {
    "verify": (
        "is missing: a repair that nobody proves is no repair "
        "(write verify: {settle: 15s, oks: 3, within: 2m})"
    ),
    "limits": (
        "is missing: nothing would stop it from running again and again "
        "(write limits: {per_incident: 1, cooldown: 10m, per_hour: 3})"
    ),
}


def build(
    context: Context, documents: Iterable[Document], sections: Sections
) -> tuple[dict[str, Runbook], frozenset[str]]:
    """Make all runbooks; give also the names of those that say their mode themselves.

    A runbook under `runbooks:` of the main file replaces a shipped one of the same name.
    """
    found: dict[str, tuple[Entry, bool]] = {}
    for document in documents:
        top = Place(document.file)
        entry = Entry(document.stem, document.tree, top, top)
        if valid_name(context, document.file, document.stem, entry.place):
            found[document.stem] = (entry, document.shipped)
    for name, entry in sections.named["runbooks"].items():
        known = found.get(name)
        if known is not None and not known[1]:
            context.add(entry.place, f"runbook {name} is written twice (first in {known[0].place})")
        found[name] = (entry, False)
    runbooks: dict[str, Runbook] = {}
    spoken: set[str] = set()
    for name, (entry, _) in found.items():
        tree = context.as_map(entry.value, entry.place, name)
        runbook = None if tree is None else _runbook(context, name, tree, entry.place)
        if runbook is None or tree is None:
            context.failed.add(f"runbook/{name}")
            continue
        runbooks[name] = runbook
        if "mode" in tree:
            spoken.add(name)
    return runbooks, frozenset(spoken)


def _runbook(context: Context, name: str, tree: Map, place: Place) -> Runbook | None:
    before = len(context.problems)
    for key, text in _NEEDED.items():
        if not tree.get(key):
            context.add(tree.key_place(key) if key in tree else place, f"{name}: {key}: {text}")
    if not tree.get("steps"):
        at = tree.key_place("steps") if "steps" in tree else place
        context.add(at, f"{name}: steps: is missing: a runbook must do something (write steps: …)")
    model = _model(context, name, tree, place)
    phases = {phase: _steps(context, name, phase, tree) for phase in _PHASES}
    _check_undo(context, name, model, phases, tree)
    if model is None or len(context.problems) > before:
        return None
    proof = model.verify
    verify = VerifyPolicy(proof.settle, proof.oks, proof.within, proof.check)
    limits = limits_of(model.limits, Limits())
    if not check_verify(context, verify, tree.key_place("verify"), name):
        return None
    runbook = Runbook(
        name=name,
        hash=digest(_canonical(plain(tree))),
        source=place.file,
        verify=verify,
        limits=limits,
        mode=model.mode,
        on=frozenset(_STATUSES[word] for word in model.on),
        means=model.means,
        lock=model.lock,
        owner=model.owner,
        trust=_trust(model),
        changes=model.changes if "changes" in tree else _changes(context, phases["steps"]),
        on_harm=model.on_harm,
        parameters=dict(model.parameters),
        on_failure=model.on_failure,
        **phases,
    )
    given = tree.get("with")
    if isinstance(given, Map):
        places = {key: given.key_place(key) for key in given}
        check_parameters(context, runbook, places, name)
    return runbook


def _changes(context: Context, steps: tuple[StepSpec, ...]) -> str:
    """Give what a runbook changes that does not say it: what the kinds of its steps do, if any."""
    said = (context.kinds.actions[step.kind].changes for step in steps)
    return next(filter(None, said), "change")


def _trust(model: RunbookModel) -> Trust | None:
    if model.trust is None:
        return None
    promote, demote = model.trust.promote, model.trust.demote
    return Trust(promote.after, promote.success, demote.below, demote.window)


def _model(context: Context, name: str, tree: Map, place: Place) -> RunbookModel | None:
    """Validate all but the steps; what `_NEEDED` has told already is not told twice."""
    told: dict[str, Any] = {key: {} for key in _NEEDED if not tree.get(key)}
    values = {**tree, **told, "steps": ()}
    return context.try_model(RunbookModel, values, finder(tree, place), name)


def _steps(context: Context, name: str, phase: str, tree: Map) -> tuple[StepSpec, ...]:
    value = tree.get(phase)
    if value is None:
        return ()
    if not isinstance(value, Seq):
        context.add(
            tree.value_place(phase), f"{name}: {phase}: {not_a(value, 'a list')} (write - …)"
        )
        return ()
    steps = []
    for index, item in enumerate(value):
        step = _step(context, f"{name}: {phase} {index + 1}", item, value.value_place(index))
        if step is not None and _may_stand(context, name, phase, step, item):
            steps.append(step)
    return tuple(steps)


def _may_stand(context: Context, name: str, phase: str, step: StepSpec, item: Map) -> bool:
    """Tell whether this kind of step may stand in this phase; note it where not."""
    only = context.kinds.actions[step.kind].only
    if not only or phase in only:
        return True
    text = f"{step.kind}: it belongs under {' or '.join(only)}: only (move it there)"
    context.add(item.key_place(step.kind), f"{name}: {phase}: {text}")
    return False


def _step(context: Context, what: str, item: Any, place: Place) -> StepSpec | None:
    if not isinstance(item, Map):
        context.add(place, f"{what}: {not_a(item, 'a step')} (write - command: [true])")
        return None
    actions = context.kinds.actions
    keys = [key for key in item if key not in _STEP_KEYS]
    unknown = [key for key in keys if key not in actions]
    for key in unknown:
        known = [*actions, *_STEP_KEYS]
        context.add(item.key_place(key), f"{what}: unknown key {key}{nearest(key, known)}")
    if unknown:
        return None
    if len(keys) != 1:
        says = "says no action" if not keys else f"says {len(keys)} actions ({', '.join(keys)})"
        context.add(place, f"{what}: {says} (one step, one of {', '.join(sorted(actions))})")
        return None
    (kind,) = keys
    common = {key: value for key, value in item.items() if key in _STEP_KEYS}
    model = context.try_model(StepModel, common, finder(item, place), what)
    value = {} if item[kind] is None else plain(item[kind])
    spec = context.try_model(
        actions[kind].spec,
        value,
        finder(item[kind], item.value_place(kind)),
        f"{what}: {kind}",
    )
    if model is None or spec is None:
        return None
    return StepSpec(kind, spec, model.idempotent, model.timeout, model.undoes)


def _check_undo(
    context: Context,
    name: str,
    model: RunbookModel | None,
    phases: Mapping[str, tuple[StepSpec, ...]],
    tree: Map,
) -> None:
    """Note an undo that nothing can run, and steps that it cannot take back."""
    for key in ("on_failure", "on_harm"):
        if model is not None and getattr(model, key) == "undo" and not phases["undo"]:
            text = f"{key}: undo: there is nothing to undo with (write undo: with its steps)"
            context.add(tree.key_place(key), f"{name}: {text}")
    count = len(phases["steps"])
    for phase, specs in phases.items():
        for index, spec in enumerate(specs):
            what = f"{name}: {phase} {index + 1}: undoes: {spec.undoes}"
            if spec.undoes and phase != "undo":
                text = f"{what}: only a step under undo: takes one back (leave it out)"
                context.add(tree.key_place(phase), text)
            elif spec.undoes > count:
                text = f"{what}: steps: has {count} (write a number from 1 to {count})"
                context.add(tree.key_place(phase), text)


def limits_of(model: LimitsModel, base: Limits) -> Limits:
    """Give `base` with what the model says explicitly."""
    return replace(base, **{name: getattr(model, name) for name in model.model_fields_set})


def verify_of(model: VerifyModel, base: VerifyPolicy) -> VerifyPolicy:
    """Give `base` with what the model says explicitly."""
    return replace(base, **{name: getattr(model, name) for name in model.model_fields_set})


def check_verify(context: Context, verify: VerifyPolicy, place: Place, what: str) -> bool:
    """Tell whether the proof can be had in time; note it where not."""
    least = verify.settle + verify.oks * _LOOK_APART
    if least <= verify.within:
        return True
    told = ", ".join(
        (
            f"settle: {format_duration(verify.settle)}",
            f"oks: {verify.oks}",
            f"within: {format_duration(verify.within)}",
        )
    )
    context.add_once(
        place,
        f"{what}: verify: {told} can never be proven, for looks are at least 1s apart "
        f"(write within: {format_duration(least)} or more)",
    )
    return False


def parameters_of(runbook: Runbook) -> tuple[str, ...]:
    """Give the names that its texts have slots for, sorted, without those that every step has."""
    texts = [
        runbook.lock,
        *(str(step.spec) for phase in _PHASES for step in getattr(runbook, phase)),
    ]
    return tuple(sorted({word for text in texts for word in _SLOT.findall(text)} - _OWN_SLOTS))


def check_parameters(
    context: Context, runbook: Runbook, parameters: Mapping[str, Place], what: str
) -> None:
    """Note each parameter of a rung (`with:`) that no text of the runbook has a slot for."""
    if not parameters:
        return
    known = parameters_of(runbook)
    for name, place in parameters.items():
        if name not in known:
            near = nearest(name, known)
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            context.add_once(
                place, f"{what}: with: {runbook.name} has no slot {{{name}}}{near}; {takes}"
            )


def _canonical(value: Any) -> Any:
    """Give a tree in which secret references are their texts, for hashing."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
