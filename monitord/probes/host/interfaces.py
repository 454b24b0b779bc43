"""Judges network interfaces: link, speed, errors, drops and how full, an item each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Spec, Threshold
from monitord.model.text import one_line
from monitord.probes.host import kernel
from monitord.probes.limits import over, show_percent, untold
from monitord.probes.verdict import Finding, verdict

_FIELDS = {
    "received": 0, "packets_in": 1, "errors_in": 2, "drops_in": 3,
    "sent": 8, "packets_out": 9, "errors_out": 10, "drops_out": 11,
}  # fmt: skip
_COLUMNS = 16
_MEGABIT = 125_000  # bytes


class InterfacesSpec(Spec):
    """What links must do; a limit set to null is off."""

    example: ClassVar[str] = "interfaces:\n  interfaces: [eth0, bond0]\n  warning: 70%\n"
    warning: Threshold | None = Field(
        default="80%", validate_default=True, description="Use in percent of the link's speed."
    )
    critical: Threshold | None = Field(
        default="95%", validate_default=True, description="The same."
    )
    errors_warning: Threshold | None = Field(
        default=0.1, validate_default=True, description="Faulty packets per second, both ways."
    )
    errors_critical: Threshold | None = Field(
        default=10, validate_default=True, description="The same."
    )
    drops_warning: Threshold | None = Field(
        default=10, validate_default=True, description="Packets dropped per second, both ways."
    )
    drops_critical: Threshold | None = Field(default=None, description="The same.")
    interfaces: tuple[str, ...] = Field(
        default=(),
        description="Only these (patterns too); a plain one must be there and up. Empty: all, and "
        "one that was never up may stay down.",
        examples=[["eth0", "bond*"]],
    )
    exclude: tuple[str, ...] = Field(
        default=(
            "lo", "veth*", "docker*", "br-*", "virbr*", "vnet*", "tap*", "cni*", "cali*",
            "flannel*", "ifb*", "dummy*", "kube-*", "nodelocaldns", "sit*", "lxc*",
        ),
        description="Interfaces that are not looked at (patterns).",
    )  # fmt: skip


def parse(text: str) -> dict[str, dict[str, int]]:
    """Read /proc/net/dev: counters by interface; lines that make no sense are skipped."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.rpartition(":")
        counts = kernel.wholes(rest.split())
        if name.strip() and counts and len(counts) == _COLUMNS:
            found[name.strip()] = {field: counts[place] for field, place in _FIELDS.items()}
    return found


def judge(spec: InterfacesSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give one result per interface; rates are judged from the second look on."""
    unknown = untold(facts, "kernel", "kernel:/proc/net/dev")
    if unknown is not None:
        return [unknown]
    told = parse(facts.kernel.get("/proc/net/dev", ""))
    results = [
        _one(spec, name, counts, facts, target)
        for name, counts in told.items()
        if kernel.listed(name, spec.interfaces, spec.exclude)
    ]
    gone = [one_line(name) for name in kernel.plain(spec.interfaces) if name not in told]
    results += [
        Result.critical(f"{name}: is not there: its card or driver failed, or it has another name",
                        item=name)
        for name in gone
    ]  # fmt: skip
    return results or [Result.unknown("no interface matches", Cause.MISSING)]


def _one(
    spec: InterfacesSpec, name: str, counts: Mapping[str, int], facts: Facts, target: Target
) -> Result:
    item = one_line(name)
    memory: Mapping[str, Any] = target.memory.get(item, {})
    now = kernel.sample(facts, counts)
    state = _file(facts, name, "operstate") or "unknown"
    is_up = state in {"up", "unknown"}
    speed = kernel.whole(_file(facts, name, "speed")) or 0
    was_up = bool(memory.get("up")) or name in spec.interfaces
    best = memory.get("speed", 0)
    best = max(speed, best if isinstance(best, int) else 0)
    grown = kernel.rates(memory, now)
    findings = [_link(facts, name, state) if was_up and not is_up else None]
    if is_up and 0 < speed < best:
        slower = f"{speed} Mbit/s where it had {best}: a bad cable or switch port"
        findings.append((Status.WARNING, slower))
    if is_up and _file(facts, name, "duplex") == "half":
        findings.append((Status.WARNING, "half duplex: the other side's setting, or the cable"))
    measured = [Measurement("up", int(is_up), minimum=0, maximum=1)]
    if grown is not None and len(grown.grown) == len(counts):
        found, told = _traffic(spec, grown, speed)
        findings, measured = findings + found, measured + told
    result = verdict(item, findings, "up" if is_up else f"{state}, as before", tuple(measured))
    kept = now.memory() | {"up": is_up or was_up, "speed": best}
    return replace(result, item=item, memory=kept)


def _file(facts: Facts, name: str, which: str) -> str:
    return facts.kernel.get(f"/sys/class/net/{name}/{which}", "").strip()


def _link(facts: Facts, name: str, state: str) -> Finding:
    flags = _file(facts, name, "flags")
    try:
        switched_on = bool(int(flags, 16) & 1)
    except ValueError:
        switched_on = True
    cause = "no signal: the cable or the switch's port" if switched_on else "somebody set it down"
    return Status.CRITICAL, f"is {one_line(state)}: {cause}"


def _traffic(
    spec: InterfacesSpec, grown: kernel.Rates, speed: int
) -> tuple[list[Finding | None], list[Measurement]]:
    each = {name: count / grown.seconds for name, count in grown.grown.items()}
    errors = each["errors_in"] + each["errors_out"]
    drops = each["drops_in"] + each["drops_out"]
    told = [
        Measurement(name, round(value, 3), unit, minimum=0)
        for name, value, unit in (
            ("received", each["received"], "B"), ("sent", each["sent"], "B"),
            ("errors", errors, ""), ("drops", drops, ""),
        )
    ]  # fmt: skip
    bad = over(f"{errors:.2g} faulty packets a second", errors,
               spec.errors_warning, spec.errors_critical, "a second")  # fmt: skip
    lost = over(f"{drops:.2g} packets dropped a second", drops,
                spec.drops_warning, spec.drops_critical, "a second")  # fmt: skip
    findings = [
        bad and (bad[0], f"{bad[1]}: cable, plug, or duplex that differs"),
        lost and (lost[0], f"{lost[1]}: its buffers are too small for the load"),
    ]
    if speed > 0:
        share = 100 * max(each["received"], each["sent"]) / (speed * _MEGABIT)
        told.append(Measurement("utilisation", round(share, 2), "%", minimum=0))
        sentence = f"{show_percent(share)} % of {speed} Mbit/s in use"
        findings.append(over(sentence, share, spec.warning, spec.critical, "%"))
    return findings, told


KIND = FactProbe("interfaces", InterfacesSpec, lambda _: (Section("kernel", ("network",)),), judge)
