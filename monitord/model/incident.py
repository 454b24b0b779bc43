"""Incidents, attempts and steps: the rows of the repair, and every legal move between statuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from monitord.errors import IllegalMoveError
from monitord.model.ids import AttemptId, IncidentId, Instant, StepId, TicketId
from monitord.model.result import Status


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "OPEN"
    REPAIRING = "REPAIRING"
    WAITING = "WAITING"
    ESCALATED = "ESCALATED"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


class AttemptStatus(StrEnum):
    """Where an attempt stands. LINK is that of one which runs a link of a chain.

    That is no repair: it has no incident (0), no budget and nothing to prove, and ends as DONE,
    FAILED or INTERRUPTED.
    """

    PLANNED = "PLANNED"
    APPROVAL = "APPROVAL"
    RUNNING = "RUNNING"
    VERIFYING = "VERIFYING"
    FIXED = "FIXED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"
    VOID = "VOID"
    LINK = "LINK"
    DONE = "DONE"


class StepStatus(StrEnum):
    """Where a step stands; UNKNOWN only when its run record cannot be read."""

    INTENT = "INTENT"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


_Status = TypeVar("_Status", bound=StrEnum)
_I, _A, _S = IncidentStatus, AttemptStatus, StepStatus

INCIDENT_MOVES: Mapping[IncidentStatus, frozenset[IncidentStatus]] = MappingProxyType(
    {
        _I.OPEN: frozenset({_I.REPAIRING, _I.WAITING, _I.ESCALATED, _I.RESOLVED, _I.CLOSED}),
        _I.REPAIRING: frozenset({_I.WAITING, _I.ESCALATED, _I.RESOLVED, _I.CLOSED}),
        _I.WAITING: frozenset({_I.REPAIRING, _I.ESCALATED, _I.RESOLVED, _I.CLOSED}),
        _I.ESCALATED: frozenset({_I.RESOLVED, _I.CLOSED}),
        _I.RESOLVED: frozenset({_I.OPEN, _I.CLOSED}),
        _I.CLOSED: frozenset(),
    }
)
ATTEMPT_MOVES: Mapping[AttemptStatus, frozenset[AttemptStatus]] = MappingProxyType(
    {
        _A.PLANNED: frozenset({_A.APPROVAL, _A.RUNNING, _A.VOID}),
        _A.APPROVAL: frozenset({_A.RUNNING, _A.VOID}),
        _A.RUNNING: frozenset({_A.VERIFYING, _A.FAILED, _A.INTERRUPTED}),
        _A.VERIFYING: frozenset({_A.FIXED, _A.FAILED}),
        _A.FIXED: frozenset(),
        _A.FAILED: frozenset(),
        _A.INTERRUPTED: frozenset(),
        _A.VOID: frozenset(),
        _A.LINK: frozenset({_A.DONE, _A.FAILED, _A.INTERRUPTED}),
        _A.DONE: frozenset(),
    }
)
STEP_MOVES: Mapping[StepStatus, frozenset[StepStatus]] = MappingProxyType(
    {
        _S.INTENT: frozenset({_S.DONE, _S.FAILED, _S.UNKNOWN}),
        _S.DONE: frozenset(),
        _S.FAILED: frozenset(),
        _S.UNKNOWN: frozenset(),
    }
)


def must_be_legal(
    moves: Mapping[_Status, frozenset[_Status]], before: _Status, after: _Status
) -> None:
    """Raise IllegalMoveError unless `moves` lists the way from `before` to `after`."""
    if after not in moves[before]:
        raise IllegalMoveError(f"{type(before).__name__} may not move {before} → {after}")


OPEN_STATUSES = frozenset({_I.OPEN, _I.REPAIRING, _I.WAITING, _I.ESCALATED})
"""An incident in one of these is on; RESOLVED may still reopen, CLOSED never."""

LIVE_ATTEMPTS = frozenset({_A.PLANNED, _A.APPROVAL, _A.RUNNING, _A.VERIFYING})
"""An attempt in one of these still holds its locks."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage with one key: `host/check`, or one that several checks share.

    Shared are `unknown/<cause>`, `group/<group>/<check>` and `vantage/network`.

    `severity` is the worst hard status now, `items` the state keys that are bad, `rung` the next
    position on the ladder (0-based), `due_at` when a stage should look again (None: only when
    something happens). `cause` says how it was resolved: verified, recovered, closed. `paged` is
    how many steps of its policy were told, `page_at` when the next is due (None: none is). `cure`
    is what a person noted when closing it; `problem` the problem that it belongs to (0: none).
    `part_of` is the incident that tells people of it too (0: none): the one of what it hangs on,
    or by the rule `inhibited_by` that of its source. Over, it shows what it was part of.
    """

    id: IncidentId
    key: str
    status: IncidentStatus
    severity: Status
    summary: str
    opened: Instant
    first_failed: Instant
    due_at: Instant | None
    rung: int = 0
    items: tuple[str, ...] = ()
    host: str = ""
    customer: str = ""
    site: str = ""
    tier: str = "L1"
    priority: str = "P3"
    waiting_for: str = ""
    escalated: Instant | None = None
    resolved: Instant | None = None
    closed: Instant | None = None
    cause: str = ""
    closed_by: str = ""
    close_reason: str = ""
    reopened: int = 0
    ticket: TicketId | None = None
    paged: int = 0
    page_at: Instant | None = None
    cure: str = ""
    problem: int = 0
    part_of: int = 0
    inhibited_by: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of one runbook for one incident, bound to the exact plan it started with.

    `plan` is canonical JSON (see monitord.model.plan); `catalog` and `runbook_hash` name the
    content it was rendered from. `deadline` ends the hold on its hosts at the latest. `oks` counts
    verification results; `position` is the index of the next step in the plan; `items` are the
    state keys that the plan was rendered for. `approve_key` is the digest of the single-use secret
    in the link that approves it (empty: spent or none). `undoing` says why its undo runs (empty: it
    does not). `wrong` is a person's reason why the repair was wrong, whatever became of it.
    `business_date` (YYYY-MM-DD) fills the slot of that name in the commands of a chain's links.
    """

    id: AttemptId
    incident: IncidentId
    key: str
    host: str
    runbook: str
    runbook_hash: str
    catalog: str
    mode: str
    status: AttemptStatus
    plan: str
    targets: tuple[str, ...]
    locks: tuple[str, ...]
    planned: Instant
    due_at: Instant | None
    deadline: Instant
    groups: tuple[str, ...] = ()
    position: int = 0
    oks: int = 0
    started: Instant | None = None
    effect_at: Instant | None = None
    verifying: Instant | None = None
    finished: Instant | None = None
    outcome: str = ""
    epoch: int = 0
    by: str = "automation"
    items: tuple[str, ...] = ()
    approve_key: str = ""
    approved: Instant | None = None
    approved_by: str = ""
    undoing: str = ""
    wrong: str = ""
    wrong_by: str = ""
    business_date: str = ""


class Phase(StrEnum):
    """Which part of the runbook a step belongs to; only STEP and UNDO may change anything."""

    COLLECT = "collect"
    REQUIRE = "require"
    STEP = "step"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Step:
    """One action of an attempt: journalled as INTENT before the effect, moved on after it.

    `position` indexes the attempt's plan. `output` is bounded and redacted; `exit_code` is None
    when there was none (an HTTP step, a kill).
    """

    id: StepId
    attempt: AttemptId
    position: int
    phase: Phase
    kind: str
    target: str
    effect: str
    idempotent: bool
    status: StepStatus
    intended: Instant
    deadline: Instant
    started: Instant | None = None
    finished: Instant | None = None
    exit_code: int | None = None
    output: str = ""
    error: str = ""
    epoch: int = 0
