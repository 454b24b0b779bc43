"""Judges what the CPUs spent their time on since the last look, by mode; it names the busiest disk.

Times are /proc/stat's (proc_stat(5)); a guest's time is part of `user` there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.host import kernel
from monitord.probes.host.diskstats import busiest, ticks
from monitord.probes.limits import absent, over, show_percent, untold
from monitord.probes.verdict import Finding, verdict

_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_MODES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "user": ("user", "nice"),
        "system": ("system",),
        "iowait": ("iowait",),
        "irq": ("irq", "softirq"),
        "steal": ("steal",),
    }
)
_WORKING = ("user", "system", "irq", "steal")


class CpuSpec(Spec):
    """How busy the CPUs may be, all together, in percent; a limit set to null is off."""

    example: ClassVar[str] = "cpu:\n  iowait_warning: 40%\n  steal_critical: 20%\n"
    rhythm: ClassVar[Mapping[str, str | int]] = {"every": "60s", "attempts": 5}
    warning: Threshold | None = Field(
        default="90%",
        validate_default=True,
        description="Time at work (user, system, irq, steal) in percent of all CPUs' time.",
        examples=["90%"],
    )
    critical: Threshold | None = Field(
        default="98%", validate_default=True, description="The same.", examples=["98%"]
    )
    iowait_warning: Threshold | None = Field(
        default="30%",
        validate_default=True,
        description="Time that CPUs had nothing to do because programs wait for disks, in percent.",
    )
    iowait_critical: Threshold | None = Field(
        default="60%", validate_default=True, description="The same."
    )
    steal_warning: Threshold | None = Field(
        default="10%",
        validate_default=True,
        description="Time that the hypervisor gave to other guests, in percent.",
    )
    steal_critical: Threshold | None = Field(
        default="30%", validate_default=True, description="The same."
    )
    irq_warning: Threshold | None = Field(
        default="30%",
        validate_default=True,
        description="Time in interrupts, hard and soft, in percent.",
    )


def parse(text: str) -> dict[str, int]:
    """Read the line `cpu` of /proc/stat: ticks by mode; nothing where there is no such line."""
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        counts = kernel.wholes(rest.split()[: len(_FIELDS)])
        if name == "cpu" and counts and len(counts) >= _FIELDS.index("iowait"):
            return dict(zip(_FIELDS, counts, strict=False))
    return {}


def judge(spec: CpuSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result, of the time since the last look."""
    unknown = untold(facts, "kernel", "kernel:/proc/stat")
    times = parse(facts.kernel.get("/proc/stat", ""))
    if unknown is not None or not times:
        return [unknown or absent("cpu")]
    memory = target.memory.get("", {})
    now = kernel.sample(facts, times | ticks(facts))
    grown = kernel.rates(memory, now)
    shares = {} if grown is None else _shares(grown)
    if grown is None or not shares:
        return [kernel.first("cpu", now, memory)]
    used = sum(shares[mode] for mode in _WORKING)
    most = max(_WORKING, key=lambda mode: shares[mode])
    work = f"{show_percent(used)} % at work, most of it {most}"
    findings: list[Finding | None] = [
        over(work, used, spec.warning, spec.critical, "%"),
        over(_waiting(shares["iowait"], grown), shares["iowait"],
             spec.iowait_warning, spec.iowait_critical, "%"),
        over(f"{show_percent(shares['steal'])} % taken by the hypervisor, whose machine is too "
             "full", shares["steal"], spec.steal_warning, spec.steal_critical, "%"),
        over(f"{show_percent(shares['irq'])} % in interrupts: a flood of packets or a device gone "
             "wild", shares["irq"], spec.irq_warning, None, "%"),
    ]  # fmt: skip
    told = [Measurement("used", round(used, 2), "%", minimum=0, maximum=100)]
    told += [
        Measurement(mode, round(share, 2), "%", minimum=0, maximum=100)
        for mode, share in shares.items()
    ]
    result = verdict("cpu", findings, f"{used:.0f} % at work", tuple(told))
    return [replace(result, memory=now.memory())]


def _shares(grown: kernel.Rates) -> dict[str, float]:
    total = sum(grown.grown.get(name, 0) for name in _FIELDS)
    if total <= 0:
        return {}
    return {
        mode: 100 * sum(grown.grown.get(name, 0) for name in names) / total
        for mode, names in _MODES.items()
    }


def _waiting(share: float, grown: kernel.Rates) -> str:
    disk = busiest(grown)
    return f"{show_percent(share)} % waiting for disks{f', most for {disk}' if disk else ''}"


KIND = FactProbe("cpu", CpuSpec, lambda _: (Section("kernel", ("cpu", "disks")),), judge)
