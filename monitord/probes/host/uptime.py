"""Judges how long a host has been up: rebooted just now, or for too long without one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.probes.limits import absent, show_age, untold
from monitord.probes.verdict import Finding, verdict


class UptimeSpec(Spec):
    """How long a host may be up, and how long a boot is told; a limit set to null is off."""

    example: ClassVar[str] = "uptime:\n  rebooted: 30m\n  longest: 180d\n"
    rebooted: Duration | None = Field(
        default="15m", validate_default=True, description="Warn for this long after a boot."
    )
    longest: Duration | None = Field(
        default=None, description="Warn when up for longer than this.", examples=["365d"]
    )


def judge(spec: UptimeSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result; the boot id tells a reboot from a host that is looked at first."""
    unknown = untold(facts, "boot")
    if unknown is not None or facts.uptime <= 0:
        return [unknown or absent("boot")]
    before = target.memory.get("", {}).get("boot_id")
    word = "rebooted" if before not in (None, facts.boot_id) else "booted"
    findings: list[Finding] = []
    if spec.rebooted is not None and facts.uptime < spec.rebooted.total_seconds():
        cause = "if nobody did it: a power loss, a crash or a watchdog (last -x, journalctl -b -1)"
        findings.append((Status.WARNING, f"{word} {show_age(facts.uptime)} ago; {cause}"))
    if spec.longest is not None and facts.uptime > spec.longest.total_seconds():
        limit = f"limit {format_duration(spec.longest)}"
        sentence = f"up for {show_age(facts.uptime, 1)} ({limit}): kernel updates need a reboot"
        findings.append((Status.WARNING, sentence))
    told = (Measurement("uptime", round(facts.uptime), "s", minimum=0),)
    result = verdict("uptime", findings, f"up for {show_age(facts.uptime, 1)}", told)
    return [replace(result, memory={"boot_id": facts.boot_id})]


KIND = FactProbe("uptime", UptimeSpec, lambda _: (Section("boot"),), judge)
