"""Problems: the cause behind incidents that keep coming back, and what is known to cure it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from monitord.model.ids import Instant


class ProblemStatus(StrEnum):
    """Where a problem stands."""

    OPEN = "OPEN"
    KNOWN = "KNOWN"  # its cause is known, and how to live with it
    CLOSED = "CLOSED"


PROBLEM_MOVES: Mapping[ProblemStatus, frozenset[ProblemStatus]] = MappingProxyType(
    {
        ProblemStatus.OPEN: frozenset({ProblemStatus.KNOWN, ProblemStatus.CLOSED}),
        ProblemStatus.KNOWN: frozenset({ProblemStatus.OPEN, ProblemStatus.CLOSED}),
        ProblemStatus.CLOSED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One cause. `key` is what its incidents have in common (an incident's key, or a runbook).

    `incidents` counts those that belong to it; `last` is when the newest of them opened.
    """

    id: int
    key: str
    status: ProblemStatus
    title: str
    opened: Instant
    last: Instant
    incidents: int
    tier: str = "L3"
    owner: str = ""
    cause: str = ""
    cure: str = ""
    closed: Instant | None = None
    closed_by: str = ""
