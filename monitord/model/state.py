"""What we believe of one item, and the transition: the only thing that moves an incident."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from monitord.model.ids import EPOCH, Instant, StateKey
from monitord.model.result import Cause, Status

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StatePolicy:
    """How many results make a state hard. `attempts` and `recoveries` count from 1.

    `flap_high` and `flap_low` are percent (start above, stop at or below); `flapping` off skips it.
    `fresh_for` is how old the last result may grow before the state is stale.
    """

    attempts: int = 3
    recoveries: int = 2
    flapping: bool = True
    flap_high: float = 30.0
    flap_low: float = 25.0
    fresh_for: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CheckState:
    """The belief about one state key.

    `status` is the newest result's; `hard` the last hard one (PENDING before the first). They
    differ while soft: then `attempt` counts results of the bad run (or of the recovery). `since` is
    when the hard status began, `first_failed` the first failed probe of the bad run that is on
    (the SLA clock starts there). `flap_bits` holds the last 20 results, newest lowest, 1 = changed;
    `judged` is the newest counted status, with which the next one is compared: an UNKNOWN, or a bad
    result while a parent is down, never becomes it.
    """

    key: StateKey
    status: Status = Status.PENDING
    hard: Status = Status.PENDING
    attempt: int = 0
    since: Instant = EPOCH
    first_failed: Instant | None = None
    summary: str = ""
    cause: Cause | None = None
    flap_bits: int = 0
    flapping: bool = False
    unreachable: bool = False
    stale: bool = False
    last_seen: Instant = EPOCH
    memory: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    judged: Status = Status.PENDING

    @property
    def soft(self) -> bool:
        """Tell whether the newest status is not (yet) the hard one."""
        return self.status is not self.hard


class Change(StrEnum):
    """What a transition reports."""

    HARD = "hard"  # the hard status changed
    FLAPPING = "flapping"  # flapping began
    STEADY = "steady"  # flapping ended
    UNREACHABLE = "unreachable"  # a parent or need went down
    REACHABLE = "reachable"  # it came back
    STALE = "stale"  # no result for `fresh_for`, or only UNKNOWN over a bad hard status
    FRESH = "fresh"  # results that judge came again
    VERIFIED = "verified"  # verification wrote hard OK


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of what we believe; `id` is 0 until the store has numbered it.

    `details` is what the result showed beyond its summary, for the ticket.
    """

    key: StateKey
    change: Change
    before: Status
    after: Status
    at: Instant
    first_failed: Instant | None
    summary: str
    cause: Cause | None = None
    flapping: bool = False
    unreachable: bool = False
    id: int = 0
    details: str = ""
