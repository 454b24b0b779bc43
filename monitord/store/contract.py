"""The store's contract: what a reader may ask (View) and what one transaction may do (Tx).

The engine hands the store a function; it runs whole inside one transaction in the writer's thread
(BEGIN IMMEDIATE on SQLite), so nobody reads in one call and writes in another. Both engines, SQLite
and PostgreSQL, pass the same contract suite. Decisions are not made here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from monitord.model.ids import AttemptId, IncidentId, Instant, StateKey, StepId, TicketId
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Step,
    StepStatus,
)
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.notice import Notice, NoticeStatus
from monitord.model.oncall import Override
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.service import ServiceChange
from monitord.model.sla import Corrected, Paused
from monitord.model.state import CheckState, Transition
from monitord.model.ticket import (
    AuditRow,
    Event,
    Order,
    OutboxItem,
    OutboxStatus,
    Ticket,
    TicketStatus,
    Verb,
)
from monitord.store.contract_accounts import AccountTx, AccountView
from monitord.store.contract_chains import ChainTx, ChainView
from monitord.store.contract_records import RecordTx, RecordView

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EffectCount:
    """How many attempts had their first effect since an instant, by what they count against."""

    incident: int
    runbook_on_key: int
    runbook: int
    host: int
    fleet: int


class View(AccountView, RecordView, ChainView, Protocol):
    """Questions; each answers from one consistent snapshot. Lists are ordered by id or key."""

    def states(self) -> list[CheckState]: ...
    def state(self, key: StateKey) -> CheckState | None: ...
    def pending_transitions(self, limit: int = 1000) -> list[Transition]:
        """Give those no incident decision was made for yet, oldest first."""
        ...

    def transitions(self, key_prefix: str, since: Instant, limit: int = 200) -> list[Transition]:
        """Give those of `host`, `host/check` or one item's key, the oldest first.

        The prefix ends at a slash: `web1/site` gives its items, never `web1/site-2`. Empty: all.
        """
        ...

    def outcomes(self, transitions: Iterable[int]) -> dict[int, str]:
        """Give what was decided on each of these transitions; undecided ones are left out."""
        ...

    def last_changes(self) -> dict[StateKey, Transition]:
        """Give, by state key, the transition that last changed its hard status."""
        ...

    def incident(self, incident: IncidentId) -> Incident | None: ...
    def incidents(
        self,
        statuses: Iterable[IncidentStatus],
        *,
        due_by: Instant | None = None,
        page_by: Instant | None = None,
        limit: int = 500,
    ) -> list[Incident]:
        """Give incidents in `statuses`; with `due_by`, those whose `due_at` has come, by it.

        With `page_by` those that are to come before people by then, and are part of no other.
        """
        ...

    def parts(self, incident: IncidentId) -> list[Incident]:
        """Give the incidents that are on and part of this one."""
        ...

    def live_incident(self, key: str) -> Incident | None:
        """Give the one incident of this key that is not CLOSED (RESOLVED included), if any."""
        ...

    def attempt(self, attempt: AttemptId) -> Attempt | None: ...
    def attempts(
        self,
        *,
        incident: IncidentId | None = None,
        statuses: Iterable[AttemptStatus] | None = None,
        due_by: Instant | None = None,
        runbook: str = "",
        since: Instant | None = None,
    ) -> list[Attempt]:
        """Give those that meet all that is given; with `since`, planned at or after it."""
        ...

    def step(self, step: StepId) -> Step | None: ...
    def steps(self, attempt: AttemptId) -> list[Step]: ...
    def open_steps(self) -> list[Step]:
        """Give all steps still in INTENT."""
        ...

    def effects_since(
        self, since: Instant, *, incident: IncidentId, key: str, runbook: str, host: str
    ) -> EffectCount:
        """Count repairs whose first effect (effect_at) came at or after `since`."""
        ...

    def last_effect(self, runbook: str, host: str) -> Attempt | None:
        """Give the newest attempt of `runbook` on `host` that reached an effect."""
        ...

    def held_locks(self) -> dict[str, tuple[AttemptId, bool]]:
        """Give each held lock name: one holder, and whether it is exclusive."""
        ...

    def lock_history(self) -> list[tuple[str, AttemptId, bool]]:
        """Give every (name, attempt, exclusive) ever taken, released ones included."""
        ...

    def orders(self, *, verb: Verb | None = None, at: Instant | None = None) -> list[Order]:
        """Give orders; with `at`, only those in force then (started, not expired, not ended)."""
        ...

    def ticket(self, ticket: TicketId) -> Ticket | None: ...
    def tickets(self, statuses: Iterable[TicketStatus] | None = None) -> list[Ticket]: ...
    def events(self, incident: IncidentId) -> list[Event]: ...
    def told(self, kinds: Iterable[str], since: Instant) -> list[Event]:
        """Give the lines of these kinds on any timeline, told at or after `since`."""
        ...

    def outbox(
        self,
        *,
        status: OutboxStatus,
        due_by: Instant | None = None,
        backend: str = "",
        limit: int = 100,
    ) -> list[OutboxItem]:
        """Give messages, oldest first; with `due_by` only the first of each (backend, incident).

        With `backend` only those to it: a slow one must not hide what waits for another.
        """
        ...

    def messages(self, incident: IncidentId) -> list[OutboxItem]:
        """Give every message about an incident, oldest first, whatever became of it."""
        ...

    def external(self, backend: str, incident: IncidentId) -> str:
        """Give the backend's own reference from the last delivery, or empty text."""
        ...

    def notice(self, number: int) -> Notice | None: ...
    def notices(
        self,
        *,
        status: NoticeStatus | None = None,
        due_by: Instant | None = None,
        incident: IncidentId | None = None,
        since: Instant | None = None,
        limit: int = 500,
    ) -> list[Notice]:
        """Give what people are told that meets all that is given; `since`: created at or after."""
        ...

    def tickets_opened(self, since: Instant) -> list[IncidentId]:
        """Give the incidents of which a backend was told first at or after `since`, by number."""
        ...

    def incidents_of(
        self, key: str, *, since: Instant | None = None, limit: int = 50
    ) -> list[Incident]:
        """Give the incidents of one key, whatever became of them, the newest first."""
        ...

    def problem(self, problem: int) -> Problem | None: ...
    def problems(self, statuses: Iterable[ProblemStatus] | None = None) -> list[Problem]: ...
    def shift_change(self, number: int) -> Override | None: ...
    def shift_changes(
        self, *, rotation: str = "", since: Instant, until: Instant | None = None
    ) -> list[Override]:
        """Give what people changed of shifts that end after `since` (and begin before `until`).

        Those that nobody has agreed to, and those that were ended, are among them.
        """
        ...

    def pauses(self, incident: IncidentId) -> list[Paused]:
        """Give every pause of an incident's clocks, those that are over too."""
        ...

    def service_changes(self, service: str, since: Instant) -> list[ServiceChange]:
        """Give how a service stood since an instant, oldest first; the first may be from before."""
        ...

    def standings(self) -> dict[str, ServiceChange]:
        """Give how each service stands, as last written; those that are gone are among them."""
        ...

    def corrections(self, since: Instant) -> list[Corrected]:
        """Give those of times that end after `since`; revoked ones are among them."""
        ...

    def job(self, key: str) -> JobRecord | None: ...
    def markers(self, since: Instant, limit: int = 2000) -> list[Marker]:
        """Give those told at or after `since`, the oldest first."""
        ...

    def audit_rows(self, after: int = 0, limit: int = 1000) -> list[AuditRow]: ...
    def meta(self, name: str) -> str | None: ...
    def metas(self, prefix: str) -> dict[str, str]:
        """Give all values whose names begin with `prefix`, by the rest of the name."""
        ...


