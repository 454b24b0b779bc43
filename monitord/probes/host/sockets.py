"""Judges a kernel's network tables: connection tracking, TCP memory, full listen queues.

Sockets by use are measured from /proc/net/sockstat; the rest has limits of the kernel's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.host import kernel
from monitord.probes.limits import absent, over, show_percent, untold
from monitord.probes.verdict import Finding, verdict

_MEMORY = "/proc/sys/net/ipv4/tcp_mem"
_TRACKED = "/proc/sys/net/netfilter/nf_conntrack_"


class SocketsSpec(Spec):
    """How full the network tables may be, in percent; a limit set to null is off."""

    example: ClassVar[str] = "sockets:\n  warning: 70%\n  overflow_critical: 1\n"
    warning: Threshold | None = Field(
        default="80%",
        validate_default=True,
        description="Connections tracked, and memory of TCP, in percent of the kernel's most.",
    )
    critical: Threshold | None = Field(
        default="95%", validate_default=True, description="The same."
    )
    overflow_warning: Threshold | None = Field(
        default=0.1,
        validate_default=True,
        description="Connections lost per second because a program did not accept them in time.",
    )
    overflow_critical: Threshold | None = Field(
        default=5, validate_default=True, description="The same."
    )


def used(text: str) -> dict[str, int]:
    """Read /proc/net/sockstat: `TCP.inuse` and the like; garbled pairs are skipped."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        for key, digits in zip(words[::2], words[1::2], strict=False):
            if (count := kernel.whole(digits)) is not None:
                found[f"{name}.{key}"] = count
    return found


def counters(text: str) -> dict[str, int]:
    """Read /proc/net/netstat, a line of names before each of numbers: `TcpExt.ListenDrops`."""
    lines = text.splitlines()
    found = {}
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        title, _, rest = names.partition(":")
        for name, digits in zip(rest.split(), numbers.partition(":")[2].split(), strict=False):
            if (count := kernel.whole(digits)) is not None:
                found[f"{title}.{name}"] = count
    return found


def judge(spec: SocketsSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result; overflows are judged from the second look on."""
    unknown = untold(facts, "kernel")
    told = used(facts.kernel.get("/proc/net/sockstat", ""))
    if unknown is not None or "TCP.inuse" not in told:
        return [unknown or absent("sockets")]
    lost = counters(facts.kernel.get("/proc/net/netstat", "")).get("TcpExt.ListenOverflows", 0)
    now = kernel.sample(facts, {"overflows": lost})
    grown = kernel.rates(target.memory.get("", {}), now)
    rate = (grown.each("overflows") if grown else None) or 0.0
    measured = [
        Measurement(name, told.get(key, 0), minimum=0)
        for name, key in (("tcp", "TCP.inuse"), ("time_wait", "TCP.tw"), ("orphans", "TCP.orphan"))
    ]
    measured.append(Measurement("overflows", round(rate, 3), minimum=0))
    findings = [_overflow(spec, rate)]
    for name, finding, share in _tables(spec, facts, told):
        findings.append(finding)
        measured.append(Measurement(name, round(share, 2), "%", minimum=0))
    good = "no table is nearly full"
    return [replace(verdict("sockets", findings, good, tuple(measured)), memory=now.memory())]


def _overflow(spec: SocketsSpec, rate: float) -> Finding | None:
    sentence = f"{rate:.2g} connections a second lost at a full listen queue"
    found = over(sentence, rate, spec.overflow_warning, spec.overflow_critical, "a second")
    cause = "a server accepts too slowly, or its backlog is too small (ss -lnt)"
    return None if found is None else (found[0], f"{found[1]}: {cause}")


def _tables(
    spec: SocketsSpec, facts: Facts, told: Mapping[str, int]
) -> list[tuple[str, Finding | None, float]]:
    tracked, most = (kernel.value(facts, f"{_TRACKED}{end}") for end in ("count", "max"))
    memory = kernel.wholes(facts.kernel.get(_MEMORY, "").split())
    rows = []
    if tracked is not None and most:
        what = f"of {most} tracked connections in use"
        cause = "beyond it new ones are dropped; raise nf_conntrack_max or find the flood"
        rows.append(("conntrack", 100 * tracked / most, what, cause))
    if memory and memory[-1] > 0:
        cause = "a program does not read what it receives, or tcp_mem is too small"
        share = 100 * told.get("TCP.mem", 0) / memory[-1]
        rows.append(("tcp_memory", share, "of the memory for TCP in use", cause))
    found: list[tuple[str, Finding | None, float]] = []
    for name, share, what, cause in rows:
        broken = over(f"{show_percent(share)} % {what}", share, spec.warning, spec.critical, "%")
        found.append((name, broken and (broken[0], f"{broken[1]}: {cause}"), share))
    return found


KIND = FactProbe("sockets", SocketsSpec, lambda _: (Section("kernel", ("sockets",)),), judge)
