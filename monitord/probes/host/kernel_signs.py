"""The kernel's own words for what is bad: which lines count, and whom they name. Pure.

Sources, of Linux: mm/oom_kill.c, block/blk-core.c, fs/buffer.c, fs/ext4/super.c, fs/xfs,
fs/btrfs/messages.c, kernel/hung_task.c, kernel/watchdog.c, kernel/rcu/tree_stall.h,
arch/x86/kernel/cpu/mce, drivers/edac.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitord.model.result import Status
from monitord.model.text import one_line
from monitord.probes.pattern import compile_pattern

_NAMED = 3  # of whom a summary tells


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that is bad: how bad, in which words, and what is likely behind it.

    A line counts that one of the patterns finds; its groups are what it names.
    """

    status: Status
    words: str
    likely: str
    patterns: tuple[str, ...]


def _sign(status: Status, words: str, likely: str, *patterns: str) -> Sign:
    return Sign(status, words, likely, patterns)


SIGNS: Mapping[str, Sign] = {
    "memory": _sign(
        Status.CRITICAL,
        "killed for want of memory",
        "the machine or a cgroup's limit is too small, or that program grows",
        r"Killed process (\d{1,10})(?:, UID \d{1,10},)? \(([^()]{1,64})\)",
    ),
    "disk": _sign(
        Status.CRITICAL,
        "errors of a disk",
        "it, its cable or its controller is dying",
        r"I/O error, dev ([\w!-]{1,40}), sector",
        r"critical (?:medium|target|space allocation) error, dev ([\w!-]{1,40})",
        r"Buffer I/O error on (?:dev|device) ([\w!-]{1,40}),",
        r"\b(ata\d{1,3}(?:\.\d\d)?): (?:exception Emask|failed command)",
        r"(nvme\d{1,3}): (?:I/O \d{1,6} .*timeout|controller is down|Removing after probe failure)",
    ),
    "filesystem": _sign(
        Status.CRITICAL,
        "errors of a filesystem",
        "its disk fails or it was damaged: save the data, then check it unmounted",
        r"EXT[234]-fs error \(device ([\w!-]{1,40})\)",
        r"EXT[234]-fs \(([\w!-]{1,40})\): [Rr]emounting filesystem read-only",
        r"Aborting journal on device ([\w!-]{1,40})",
        r"XFS \(([\w!-]{1,40})\): .*(?:[Cc]orruption|[Ss]hutting down|I/O error|has been shut)",
        r"BTRFS (?:error|critical|alert|emergency) \(device ([\w!-]{1,40})",
    ),
    "hung": _sign(
        Status.CRITICAL,
        "tasks that hang or hold a CPU",
        "a disk or network filesystem does not answer, or the host is overbooked",
        r"INFO: task ([^\s:]{1,40}):\d{1,10} blocked for more than",
        r"soft lockup - CPU#\d{1,5} stuck for \S{1,12} \[([^\]:]{1,40})",
        r"rcu: INFO: (rcu_\w{1,20}) (?:self-)?detected .{0,20}stalls?",
    ),
    "hardware": _sign(
        Status.CRITICAL,
        "errors of the hardware",
        "memory or a CPU fails: plan its exchange",
        r"\[Hardware Error\]: .{0,200}([Mm]achine [Cc]heck|uncorrected|Uncorrected)",
        r"EDAC (MC\d{1,3}): \d{1,6} UE ",
    ),
    "corrected": _sign(
        Status.WARNING,
        "corrected errors of memory",
        "a module begins to fail",
        r"EDAC (MC\d{1,3}): \d{1,6} CE ",
    ),
    "kernel": _sign(
        Status.CRITICAL,
        "faults of the kernel",
        "a bug or broken memory: the host should be booted anew soon",
        r"(kernel BUG at \S{1,80})",
        r"(BUG: unable to handle .{1,60})",
        r"(general protection fault, .{1,60})",
        r"(Kernel panic - not syncing.{0,80})",
        r"Oops: (\w{1,20})",
    ),
    "connections": _sign(
        Status.CRITICAL,
        "packets dropped",
        "more connections are tracked than nf_conntrack_max allows",
        r"(nf_conntrack): .{0,40}table full, dropping packet",
    ),
    "network": _sign(
        Status.WARNING,
        "stuck network cards",
        "its driver or its link fails",
        r"NETDEV WATCHDOG: (\S{1,20}).{0,60}transmit queue \d{1,5} timed out",
    ),
    "heat": _sign(
        Status.WARNING,
        "CPUs slowed down by heat",
        "a fan or the room's cooling fails",
        r"(CPU\d{1,5}): .{0,40}temperature above threshold",
    ),
}


_COMPILED: Mapping[str, tuple[Any, ...]] = {
    name: tuple(map(compile_pattern, sign.patterns)) for name, sign in SIGNS.items()
}
_ANY = compile_pattern("|".join(one for sign in SIGNS.values() for one in sign.patterns))
"""Most lines show nothing: one search says so."""


def read(lines: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Give for each sign the lines that show it, and whom each names."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in filter(_ANY.search, lines):
        for name, patterns in _COMPILED.items():
            match = next(filter(None, (one.search(line) for one in patterns)), None)
            if match is not None:
                found.setdefault(name, []).append((_who(name, match), line))
                break
    return found


def _who(name: str, match: Any) -> str:
    named = f"{match[2]} (pid {match[1]})" if name == "memory" else match[1]
    return one_line(named, 80)


def named(who: Sequence[str]) -> str:
    """Give whom several lines name, the last first, each once."""
    different = list(dict.fromkeys(reversed(who)))
    more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
    return ", ".join(different[:_NAMED]) + more
