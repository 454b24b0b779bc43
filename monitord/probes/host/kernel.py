"""Reads the texts of the kernel's files, and makes rates of their counters: pure, nothing judged.

Lines that make no sense are skipped. A rate needs a sample before: it is kept in the probe's memory
with the boot it is of and that host's own time since boot, so that no clock can spoil it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from monitord.model.facts import Facts
from monitord.model.result import Result, Status

_DIGITS = re.compile(r"-?[0-9]{1,20}")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_SHORTEST = 1.0  # seconds: counters of a shorter span tell more of their ticks than of the load
_WRAP = 1 << 32
_HALF = 1 << 31


def whole(text: str) -> int | None:
    """Read a whole number of at most 20 digits; None for anything else."""
    return int(text) if _DIGITS.fullmatch(text) else None


def decimal(text: str) -> float | None:
    """Read a number with or without decimals; None for anything else."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def wholes(texts: Sequence[str]) -> list[int] | None:
    """Read all as whole numbers, or None."""
    read = [whole(text) for text in texts]
    return None if None in read else [number for number in read if number is not None]


def value(facts: Facts, path: str) -> int | None:
    """Give the one number that the file at `path` holds."""
    return whole(facts.kernel.get(path, "").strip())


def named(facts: Facts, pattern: str) -> dict[str, str]:
    """Give the texts of all files that match a path with one `*`, by what the `*` stood for."""
    before, _, after = pattern.partition("*")
    found = {}
    for path, text in facts.kernel.items():
        if path.startswith(before) and path.endswith(after):
            name = path[len(before) : len(path) - len(after)]
            if name and "/" not in name:
                found[name] = text
    return found


def listed(name: str, wanted: Sequence[str], excluded: Sequence[str]) -> bool:
    """Tell whether to look at `name`: named plainly, or wanted by a pattern and not excluded."""
    if name in wanted:
        return True
    if any(fnmatchcase(name, pattern) for pattern in excluded):
        return False
    return not wanted or any(fnmatchcase(name, pattern) for pattern in wanted)


def plain(wanted: Sequence[str]) -> tuple[str, ...]:
    """Give what is named without a pattern."""
    return tuple(name for name in wanted if not any(sign in name for sign in "*?["))


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters at one moment: `at` in seconds since the boot `boot`."""

    boot: str
    at: float
    counters: Mapping[str, int]

    def memory(self) -> dict[str, Any]:
        """Give it as JSON values, for the next look."""
        return {"boot": self.boot, "at": self.at, "counters": dict(self.counters)}


@dataclass(frozen=True, slots=True)
class Rates:
    """What counters grew by in `seconds`; a counter that began anew is not among them."""

    seconds: float
    grown: Mapping[str, int]

    def each(self, name: str) -> float | None:
        """Give how much a counter grew per second."""
        grown = self.grown.get(name)
        return None if grown is None else grown / self.seconds


def sample(facts: Facts, counters: Mapping[str, int]) -> Sample:
    """Put the host's boot and its own time to counters that were read just now."""
    read = decimal(facts.kernel.get("/proc/uptime", "").partition(" ")[0])
    return Sample(facts.boot_id, facts.uptime if read is None else read, counters)


def rates(memory: Mapping[str, Any], now: Sample) -> Rates | None:
    """Give what grew since the sample in `memory`; None for the first, a new boot, or none yet."""
    at, before = memory.get("at"), memory.get("counters")
    if memory.get("boot") != now.boot or not isinstance(before, Mapping):
        return None
    if not isinstance(at, int | float) or now.at - at < _SHORTEST:
        return None
    grown = {
        name: growth
        for name, count in now.counters.items()
        if (growth := delta(before.get(name), count)) is not None
    }
    return Rates(now.at - at, grown)


def delta(before: object, now: int) -> int | None:
    """Give the growth of a counter; one of 32 bits may have wrapped, else it began anew: None."""
    if not isinstance(before, int):
        return None
    if now >= before:
        return now - before
    wrapped = now + _WRAP - before
    return wrapped if before < _WRAP and wrapped < _HALF and before >= _HALF else None


def first(thing: str, now: Sample, memory: Mapping[str, Any], item: str = "") -> Result:
    """Give the result that only lays the ground: the older sample stays where it is too young."""
    young = memory.get("boot") == now.boot and isinstance(memory.get("at"), int | float)
    keep = dict(memory) if young and 0 <= now.at - memory["at"] < _SHORTEST else now.memory()
    return Result(Status.PENDING, f"{thing}: a rate needs a second look", item=item, memory=keep)
