"""Judges systemd units: each named unit an item, and each failed unit of the host an item.

It decides from what systemctl told. A restart counter is compared with the last sample.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from monitord.model.facts import Facts, Section, UnitFact
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.limits import absent, untold
from monitord.probes.verdict import Finding, verdict

_NAME = re.compile(r"[A-Za-z0-9:_.@\\-]{1,255}")
_STARTS_AT_BOOT = frozenset(
    {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated", "linked"}
)


def _unit_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name.startswith("-"):
        raise ValueError(f"{name!r} is not a unit name (write nginx or nginx.service)")
    return name


UnitName = Annotated[str, AfterValidator(_unit_name)]


class SystemdSpec(Spec):
    """Which units are looked at, and what each must be."""

    example: ClassVar[str] = """\
systemd:
  units: [nginx, cron]
  state: active                 # active, inactive, or not-failed (for what a timer starts)
  enabled: true                 # a warning where it would not start at boot
  max_restarts: 2               # automatic restarts between two looks
"""

    units: tuple[UnitName, ...] = Field(
        default=(), description="Units by name; .service may be left out.", examples=[["nginx"]]
    )
    failed: bool = Field(
        default=False, description="Look at all units that systemd calls failed, each an item."
    )
    ignore: tuple[UnitName, ...] = Field(
        default=(), description="Failed units that do not matter.", examples=[["motd-news.service"]]
    )
    state: Literal["active", "inactive", "not-failed"] = Field(
        default="active",
        description="What a named unit must be; not-failed suits what runs by a timer.",
    )
    enabled: bool | None = Field(
        default=None,
        description="true: a unit that would not come up at boot is a warning; false: one that "
        "would.",
    )
    max_restarts: int | None = Field(
        default=None,
        ge=0,
        description="More automatic restarts than this since the last look are a warning.",
        examples=[2],
    )

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.units and not self.failed:
            raise ValueError("says no unit: give units: [nginx] or failed: true")
        return self


def sections(spec: SystemdSpec) -> tuple[Section, ...]:
    """Ask for the named units, the failed ones, or both."""
    named = (Section("unit", spec.units),) if spec.units else ()
    return named + ((Section("failed-units"),) if spec.failed else ())


def judge(spec: SystemdSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result per named unit, and one per unit that is or was failed."""
    unknown = untold(facts, *(section.name for section in sections(spec)))
    if unknown is not None:
        return [unknown]
    results = [_named(spec, name, facts, target) for name in spec.units]
    return results + (_failed(spec, facts, target) if spec.failed else [])


def _named(spec: SystemdSpec, name: str, facts: Facts, target: Target) -> Result:
    unit = facts.units.get(name)
    if unit is None:
        return replace(absent(f"unit {name}"), item=name)
    before = target.memory.get(name, {}).get("restarts")
    findings = (_state(spec, unit), _boot(spec, unit), _restarts(spec, unit, before))
    good = f"{unit.active} ({unit.sub})"
    told = (Measurement("restarts", unit.restarts, "c", minimum=0),)
    result = verdict(name, findings, one_line(good), told)
    return replace(result, item=name, memory={"restarts": unit.restarts})


def _state(spec: SystemdSpec, unit: UnitFact) -> Finding | None:
    if unit.load == "not-found":
        gone = spec.state == "inactive"
        return None if gone else (Status.CRITICAL, "there is no such unit on the host")
    if unit.active == "failed":
        return Status.CRITICAL, f"has failed (result: {one_line(unit.result, 40)})"
    if spec.state == "not-failed":
        return None
    if spec.state == "inactive":
        running = unit.active != "inactive"
        return (Status.CRITICAL, f"is {unit.active} (must be inactive)") if running else None
    return _must_run(unit)


def _must_run(unit: UnitFact) -> Finding | None:
    if unit.active in {"active", "reloading", "refreshing"}:
        return None
    if unit.load == "masked":
        return Status.CRITICAL, "is masked, so that nothing can start it"
    if unit.sub == "auto-restart" or unit.sub.startswith("auto-restart-"):
        return Status.CRITICAL, f"dies at once each time it starts ({unit.restarts} restarts)"
    if unit.active in {"activating", "deactivating"}:
        return Status.WARNING, f"is {unit.active} ({one_line(unit.sub, 40)})"
    active, sub = one_line(unit.active, 40), one_line(unit.sub, 40)
    return Status.CRITICAL, f"is {active} ({sub}; must be active)"


def _boot(spec: SystemdSpec, unit: UnitFact) -> Finding | None:
    if spec.enabled is None or not unit.enabled:
        return None
    starts = unit.enabled in _STARTS_AT_BOOT
    if starts == spec.enabled:
        return None
    shown = one_line(unit.enabled, 40)
    wish = "would not start at boot" if spec.enabled else "would start at boot"
    return Status.WARNING, f"is {shown}, so it {wish}"


def _restarts(spec: SystemdSpec, unit: UnitFact, before: object) -> Finding | None:
    # The counter falls when a person starts the unit: then there is nothing to compare with.
    if spec.max_restarts is None or not isinstance(before, int) or unit.restarts < before:
        return None
    new = unit.restarts - before
    if new <= spec.max_restarts:
        return None
    return (
        Status.WARNING,
        f"{new} automatic restarts since the last look (limit {spec.max_restarts})",
    )


def _failed(spec: SystemdSpec, facts: Facts, target: Target) -> list[Result]:
    if facts.failed_units is None:
        return [absent("failed-units")]
    failed = [name for name in facts.failed_units if not _ignored(spec, name)]
    summary = Result.ok(
        "no failed units" if not failed else f"systemd answers; {len(failed)} units have failed",
        Measurement("failed", len(failed), minimum=0),
    )
    known = {one_line(name) for name in failed}
    return [summary, *map(_failing, sorted(known)), *_healed(spec, known, target)]


def _ignored(spec: SystemdSpec, name: str) -> bool:
    return any(name in {unit, f"{unit}.service"} for unit in spec.ignore)


def _failing(name: str) -> Result:
    result = Result.critical(f"{name}: has failed", item=name)
    return replace(result, memory={"failed": True})


def _healed(spec: SystemdSpec, failed: set[str], target: Target) -> Iterable[Result]:
    """Say OK of what failed once: silence would read as an item that is no longer present."""
    for name, memory in sorted(target.memory.items()):
        if "failed" in memory and name not in failed and name not in spec.units:
            result = Result.ok(f"{name}: no longer failed", item=name)
            yield replace(result, memory={"failed": False})


def items(spec: SystemdSpec) -> tuple[str, ...] | None:
    """Give the named units; what else may fail only the host knows."""
    return None if spec.failed else tuple(map(one_line, spec.units))


KIND = FactProbe("systemd", SystemdSpec, sections, judge, sees_death=True, items=items)
