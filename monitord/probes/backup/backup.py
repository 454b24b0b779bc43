"""Judges a backup by what is in it: age of the newest snapshot, its size against those before it.

`verify: true` has the backup's own tool read it through as well; that is a check of its own with a
longer interval. Only a restore proves that it can be restored: see drill.py. Nothing here runs.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.ranges import parse_range
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Size, Threshold, format_duration
from monitord.model.text import one_line
from monitord.probes.backup.answer import Newest, newest, read
from monitord.probes.backup.source import BackupSource, script, share
from monitord.probes.limits import over, show_age, show_bytes, show_percent
from monitord.probes.verdict import Finding, verdict

_KEPT = 10  # sizes of earlier snapshots that make the usual one
_FEW = 3  # so many are needed before one can be called unusual
_AHEAD = 300.0  # seconds; hosts keep their own time


class BackupSpec(BackupSource):
    """Which backup, how old its newest snapshot may be, and how much it must hold."""

    example: ClassVar[str] = """\
backup:
  restic: {repository: /srv/restic, password_file: /etc/restic-password, host: web1}
  warning_age: 26h
  critical_age: 50h
  min_size: 1G
  warning_size: "75:200"         # percent of what is usual; outside it is a warning
  critical_size: "50:"           # below half is critical
"""

    warning_age: Duration = Field(
        default="26h",
        validate_default=True,
        description="A newest snapshot older than this is a warning.",
    )
    critical_age: Duration = Field(
        default="50h",
        validate_default=True,
        description="A newest snapshot older than this is critical.",
    )
    min_size: Size | None = Field(
        default=None, description="Holding less than this is critical.", examples=["100M"]
    )
    warning_size: Threshold | None = Field(
        default=parse_range("75:200"),
        description="Percent of the usual size (the median of the ten before) that are no warning.",
        examples=["75:200"],
    )
    critical_size: Threshold | None = Field(
        default=parse_range("50:"),
        description="Percent of the usual size below (or beyond) which it is critical.",
        examples=["50:"],
    )
    verify: bool = Field(
        default=False,
        description="Have it read through: `restic check`, `borg check`, tar to the end, "
        "pg_restore to the end.",
    )
    read_data: Annotated[str, AfterValidator(share)] = Field(
        default="",
        description="With verify, restic reads this share of the data too; for borg any is all.",
        examples=["5%", "all"],
    )


def ask(spec: BackupSpec, target: Target) -> HostScript:
    """Give the script that looks, and reads it through where that is wanted."""
    mode = "verify" if spec.verify else "look"
    return script(spec, mode, target.timeout, {"read_data": spec.read_data})


def judge(
    spec: BackupSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result; the sizes of the snapshots seen so far are its memory."""
    subject = f"{spec.kind} {one_line(spec.where, 120)}"
    answer = read(output, subject)
    if isinstance(answer, Result):
        return [answer]
    try:
        last = newest(answer)
        if spec.verify and "check" not in answer.frames:
            return [Result.unknown(f"{subject}: reading it through broke off", Cause.TIMEOUT)]
    except (ValueError, KeyError, TypeError) as error:
        text = f"{subject}: {spec.kind} told what cannot be understood: {one_line(str(error))}"
        return [Result.unknown(text, Cause.PLUGIN)]
    if isinstance(last, str):
        return [Result.critical(f"{subject}: {last}")]
    sizes = _sizes(target.memory.get("", {}))
    usual = _usual(sizes, last)
    findings = [*_age(spec, last), *_size(spec, last, usual)]
    read_through = ", read through" if spec.verify else ""
    size = "" if last.size is None else f", {show_bytes(last.size)}"
    good = f"{last.name}, {show_age(last.age, 1)} old{size}{read_through}"
    result = verdict(subject, findings, good, _measurements(last, usual))
    return [_with_memory(result, sizes, last)]


def _sizes(memory: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(size) for name, size in memory.get("sizes", ())}


def _usual(sizes: Mapping[str, int], last: Newest) -> float | None:
    """Give the median size of the snapshots before this one; None while they are few."""
    before = [size for name, size in sizes.items() if name != last.key]
    return statistics.median(before) if len(before) >= _FEW else None


def _age(spec: BackupSpec, last: Newest) -> Iterator[Finding]:
    for status, limit in (
        (Status.CRITICAL, spec.critical_age),
        (Status.WARNING, spec.warning_age),
    ):
        if last.age > limit.total_seconds():
            yield (
                status,
                f"{last.name} is {show_age(last.age)} old (limit {format_duration(limit)})",
            )
            break
    if last.age < -_AHEAD:
        yield Status.WARNING, f"{last.name} is {show_age(-last.age)} ahead: a clock is wrong"


def _size(spec: BackupSpec, last: Newest, usual: float | None) -> Iterator[Finding]:
    if last.size is None:
        return
    if spec.min_size is not None and last.size < spec.min_size:
        least = show_bytes(spec.min_size)
        yield Status.CRITICAL, f"holds only {show_bytes(last.size)} (at least {least})"
    if not usual:
        return
    percent = 100 * last.size / usual
    sentence = (
        f"{last.name} holds {show_bytes(last.size)}, {show_percent(percent)} % of the usual "
        f"{show_bytes(usual)}"
    )
    finding = over(sentence, percent, spec.warning_size, spec.critical_size, "%")
    if finding is not None:
        yield finding


def _measurements(last: Newest, usual: float | None) -> tuple[Measurement, ...]:
    told = [Measurement("age", round(max(0.0, last.age), 1), "s", minimum=0)]
    if last.size is not None:
        told.append(Measurement("size", last.size, "B", minimum=0))
    if last.files is not None:
        told.append(Measurement("files", last.files, minimum=0))
    if last.size is not None and usual:
        told.append(Measurement("share", round(100 * last.size / usual, 1), "%", minimum=0))
    return tuple(told)


def _with_memory(result: Result, sizes: dict[str, int], last: Newest) -> Result:
    """Remember the size, but not of what is critical: a broken one must not become the usual."""
    if last.size is None or result.status is Status.CRITICAL:
        return result
    kept = {**sizes, last.key: last.size}
    pairs = [list(pair) for pair in kept.items()][-_KEPT - 1 :]
    return Result(result.status, result.summary, result.measurements, memory={"sizes": pairs})


KIND = ScriptProbe("backup", BackupSpec, ask, judge)
