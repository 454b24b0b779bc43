"""From two samples of a counter to a rate, by the device's own clock; wraps and restarts are seen.

Pure. The device's sysUpTime is the clock: it tells a restart, and our own delays do not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitord.probes.snmp.told import Told

_TICKS = 100.0  # sysUpTime counts hundredths of a second
_HALF = 2**31


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters by name at the device's `uptime` (in hundredths of a second)."""

    uptime: int
    counters: Mapping[str, Told]

    def memory(self) -> dict[str, Any]:
        """Give what the next look compares with (JSON)."""
        counts = {name: one.number for name, one in self.counters.items()}
        return {"uptime": self.uptime, "counters": counts}

    def since(self, memory: Mapping[str, Any]) -> float:
        """Give the seconds since the last sample; 0: none, or the device restarted since."""
        before = memory.get("uptime")
        if not isinstance(before, int) or self.uptime <= before:
            return 0.0
        return (self.uptime - before) / _TICKS

    def rates(self, memory: Mapping[str, Any]) -> dict[str, float]:
        """Give how much each counter grew a second; what cannot be told is left out."""
        seconds, before = self.since(memory), memory.get("counters")
        if seconds <= 0 or not isinstance(before, Mapping):
            return {}
        grown = {name: growth(before.get(name), now) for name, now in self.counters.items()}
        return {name: count / seconds for name, count in grown.items() if count is not None}


def growth(before: Any, now: Told) -> int | None:
    """Tell by how much a counter grew; None: not known, or it was set back to 0.

    A counter of 32 bits that was in its upper half has wrapped. One of 64 bits never does in a
    device's life (at 400 Gbit/s in 11 years): smaller than before, it was cleared.
    """
    if not isinstance(before, int) or now.number is None:
        return None
    if now.number >= before:
        return now.number - before
    if now.bits == 32 and before >= _HALF:  # noqa: PLR2004 - the width of a Counter32
        return now.number + 2**32 - before
    return None
