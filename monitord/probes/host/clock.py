"""Judges a host's wall clock: how far it is from ours, and whether anything keeps it."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.probes.limits import absent, untold
from monitord.probes.network.latency import show
from monitord.probes.verdict import Finding, verdict


class ClockSpec(Spec):
    """How wrong the clock may be; a limit set to null is off."""

    example: ClassVar[str] = """\
clock: {warning: 1s, critical: 10s, synchronised: true}
"""

    warning: Duration | None = Field(
        default="1s", validate_default=True, description="Off by more than this, either way."
    )
    critical: Duration | None = Field(
        default="10s", validate_default=True, description="The same.", examples=["10s"]
    )
    synchronised: bool = Field(
        default=True,
        description="Warn when the kernel says that nothing keeps the clock in step.",
    )


def judge(spec: ClockSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result; a slow login can hide a small offset but never make one up."""
    unknown = untold(facts, "clock")
    if unknown is not None or facts.clock is None:
        return [unknown or absent("clock")]
    offset, kept = facts.clock.offset, facts.clock.synchronised
    findings: list[Finding | None] = [_offset(spec, offset)]
    if spec.synchronised and kept is False:
        findings.append((Status.WARNING, "nothing keeps it in step (no time daemon in sync)"))
    told = (Measurement("offset", round(offset, 6), "s"),)
    good = "in step with ours" if offset == 0 else f"{show(abs(offset))} {_way(offset)} ours"
    return [verdict("clock", findings, good, told)]


def _offset(spec: ClockSpec, offset: float) -> Finding | None:
    for status, limit in ((Status.CRITICAL, spec.critical), (Status.WARNING, spec.warning)):
        if limit is not None and abs(offset) > limit.total_seconds():
            shown = f"{show(abs(offset))} {_way(offset)} ours"
            return status, f"{shown} (limit {format_duration(limit)})"
    return None


def _way(offset: float) -> str:
    return "ahead of" if offset > 0 else "behind"


KIND = FactProbe("clock", ClockSpec, lambda _: (Section("clock"),), judge)
