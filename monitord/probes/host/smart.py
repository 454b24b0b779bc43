"""Judges disks by what they tell of themselves: SMART of ATA disks, the health log of NVMe ones.

An item per disk. What a disk says of its own end is believed; counters are judged by their growth
as well, since a few old bad sectors are no news. It starts no self-test.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.verdict import Finding, verdict

_REALLOCATED, _PENDING, _UNCORRECTABLE = 5, 197, 198
_NAMES = {
    _REALLOCATED: "sectors reallocated",
    _PENDING: "sectors that cannot be read wait",
    _UNCORRECTABLE: "sectors uncorrectable",
}
_CANNOT_OPEN = 0b10  # bits of smartctl's exit code (its manual, EXIT STATUS)
_CRITICAL_NVME = {
    1: "its spare blocks are nearly used up",
    2: "it is too hot or too cold by its own limits",
    4: "it is not reliable any more",
    8: "it has become read-only",
    16: "its backup of volatile memory has failed",
}

Device = Annotated[str, Field(pattern=r"^/dev/[A-Za-z0-9/_.:-]+$")]


class SmartSpec(Spec):
    """Disks that tell of their end: SMART of ATA disks, the health log of NVMe ones.

    smartctl asks for root: the reading login needs sudo for `smartctl --scan-open` and
    `smartctl --json=c --all DEVICE`.
    """

    example: ClassVar[str] = """\
smart:
  temperature_warning: 55
  wear_warning: 80
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "15m", "retry_every": "2m", "attempts": 2, "recoveries": 1, "timeout": "60s"
    }  # fmt: skip

    devices: tuple[Device, ...] = Field(
        default=(),
        description="Only these, which must be there; left out: those that smartctl finds.",
        examples=[["/dev/sda", "/dev/nvme0"]],
    )
    temperature_warning: int | None = Field(
        default=60, ge=1, le=150, description="WARNING above this, in °C; null: off."
    )
    temperature_critical: int | None = Field(
        default=70, ge=1, le=150, description="CRITICAL above this, in °C; null: off."
    )
    wear_warning: int | None = Field(
        default=80, ge=1, le=255, description="WARNING above this percent of an SSD's rated life."
    )
    wear_critical: int | None = Field(
        default=100, ge=1, le=255, description="CRITICAL above this percent of its rated life."
    )
    bad_sectors: int = Field(
        default=0,
        ge=0,
        description="More reallocated sectors than this are a warning; those that wait or are "
        "uncorrectable always are.",
    )


def ask(spec: SmartSpec, _target: Target) -> HostScript:
    """Give the script that asks each disk."""
    return frames.script("smart", devices=" ".join(spec.devices))


def judge(spec: SmartSpec, output: PluginOutput, target: Target, _now: Instant) -> Sequence[Result]:
    """Give one result per disk; its counters are its memory."""
    answer = frames.read(output, "smart")
    if isinstance(answer, Result):
        return [answer]
    names = [frame.rest for frame in answer.of("begin")]
    if not names:
        return [Result.ok("smart: no disk tells of itself here (a virtual machine?)")]
    return [_disk(spec, name, answer, target.memory.get(name, {})) for name in names]


def _disk(spec: SmartSpec, name: str, answer: frames.Answer, memory: Mapping[str, Any]) -> Result:
    item = one_line(name, 80)
    try:
        told = json.loads(answer.said(name))
        code = told["smartctl"]["exit_status"]
        if code & _CANNOT_OPEN or "smart_status" not in told:
            return replace(_unopened(item, told, answer), item=item)
        return replace(_judged(spec, item, told, memory), item=item)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return replace(_silent(item, answer), item=item)


def _unopened(item: str, told: Mapping[str, Any], answer: frames.Answer) -> Result:
    said = [str(one.get("string", "")) for one in told["smartctl"].get("messages", ())]
    why = one_line("; ".join(said), 160) or answer.complaint or "it tells no health"
    if "no such device" in why.lower():
        return Result.critical(f"{item}: is not there any more: it has failed or was pulled: {why}")
    cause = Cause.LOGIN if "permi" in why.lower() else Cause.PLUGIN
    return Result.unknown(f"{item}: does not tell of itself: {why}", cause)


def _silent(item: str, answer: frames.Answer) -> Result:
    why = answer.complaint or "no reason given"
    cause = Cause.LOGIN if "sudo" in why or "permi" in why.lower() else Cause.PLUGIN
    return Result.unknown(f"{item}: smartctl tells nothing that can be read: {why}", cause)


