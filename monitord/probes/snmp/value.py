"""The `snmp` probe: one object of an agent, as a number, a text, or a counter's rate.

It decides on that value; which object tells what, the device's manual says.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Threshold
from monitord.model.text import one_line
from monitord.probes.limits import over, show_age
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.service.limits import number
from monitord.probes.snmp.login import AgentSpec
from monitord.probes.snmp.rates import Sample
from monitord.probes.snmp.talk import UPTIME, Talk, look
from monitord.probes.snmp.told import Oid, Told, parse_oid, show_oid
from monitord.probes.verdict import Finding, verdict

NAMES = {
    "sysDescr": "1.3.6.1.2.1.1.1.0",
    "sysUpTime": show_oid(UPTIME),
    "sysName": "1.3.6.1.2.1.1.5.0",
    "hrSystemUptime": "1.3.6.1.2.1.25.1.1.0",
    "hrSystemProcesses": "1.3.6.1.2.1.25.1.6.0",
    "tcpCurrEstab": "1.3.6.1.2.1.6.9.0",
    "ipForwarding": "1.3.6.1.2.1.4.1.0",
    "laLoad1": "1.3.6.1.4.1.2021.10.1.3.1",
    "memAvailReal": "1.3.6.1.4.1.2021.4.6.0",
    "prtMarkerLifeCount": "1.3.6.1.2.1.43.10.2.1.4.1.1",
}
"""The few objects that go by a name here; MIBs are not read."""


def _known(text: str) -> str:
    parse_oid(NAMES.get(text, text))
    return text


class SnmpSpec(AgentSpec):
    """One object of an SNMP agent, and what it must be."""

    example = """
        snmp:
          community: !secret file:/etc/monitord/snmp.community
          oid: 1.3.6.1.4.1.9.9.109.1.1.1.1.8.1
          name: CPU load over 5 min
          unit: "%"
          warning: 80
          critical: 95
    """

    oid: Annotated[str, AfterValidator(_known)] = Field(
        description=f"The object, in numbers, or one of {', '.join(NAMES)}.",
        examples=["1.3.6.1.2.1.1.3.0", "sysUpTime"],
    )
    name: str = Field("", description="What the value is, for the summary; left out: the OID.")
    equals: str | None = Field(
        None, description="What it must be, as text or number.", examples=["1"]
    )
    regex: Pattern | None = Field(
        None, description="A pattern (RE2) that it must match.", examples=["^8\\.4\\."]
    )
    warning: Threshold | None = Field(
        None, description="WARNING when the number is outside this.", examples=["80", "10:"]
    )
    critical: Threshold | None = Field(
        None, description="CRITICAL when the number is outside this."
    )
    scale: float = Field(
        1.0, description="What the number is multiplied with first.", examples=[0.1, 1024]
    )
    unit: str = Field("", max_length=20, description="The unit, for the summary: %, s, B, °C.")
    rate: bool = Field(
        default=False,
        description="The number counts up: judge by how much it grew a second. Its wraps and the "
        "device's restarts are seen.",
    )

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, given: object) -> object:
        if isinstance(given, dict) and isinstance(given.get("equals"), int | float):
            given = {**given, "equals": str(given["equals"])}
        return given

    @model_validator(mode="after")
    def _fits(self) -> "SnmpSpec":
        if self.rate and (self.equals is not None or self.regex):
            raise ValueError("rate judges a number: use warning and critical, not equals or regex")
        return self

    @property
    def place(self) -> Oid:
        """The OID."""
        return parse_oid(NAMES.get(self.oid, self.oid))


async def probe(spec: SnmpSpec, target: Target) -> Sequence[Result]:
    """Ask once and judge; see NetworkProbe for the contract."""

    async def work(talk: Talk) -> Sequence[Result]:
        said, uptime = await talk.get(spec.place, UPTIME)
        return [judge(spec, said, uptime, target)]

    return await look(spec, target, work)


def judge(spec: SnmpSpec, said: Told | None, uptime: Told | None, target: Target) -> Result:
    """Hold one value against the spec."""
    thing = one_line(spec.name, 80) or spec.oid
    if said is None:
        text = f"{thing}: the agent has no object {show_oid(spec.place)}, or hides it from this "
        return Result.unknown(text + "login", Cause.MISSING)
    if spec.rate:
        return _rate(spec, thing, said, uptime, target)
    findings: list[Finding | None] = []
    if spec.equals is not None and said.text != spec.equals:
        findings.append((Status.CRITICAL, f'is "{said.text}", expected "{one_line(spec.equals)}"'))
    if spec.regex and compile_pattern(spec.regex).search(said.text) is None:
        findings.append((Status.CRITICAL, f'is "{said.text}", expected /{one_line(spec.regex)}/'))
    try:
        value = number(said.text if said.number is None else said.number) * spec.scale
    except ValueError:
        if spec.warning or spec.critical:
            text = f'{thing}: is "{said.text}", which is no number'
            return Result.unknown(text, Cause.PLUGIN)
        return verdict(thing, findings, f'"{said.text}"')
    shown = _shown(spec, value)
    findings.append(over(shown, value, spec.warning, spec.critical, spec.unit))
    return verdict(thing, findings, shown, (_measured(spec, value, "c" if said.bits else ""),))


def _rate(spec: SnmpSpec, thing: str, said: Told, uptime: Told | None, target: Target) -> Result:
    if said.number is None or uptime is None or uptime.number is None:
        return Result.unknown(f'{thing}: "{said.text}" does not count', Cause.PLUGIN)
    sample = Sample(uptime.number, {"value": said})
    rate = sample.rates(target.memory.get("", {})).get("value")
    if rate is None:
        first = Result.ok(f"{thing}: counted from now on")
        return replace(first, memory=sample.memory())
    value = rate * spec.scale
    shown = f"{value:.4g}{spec.unit and ' ' + spec.unit} a second"
    found = over(shown, value, spec.warning, spec.critical, f"{spec.unit} a second".strip())
    result = verdict(thing, [found], shown, (_measured(spec, value, ""),))
    return replace(result, memory=sample.memory())


def _shown(spec: SnmpSpec, value: float) -> str:
    if spec.unit == "s" and value >= 60:  # noqa: PLR2004 - below, seconds are read at once
        return show_age(value, 1)
    return f"{value:.10g}{spec.unit and ' ' + spec.unit}"


def _measured(spec: SnmpSpec, value: float, counter: str) -> Measurement:
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    unit = spec.unit if spec.unit in {"s", "B", "%"} else ""
    name = "rate" if spec.rate else "value"
    return Measurement(name, value, unit or counter, warning, critical)


KIND = NetworkProbe("snmp", SnmpSpec, probe)
"""The `snmp` probe: see SnmpSpec."""
