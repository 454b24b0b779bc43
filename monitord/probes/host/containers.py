"""Judges containers of docker or podman by what its own command line tells: an item each.

It decides from states; it starts, stops and enters none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.limits import show_age
from monitord.probes.verdict import Finding, verdict

_KEPT_UP = frozenset({"always", "unless-stopped", "on-failure"})
_KILLED = 137  # 128 + SIGKILL
_STOPPED = frozenset({0, 143})  # 128 + SIGTERM: what a clean stop leaves


class ContainersSpec(Spec):
    """Containers of docker or podman: running, healthy, not restarting again and again.

    The reading login must be allowed to ask: the group docker is as good as root there.
    """

    example: ClassVar[str] = """\
containers:
  names: [shop, db]
  ignore: ["ci-*"]
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "60s", "retry_every": "15s", "attempts": 2, "timeout": "30s"
    }  # fmt: skip

    names: tuple[str, ...] = Field(
        default=(), description="Containers that must be there and run.", examples=[["shop", "db"]]
    )
    others: bool = Field(
        default=True,
        description="Judge all others too: what restarts, is unhealthy or has failed.",
    )
    ignore: tuple[str, ...] = Field(
        default=(),
        description="Names (`*` stands for any) that do not matter.",
        examples=[["ci-*"]],
    )
    max_restarts: int = Field(
        default=0,
        ge=0,
        description="More restarts than this since the last look are a warning.",
    )
    tool: Literal["auto", "docker", "podman"] = Field(
        default="auto", description="Which command is asked; auto: docker, else podman."
    )


def ask(spec: ContainersSpec, _target: Target) -> HostScript:
    """Give the script that lists them."""
    return frames.script("containers", tool=spec.tool)


def judge(
    spec: ContainersSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result per container; how often each was restarted is its memory."""
    answer = frames.read(output, "containers")
    if isinstance(answer, Result):
        return [answer]
    if answer.code("list") != 0:
        return [_refused(answer.complaint)]
    try:
        told = {_name(one): one for one in map(json.loads, _lines(answer.said("containers")))}
        results = [
            _judge(spec, name, one, target.memory.get(name, {}), answer.now)
            for name, one in sorted(told.items())
            if _wanted(spec, name)
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        text = f"containers: what is told makes no sense: {one_line(str(error), 80)}"
        return [Result.unknown(text, Cause.PLUGIN)]
    if answer.code("containers") not in {0, None} and not told:
        said = answer.complaint or "no reason given"
        return [Result.unknown(f"containers: they cannot be inspected: {said}", Cause.PLUGIN)]
    for name in spec.names:
        if name not in told:
            text = f"{name}: there is no such container: it was removed, or never made"
            results.append(replace(Result.critical(text), item=one_line(name)))
    return results or [Result.ok("containers: none here")]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _name(one: Mapping[str, Any]) -> str:
    return one_line(str(one["name"]).removeprefix("/"), 120)


def _wanted(spec: ContainersSpec, name: str) -> bool:
    if name in spec.names:
        return True
    return spec.others and not any(fnmatchcase(name, pattern) for pattern in spec.ignore)


def _refused(complaint: str) -> Result:
    if "permission denied" in complaint.lower():
        text = (
            "containers: the reading login may not ask: usermod -aG docker USER (which is as good "
            "as root there), or run rootless podman under it"
        )
        return Result.unknown(text, Cause.LOGIN)
    if "cannot connect" in complaint.lower():
        return Result.critical(f"containers: the daemon does not answer: {complaint}")
    said = complaint or "no reason given"
    return Result.unknown(f"containers: they cannot be listed: {said}", Cause.PLUGIN)


def _judge(
    spec: ContainersSpec, name: str, one: Mapping[str, Any], memory: Mapping[str, Any], now: int
) -> Result:
    restarts = int(one["restarts"])
    findings = (
        _state(one, must_run=name in spec.names),
        _health(one),
        _restarted(spec, one, memory),
    )
    since = _age(one["began"], now)
    status = one_line(str(one["status"]), 30)
    good = f"{status} since {show_age(since, 1)}" if status == "running" and since else status
    count = Measurement("restarts", restarts, "c", minimum=0)
    result = verdict(name, findings, good, (count,))
    kept = {"restarts": restarts, "id": one_line(str(one["id"]), 80)}
    return replace(result, item=name, memory=kept)


def _state(one: Mapping[str, Any], *, must_run: bool) -> Finding | None:
    status = str(one["status"])
    if status == "running":
        return None
    if status == "restarting":
        return Status.CRITICAL, f"dies again and again ({_ending(one)}): its own log says why"
    if status in {"exited", "stopped"}:
        return _ended(one, must_run=must_run)
    return _at_rest(one, status, must_run=must_run)


def _at_rest(one: Mapping[str, Any], status: str, *, must_run: bool) -> Finding | None:
    if status == "dead":
        return Status.CRITICAL, f"is dead: it could not be removed{_why(one)}"
    if must_run:
        return Status.CRITICAL, f"is {one_line(status, 30)} (must run){_why(one)}"
    if status == "paused":
        return Status.WARNING, "is paused: it holds its memory and does nothing"
    if int(one["code"]) and one.get("why"):
        return Status.WARNING, f"could not start{_why(one)}"
    return None


def _ended(one: Mapping[str, Any], *, must_run: bool) -> Finding | None:
    failed = int(one["code"]) not in _STOPPED or bool(one["oom"])
    if must_run:
        return Status.CRITICAL, f"has ended ({_ending(one)}; must run)"
    if not failed:
        return None
    if one["policy"] in _KEPT_UP:
        return Status.CRITICAL, f"has ended ({_ending(one)}) and nothing restarts it any more"
    return Status.WARNING, f"has ended ({_ending(one)})"


def _ending(one: Mapping[str, Any]) -> str:
    code = int(one["code"])
    if one["oom"]:
        return f"exit code {code}: killed for want of memory"
    why = _why(one) or (": killed" if code == _KILLED else "")
    return f"exit code {code}{why}"


def _why(one: Mapping[str, Any]) -> str:
    said = one_line(str(one.get("why") or ""), 120)
    return f": {said}" if said else ""


def _health(one: Mapping[str, Any]) -> Finding | None:
    if one["status"] == "running" and one.get("health") == "unhealthy":
        return Status.CRITICAL, "runs, but its own health check fails"
    return None


def _restarted(
    spec: ContainersSpec, one: Mapping[str, Any], memory: Mapping[str, Any]
) -> Finding | None:
    before = memory.get("restarts")
    # Another id is another container of that name: there is nothing to compare with.
    if not isinstance(before, int) or memory.get("id") != one["id"]:
        return None
    new = int(one["restarts"]) - before
    if new <= spec.max_restarts:
        return None
    times = "was restarted" if new == 1 else f"was restarted {new} times"
    return (
        Status.WARNING,
        f"{times} since the last look (limit {spec.max_restarts}; {_ending(one)})",
    )


def _age(text: Any, now: int) -> float | None:
    """Give the seconds since a time as the tools write it; None for one that never was."""
    try:
        began = datetime.fromisoformat(str(text)[:19] + "+00:00").timestamp()
    except ValueError:
        return None
    return max(0.0, now - began) if began > 0 else None


KIND = ScriptProbe("containers", ContainersSpec, ask, judge)