class Tx(View, AccountTx, ChainTx, RecordTx, Protocol):
    """Changes; all of one function commit together or not at all.

    Every `move_*` is compare-and-swap: it changes nothing and returns False unless the row is still
    in `before`; an unlisted move raises IllegalMoveError. Keyword arguments are column names of the
    dataclass (`due_at=None` clears).

    A second live incident of one key is refused by the database itself (IntegrityError): our bug.
    """

    def put_states(self, states: Sequence[CheckState]) -> None: ...
    def forget_states(self, keys: Sequence[StateKey]) -> None: ...
    def rename_states(self, names: Mapping[StateKey, StateKey]) -> None:
        """Give states new keys, and carry their history: transitions, incidents, attempts, jobs."""
        ...

    def add_transitions(self, transitions: Sequence[Transition]) -> list[int]: ...
    def settle_transition(self, transition: int, outcome: str) -> None:
        """Mark a transition as decided; `outcome` is the reason that I1 of the audit reads."""
        ...

    def add_incident(self, incident: Incident) -> IncidentId:
        """Store a new incident; its `id` field is ignored."""
        ...

    def move_incident(
        self,
        incident: IncidentId,
        before: IncidentStatus,
        after: IncidentStatus,
        **changes: Any,
    ) -> bool: ...
    def change_incident(
        self, incident: IncidentId, expected: IncidentStatus, **changes: Any
    ) -> bool:
        """Change columns without a move; False unless still in `expected`."""
        ...

    def add_attempt(self, attempt: Attempt) -> AttemptId: ...
    def move_attempt(
        self, attempt: AttemptId, before: AttemptStatus, after: AttemptStatus, **changes: Any
    ) -> bool: ...
    def change_attempt(
        self, attempt: AttemptId, expected: AttemptStatus, **changes: Any
    ) -> bool: ...
    def add_step(self, step: Step) -> StepId: ...
    def move_step(
        self, step: StepId, before: StepStatus, after: StepStatus, **changes: Any
    ) -> bool: ...
    def change_step(self, step: StepId, expected: StepStatus, **changes: Any) -> bool: ...
    def take_locks(self, attempt: AttemptId, locks: Sequence[tuple[str, bool]]) -> str | None:
        """Take all (name, exclusive) locks or none; gives the name of one that is held, or None."""
        ...

    def release_locks(self, attempt: AttemptId) -> None: ...
    def add_order(self, order: Order) -> int: ...
    def end_order(self, order: int, at: Instant, by: str) -> bool: ...
    def add_ticket(self, ticket: Ticket) -> TicketId: ...
    def move_ticket(
        self, ticket: TicketId, before: TicketStatus, after: TicketStatus, **changes: Any
    ) -> bool: ...
    def change_ticket(self, ticket: TicketId, expected: TicketStatus, **changes: Any) -> bool: ...
    def add_events(self, events: Sequence[Event]) -> None: ...
    def add_outbox(self, item: OutboxItem) -> int: ...
    def move_outbox(
        self, item: int, before: OutboxStatus, after: OutboxStatus, **changes: Any
    ) -> bool: ...
    def change_outbox(self, item: int, expected: OutboxStatus, **changes: Any) -> bool: ...
    def add_notice(self, notice: Notice) -> int: ...
    def move_notice(
        self, notice: int, before: NoticeStatus, after: NoticeStatus, **changes: Any
    ) -> bool: ...
    def change_notice(self, notice: int, expected: NoticeStatus, **changes: Any) -> bool: ...
    def add_problem(self, problem: Problem) -> int: ...
    def move_problem(
        self, problem: int, before: ProblemStatus, after: ProblemStatus, **changes: Any
    ) -> bool: ...
    def change_problem(self, problem: int, expected: ProblemStatus, **changes: Any) -> bool: ...
    def add_shift_change(self, override: Override) -> int: ...
    def agree_shift_change(self, number: int, at: Instant, by: str) -> bool:
        """Agree to one; False when somebody has, when it was ended, or where there is none."""
        ...

    def end_shift_change(self, number: int, at: Instant, by: str) -> bool: ...
    def add_pause(self, pause: Paused) -> int: ...
    def change_pause(self, number: int, **changes: Any) -> bool:
        """Change columns of a pause that nobody has ended; False of any other."""
        ...

    def add_service_change(self, change: ServiceChange) -> int: ...
    def add_correction(self, correction: Corrected) -> int: ...
    def revoke_correction(self, number: int, at: Instant, by: str) -> bool: ...
    def put_job(self, key: str, record: JobRecord) -> None: ...
    def add_marker(self, marker: Marker) -> int: ...
    def add_audit(self, at: Instant, actor: str, act: str, subject: str, detail: str) -> None:
        """Append to the audit chain: digest = SHA-256 over the previous digest and this row."""
        ...

    def put_meta(self, name: str, value: str) -> None: ...
    def next_epoch(self) -> int:
        """Raise the fencing epoch by one and give it."""
        ...

    def prune(self, now: Instant, *, incidents_before: Instant, evidence_before: Instant) -> int:
        """Delete what retention no longer keeps and give the number of rows.

        That is: closed incidents with all their rows, settled transitions, sent messages, ended
        orders; `evidence_before` clears step output. The audit chain is never cut in its middle.
        One call takes a bounded slice, so that the writer stays free: call again until it gives 0.
        """
        ...


