"""Checks ready to run: merged settings validated, slots filled, the ladder bound to its runbooks.

What it decides: the final value of every setting of one check on one host. Which layers there are
is decided in `attach`; what a check needs in `needs`.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from monitord.config import limits, proofs
from monitord.config.context import Context
from monitord.config.device import misfit, tried
from monitord.config.fields import Parents
from monitord.config.layers import Layer, Merged, any_slot, merge
from monitord.config.names import Slots, fill, nearest
from monitord.config.runbooks import check_parameters, check_verify, limits_of, verify_of
from monitord.config.schema import CheckModel, FlapModel, RungModel
from monitord.config.sentences import Path
from monitord.config.tree import Place, plain
from monitord.model.catalog import Check, Host, Runbook, Rung
from monitord.model.effect import Command, DeviceCall, StepContext
from monitord.model.ids import check_key
from monitord.model.inbound import PASSIVE
from monitord.model.kinds import NetworkProbe
from monitord.model.spec import Spec, format_duration
from monitord.model.state import StatePolicy

_FRESH_AT_LEAST = timedelta(minutes=5)
_FRESH_ROUNDS = 3
_NEVER_STALE = timedelta(days=36_500)  # an alert that does not fire is not told again
_PHASES = ("collect", "require", "steps", "undo")


@dataclass(frozen=True, slots=True)
class Policies:
    """What holds for every check: the runbooks, which of them say their mode, and the profile.

    `present` tells which paths that checks ask for (`if_exists:`) are on this machine.
    `judged` keeps the common settings that were found good: most checks say the same few things.
    """

    runbooks: Mapping[str, Runbook]
    spoken: frozenset[str]
    masked: Mapping[str, str]
    profile: str
    present: Mapping[str, bool]
    judged: dict[tuple[object, ...], CheckModel] = field(default_factory=dict)


@dataclass(slots=True)
class Prepared:
    """One set of layers, merged and judged once, however many hosts share it.

    `common` and `spec` are None where they hold slots and must be judged for each host.
    """

    merged: Merged
    common: CheckModel | None = None
    spec: Spec | None = None
    rungs: tuple[Rung, ...] = ()
    place: str = ""
    bad: bool = False


def prepare(
    context: Context,
    policies: Policies,
    name: str,
    layers: Sequence[Layer],
    host: Host,
    *,
    told: int,
) -> Prepared | None:
    """Merge and judge; `host` is the first one that uses these layers. None: problems were noted.

    The first `told` layers are no exceptions: the last of them is where a person would look.
    """
    merged = merge(context, name, layers)
    if merged is None:
        return None
    prepared = Prepared(merged, place=str(layers[told - 1].place))
    if not any_slot(merged.common):
        prepared.common = _common(context, policies, merged, merged.common)
        prepared.bad = prepared.common is None
        if prepared.common is not None:
            prepared.rungs = _ladder(context, policies, merged, prepared.common, host)
    if not any_slot(merged.spec):
        prepared.spec = _spec(context, merged, plain(merged.spec))
        prepared.bad = prepared.bad or prepared.spec is None
    if prepared.common is not None and prepared.spec is not None:
        _refuse_too_late(context, merged, prepared.common, prepared.spec)
    return prepared


def build(
    context: Context, policies: Policies, prepared: Prepared, host: Host, slots: Slots
) -> tuple[Check, Parents | None] | None:
    """Make one check on one host without `needs`, `via` and services; and what it needs."""
    if prepared.bad:
        return None
    merged, common, spec, rungs = prepared.merged, prepared.common, prepared.spec, prepared.rungs
    if common is None:
        filled = _filled(context, merged, merged.common, slots, merged.locate_common)
        common = None if filled is None else _common(context, policies, merged, filled)
        if common is None:
            return None
        rungs = _ladder(context, policies, merged, common, host)
    if spec is None:
        filled = _filled(context, merged, merged.spec, slots, merged.locate_spec)
        spec = None if filled is None else _spec(context, merged, filled)
        if spec is None:
            return None
    if prepared.common is None or prepared.spec is None:
        _refuse_too_late(context, merged, common, spec)
    return _check(host, merged, common, spec, rungs, prepared.place), common.needs


def _refuse_too_late(context: Context, merged: Merged, common: CheckModel, spec: Spec) -> None:
    if isinstance(context.kinds.probes[merged.kind], NetworkProbe):
        for path, text in limits.too_late(spec, min(common.timeout, common.every)):
            context.add_once(merged.locate_spec(path)[0], f"{merged.name}: {merged.kind}: {text}")


def _check(
    host: Host,
    merged: Merged,
    common: CheckModel,
    spec: Spec,
    rungs: tuple[Rung, ...],
    place: str,
) -> Check:
    every = common.every
    return Check(
        key=check_key(host.name, merged.name),
        host=host.name,
        name=merged.name,
        kind=merged.kind,
        spec=spec,
        every=every,
        retry_every=min(common.retry_every or every, every),
        timeout=min(common.timeout, every),
        policy=_policy(common, merged.kind),
        remediate=proofs.bound(rungs, host.name),
        first_rung_after=common.first_rung_after,
        means=common.means,
        by_hand=common.by_hand,
        ticket=common.ticket,
        impact=common.impact or host.impact,
        escalation=common.policy,
        was=common.was,
        place=place,
    )


def _policy(common: CheckModel, kind: str) -> StatePolicy:
    flap = common.flapping if isinstance(common.flapping, FlapModel) else FlapModel()
    usual = max(_FRESH_AT_LEAST, _FRESH_ROUNDS * common.every)
    fresh_for = common.fresh_for or (_NEVER_STALE if kind == PASSIVE else usual)
    return StatePolicy(
        attempts=common.attempts,
        recoveries=common.recoveries,
        flapping=common.flapping is not False,
        flap_high=flap.high,
        flap_low=flap.low,
        fresh_for=fresh_for,
    )


def _common(
    context: Context, policies: Policies, merged: Merged, values: Mapping[str, Any]
) -> CheckModel | None:
    before = len(context.problems)
    identity = _identity(values)
    if identity in policies.judged:
        return policies.judged[identity]
    model = context.try_model(CheckModel, values, merged.locate_common, merged.name, once=True)
    if model is None:
        return None
    for key in ("retry_every", "timeout"):
        layer, value = merged.common_from.get(key), getattr(model, key)
        if layer is not None and layer.what != "shipped" and value and value > model.every:
            context.add_once(
                merged.locate_common((key,))[0],
                f"{merged.name}.{key}: {format_duration(value)} is longer than "
                f"every: {format_duration(model.every)}",
            )
    if model.fresh_for is not None and model.fresh_for <= model.every:
        context.add_once(
            merged.locate_common(("fresh_for",))[0],
            f"{merged.name}.fresh_for: {format_duration(model.fresh_for)} is not longer than "
            f"every: {format_duration(model.every)}, so it would always be stale",
        )
    if len(context.problems) == before and identity:
        policies.judged[identity] = model
    return model


def _identity(values: Mapping[str, Any]) -> tuple[object, ...]:
    """Give a key that equal settings share; empty where a list or map is among them."""
    parts: list[object] = []
    for key, value in values.items():
        if isinstance(value, dict | list):
            return ()
        parts.append((key, value.__class__, value))
    return tuple(parts)


def _spec(context: Context, merged: Merged, value: Any) -> Spec | None:
    model = context.kinds.probes[merged.kind].spec
    prefix = f"{merged.name}: {merged.kind}"
    spec = context.try_model(
        model, {} if value is None else value, merged.locate_spec, prefix, once=True
    )
    if spec is None:
        return None
    faults = [*limits.contradictions(spec)]
    for path, text in faults:
        context.add_once(merged.locate_spec(path)[0], f"{prefix}: {text}")
    return None if faults else spec


class _SlotError(Exception):
    """A slot that cannot be filled: where in the value, and why."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        super().__init__(text)


