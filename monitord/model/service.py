"""Business services: when one is down or degraded, as configured, and how it stood, as rows.

What an expression means is decided in decisions/expressions.py; how a service stands by its checks
in decisions/services.py.
"""

from dataclasses import dataclass
from enum import StrEnum

from monitord.model.ids import CheckKey, Instant


class Seen(StrEnum):
    """What a check was seen to be; UNKNOWN: it was not seen (no result, stale, unreachable)."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Compare(StrEnum):
    """How many of the checks are asked for."""

    FEWER = "fewer than"
    MORE = "more than"
    LEAST = "at least"
    MOST = "at most"


@dataclass(frozen=True, slots=True)
class Count:
    """So many of `keys` are one of `seen`. `number` counts checks, or is a share (`percent`)."""

    keys: tuple[CheckKey, ...]
    compare: Compare
    number: float
    percent: bool
    seen: frozenset[Seen]


@dataclass(frozen=True, slots=True)
class Junction:
    """Several expressions of which every one must hold, or any."""

    every: bool
    parts: tuple["Expression", ...]


Expression = Count | Junction


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `down_when` or `degraded_when`: as written, and what it means."""

    text: str
    means: Expression


class ServiceState(StrEnum):
    """How a service stands."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"  # what was seen does not tell


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """How a service stood from `at` on, until its next row.

    `time` is the name that this time bears in its availability (decisions/availability.py), `text`
    says why, `checks` are those that are to blame.
    """

    id: int
    service: str
    at: Instant
    state: ServiceState
    time: str
    text: str
    checks: tuple[str, ...] = ()
