"""Judges the sensors of a machine as its kernel tells them: temperatures and fans, an item each.

A chip knows best what it bears: its own limits count where it tells any, and the check's where it
tells none. Where chips have sensors the kernel's thermal zones are the same ones, and left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.verdict import Finding, verdict

_NUMBER = re.compile(r"-?[0-9]{1,9}")
_BEARABLE = range(20, 151)  # °C: a limit of a chip outside of it is a register that nobody set
_SANE = range(-60, 201)  # °C: a reading outside of it is no temperature


class TemperatureSpec(Spec):
    """Temperatures and fans of a machine, by the kernel's own sensors."""

    example: ClassVar[str] = """\
temperature:
  warning: 75
  critical: 90
  exclude: ["acpitz*"]
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "60s", "retry_every": "30s", "attempts": 3, "timeout": "20s"
    }  # fmt: skip

    warning: int = Field(
        default=75, ge=1, le=150, description="WARNING above this, in °C, where a chip has no max."
    )
    critical: int = Field(
        default=90, ge=1, le=150, description="CRITICAL above this, where a chip has no limit."
    )
    sensors: tuple[str, ...] = Field(
        default=(),
        description="Only these, `CHIP LABEL` (patterns), one of which must be there; empty: all.",
        examples=[["coretemp Package*", "nvme*"]],
    )
    exclude: tuple[str, ...] = Field(
        default=(), description="Those that are not looked at (patterns).", examples=[["acpitz*"]]
    )
    fans: bool = Field(
        default=True, description="Judge fans: below their own min, or still though they once ran."
    )


@dataclass(frozen=True, slots=True)
class _Sensor:
    word: str  # temp, fan, zone
    name: str
    value: int
    first: int | None  # max of a temperature, min of a fan
    second: int | None  # crit


def ask(_spec: TemperatureSpec, _target: Target) -> HostScript:
    """Give the script that reads them."""
    return frames.script("temperature", base="/sys")


def judge(
    spec: TemperatureSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result per sensor; that a fan has turned is its memory."""
    answer = frames.read(output, "temperature")
    if isinstance(answer, Result):
        return [answer]
    told = _told(answer)
    found = [one for one in told if _wanted(spec, one)]
    results = {one.name: _one(spec, one, target.memory.get(one.name, {})) for one in found}
    if results:
        return list(results.values())
    if spec.sensors:
        text = f"temperature: no sensor is one of {', '.join(spec.sensors)}: was its driver loaded?"
        return [Result.unknown(text, Cause.MISSING)]
    return [Result.ok("temperature: no sensors here (a virtual machine?)")]


def _told(answer: frames.Answer) -> list[_Sensor]:
    found = [
        one
        for word in ("temp", "fan")
        for frame in answer.of(word)
        if (one := _sensor(word, frame.rest)) is not None
    ]
    if any(one.word == "temp" for one in found):
        return found
    zones = (_sensor("zone", frame.rest) for frame in answer.of("zone"))
    return [*found, *(one for one in zones if one is not None)]


def _sensor(word: str, rest: str) -> _Sensor | None:
    """Read a line: value, max or min, crit, chip, label; None for one that tells no value."""
    parts = rest.split(" ", 3)
    if len(parts) != 4 or not _NUMBER.fullmatch(parts[0]):  # noqa: PLR2004 - as written above
        return None
    scale = 1 if word == "fan" else 1000
    value, first, second = (
        round(int(one) / scale) if _NUMBER.fullmatch(one) else None for one in parts[:3]
    )
    if value is None or (word != "fan" and value not in _SANE):
        return None
    return _Sensor(word, one_line(parts[3], 80), value, first, second)


def _wanted(spec: TemperatureSpec, one: _Sensor) -> bool:
    if one.word == "fan" and not spec.fans:
        return False
    if any(fnmatchcase(one.name, pattern) for pattern in spec.exclude):
        return False
    return not spec.sensors or any(fnmatchcase(one.name, pattern) for pattern in spec.sensors)


def _one(spec: TemperatureSpec, one: _Sensor, memory: Mapping[str, object]) -> Result:
    if one.word == "fan":
        ran = one.value > 0 or memory.get("ran") is True
        measured = (Measurement("turns", one.value, minimum=0),)
        result = verdict(one.name, [_fan(one, ran=ran)], f"{one.value} turns a minute", measured)
        return replace(result, item=one.name, memory={"ran": True} if ran else {})
    measured = (Measurement("temperature", one.value),)
    result = verdict(one.name, [_heat(spec, one)], f"{one.value} °C", measured)
    return replace(result, item=one.name)


def _heat(spec: TemperatureSpec, one: _Sensor) -> Finding | None:
    most = one.first if one.first in _BEARABLE else None
    worst = one.second if one.second in _BEARABLE else None
    critical = worst or max(spec.critical, most or 0)
    warning = most if most is not None and most < critical else min(spec.warning, critical)
    cause = "a fan, dust, or the air around it"
    if one.value >= critical:
        return Status.CRITICAL, f"{one.value} °C (limit {critical} °C): {cause}"
    if one.value > warning:
        return Status.WARNING, f"{one.value} °C (limit {warning} °C): {cause}"
    return None


def _fan(one: _Sensor, *, ran: bool) -> Finding | None:
    if one.value == 0 and ran:
        return Status.CRITICAL, "stands still, and it has turned before: stuck, unplugged or dead"
    if one.first and 0 < one.value < one.first:
        return Status.WARNING, f"{one.value} turns a minute (at least {one.first}): it wears out"
    return None


KIND = ScriptProbe("temperature", TemperatureSpec, ask, judge)