class Store(Protocol):
    """One database. `write` queues to the one writer; `read` uses a read-only connection."""

    def write(self, work: Callable[[Tx], T], *, urgent: bool = True) -> Awaitable[T]:
        """Run `work` in a transaction in the writer's thread; resolves after the commit.

        Not urgent: may wait up to 100 ms to share a commit with others, and urgent ones overtake
        it; a state that was written meanwhile is then left as it is, so the newest wins. It suits
        put_states and add_events; what must keep its order with other writes is urgent. A work
        that raises rolls back its own savepoint only, and its exception comes back here. A caller
        that is cancelled does not take its work back.

        Raises:
            StoreError: the database did not take it (full, locked, gone); nothing was changed.
        """
        ...

    def read(self, work: Callable[[View], T]) -> Awaitable[T]:
        """Run `work` on a read-only connection in another thread."""
        ...

    def read_now(self, work: Callable[[View], T]) -> T:
        """The same, blocking: for the command line and for start-up."""
        ...

    def write_now(self, work: Callable[[Tx], T]) -> T:
        """Write urgently and block until the commit: for start-up, before the loop runs."""
        ...

    @property
    def queued(self) -> int:
        """Tell how many works wait for the writer."""
        ...

    @property
    def trouble(self) -> str:
        """Say why the last commit failed; empty while the store takes what it is given."""
        ...

    async def close(self) -> None:
        """Commit what is queued, checkpoint, close."""
        ...
