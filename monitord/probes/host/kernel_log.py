"""Judges what the kernel wrote since the last look: who was killed, which disk fails, what hangs.

It decides which lines count and for how long; what they look like is kernel_signs.py.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import block, one_line
from monitord.probes.compiled import Compiled
from monitord.probes.host import frames, journal, kernel_signs, tally
from monitord.probes.host.kernel_signs import SIGNS
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.verdict import Finding, verdict

_BUDGET = 400_000  # bytes
_RING = re.compile(r"ring:[0-9a-f]{1,16}:[0-9]{1,12}(\.[0-9]{1,9})?")
_AT = re.compile(r"\[ *([0-9]{1,12}(?:\.[0-9]{1,9})?)\]")
_SHOWN = 20  # lines that a ticket shows


class KernelSpec(Spec):
    """What the kernel complains of: memory, disks, filesystems, hung tasks, hardware, itself.

    Each message counts once, from the first look on. Whoever was killed is named.
    """

    example: ClassVar[str] = """\
kernel:
  within: 1h
  ignore: ["dev (fd|sr)[0-9]"]
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "60s", "attempts": 1, "recoveries": 1, "timeout": "30s"
    }  # fmt: skip

    within: Duration = Field(
        default="1h", validate_default=True, description="It stays bad that long after a message."
    )
    ignore: tuple[Pattern, ...] = Field(
        default=("dev (fd|sr)[0-9]",),
        description="Messages that do not count (RE2); left out: of floppy and CD drives.",
        examples=[["dev (fd|sr)[0-9]"]],
    )


def ask(_spec: KernelSpec, _target: Target) -> HostScript:
    """Give the script that reads on."""
    return frames.script("journal", "kernel_log", budget=_BUDGET)


def since(target: Target) -> str:
    """Give where the last look ended: a cursor, or a time in the ring."""
    ring = str(target.memory.get("", {}).get("ring", ""))
    return ring if _RING.fullmatch(ring) else journal.since(target)


def judge(spec: KernelSpec, output: PluginOutput, target: Target, now: Instant) -> Sequence[Result]:
    """Give one result; the place, the counts and who was named are its memory."""
    answer = frames.read(output, "kernel")
    if isinstance(answer, Result):
        return [answer]
    told = _told(answer, target)
    if isinstance(told, Result):
        return [told]
    lines, place, first = told
    before = target.memory.get("", {})
    ignored = _IGNORED(spec)
    found = kernel_signs.read(
        line for line in lines if not any(one.search(line) for one in ignored)
    )
    span = spec.within.total_seconds()
    fresh = {name: len(found.get(name, ())) for name in SIGNS}
    hits = tally.counted(before.get("hits"), fresh, now=now / 1_000_000, span=span)
    hits = {name: pairs for name, pairs in hits.items() if pairs}
    named = _named(before.get("named"), found, hits)
    findings = [_finding(spec, name, tally.total(pairs), named) for name, pairs in hits.items()]
    counts = tuple(
        Measurement(name, tally.total(hits.get(name, ())), "", minimum=0) for name in SIGNS
    )
    good = "read from now on" if first else f"no complaint in {format_duration(spec.within)}"
    result = verdict("kernel", findings, good, counts)
    shown = [line for matches in found.values() for _, line in matches[-_SHOWN:]]
    memory = {**place, "hits": hits, "named": named}
    return [replace(result, details=block("\n".join(shown)), memory=memory)]


_IGNORED: Compiled[KernelSpec, list[Any]] = Compiled(
    lambda spec: [compile_pattern(one) for one in spec.ignore]
)


def _told(
    answer: frames.Answer, target: Target
) -> tuple[Sequence[str], Mapping[str, str], bool] | Result:
    """Give the new lines, the place to go on from, and whether only that was asked for."""
    source = next((frame.rest for frame in answer.of("source")), "")
    if source == "journal":
        read = journal.entries(answer, target, "kernel")
        if isinstance(read, Result):
            return read
        return read.messages, {"cursor": read.cursor}, read.first
    if "not permitted" in answer.complaint or "denied" in answer.complaint:
        text = (
            "kernel: the reading login may not read the kernel's messages: add it to the group "
            "systemd-journal (usermod -aG systemd-journal USER), or set kernel.dmesg_restrict=0"
        )
        return Result.unknown(text, Cause.LOGIN)
    lines = answer.said("ring").splitlines()
    before = since(target)
    times = [match[1] for match in map(_AT.match, lines) if match]
    if not times and not before:
        text = f"kernel: dmesg tells no times: {answer.complaint or 'it is empty'}"
        return Result.unknown(one_line(text), Cause.PLUGIN)
    place = f"{source}:{times[-1]}" if times else before
    first = not before.startswith("ring:")
    return [] if first else lines, {"ring": place}, first


def _named(
    kept: Any, found: Mapping[str, Sequence[tuple[str, str]]], hits: Mapping[str, Any]
) -> dict[str, str]:
    """Give whom each sign names: in this look, else in the last one that saw it."""
    before = kept if isinstance(kept, Mapping) else {}
    return {
        name: kernel_signs.named([who for who, _ in found[name]])
        if name in found
        else one_line(str(before.get(name, "")), 200)
        for name in hits
    }


def _finding(spec: KernelSpec, name: str, count: int, named: Mapping[str, str]) -> Finding:
    sign, span = SIGNS[name], format_duration(spec.within)
    return sign.status, f"{count} × {sign.words} in {span}: {named[name]} ({sign.likely})"


KIND = ScriptProbe("kernel", KernelSpec, ask, judge, since=since)
