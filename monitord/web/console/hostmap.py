"""The map of all hosts: cells that a page brings once, and one letter a host for what follows.

Five thousand cells are half a megabyte: a console that is open is sent five kilobytes instead. The
hosts stand by name, so that each stays in its place. It shapes what /v1/now gives, and no more.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SIGNS = {"OK": "", "CRITICAL": "✕", "WARNING": "!", "UNKNOWN": "?"}


@dataclass(frozen=True, slots=True)
class HostMap:
    """`hosts` is a digest of the names, `states` the first letter of each status, by name."""

    hosts: str = ""
    states: str = ""
    rows: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def cells(self) -> Sequence[tuple[str, str, str]]:
        """Give name, status and sign of each: a status is never told by colour alone."""
        return [(name, status, SIGNS.get(status, "…")) for name, status in self.rows]


def host_map(now: Mapping[str, Any] | None) -> HostMap:
    """Give the map of a picture."""
    rows = tuple(sorted((one["host"], one["status"]) for one in (now or {}).get("hosts", ())))
    names = "/".join(name for name, _ in rows)
    return HostMap(
        hashlib.sha256(names.encode(errors="replace")).hexdigest()[:16],
        "".join(status[0].lower() for _, status in rows),
        rows,
    )
