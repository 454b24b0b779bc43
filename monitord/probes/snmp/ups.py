"""The `snmp_ups` probe: on battery, how long it lasts, its load, a battery to replace, its alarms.

It judges by UPS-MIB (RFC 1628), which most makers' network cards speak beside their own.
"""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import show_age
from monitord.probes.service.limits import Limits, limits
from monitord.probes.snmp.login import AgentSpec
from monitord.probes.snmp.talk import Row, Talk, look
from monitord.probes.snmp.told import Oid, Told, show_oid
from monitord.probes.verdict import Finding, verdict

_UPS: Oid = (1, 3, 6, 1, 2, 1, 33, 1)
_SINGLE: Mapping[str, Oid] = {
    "model": (*_UPS, 1, 2, 0), "battery": (*_UPS, 2, 1, 0), "seconds": (*_UPS, 2, 2, 0),
    "minutes": (*_UPS, 2, 3, 0), "charge": (*_UPS, 2, 4, 0), "temperature": (*_UPS, 2, 7, 0),
    "source": (*_UPS, 4, 1, 0),
}  # fmt: skip
_LOAD: Oid = (*_UPS, 4, 4, 1, 5)
_ALARMS: Oid = (*_UPS, 6, 2, 1, 2)
_KNOWN_ALARMS: Oid = (*_UPS, 6, 3)
_BATTERY = {
    3: (Status.CRITICAL, "its battery is low: it will switch off soon"),
    4: (Status.CRITICAL, "its battery is empty: it carries its load no longer when power fails"),
}
_ON_BATTERY, _NORMAL = 5, 3
_SOURCE = {
    2: (Status.CRITICAL, "its output is off"),
    4: (Status.WARNING, "on bypass: the load has no protection"),
    6: (Status.WARNING, "raises a mains voltage that is too low"),
    7: (Status.WARNING, "lowers a mains voltage that is too high"),
}
_W, _C = Status.WARNING, Status.CRITICAL
_ALARM = {
    1: (_C, "a battery must be replaced"), 5: (_W, "the battery's temperature is wrong"),
    6: (_W, "the input power is wrong"), 7: (_C, "the output power is wrong"),
    8: (_C, "it carries more than it can"), 10: (_W, "the bypass is wrong"),
    13: (_C, "the charger failed"), 16: (_W, "a fan failed"), 17: (_C, "a fuse blew"),
    18: (_C, "a general fault"), 19: (_C, "its own test failed"),
    20: (_C, "its card has lost contact with it"), 21: (_C, "it waits for power"),
    22: (_C, "it will shut down"), 23: (_C, "it is about to shut down"),
}  # fmt: skip


class SnmpUpsSpec(AgentSpec):
    """A UPS: on mains, its batteries good and full, not overloaded."""

    example = """
        snmp_ups:
          community: !secret file:/etc/monitord/ups.community
          minutes: {warning: "15:", critical: "8:"}
    """

    minutes: Limits = Field(
        limits("15:", "5:"),
        description="Limits on the minutes that the batteries last at this load.",
    )
    load: Limits = Field(limits("80", "95"), description="Limits on the load, in percent.")
    charge: Limits = Field(
        limits("50:", "20:"), description="Limits on the charge of the batteries, in percent."
    )
    temperature: Limits = Field(
        limits("40", "50"), description="Limits on the batteries' temperature, in °C."
    )
    on_battery: Limits = Field(
        limits("0", "120"),
        description="Limits on the seconds that it has been on battery.",
        examples=[{"warning": "10", "critical": "300"}],
    )


