"""Judges Linux software RAID (md) and ZFS pools by what the kernel tells of them: an item each."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Result, Status
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.host import kernel
from monitord.probes.limits import untold
from monitord.probes.verdict import Finding, verdict

_ARRAY = re.compile(r"(md\S*) : (\S+) ?(.*)")
_MEMBERS = re.compile(r"\[([0-9]{1,6})/([0-9]{1,6})\]")
_REBUILD = re.compile(r"(recovery|resync|reshape) *= *([0-9]{1,3}(?:\.[0-9]+)?)%")


class RaidSpec(Spec):
    """Which arrays must be there; what is degraded is critical, what is rebuilt a warning."""

    example: ClassVar[str] = "raid:\n  arrays: [md0, tank]\n"
    arrays: tuple[str, ...] = Field(
        default=(),
        description="Arrays and pools that must be there, beside any others that are found.",
        examples=[["md0", "tank"]],
    )


def parse(text: str) -> dict[str, list[Finding]]:
    """Read /proc/mdstat (md(4)): what is wrong with each array."""
    found: dict[str, list[Finding]] = {}
    here: list[Finding] = []
    for line in text.splitlines():
        if (match := _ARRAY.fullmatch(line)) is not None:
            here = found.setdefault(match[1], [])
            if match[2] != "active":
                here.append((Status.CRITICAL, f"is {match[2]}: it was not assembled whole"))
            failed = [word.partition("[")[0] for word in match[3].split() if "(F)" in word]
            if failed:
                here.append((Status.CRITICAL, f"{', '.join(failed)} failed: replace it"))
        elif line.startswith(" ") and found:
            here += _inside(line)
    return found


def _inside(line: str) -> list[Finding]:
    counted, rebuilt = _MEMBERS.search(line), _REBUILD.search(line)
    if counted and int(counted[2]) < int(counted[1]):
        told = f"degraded, {counted[2]} of {counted[1]} members work: one more may lose the data"
        return [(Status.CRITICAL, told)]
    return [(Status.WARNING, f"{rebuilt[1]} at {rebuilt[2]} %")] if rebuilt else []


def judge(spec: RaidSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result per array or pool; one without an item where there is none."""
    unknown = untold(facts, "kernel", "kernel:/proc/mdstat")
    if unknown is not None:
        return [unknown]
    told = parse(facts.kernel.get("/proc/mdstat", ""))
    for pool, state in kernel.named(facts, "/proc/spl/kstat/zfs/*/state").items():
        sick = (Status.CRITICAL, f"is {state.strip()}: zpool status says which disk")
        told[pool] = [] if state.strip() == "ONLINE" else [sick]
    for name in spec.arrays:
        told.setdefault(name, [(Status.CRITICAL, "is not there: it was not assembled at boot")])
    results = [
        replace(verdict(item, findings, "whole"), item=item)
        for item, findings in ((one_line(name), found) for name, found in sorted(told.items()))
    ]
    return results or [Result.ok("raid: no md array and no ZFS pool here")]


KIND = FactProbe("raid", RaidSpec, lambda _: (Section("kernel", ("raid",)),), judge)