def _filled(context: Context, merged: Merged, value: Any, slots: Slots, locate: Any) -> Any | None:
    try:
        return _fill_all(value, slots, ())
    except _SlotError as error:
        place, _ = locate(error.path)
        context.add_once(place, f"{merged.name}: {error}")
        return None


def _fill_all(value: Any, slots: Slots, path: Path) -> Any:
    if isinstance(value, str):
        try:
            return fill(value, slots)
        except ValueError as error:
            raise _SlotError(path, str(error)) from error
    if isinstance(value, dict):
        return {key: _fill_all(item, slots, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_all(item, slots, (*path, index)) for index, item in enumerate(value)]
    return value


def _ladder(
    context: Context, policies: Policies, merged: Merged, common: CheckModel, host: Host
) -> tuple[Rung, ...]:
    rungs: list[Rung] = []
    seen: set[str] = set()
    for index, model in enumerate(common.remediate):
        place, _ = merged.locate_common(("remediate", index))
        if model.runbook in seen:
            context.add_once(
                place,
                f"{merged.name}: {model.runbook} stands twice in one ladder "
                "(a repair that did not help is not tried again; remove one)",
            )
            continue
        seen.add(model.runbook)
        runbook = policies.runbooks.get(model.runbook)
        if runbook is None:
            _unknown_runbook(context, policies, merged.name, model.runbook, place)
            continue
        rung = _rung(context, policies, model, runbook, common, place)
        given = {name: _parameter_place(merged, index, name) for name in model.parameters}
        check_parameters(context, runbook, given, merged.name)
        rung = replace(rung, parameters=_parameters(merged, runbook, rung))
        rungs.append(rung)
        if merged.kind != "chain":  # whose steps are known once its jobs are
            try_render(context, runbook, rung, host, f"{merged.name}: {runbook.name}", place)
    return tuple(rungs)


def _parameter_place(merged: Merged, index: int, name: str) -> Place:
    return merged.locate_common(("remediate", index, "with", name), key=True)[0]


def _parameters(merged: Merged, runbook: Runbook, rung: Rung) -> dict[str, str]:
    """Give what fills a rung's slots: the runbook's own, the job's command, what the rung says."""
    return {**runbook.parameters, **_of_the_job(merged), **rung.parameters}


def _of_the_job(merged: Merged) -> dict[str, str]:
    """Give a rerun the command that stands under the job's own `run:`, as a shell's words."""
    run = plain(merged.spec).get("run") if merged.kind == "job" else None
    if not isinstance(run, list) or not all(isinstance(word, str) for word in run):
        return {}
    return {"command": shlex.join(run)}


def _unknown_runbook(
    context: Context, policies: Policies, check: str, name: str, place: Place
) -> None:
    masked = policies.masked.get(f"runbook/{name}")
    if masked:
        context.add_once(place, f"{check}: runbook {name} is masked by the empty file {masked}")
    elif f"runbook/{name}" not in context.failed:
        near = nearest(name, policies.runbooks)
        context.add_missing(place, f"{check}: there is no runbook {name}{near}")


def _rung(
    context: Context,
    policies: Policies,
    model: RungModel,
    runbook: Runbook,
    common: CheckModel,
    place: Place,
) -> Rung:
    verify = verify_of(model.verify, runbook.verify)
    check_verify(context, verify, place, runbook.name)
    attached = model.mode or common.mode
    return Rung(
        runbook=runbook.name,
        mode=mode_under(policies, runbook, attached),
        ceiling="shadow" if policies.profile == "cautious" else attached or "auto",
        limits=limits_of(model.limits, runbook.limits),
        verify=verify,
        parameters=dict(model.parameters),
    )


def mode_under(policies: Policies, runbook: Runbook, attached: str | None) -> str:
    """Give the mode under the profile: cautious caps all; lab makes an unspoken mode auto."""
    if policies.profile == "cautious":
        return "shadow"
    if attached is not None:
        return attached
    if policies.profile == "lab" and runbook.name not in policies.spoken:
        return "auto"
    return runbook.mode


def try_render(
    context: Context,
    runbook: Runbook,
    rung: Rung,
    host: Host,
    what: str,
    place: Place,
    *,
    item: str = "item",
) -> None:
    """Note each step that could not be rendered, and repairs of a host that is only watched."""
    step_context = StepContext(host.name, host.address, item, rung.parameters)
    commands = False
    for phase in _PHASES:
        for index, step in enumerate(getattr(runbook, phase), 1):
            try:
                effect = tried(context.kinds.actions[step.kind], step.spec, step_context)
            except ValueError as error:
                context.add_once(place, f"{what}: {phase} {index}: {error}")
            else:
                commands = commands or isinstance(effect, Command | DeviceCall)
                if wrong := misfit(host, phase, effect):
                    context.add_once(place, f"{what}: {phase} {index}: {wrong}")
    if commands and rung.mode != "shadow" and not host.login.may_act:
        context.warnings.append(
            f"{place}: {what}: cannot act, for {host.name} is only watched (give its login act)"
        )
