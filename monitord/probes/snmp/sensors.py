"""The `snmp_sensors` probe: temperatures, fans, power supplies of a device, an item each.

It judges by ENTITY-SENSOR-MIB (RFC 3433) and, where there is one, ENTITY-STATE-MIB (RFC 4268).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.host.kernel import listed
from monitord.probes.service.limits import Limits, limits
from monitord.probes.snmp.login import AgentSpec
from monitord.probes.snmp.talk import Row, Talk, look
from monitord.probes.snmp.told import Oid
from monitord.probes.verdict import Finding, verdict

_SENSOR: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)
_COLUMNS = tuple(
    (*_SENSOR, column) for column in (1, 2, 3, 4, 5)
)  # type, scale, precision, value, state
_ENTITY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
_DESCR, _CLASS, _NAME = (*_ENTITY, 2), (*_ENTITY, 5), (*_ENTITY, 7)
_OPER: Oid = (1, 3, 6, 1, 2, 1, 131, 1, 1, 1, 3)

_UNITS = {
    3: "V AC", 4: "V DC", 5: "A", 6: "W", 7: "Hz", 8: "°C", 9: "% rH", 10: "rpm", 11: "m³/min",
}  # fmt: skip
_CELSIUS, _RPM = 8, 10
_UNSCALED = 9  # RFC 3433: EntitySensorDataScale units(9); each step is a thousand
_BROKEN = {2: "tells no value", 3: "is broken"}
_PARTS = {6: "power supply", 7: "fan"}
_DISABLED = 2
_HUGEST = 1e15


class SnmpSensorsSpec(AgentSpec):
    """Sensors of a device: not too hot, fans turn, power supplies work."""

    example = """
        snmp_sensors:
          community: !secret file:/etc/monitord/snmp.community
          temperature: {warning: 55, critical: 70}
    """

    temperature: Limits = Field(
        limits("60", "75"), description="Limits on temperatures, in °C.",
        examples=[{"warning": "55", "critical": "70"}],
    )  # fmt: skip
    fans: Limits = Field(
        limits(critical="1:"), description="Limits on the turns of fans, per minute."
    )
    sensors: tuple[str, ...] = Field(
        (), description="Only these (patterns); empty: all.", examples=[["*Inlet*", "PSU*"]]
    )
    exclude: tuple[str, ...] = Field(
        (), description="Those that are not looked at (patterns).", examples=[["*Transceiver*"]]
    )


@dataclass(frozen=True, slots=True)
class Sensor:
    """One reading: `value` in its base unit, `kind` and `state` as RFC 3433 numbers them."""

    item: str
    kind: int
    value: float
    state: int


async def probe(spec: SnmpSensorsSpec, target: Target) -> Sequence[Result]:
    """Read the tables and judge; see NetworkProbe for the contract."""

    async def work(talk: Talk) -> Sequence[Result]:
        readings, named = await talk.walk(*_COLUMNS), await talk.walk(_NAME, _DESCR, _CLASS)
        states = await talk.walk(_OPER)
        return judge(spec, sensors(readings, names(named)), parts(named, states), target.address)

    return await look(spec, target, work)


def names(rows: Mapping[Oid, Row]) -> dict[Oid, str]:
    """Give what each entity is called; where two have one name, the index tells them apart."""
    found = {}
    for index, (name, descr, _) in rows.items():
        told = [one.text for one in (name, descr) if one is not None and one.text]
        found[index] = one_line(told[0] if told else "", 60) or f"#{index[0]}"
    often = Counter(found.values())
    return {
        index: f"{name}#{index[0]}" if often[name] > 1 else name for index, name in found.items()
    }


def sensors(rows: Mapping[Oid, Row], named: Mapping[Oid, str]) -> list[Sensor]:
    """Give the readings, scaled; rows that make no sense are left out."""
    found = []
    for index, row in rows.items():
        numbers = [one.number for one in row if one is not None and one.number is not None]
        if len(numbers) != len(_COLUMNS) or not index:
            continue
        kind, scale, precision, raw, state = numbers
        power = 3 * (scale - _UNSCALED) - precision
        value = raw * 10.0**power if abs(power) < 40 else _HUGEST  # noqa: PLR2004 - yocto to yotta with 9 decimals
        found.append(Sensor(named.get(index, f"#{index[0]}"), kind, value, state))
    return found


def parts(rows: Mapping[Oid, Row], states: Mapping[Oid, Row]) -> dict[str, tuple[str, bool]]:
    """Give fans and power supplies that tell their state: what it is, and whether it works."""
    named, found = names(rows), {}
    for index, (_, _, kind) in rows.items():
        (state,) = states.get(index, (None,))
        what = _PARTS.get(kind.number or 0) if kind is not None else None
        if what is not None and state is not None:
            found[named[index]] = (what, state.number != _DISABLED)
    return found


def judge(
    spec: SnmpSensorsSpec,
    found: Sequence[Sensor],
    working: Mapping[str, tuple[str, bool]],
    address: str,
) -> Sequence[Result]:
    """Give one result for each sensor and part."""
    results = {
        one.item: _one(spec, one)
        for one in found
        if one.kind in _UNITS and listed(one.item, spec.sensors, spec.exclude)
    }
    for name, (what, works) in working.items():
        if listed(name, spec.sensors, spec.exclude) and name not in results:
            bad = (Status.CRITICAL, f"this {what} does not work: unplugged, without power, failed")
            results[name] = replace(verdict(name, [None if works else bad], "works"), item=name)
    if results:
        return list(results.values())
    text = f"{address}: tells no sensors of ENTITY-SENSOR-MIB, or none that is asked for"
    return [Result.unknown(text, Cause.MISSING)]


def _one(spec: SnmpSensorsSpec, sensor: Sensor) -> Result:
    if sensor.state in _BROKEN or abs(sensor.value) >= _HUGEST:
        text = f"{sensor.item}: this sensor {_BROKEN.get(sensor.state, 'tells nonsense')}"
        return Result.warning(text, item=sensor.item)
    value, unit = sensor.value, _UNITS[sensor.kind]
    shown, limit = f"{value:.6g} {unit}", Limits()
    finding: Finding | None = None
    if sensor.kind == _CELSIUS:
        limit = spec.temperature
        finding = limit.judge(f"{shown}: fans, dust, or the room's cooling", value, unit)
    elif sensor.kind == _RPM:
        limit = spec.fans
        finding = limit.judge(f"{shown}: this fan stands still or fails", value, unit)
    name = {_CELSIUS: "temperature", _RPM: "fan"}.get(sensor.kind, "value")
    measured: Measurement = limit.measured(name, value)
    return replace(verdict(sensor.item, [finding], shown, (measured,)), item=sensor.item)


KIND = NetworkProbe("snmp_sensors", SnmpSensorsSpec, probe)
"""The `snmp_sensors` probe: see SnmpSensorsSpec."""
