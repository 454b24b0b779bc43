"""Judges how busy each disk was since the last look and how long one operation took: one item each.

How full filesystems are is the kind `disk`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec, Threshold, format_duration
from monitord.model.text import one_line
from monitord.probes.host import kernel
from monitord.probes.host.diskstats import disks
from monitord.probes.limits import over, show_percent, untold
from monitord.probes.network.latency import show
from monitord.probes.verdict import Finding, verdict

_SECTOR = 512  # bytes, whatever the disk's own sectors are


class DiskIoSpec(Spec):
    """How busy and how slow disks may be; a limit set to null is off."""

    example: ClassVar[str] = "disk_io:\n  disks: [sda, nvme*]\n  latency_critical: 200ms\n"
    rhythm: ClassVar[Mapping[str, str | int]] = {"every": "60s", "attempts": 5}
    utilisation_warning: Threshold | None = Field(
        default="95%",
        validate_default=True,
        description="Time with at least one operation under way, in percent.",
    )
    utilisation_critical: Threshold | None = Field(
        default=None,
        description="The same. An SSD or an array at 100 % may still have room, so it is off.",
    )
    latency_warning: Duration | None = Field(
        default="100ms",
        validate_default=True,
        description="Mean time of one read or write, its wait in the queue included.",
    )
    latency_critical: Duration | None = Field(
        default="500ms", validate_default=True, description="The same."
    )
    queue_warning: Threshold | None = Field(
        default=None, description="Mean number of operations under way or waiting.", examples=[20]
    )
    queue_critical: Threshold | None = Field(default=None, description="The same.")
    quiet: float = Field(
        default=1.0,
        ge=0,
        description="Below this many operations per second the latency is not judged.",
    )
    disks: tuple[str, ...] = Field(
        default=(),
        description="Only these devices (patterns too); a plain one that is not there is critical. "
        "Empty: all whole disks.",
        examples=[["sda"], ["nvme*"]],
    )
    exclude: tuple[str, ...] = Field(
        default=("loop*", "ram*", "zram*", "sr*", "fd*", "dm-*", "md*", "nbd*"),
        description="Devices that are not looked at (patterns).",
    )


def judge(spec: DiskIoSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result per disk that was ever used."""
    unknown = untold(facts, "kernel", "kernel:/proc/diskstats")
    if unknown is not None:
        return [unknown]
    told = disks(facts)
    wanted = {
        name: counts
        for name, counts in told.items()
        if kernel.listed(name, spec.disks, spec.exclude)
        and (name in spec.disks or counts["reads"] or counts["writes"])
    }
    results = [_disk(spec, name, facts, target, counts) for name, counts in wanted.items()]
    gone = [one_line(name) for name in kernel.plain(spec.disks) if name not in told]
    results += [
        Result.critical(f"{name}: is not there: it failed, or has another name now", item=name)
        for name in gone
    ]
    return results or [Result.unknown("no disk matches disks and exclude", Cause.MISSING)]


def _disk(
    spec: DiskIoSpec, name: str, facts: Facts, target: Target, counts: Mapping[str, int]
) -> Result:
    item = one_line(name)
    memory: Mapping[str, Any] = target.memory.get(item, {})
    now = kernel.sample(facts, {key: n for key, n in counts.items() if key != "in_flight"})
    grown = kernel.rates(memory, now)
    if grown is None or len(grown.grown) < len(now.counters):
        return kernel.first(item, now, memory, item)
    made = grown.grown
    operations = made["reads"] + made["writes"]
    busy = min(100.0, made["busy_ms"] / grown.seconds / 10)
    queue = made["queued_ms"] / grown.seconds / 1000
    each = (made["read_ms"] + made["write_ms"]) / operations / 1000 if operations else 0.0
    rate = operations / grown.seconds
    findings: list[Finding | None] = [
        _slow(spec, each, made) if rate >= spec.quiet else None,
        over(f"busy {show_percent(busy)} % of the time", busy,
             spec.utilisation_warning, spec.utilisation_critical, "%"),
        over(f"{queue:.1f} operations queued", queue, spec.queue_warning, spec.queue_critical),
    ]  # fmt: skip
    told = (
        Measurement("utilisation", round(busy, 2), "%", minimum=0, maximum=100),
        Measurement("latency", round(each, 6), "s", minimum=0),
        Measurement("queue", round(queue, 3), minimum=0),
        Measurement("operations", round(rate, 2), minimum=0),
        Measurement("read", round(made["sectors_read"] * _SECTOR / grown.seconds), "B", minimum=0),
        Measurement(
            "written", round(made["sectors_written"] * _SECTOR / grown.seconds), "B", minimum=0
        ),
    )
    result = verdict(item, findings, f"busy {busy:.0f} % of the time", told)
    return replace(result, item=item, memory=now.memory())


def _slow(spec: DiskIoSpec, each: float, made: Mapping[str, int]) -> Finding | None:
    for status, limit in (
        (Status.CRITICAL, spec.latency_critical),
        (Status.WARNING, spec.latency_warning),
    ):
        if limit is not None and each > limit.total_seconds():
            kind = "writes" if made["write_ms"] > made["read_ms"] else "reads"
            said = f"{show(each)} for each operation, mostly {kind}"
            cause = "overloaded, or the disk is failing (see dmesg and SMART)"
            return status, f"{said} (limit {format_duration(limit)}): {cause}"
    return None


def items(spec: DiskIoSpec) -> tuple[str, ...] | None:
    """Give the named disks; what a pattern means only the host knows."""
    named = kernel.plain(spec.disks)
    return tuple(map(one_line, named)) if named and len(named) == len(spec.disks) else None


KIND = FactProbe(
    "disk_io", DiskIoSpec, lambda _: (Section("kernel", ("disks",)),), judge, items=items
)
