"""Chains: jobs that follow one another in one night, a run of one, and every legal move.

What starts, what is late and what will be missed is decided in decisions/chains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from monitord.model.ids import CheckKey, Instant


class RunStatus(StrEnum):
    """Where a chain's run stands; WAITING until its time has come."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    MISSED = "MISSED"


class LinkStatus(StrEnum):
    """Where a link of a run stands. Late, too fast and too slow are judged, and no status."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"
    SKIPPED = "SKIPPED"


_R, _L = RunStatus, LinkStatus

RUN_MOVES: Mapping[RunStatus, frozenset[RunStatus]] = MappingProxyType(
    {
        _R.WAITING: frozenset({_R.RUNNING, _R.MISSED}),
        _R.RUNNING: frozenset({_R.DONE, _R.MISSED}),
        _R.DONE: frozenset(),
        _R.MISSED: frozenset(),
    }
)
LINK_MOVES: Mapping[LinkStatus, frozenset[LinkStatus]] = MappingProxyType(
    {
        # A watched job may be heard of first at its end; one that was refused waits again.
        _L.WAITING: frozenset({_L.RUNNING, _L.DONE, _L.FAILED, _L.SKIPPED}),
        _L.RUNNING: frozenset({_L.WAITING, _L.DONE, _L.FAILED, _L.INTERRUPTED}),
        _L.DONE: frozenset({_L.RUNNING}),
        _L.FAILED: frozenset({_L.WAITING, _L.RUNNING, _L.DONE, _L.SKIPPED}),
        _L.INTERRUPTED: frozenset({_L.WAITING, _L.RUNNING, _L.DONE, _L.FAILED, _L.SKIPPED}),
        _L.SKIPPED: frozenset(),
    }
)
UNFINISHED = frozenset({_R.WAITING, _R.RUNNING})
"""A chain has at most one run in one of these."""
PASSED = frozenset({_L.DONE, _L.SKIPPED})
"""What follows a link in one of these may begin."""
BROKEN = frozenset({_L.FAILED, _L.INTERRUPTED})
"""A link in one of these holds up what follows it until it is run again or skipped."""


@dataclass(frozen=True, slots=True)
class Job:
    """One link as configured. Without `run` it is started by others and only watched.

    `rerun` is safe, never or safe_after; then `before` is what must run first. `least` and `most`
    are how long it takes (None: nobody said).
    """

    name: str
    run: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    least: timedelta | None = None
    most: timedelta | None = None
    rerun: str = "never"
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """Jobs in an order in which each stands behind those that it comes after.

    It starts on the days of the calendar `days` at `starts` and must be done by the next `done_by`
    after that: wall times of `timezone`, minutes since midnight.
    """

    key: CheckKey
    days: str
    starts: int
    done_by: int
    timezone: str
    jobs: Mapping[str, Job]


@dataclass(frozen=True, slots=True)
class ChainRun:
    """One run: the row of it. `business_date` is the day on which it starts, as YYYY-MM-DD.

    `due_at` is when the stage looks again (None: when something happens). `held` keeps every link
    from being started, in the name of `held_by`.
    """

    id: int
    key: CheckKey
    business_date: str
    status: RunStatus
    starts: Instant
    done_by: Instant
    due_at: Instant | None
    started: Instant | None = None
    ended: Instant | None = None
    held: bool = False
    held_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One job of one run: the row of it. `attempt` is the one that runs or ran it (0: others do).

    `waiting_for` says what keeps it from being started. `by` asked for this try, or skipped it.
    """

    id: int
    run: int
    key: CheckKey
    name: str
    status: LinkStatus
    started: Instant | None = None
    ended: Instant | None = None
    exit_code: int | None = None
    output: str = ""
    attempt: int = 0
    tries: int = 0
    waiting_for: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """What is known of a chain: its unfinished run or else its last, and how long links took.

    `usual` is in seconds, by link, measured over the last runs.
    """

    chain: Chain
    run: ChainRun | None = None
    links: tuple[Link, ...] = ()
    usual: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