async def probe(spec: SnmpUpsSpec, target: Target) -> Sequence[Result]:
    """Ask once and judge; see NetworkProbe for the contract."""

    async def work(talk: Talk) -> Sequence[Result]:
        said = dict(zip(_SINGLE, await talk.get(*_SINGLE.values()), strict=True))
        if said["battery"] is None and said["source"] is None:
            text = "tells nothing of UPS-MIB: no UPS, or its card has it switched off"
            return [Result.unknown(f"{target.address}: {text}", Cause.MISSING)]
        loads, alarms = await talk.walk(_LOAD), await talk.walk(_ALARMS)
        return [judge(spec, said, _numbers(loads), _texts(alarms))]

    return await look(spec, target, work)


def _numbers(rows: Mapping[Oid, Row]) -> list[int]:
    return [one.number for (one,) in rows.values() if one is not None and one.number is not None]


def _texts(rows: Mapping[Oid, Row]) -> list[str]:
    return [one.text for (one,) in rows.values() if one is not None]


def judge(
    spec: SnmpUpsSpec, said: Mapping[str, Told | None], loads: Sequence[int], alarms: Sequence[str]
) -> Result:
    """Give the verdict on what a UPS told; -1 and absent objects are not judged."""
    numbers = {
        name: one.number
        for name, one in said.items()
        if one is not None and one.number is not None and one.number >= 0
    }
    if loads:
        numbers["load"] = max(loads)
    findings = [*_state(spec, numbers), *_amounts(spec, numbers), *_alarms(alarms)]
    judged: tuple[tuple[str, Limits, str, str], ...] = (
        ("minutes", spec.minutes, "", "minutes"), ("load", spec.load, "%", "load"),
        ("charge", spec.charge, "%", "charge"),
        ("temperature", spec.temperature, "", "temperature"),
        ("seconds", spec.on_battery, "s", "on_battery"),
    )  # fmt: skip
    measured: tuple[Measurement, ...] = tuple(
        limit.measured(shown, numbers[name], unit)
        for name, limit, unit, shown in judged
        if name in numbers
    )
    model = said.get("model")
    thing = (one_line(model.text, 60) if model is not None else "") or "UPS"
    parts = ["on mains" if numbers.get("source") == _NORMAL else "no fault told"]
    parts += [f"load {numbers['load']} %"] if "load" in numbers else []
    return verdict(thing, findings, ", ".join(parts), measured)


def _state(spec: SnmpUpsSpec, numbers: Mapping[str, int]) -> Iterator[Finding | None]:
    seconds, source = numbers.get("seconds", 0), numbers.get("source", 0)
    if source == _ON_BATTERY or seconds > 0:
        left = f", {numbers['minutes']} min left" if "minutes" in numbers else ""
        sentence = f"on battery since {show_age(seconds)}{left}: the mains failed"
        yield spec.on_battery.judge(sentence, max(seconds, 1), "s")
    yield _SOURCE.get(source)
    yield _BATTERY.get(numbers.get("battery", 0))


def _amounts(spec: SnmpUpsSpec, numbers: Mapping[str, int]) -> Iterator[Finding | None]:
    for name, limit, sentence, unit in (
        ("minutes", spec.minutes, "the batteries last {} min: old, empty, or the load is high",
         "min"),
        ("load", spec.load, "load {} %: it will not carry it when power fails", "%"),
        ("charge", spec.charge, "the batteries are charged to {} %", "%"),
        ("temperature", spec.temperature, "the batteries are at {} °C: heat ages them", "°C"),
    ):  # fmt: skip
        if name in numbers:
            yield limit.judge(sentence.format(numbers[name]), numbers[name], unit)


def _alarms(alarms: Sequence[str]) -> Iterator[Finding]:
    known = {show_oid((*_KNOWN_ALARMS, number)): found for number, found in _ALARM.items()}
    told = show_oid(_KNOWN_ALARMS) + "."
    for alarm in alarms:
        if alarm in known:
            yield known[alarm]
        elif not alarm.startswith(told):
            yield Status.WARNING, f"an alarm of its maker: {one_line(alarm, 60)}"


KIND = NetworkProbe("snmp_ups", SnmpUpsSpec, probe)
"""The `snmp_ups` probe: see SnmpUpsSpec."""
