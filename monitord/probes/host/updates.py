"""Judges updates that wait: how many, which for security and since when, and how old the lists are.

It decides by the lists that are on the host; they are never refreshed and nothing is installed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import block, one_line
from monitord.probes.host import frames
from monitord.probes.limits import show_age
from monitord.probes.service.limits import Limits, limits
from monitord.probes.verdict import Finding, verdict

# Inst openssl [3.0.9-1] (3.0.11-1~deb12u2 Debian-Security:12/stable-security [amd64])
_APT = re.compile(
    r"Inst ([a-z0-9][a-z0-9+.-]{1,99})(?::\w+)? (?:\[[^\]]{1,200}\] )?\(([^)]{1,2000})\)"
)
# openssl-libs.x86_64    1:3.0.7-25.el9    baseos
_DNF = re.compile(
    r"([A-Za-z0-9][\w+.-]{0,99})\.(?:noarch|x86_64|aarch64|i686|ppc64le|s390x)\s+\S+\s+\S+"
)
# RHSA-2024:1234 Important/Sec. openssl-libs-1:3.0.7-25.el9.x86_64
_ADVISORY = re.compile(r"\S+\s+\S*Sec\.\s+(\S{1,120})-[^-\s]{1,80}-[^-\s]{1,80}")
_AVAILABLE = 100  # what dnf check-update ends with when there is something
_MOST = 500  # packages remembered
_NAMED = 5


class UpdatesSpec(Spec):
    """Updates that wait, by apt or dnf: their number, those for security, the age of the lists.

    The lists are never refreshed: that is for the host's own timer (apt-daily, dnf-makecache).
    """

    example: ClassVar[str] = """\
updates:
  security: {warning: 0}
  security_for: 14d
  pending: {warning: 100}
  lists_age: 7d
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "6h", "retry_every": "10m", "attempts": 2, "recoveries": 1, "timeout": "2m"
    }  # fmt: skip

    pending: Limits = Field(limits(), description="Limits on the number of all updates that wait.")
    security: Limits = Field(
        limits("0"), description="Limits on the number of those for security; left out: any warns."
    )
    security_for: Duration = Field(
        default="14d",
        validate_default=True,
        description="One for security that waits longer than this is critical.",
    )
    lists_age: Duration = Field(
        default="7d",
        validate_default=True,
        description="Lists that nobody refreshed for longer than this are a warning.",
    )


def ask(_spec: UpdatesSpec, _target: Target) -> HostScript:
    """Give the script that asks the package manager what it would do."""
    return frames.script("updates")


def judge(
    spec: UpdatesSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result; since when each update for security waits is its memory."""
    answer = frames.read(output, "updates")
    if isinstance(answer, Result):
        return [answer]
    apt = any(frame.rest == "apt" for frame in answer.of("source"))
    if answer.code("pending") not in ({0} if apt else {0, _AVAILABLE}):
        said = answer.complaint or f"exit code {answer.code('pending')}"
        return [Result.unknown(f"updates: they cannot be counted: {said}", Cause.PLUGIN)]
    pending = dict(_apt(answer.said("pending")) if apt else _dnf(answer))
    secure = sorted(name for name, security in pending.items() if security)
    waiting = _waiting(target.memory.get("", {}), secure, answer.now)
    lists = next((frames.number(frame.rest) for frame in answer.of("lists")), 0)
    findings = (
        _overdue(spec, waiting, answer.now),
        spec.security.judge(f"{_counted(secure)} for security", len(secure)),
        spec.pending.judge(f"{len(pending)} updates wait", len(pending)),
        _stale(spec, lists, answer.now),
    )
    told = (
        spec.pending.measured("pending", len(pending)),
        spec.security.measured("security", len(secure)),
        Measurement("lists_age", max(0, answer.now - lists) if lists else 0, "s", minimum=0),
    )
    good = f"{len(pending)} wait, {len(secure)} of them for security" if pending else "none wait"
    result = verdict("updates", findings, good, told)
    return [replace(result, details=block("\n".join(secure)), memory={"waiting": waiting})]


def _apt(text: str) -> Iterator[tuple[str, bool]]:
    """Give each package, and whether a source of its new version is one for security."""
    for line in text.splitlines():
        if match := _APT.match(line):
            yield match[1], "security" in match[2].lower()


def _dnf(answer: frames.Answer) -> Iterator[tuple[str, bool]]:
    advised = {
        match[1] for match in map(_ADVISORY.match, answer.said("security").splitlines()) if match
    }
    for line in answer.said("pending").splitlines():
        if line.startswith("Obsoleting"):
            return
        if match := _DNF.match(line):
            yield match[1], match[1] in advised


def _waiting(memory: Mapping[str, Any], secure: Sequence[str], now: int) -> dict[str, int]:
    """Give since when each has been seen to wait."""
    before = memory.get("waiting", {})
    return {name: int(before.get(name, now)) for name in secure[:_MOST]}


def _counted(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name, 40) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    waits = "1 update waits" if len(names) == 1 else f"{len(names)} updates wait"
    return f"{waits} ({shown}{more})" if names else waits


def _overdue(spec: UpdatesSpec, waiting: Mapping[str, int], now: int) -> Finding | None:
    limit = spec.security_for.total_seconds()
    late = {name: now - since for name, since in waiting.items() if now - since > limit}
    if not late:
        return None
    name = max(late, key=lambda each: late[each])
    more = f", and {len(late) - 1} more" if len(late) > 1 else ""
    text = (
        f"{one_line(name, 60)} waits for its security update for {show_age(late[name])}{more} "
        f"(limit {format_duration(spec.security_for)})"
    )
    return Status.CRITICAL, text


def _stale(spec: UpdatesSpec, lists: int, now: int) -> Finding | None:
    if not lists:
        return Status.WARNING, "there are no lists of packages: nothing is known of updates"
    if now - lists <= spec.lists_age.total_seconds():
        return None
    age, limit = show_age(now - lists), format_duration(spec.lists_age)
    text = f"the lists are {age} old (limit {limit}): is apt-daily.timer or dnf-makecache.timer on?"
    return Status.WARNING, text


KIND = ScriptProbe("updates", UpdatesSpec, ask, judge)
