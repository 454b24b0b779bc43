"""The `snmp_interfaces` probe: a device's interfaces, an item each: link, errors, discards, use.

It judges by IF-MIB (RFC 2863) and its 64-bit counters; rates come from the second look on. Only
what is selected is asked for, so that a switch of 500 ports is not read for its four uplinks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import show_percent
from monitord.probes.service.limits import Limits, limits
from monitord.probes.snmp.login import AgentSpec
from monitord.probes.snmp.rates import Sample
from monitord.probes.snmp.talk import UPTIME, Row, Talk, look
from monitord.probes.snmp.told import Oid, Told
from monitord.probes.verdict import Finding, verdict

_TABLE: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_MORE: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_DESCR, _NAME, _ALIAS = (*_TABLE, 2), (*_MORE, 1), (*_MORE, 18)
_STATES: Mapping[str, Oid] = {
    "admin": (*_TABLE, 7), "oper": (*_TABLE, 8), "speed": (*_MORE, 15),
}  # fmt: skip
_COUNTERS: Mapping[str, Oid] = {
    "received": (*_MORE, 6), "sent": (*_MORE, 10),
    "errors_in": (*_TABLE, 14), "errors_out": (*_TABLE, 20),
    "discards_in": (*_TABLE, 13), "discards_out": (*_TABLE, 19),
}  # fmt: skip
_UP, _DOWN = 1, 2
_OPER = {
    2: "down", 3: "testing", 4: "in an unknown state", 5: "dormant", 6: "not present",
    7: "down as a layer below it is",
}  # fmt: skip
_MEGABIT = 125_000  # bytes


class SnmpInterfacesSpec(AgentSpec):
    """Interfaces of a switch, router or firewall: those that must be up are; none drops or fills.

    Names and aliases (descriptions) are compared with patterns, in small letters.
    """

    example = """
        snmp_interfaces:
          user: monitor
          auth_password: !secret file:/etc/monitord/snmp.auth
          priv_password: !secret file:/etc/monitord/snmp.priv
          interfaces: ["*uplink*", "te1/*"]
          must_be_up: ["*uplink*"]
    """

    interfaces: tuple[str, ...] = Field(
        (),
        description="Only these, by name or alias (patterns); empty: all.",
        examples=[["te1/*", "*uplink*"]],
    )
    exclude: tuple[str, ...] = Field(
        ("lo*", "null*", "vlan*", "unrouted*", "cpu*", "stack*", "*.unit.*", "embedded*"),
        description="Those that are not looked at, by name (patterns).",
    )
    must_be_up: tuple[str, ...] = Field(
        ("*uplink*", "*trunk*", "*wan*", "*isp*"),
        description="Those whose link must be up, by name or alias (patterns); one without a "
        "pattern must also be there. Others may be down: a PC that is switched off is no fault.",
        examples=[["te1/1", "*uplink*"]],
    )
    use: Limits = Field(
        limits("80", "95"), description="Limits on use in percent of the speed, each way."
    )
    errors: Limits = Field(
        limits("1", "100"), description="Limits on faulty packets per second, both ways."
    )
    discards: Limits = Field(
        limits("10"), description="Limits on packets dropped per second, both ways."
    )


@dataclass(frozen=True, slots=True)
class Port:
    """One interface as told: `said` holds states and counters by our names."""

    item: str
    name: str
    alias: str
    said: Mapping[str, Told | None]

    def state(self, name: str) -> int:
        """Give a state as the MIB numbers it, 0 when it is not told."""
        one = self.said.get(name)
        return (one.number or 0) if one is not None else 0

    def fits(self, patterns: Sequence[str]) -> bool:
        """Tell whether name or alias is among them."""
        names = (self.name.lower(), self.alias.lower())
        return any(fnmatchcase(name, one.lower()) for name in names if name for one in patterns)


async def probe(spec: SnmpInterfacesSpec, target: Target) -> Sequence[Result]:
    """Find the interfaces, ask for those selected and judge; see NetworkProbe for the contract."""

    async def work(talk: Talk) -> Sequence[Result]:
        chosen = select(spec, await talk.walk(_NAME, _ALIAS, _DESCR))
        wanted = {**_STATES, **_COUNTERS}
        oids = [(*column, *index) for index in chosen for column in wanted.values()]
        uptime, *said = await talk.get(UPTIME, *oids)
        ports = [
            replace(port, said=dict(zip(wanted, said[at : at + len(wanted)], strict=True)))
            for at, port in zip(range(0, len(said), len(wanted)), chosen.values(), strict=True)
        ]
        return judge(spec, ports, (uptime.number or 0) if uptime else 0, target)

    return await look(spec, target, work)


def select(spec: SnmpInterfacesSpec, rows: Mapping[Oid, Row]) -> dict[Oid, Port]:
    """Give the interfaces to look at; where two have one name, the index tells them apart."""
    found = {}
    for index, (name, alias, descr) in rows.items():
        told = name or descr
        shown = one_line(told.text if told else "", 60) or f"#{index[0] if index else 0}"
        port = Port(shown, shown, alias.text if alias else "", {})
        named = port.fits(spec.interfaces) or port.fits(_plain(spec.must_be_up))
        if named or (not spec.interfaces and not port.fits(spec.exclude)):
            found[index] = port
    often = Counter(port.name for port in found.values())
    return {
        index: replace(port, item=f"{port.name}#{index[0]}") if often[port.name] > 1 else port
        for index, port in found.items()
    }


def _plain(patterns: Sequence[str]) -> list[str]:
    return [one for one in patterns if not any(sign in one for sign in "*?[")]


def judge(
    spec: SnmpInterfacesSpec, ports: Sequence[Port], uptime: int, target: Target
) -> Sequence[Result]:
    """Give one result per interface."""
    results = [_one(spec, port, uptime, target.memory.get(port.item, {})) for port in ports]
    for name in _plain(spec.must_be_up):
        if not any(port.fits((name,)) for port in ports):
            text = f"{name}: is not there: its module was pulled, or it has another name now"
            results.append(Result.critical(text, item=name))
    return results or [Result.unknown("no interface matches: see interfaces", Cause.MISSING)]


def _one(spec: SnmpInterfacesSpec, port: Port, uptime: int, memory: Mapping[str, Any]) -> Result:
    thing = f"{port.item} ({one_line(port.alias, 60)})" if port.alias else port.item
    counters = {
        name: one for name in _COUNTERS if (one := port.said.get(name)) and one.number is not None
    }
    sample = Sample(uptime, counters)
    needed, is_up, speed = (
        port.fits(spec.must_be_up),
        port.state("oper") == _UP,
        port.state("speed"),
    )
    best = memory.get("speed", 0)
    best = max(speed, best if isinstance(best, int) else 0)
    findings = [_link(port) if needed and not is_up else None]
    if needed and is_up and 0 < speed < best:
        slower = f"{speed} Mbit/s where it had {best}: a bad cable, or a leg of the bundle is down"
        findings.append((Status.WARNING, slower))
    measured = [Measurement("up", int(is_up), minimum=0, maximum=1)]
    if is_up:
        found, told = _traffic(spec, sample.rates(memory), speed)
        findings, measured = findings + found, measured + told
    good = "up" if is_up else _OPER.get(port.state("oper"), "down")
    if port.state("admin") == _DOWN:
        good = "shut down by its administrator"
    result = verdict(thing, findings, good, tuple(measured))
    return replace(result, item=port.item, memory=sample.memory() | {"speed": best})


def _link(port: Port) -> Finding:
    if port.state("admin") == _DOWN:
        return Status.CRITICAL, "somebody shut it down in the device's configuration"
    state = _OPER.get(port.state("oper"), "in an unknown state")
    return Status.CRITICAL, f"is {state}: the cable, the module or the device at its other end"


def _traffic(
    spec: SnmpInterfacesSpec, rates: Mapping[str, float], speed: int
) -> tuple[list[Finding | None], list[Measurement]]:
    findings: list[Finding | None] = []
    told: list[Measurement] = []
    for name, limit, cause in (
        ("errors", spec.errors, "cable, module, or duplex that differs"),
        ("discards", spec.discards, "more comes in than goes out: see what fills it"),
    ):
        ways = [rates[way] for way in (f"{name}_in", f"{name}_out") if way in rates]
        if ways:
            value = sum(ways)
            what = "faulty packets" if name == "errors" else "packets dropped"
            bad = limit.judge(f"{value:.2g} {what} a second", value, "a second")
            findings.append(bad and (bad[0], f"{bad[1]}: {cause}"))
            told.append(limit.measured(name, value))
    flows = {way: rates[way] for way in ("received", "sent") if way in rates}
    told += [Measurement(way, round(rate, 3), "B", minimum=0) for way, rate in flows.items()]
    if flows and speed > 0:
        way, most = max(flows.items(), key=lambda flow: flow[1])
        share = 100 * most / (speed * _MEGABIT)
        sentence = f"{show_percent(share)} % of {speed} Mbit/s {way}: see who fills it"
        findings.append(spec.use.judge(sentence, share, "%"))
        told.append(spec.use.measured("utilisation", share, "%"))
    return findings, told


KIND = NetworkProbe("snmp_interfaces", SnmpInterfacesSpec, probe)
"""The `snmp_interfaces` probe: see SnmpInterfacesSpec."""