def _judged(
    spec: SmartSpec, item: str, told: Mapping[str, Any], memory: Mapping[str, Any]
) -> Result:
    counters = dict(_counters(told))
    findings = [
        _end(told),
        *_nvme(told),
        *_sectors(spec, counters, memory),
        _heat(spec, told),
        _wear(spec, told),
        _test(told),
    ]
    model = one_line(str(told.get("model_name", "a disk")), 60)
    measured = tuple(_measured(told, counters))
    result = verdict(item, findings, f"is well ({model})", measured)
    return replace(result, memory={str(key): value for key, value in counters.items()})


def _counters(told: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Give the raw counts of bad sectors; of NVMe the media errors, as uncorrectable ones."""
    for one in told.get("ata_smart_attributes", {}).get("table", ()):
        if one["id"] in _NAMES:
            yield int(one["id"]), int(one["raw"]["value"])
    log = told.get("nvme_smart_health_information_log")
    if log:
        yield _UNCORRECTABLE, int(log.get("media_errors", 0))


def _end(told: Mapping[str, Any]) -> Finding | None:
    if told["smart_status"]["passed"]:
        return None
    bad = [
        one_line(str(one["name"]), 40)
        for one in told.get("ata_smart_attributes", {}).get("table", ())
        if str(one.get("when_failed", "")) == "now"
    ]
    which = f" ({', '.join(bad)})" if bad else ""
    return Status.CRITICAL, f"says itself that it will fail{which}: replace it now"


def _nvme(told: Mapping[str, Any]) -> Iterator[Finding]:
    log = told.get("nvme_smart_health_information_log", {})
    for bit, text in _CRITICAL_NVME.items():
        if int(log.get("critical_warning", 0)) & bit:
            yield Status.CRITICAL, text


def _sectors(
    spec: SmartSpec, counters: Mapping[int, int], memory: Mapping[str, Any]
) -> Iterator[Finding]:
    for number, text in _NAMES.items():
        count, before = counters.get(number, 0), memory.get(str(number))
        grown = count - before if isinstance(before, int) else 0
        allowed = spec.bad_sectors if number == _REALLOCATED else 0
        if grown > 0:
            more = f"{count} {text}, {grown} more since the last look: it dies: replace it"
            yield Status.CRITICAL, more
        elif count > allowed:
            limit = f" (limit {allowed})" if number == _REALLOCATED else ""
            yield Status.WARNING, f"{count} {text}{limit}: watch whether they grow"


def _temperature(told: Mapping[str, Any]) -> int | None:
    value = told.get("temperature", {}).get("current")
    return int(value) if value is not None else None


def _heat(spec: SmartSpec, told: Mapping[str, Any]) -> Finding | None:
    value = _temperature(told)
    for status, limit in (
        (Status.CRITICAL, spec.temperature_critical),
        (Status.WARNING, spec.temperature_warning),
    ):
        if value is not None and limit is not None and value > limit:
            return status, f"{value} °C (limit {limit} °C): a fan, or the air around it"
    return None


def _used(told: Mapping[str, Any]) -> int | None:
    value = told.get("nvme_smart_health_information_log", {}).get("percentage_used")
    return int(value) if value is not None else None


def _wear(spec: SmartSpec, told: Mapping[str, Any]) -> Finding | None:
    value = _used(told)
    for status, limit in (
        (Status.CRITICAL, spec.wear_critical), (Status.WARNING, spec.wear_warning)
    ):  # fmt: skip
        if value is not None and limit is not None and value > limit:
            return status, f"{value} % of its rated life are used (limit {limit} %)"
    return None


def _test(told: Mapping[str, Any]) -> Finding | None:
    """Judge the newest self-test alone: an old failure before a good one is mended."""
    rows = told.get("ata_smart_self_test_log", {}).get("standard", {}).get("table", ())
    if rows and rows[0]["status"].get("passed") is False:
        said = one_line(str(rows[0]["status"].get("string", "failed")), 80)
        return Status.CRITICAL, f"its last self-test failed: {said}"
    return None


def _measured(told: Mapping[str, Any], counters: Mapping[int, int]) -> Iterator[Measurement]:
    heat, used = _temperature(told), _used(told)
    if heat is not None:
        yield Measurement("temperature", heat)
    if used is not None:
        yield Measurement("wear", used, "%", minimum=0)
    if counters:
        yield Measurement("bad_sectors", sum(counters.values()), minimum=0)


KIND = ScriptProbe("smart", SmartSpec, ask, judge)
