"""Reads /proc/diskstats (Documentation/admin-guide/iostats.rst): counters of whole disks; pure."""

from monitord.model.facts import Facts
from monitord.probes.host import kernel

FIELDS = (
    "reads", "reads_merged", "sectors_read", "read_ms",
    "writes", "writes_merged", "sectors_written", "write_ms",
    "in_flight", "busy_ms", "queued_ms",
)  # fmt: skip
_NAME = 2
_START = 3
_BUSY = "busy:"
_VIRTUAL = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")
_HALF_BUSY = 0.3


def parse(text: str) -> dict[str, dict[str, int]]:
    """Give the counters by device, partitions among them; lines that make no sense are skipped."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        counts = kernel.wholes(words[_START : _START + len(FIELDS)])
        if counts is not None and len(counts) == len(FIELDS):
            found[words[_NAME]] = dict(zip(FIELDS, counts, strict=True))
    return found


def disks(facts: Facts) -> dict[str, dict[str, int]]:
    """Give the counters of whole devices: of all where the host does not tell which are."""
    told = parse(facts.kernel.get("/proc/diskstats", ""))
    whole = {name.replace("!", "/") for name in kernel.named(facts, "/sys/block/*/ro")}
    return {name: counts for name, counts in told.items() if not whole or name in whole}


def ticks(facts: Facts) -> dict[str, int]:
    """Give for how many ms each physical disk was busy, as counters to keep beside others."""
    return {
        f"{_BUSY}{name}": counts["busy_ms"]
        for name, counts in disks(facts).items()
        if not name.startswith(_VIRTUAL)
    }


def busiest(grown: kernel.Rates) -> str:
    """Name the disk that was busy for longest, if it was for a good part of the time."""
    busy = {name: count for name, count in grown.grown.items() if name.startswith(_BUSY)}
    most = max(busy, key=lambda name: busy[name], default="")
    if not most or busy[most] < _HALF_BUSY * grown.seconds * 1000:
        return ""
    return most.removeprefix(_BUSY)
