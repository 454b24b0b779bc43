"""Judges whether a host waits for a reboot: its packages say so, or a newer kernel is installed.

It never boots anything; how long it may wait the user says.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.limits import show_age
from monitord.probes.verdict import verdict

_PARTS = re.compile(r"[0-9]{1,9}|[a-z]+")
_NAMED = 3


class RebootSpec(Spec):
    """Whether the host waits for a reboot: a newer kernel is installed, or its packages ask."""

    example: ClassVar[str] = """\
reboot:
  warning_after: 1d
  critical_after: 30d
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "1h", "retry_every": "10m", "attempts": 2, "recoveries": 1, "timeout": "30s"
    }  # fmt: skip

    warning_after: Duration = Field(
        default="1d", validate_default=True, description="Waiting longer than this is a warning."
    )
    critical_after: Duration | None = Field(
        default=None, description="Waiting longer than this is critical.", examples=["30d"]
    )


def ask(_spec: RebootSpec, _target: Target) -> HostScript:
    """Give the script that compares."""
    return frames.script("reboot")


def judge(
    spec: RebootSpec, output: PluginOutput, _target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result."""
    answer = frames.read(output, "reboot")
    if isinstance(answer, Result):
        return [answer]
    reasons = [reason for reason in (_asked(answer), _newer(answer)) if reason is not None]
    if not reasons:
        return [Result.ok("reboot: none is needed", Measurement("waits", 0, "s", minimum=0))]
    waits = max(0, answer.now - min(since for since, _ in reasons))
    why = "; ".join(text for _, text in reasons)
    measured = (Measurement("waits", waits, "s", minimum=0),)
    for status, limit in (
        (Status.CRITICAL, spec.critical_after),
        (Status.WARNING, spec.warning_after),
    ):
        if limit is not None and waits > limit.total_seconds():
            text = f"needed for {show_age(waits)} (limit {format_duration(limit)}): {why}"
            return [verdict("reboot", [(status, text)], "", measured)]
    return [verdict("reboot", [], f"needed since {show_age(waits, 1)}: {why}", measured)]


def _asked(answer: frames.Answer) -> tuple[int, str] | None:
    since = next((frames.number(frame.rest) for frame in answer.of("required")), None)
    if since is None:
        return None
    packages = list(dict.fromkeys(answer.said("packages").split()))
    shown = ", ".join(one_line(name, 60) for name in packages[:_NAMED])
    more = f" and {len(packages) - _NAMED} more" if len(packages) > _NAMED else ""
    return since, f"updated and not in use yet: {shown}{more}" if shown else "its packages ask"


def _newer(answer: frames.Answer) -> tuple[int, str] | None:
    """Give since when a newer kernel of the same flavour is installed."""
    running = next((frame.rest for frame in answer.of("running")), "")
    installed = [frame.rest.partition(" ") for frame in answer.of("kernel")]
    newer = [
        (_version(name), frames.number(at), name)
        for at, _, name in installed
        if _flavour(name) == _flavour(running) and _version(name) > _version(running)
    ]
    if not newer:
        return None
    _, since, name = max(newer)
    return since, f"it runs {one_line(running, 60)}, {one_line(name, 60)} is installed"


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _PARTS.findall(name) if part.isdigit())


def _flavour(name: str) -> tuple[str, ...]:
    """Give the words in it: amd, cloud amd, generic, el x: only these are compared."""
    return tuple(part for part in _PARTS.findall(name) if not part.isdigit())


KIND = ScriptProbe("reboot", RebootSpec, ask, judge)
