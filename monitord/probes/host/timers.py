"""Judges systemd timers: each runs when it should, and what it starts does not fail. An item each.

Timers that are neither named nor enabled nor active are nobody's. It starts and stops nothing.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.host.systemd import UnitName
from monitord.probes.host.units_told import Properties, blocks, instant
from monitord.probes.limits import show_age
from monitord.probes.verdict import Finding, verdict


class TimersSpec(Spec):
    """Timers of systemd: last and next run, what was missed, and whether what they start failed."""

    example: ClassVar[str] = """\
timers:
  timers: [backup.timer]
  ran_within: 26h
  longest: 4h
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "5m", "retry_every": "1m", "attempts": 2, "timeout": "30s"
    }  # fmt: skip

    timers: tuple[UnitName, ...] = Field(
        default=(),
        description="Timers that must be there and run; without any, all that are on.",
        examples=[["backup.timer"]],
    )
    ignore: tuple[UnitName, ...] = Field(
        default=(), description="Timers that do not matter.", examples=[["man-db.timer"]]
    )
    ran_within: Duration | None = Field(
        default=None,
        description="A last run longer ago than this is critical.",
        examples=["26h"],
    )
    late: Duration = Field(
        default="10m",
        validate_default=True,
        description="A timer that is overdue by more than this was missed: critical.",
    )
    longest: Duration | None = Field(
        default=None, description="A run that lasts longer than this is a warning.", examples=["4h"]
    )


def _timer(name: str) -> str:
    return name if name.endswith(".timer") else f"{name}.timer"


def ask(spec: TimersSpec, _target: Target) -> HostScript:
    """Give the script that asks systemd."""
    names = [_timer(name) for name in spec.timers] or ["*.timer"]
    return frames.script("timers", calls=f"timers {shlex.join(names)}")


def judge(
    spec: TimersSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result per timer; when it last ran is its memory, since a boot forgets it."""
    answer = frames.read(output, "timers")
    if isinstance(answer, Result):
        return [answer]
    if answer.code("timers") != 0:
        said = answer.complaint or "no reason given"
        return [Result.unknown(f"timers: systemd does not tell: {said}", Cause.PLUGIN)]
    units = {unit["Id"]: unit for unit in blocks(answer.said("units"))}
    ignored = {_timer(name) for name in spec.ignore}
    timers = {
        one_line(timer["Id"]): timer
        for timer in blocks(answer.said("timers"))
        if timer["Id"] not in ignored and (spec.timers or _is_on(timer))
    }
    results = [
        _judge(
            spec,
            timer,
            units.get(timer.get("Unit", ""), {}),
            target.memory.get(name, {}),
            answer.now,
        )
        for name, timer in sorted(timers.items())
    ]
    return results or [Result.ok("timers: none is on here")]


def _is_on(timer: Properties) -> bool:
    on = timer.get("ActiveState") != "inactive"
    return on or timer.get("UnitFileState") in {"enabled", "enabled-runtime"}


def _judge(
    spec: TimersSpec, timer: Properties, unit: Properties, memory: Mapping[str, Any], now: int
) -> Result:
    name = one_line(timer["Id"])
    told = instant(timer.get("LastTriggerUSec", ""))
    before = memory.get("ran")
    last = max((at for at in (told, before) if isinstance(at, int | float)), default=None)
    watched = float(memory.get("watched", now))
    findings = (
        _timer_itself(spec, timer),
        _missed(spec, timer, now),
        _started(timer, unit),
        _aged(spec, last, watched, now),
        _long(spec, timer, unit, now),
    )
    age = () if last is None else (Measurement("age", max(0.0, now - last), "s", minimum=0),)
    result = verdict(name, findings, _good(timer, last, now), age)
    kept = {"watched": watched} if last is None else {"watched": watched, "ran": last}
    return replace(result, item=name, memory=kept)


def _good(timer: Properties, last: float | None, now: int) -> str:
    ran = "has not run yet" if last is None else f"last ran {show_age(now - last, 1)} ago"
    due = instant(timer.get("NextElapseUSecRealtime", ""))
    return ran if due is None or due < now else f"{ran}, next in {show_age(due - now, 1)}"


def _timer_itself(spec: TimersSpec, timer: Properties) -> Finding | None:
    active = one_line(timer.get("ActiveState", ""), 40)
    if timer.get("LoadState") == "not-found":
        return Status.CRITICAL, "there is no such timer on the host"
    if timer.get("LoadState") == "masked":
        return Status.CRITICAL, "is masked, so that nothing can start it"
    if active == "failed":
        return Status.CRITICAL, f"has failed (result: {one_line(timer.get('Result', ''), 40)})"
    if active == "inactive":
        bad = Status.CRITICAL if spec.timers else Status.WARNING
        return bad, "is stopped: nothing starts its unit (systemctl start it)"
    return None


def _missed(spec: TimersSpec, timer: Properties, now: int) -> Finding | None:
    due = instant(timer.get("NextElapseUSecRealtime", ""))
    if due is None or timer.get("SubState") != "waiting":
        return None
    if now - due <= spec.late.total_seconds():
        return None
    limit = format_duration(spec.late)
    return Status.CRITICAL, f"was due {show_age(now - due)} ago and has not run (limit {limit})"


def _started(timer: Properties, unit: Properties) -> Finding | None:
    if unit.get("ActiveState") != "failed":
        return None
    name, why = one_line(timer.get("Unit", ""), 80), one_line(unit.get("Result", ""), 40)
    code = one_line(unit.get("ExecMainStatus", ""), 10)
    shown = f"exit code {code}" if why == "exit-code" else why
    return Status.CRITICAL, f"{name} has failed ({shown}): journalctl -u {name} says why"


def _aged(spec: TimersSpec, last: float | None, watched: float, now: int) -> Finding | None:
    if spec.ran_within is None:
        return None
    age, limit = now - (watched if last is None else last), spec.ran_within
    if age <= limit.total_seconds():
        return None
    ran = "has not run since it is watched, for" if last is None else "last ran"
    ago = "" if last is None else " ago"
    return Status.CRITICAL, f"{ran} {show_age(age)}{ago} (limit {format_duration(limit)})"


def _long(spec: TimersSpec, timer: Properties, unit: Properties, now: int) -> Finding | None:
    began = instant(unit.get("InactiveExitTimestamp", ""))
    if spec.longest is None or began is None or timer.get("SubState") != "running":
        return None
    if now - began <= spec.longest.total_seconds():
        return None
    runs, limit = show_age(now - began), format_duration(spec.longest)
    return Status.WARNING, f"its run lasts {runs} (limit {limit}): the next one cannot begin"


KIND = ScriptProbe("timers", TimersSpec, ask, judge)
