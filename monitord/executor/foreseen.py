"""Every step that a host's ladders may ever ask for, rendered as the executor does it. Pure.

Rungs in shadow ask for none. Where an item can be anything, nobody can foresee the steps: that is
told with its cure instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monitord.actions.device import DeviceSpec
from monitord.actions.plan import dated, render, render_items
from monitord.model.catalog import Catalog, Check, Host, Rung
from monitord.model.dialect import Dialect
from monitord.model.dialects import DIALECTS
from monitord.model.effect import Command, PlannedStep, StepContext
from monitord.model.kinds import FactProbe, Kinds

_ANY = ("item-a", "item-b")
_NAME_THEM = "name them in the check (units:, programs:, mounts:, path: without patterns)"


@dataclass(frozen=True, slots=True)
class Gap:
    """What cannot be allowed exactly: which step, why, and what would help."""

    what: str
    why: str
    cure: str


def foreseen(
    catalog: Catalog, host: Host, kinds: Kinds
) -> Iterator[tuple[str, tuple[PlannedStep, ...] | Gap]]:
    """Give for each rung that acts its name, and all its steps for all its items, or the gap."""
    for check in catalog.checks.values():
        for rung in (*check.remediate, *check.starts) if check.host == host.name else ():
            if rung.mode != "shadow":
                what = f"{check.key} {rung.runbook}"
                yield what, _steps(what, catalog, host, check, rung, kinds)


def lines_typed(catalog: Catalog, host: Host) -> list[str]:
    """Give each line that ladders may type at a network device, with its slots as written."""
    dialect = DIALECTS[host.login.dialect]
    found = dict.fromkeys(dialect.opening)
    for check in catalog.checks.values():
        for rung in check.remediate if check.host == host.name else ():
            book = catalog.runbooks[rung.runbook]
            steps = (*book.collect, *book.require, *book.steps, *book.undo)
            for step in steps if rung.mode != "shadow" else ():
                if isinstance(step.spec, DeviceSpec):
                    found.update(dict.fromkeys(_typed(step.spec, dialect)))
    return list(found)


def _typed(spec: DeviceSpec, dialect: Dialect) -> Iterator[str]:
    yield from spec.commands
    if spec.configure:
        yield from (dialect.enter, *spec.configure, dialect.leave)
    if spec.save is not False:
        yield dialect.save


def in_shadow(catalog: Catalog, host: Host) -> list[str]:
    """Give the runbooks on the host's ladders that only show what they would do."""
    rungs = [rung for c in catalog.checks.values() if c.host == host.name for rung in c.remediate]
    return sorted({rung.runbook for rung in rungs if rung.mode == "shadow"})


def _steps(
    what: str, catalog: Catalog, host: Host, check: Check, rung: Rung, kinds: Kinds
) -> tuple[PlannedStep, ...] | Gap:
    def plan(item: str) -> tuple[PlannedStep, ...]:
        context = StepContext(host.name, host.address, item, rung.parameters)
        return render(catalog.runbooks[rung.runbook], rung, context, kinds.actions)

    if check.kind == "chain":
        return _links(what, catalog, host, check, rung, kinds)
    kind = kinds.probes[check.kind]
    items = kind.items(check.spec) if isinstance(kind, FactProbe) else None
    try:
        if items is not None:
            return tuple(step for item in items for step in plan(item))
        first, second = map(plan, _ANY)
    except ValueError as error:
        return Gap(what, str(error), "mend what it says, and ask again")
    if first != second:
        return Gap(what, "{item} can be anything that the check may find", _NAME_THEM)
    return first


def _links(
    what: str, catalog: Catalog, host: Host, check: Check, rung: Rung, kinds: Kinds
) -> tuple[PlannedStep, ...] | Gap:
    """Give the steps of a chain's links; one whose command holds the date differs every day."""
    names = [name.removeprefix("run:") for name in rung.parameters if name.startswith("run:")]
    book = catalog.runbooks[rung.runbook]
    try:
        first, second = (
            render_items(book, dated(rung, day), host, names, kinds.actions)
            for day in ("2000-01-01", "2000-01-02")
        )
    except ValueError as error:
        return Gap(what, str(error), "mend what it says, and ask again")
    as_root = any(isinstance(step.effect, Command) and step.effect.sudo for step in first)
    if as_root and first != second:
        why = f"{{business_date}} in a command of {check.name} is another one every day"
        return Gap(what, why, "let a job that needs sudo find the date itself")
    return first
