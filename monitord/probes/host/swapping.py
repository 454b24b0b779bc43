"""Judges how much is swapped in and out, and whether the kernel killed for want of memory.

How full the swap is, which alone is no harm, the kind `memory` tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Spec, Threshold
from monitord.probes.host import kernel
from monitord.probes.limits import absent, over, show_age, untold
from monitord.probes.verdict import Finding, verdict

_COUNTERS = ("pswpin", "pswpout", "pgmajfault", "oom_kill")


class SwappingSpec(Spec):
    """How much may be swapped; a limit set to null is off."""

    example: ClassVar[str] = "swapping:\n  warning: 200\n  killed_for: 2h\n"
    rhythm: ClassVar[Mapping[str, str | int]] = {"every": "60s", "attempts": 5}
    warning: Threshold | None = Field(
        default=500,
        validate_default=True,
        description="Pages (mostly 4 KiB) swapped in and out per second.",
    )
    critical: Threshold | None = Field(default=5000, validate_default=True, description="The same.")
    killed: Literal["critical", "warning", "ignore"] = Field(
        default="critical", description="What it is when the kernel killed for want of memory."
    )
    killed_for: Duration = Field(
        default="30m",
        validate_default=True,
        description="How long after such a kill it is told.",
    )


def parse(text: str) -> dict[str, int]:
    """Read those lines of /proc/vmstat that are judged: counters since the boot."""
    found = {}
    for line in text.splitlines():
        name, _, digits = line.partition(" ")
        count = kernel.whole(digits.strip())
        if name in _COUNTERS and count is not None:
            found[name] = count
    return found


def judge(spec: SwappingSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result, of the time since the last look; a kill is remembered for its time."""
    unknown = untold(facts, "kernel", "kernel:/proc/vmstat")
    counters = parse(facts.kernel.get("/proc/vmstat", ""))
    if unknown is not None or "pgmajfault" not in counters:
        return [unknown or absent("swapping")]
    memory = target.memory.get("", {})
    now = kernel.sample(facts, counters)
    grown = kernel.rates(memory, now)
    if grown is None:
        return [kernel.first("swapping", now, memory)]
    inwards, outwards = (grown.each(name) or 0.0 for name in ("pswpin", "pswpout"))
    killed, kills = memory.get("killed"), grown.grown.get("oom_kill", 0)
    if kills:
        killed = now.at
    both = inwards + outwards
    sentence = f"{both:.0f} pages a second ({inwards:.0f} in, {outwards:.0f} out)"
    too_many = over(sentence, both, spec.warning, spec.critical, "a second")
    if too_many is not None:
        too_many = (too_many[0], f"{too_many[1]}: memory is too small for what runs")
    told = (
        Measurement("in", round(inwards, 2), minimum=0),
        Measurement("out", round(outwards, 2), minimum=0),
        Measurement("major_faults", round(grown.each("pgmajfault") or 0.0, 2), minimum=0),
    )
    findings = [_killed(spec, killed, now.at), too_many]
    result = verdict("swapping", findings, f"{both:.0f} pages a second", told)
    return [replace(result, memory=now.memory() | ({"killed": killed} if killed else {}))]


def _killed(spec: SwappingSpec, killed: object, at: float) -> Finding | None:
    if spec.killed == "ignore" or not isinstance(killed, int | float):
        return None
    if at - killed > spec.killed_for.total_seconds():
        return None
    status = Status.CRITICAL if spec.killed == "critical" else Status.WARNING
    when = "since the last look" if at == killed else f"{show_age(at - killed, 1)} ago"
    return status, f"the kernel killed a program for want of memory {when} (see dmesg for which)"


KIND = FactProbe("swapping", SwappingSpec, lambda _: (Section("kernel", ("memory",)),), judge)
