"""The changes: INSERTs and compare-and-swap UPDATEs of one work inside the writer's transaction.

How a row is inserted and moved stands in tx_rows; whether a legal move is wise is decided by who
asks. Deleting by age stands in prune, renaming in rename, the audit chain in chain.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from monitord.model.ids import (
    AttemptId,
    CheckKey,
    IncidentId,
    Instant,
    StateKey,
    StepId,
    TicketId,
)
from monitord.model.inbound import Waiting
from monitord.model.incident import (
    ATTEMPT_MOVES,
    INCIDENT_MOVES,
    STEP_MOVES,
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Step,
    StepStatus,
)
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.notice import NOTICE_MOVES, Notice, NoticeStatus
from monitord.model.oncall import Override
from monitord.model.problem import PROBLEM_MOVES, Problem, ProblemStatus
from monitord.model.service import ServiceChange
from monitord.model.sla import Corrected, Paused, Sealed
from monitord.model.state import CheckState, Transition
from monitord.model.ticket import (
    OUTBOX_MOVES,
    TICKET_MOVES,
    Event,
    Order,
    OutboxItem,
    OutboxStatus,
    Ticket,
    TicketStatus,
)
from monitord.store import chain, prune, rename
from monitord.store import tables as t
from monitord.store.columns import storable
from monitord.store.tx_accounts import AccountTx
from monitord.store.upsert import put_meta, upsert

EPOCH_NAME = "epoch"


class RowTx(AccountTx):
    """Changes to the writer's connection; the questions answer from the same transaction."""

    # --- states and transitions

    def put_states(self, states: Sequence[CheckState]) -> None:
        """Insert or replace; a state that a later work has already written stays."""
        overtaken, number = self.writing.overtaken, self.writing.number
        if overtaken:
            states = [s for s in states if overtaken.get(s.key, -1) < number]
        if not states:
            return
        self._touch(s.key for s in states)
        store, origin = t.STATES.codec.store, self.writing.origin
        rows = [store(s) | origin(s.key.partition("/")[0]) for s in states]
        statement = upsert(t.STATES.table, self.connection.dialect.name, "key")
        self.connection.execute(statement, rows)

    def _touch(self, keys: Iterable[StateKey]) -> None:
        self.writing.touched.update(dict.fromkeys(keys, self.writing.number))

    def forget_states(self, keys: Sequence[StateKey]) -> None:
        """Delete states."""
        self._touch(keys)
        table = t.STATES.table
        for key in keys:
            self.connection.execute(delete(table).where(table.c.key == key))

    def rename_states(self, names: Mapping[StateKey, StateKey]) -> None:
        """Give states new keys and carry their history."""
        self._touch([*names.keys(), *names.values()])
        rename.rename_states(self.connection, names)

    def add_transitions(self, transitions: Sequence[Transition]) -> list[int]:
        """Insert, and give the numbers in the same order."""
        if not transitions:
            return []
        rows = t.TRANSITIONS
        new = [
            rows.codec.store_new(row) | self._origin(rows, row.key.partition("/")[0])
            for row in transitions
        ]
        statement = insert(rows.table).returning(rows.table.c.id, sort_by_parameter_order=True)
        return list(self.connection.execute(statement, new).scalars())

    def settle_transition(self, transition: int, outcome: str) -> None:
        """Mark as decided."""
        table = t.TRANSITIONS.table
        statement = update(table).where(table.c.id == transition).values(outcome=storable(outcome))
        self.connection.execute(statement)

    # --- incidents, attempts, steps

    def add_incident(self, incident: Incident) -> IncidentId:
        """Insert."""
        return IncidentId(self._add(t.INCIDENTS, incident))

    def move_incident(
        self, incident: IncidentId, before: IncidentStatus, after: IncidentStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.INCIDENTS, incident, (before, after), INCIDENT_MOVES, changes)

    def change_incident(
        self, incident: IncidentId, expected: IncidentStatus, **changes: Any
    ) -> bool:
        """Change while still in `expected`."""
        return self._change(t.INCIDENTS, incident, expected, changes)

    def add_attempt(self, attempt: Attempt) -> AttemptId:
        """Insert."""
        origin = self._origin(t.ATTEMPTS, attempt.host)
        return AttemptId(self._add(t.ATTEMPTS, attempt, **origin))

    def move_attempt(
        self, attempt: AttemptId, before: AttemptStatus, after: AttemptStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.ATTEMPTS, attempt, (before, after), ATTEMPT_MOVES, changes)

    def change_attempt(self, attempt: AttemptId, expected: AttemptStatus, **changes: Any) -> bool:
        """Change while still in `expected`."""
        return self._change(t.ATTEMPTS, attempt, expected, changes)

    def add_step(self, step: Step) -> StepId:
        """Insert: with the commit, the intent is durable."""
        return StepId(self._add(t.STEPS, step, **self._origin(t.STEPS, step.target)))

    def move_step(
        self, step: StepId, before: StepStatus, after: StepStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.STEPS, step, (before, after), STEP_MOVES, changes)

    def change_step(self, step: StepId, expected: StepStatus, **changes: Any) -> bool:
        """Change while still in `expected`."""
        return self._change(t.STEPS, step, expected, changes)

    # --- locks and orders

    def take_locks(self, attempt: AttemptId, locks: Sequence[tuple[str, bool]]) -> str | None:
        """Take all or none; gives the first name that somebody else holds in the way."""
        wanted: dict[str, bool] = {}
        for name, exclusive in locks:
            wanted[name] = wanted.get(name, False) or exclusive
        for name in sorted(wanted):
            if self._is_held(name, attempt, exclusive=wanted[name]):
                return name
        rows = [
            {"name": name, "attempt": attempt, "exclusive": exclusive, "released": False}
            | self._origin(t.STEPS)
            for name, exclusive in sorted(wanted.items())
        ]
        for row in rows:
            self._take(row)
        return None

    def _is_held(self, name: str, attempt: AttemptId, *, exclusive: bool) -> bool:
        c = t.LOCKS.c
        others = select(c.attempt).where(c.name == name, c.attempt != attempt, ~c.released)
        if not exclusive:
            others = others.where(c.exclusive)
        return self.connection.execute(others.limit(1)).first() is not None

    def _take(self, row: Mapping[str, Any]) -> None:
        # A lock taken again is never weakened: the audit reads from it what was once held.
        c = t.LOCKS.c
        mine = (c.name == row["name"], c.attempt == row["attempt"])
        held = self.connection.execute(select(c.exclusive).where(*mine)).scalar()
        if held is None:
            self.connection.execute(insert(t.LOCKS).values(**row))
        else:
            changes = {"exclusive": held or row["exclusive"], "released": False}
            self.connection.execute(update(t.LOCKS).where(*mine).values(**changes))

    def release_locks(self, attempt: AttemptId) -> None:
        """Release all that the attempt holds; the rows stay for the audit."""
        statement = update(t.LOCKS).where(t.LOCKS.c.attempt == attempt).values(released=True)
        self.connection.execute(statement)

    def add_order(self, order: Order) -> int:
        """Insert."""
        return self._add(t.ORDERS, order)

    def end_order(self, order: int, at: Instant, by: str) -> bool:
        """End an order; False when it had ended before or never was."""
        table = t.ORDERS.table
        statement = update(table).where(table.c.id == order, table.c.ended.is_(None))
        changes = {"ended": at, "ended_by": storable(by)}
        return self.connection.execute(statement.values(**changes)).rowcount == 1

    # --- tickets, timeline, outbox

    def add_ticket(self, ticket: Ticket) -> TicketId:
        """Insert; customer and site are the incident's."""
        c = t.INCIDENTS.table.c
        where = self.connection.execute(
            select(c.customer, c.site).where(c.id == ticket.incident)
        ).first()
        customer, site = where or ("", "")
        return TicketId(self._add(t.TICKETS, ticket, customer=customer, site=site))

    def move_ticket(
        self, ticket: TicketId, before: TicketStatus, after: TicketStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.TICKETS, ticket, (before, after), TICKET_MOVES, changes)

    def change_ticket(self, ticket: TicketId, expected: TicketStatus, **changes: Any) -> bool:
        """Change while still in `expected`."""
        return self._change(t.TICKETS, ticket, expected, changes)

    def add_events(self, events: Sequence[Event]) -> None:
        """Insert lines of a timeline."""
        origin = self._origin(t.EVENTS)
        new = [t.EVENTS.codec.store_new(event) | origin for event in events]
        if new:
            self.connection.execute(insert(t.EVENTS.table), new)

    def add_outbox(self, item: OutboxItem) -> int:
        """Insert."""
        return self._add(t.OUTBOX, item)

    def move_outbox(
        self, item: int, before: OutboxStatus, after: OutboxStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.OUTBOX, item, (before, after), OUTBOX_MOVES, changes)

    def change_outbox(self, item: int, expected: OutboxStatus, **changes: Any) -> bool:
        """Change while still in `expected`."""
        return self._change(t.OUTBOX, item, expected, changes)

    # --- what people are told, and problems

    def add_notice(self, notice: Notice) -> int:
        """Insert."""
        return self._add(t.NOTICES, notice)

    def move_notice(
        self, notice: int, before: NoticeStatus, after: NoticeStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.NOTICES, notice, (before, after), NOTICE_MOVES, changes)

    def change_notice(self, notice: int, expected: NoticeStatus, **changes: Any) -> bool:
        """Change while still in `expected`."""
        return self._change(t.NOTICES, notice, expected, changes)

    def add_problem(self, problem: Problem) -> int:
        """Insert."""
        return self._add(t.PROBLEMS, problem)

    def move_problem(
        self, problem: int, before: ProblemStatus, after: ProblemStatus, **changes: Any
    ) -> bool:
        """Compare and swap the status."""
        return self._move(t.PROBLEMS, problem, (before, after), PROBLEM_MOVES, changes)

    def change_problem(self, problem: int, expected: ProblemStatus, **changes: Any) -> bool:
        """Change while still in `expected`."""
        return self._change(t.PROBLEMS, problem, expected, changes)

    # --- on call

    def add_shift_change(self, override: Override) -> int:
        """Insert."""
        return self._add(t.SHIFTS, override)

    def agree_shift_change(self, number: int, at: Instant, by: str) -> bool:
        """Agree to one that waits for it."""
        c = t.SHIFTS.table.c
        waits = (c.id == number, c.agreed.is_(None), c.ended.is_(None))
        changes = {"agreed": at, "agreed_by": storable(by)}
        statement = update(t.SHIFTS.table).where(*waits).values(**changes)
        return self.connection.execute(statement).rowcount == 1

    def end_shift_change(self, number: int, at: Instant, by: str) -> bool:
        """End one; False when it had ended before or never was."""
        c = t.SHIFTS.table.c
        statement = update(t.SHIFTS.table).where(c.id == number, c.ended.is_(None))
        changes = {"ended": at, "ended_by": storable(by)}
        return self.connection.execute(statement.values(**changes)).rowcount == 1

    # --- service levels

    def add_pause(self, pause: Paused) -> int:
        """Insert."""
        return self._add(t.PAUSES, pause)

    def change_pause(self, number: int, **changes: Any) -> bool:
        """Change one that nobody has ended."""
        c = t.PAUSES.table.c
        statement = update(t.PAUSES.table).where(c.id == number, c.ended.is_(None))
        values = t.PAUSES.codec.store_some(changes)
        return self.connection.execute(statement.values(**values)).rowcount == 1

    def add_service_change(self, change: ServiceChange) -> int:
        """Insert."""
        return self._add(t.SERVICES, change)

    def add_correction(self, correction: Corrected) -> int:
        """Insert."""
        return self._add(t.CORRECTIONS, correction)

    def revoke_correction(self, number: int, at: Instant, by: str) -> bool:
        """Take one back; False when somebody had before, or there is none."""
        c = t.CORRECTIONS.table.c
        statement = update(t.CORRECTIONS.table).where(c.id == number, c.revoked.is_(None))
        changes = {"revoked": at, "revoked_by": storable(by)}
        return self.connection.execute(statement.values(**changes)).rowcount == 1

    def add_seal(self, seal: Sealed) -> int:
        """Insert."""
        return self._add(t.SEALS, seal)

    # --- the rest

    def put_job(self, key: str, record: JobRecord) -> None:
        """Insert or replace."""
        row = t.JOBS.codec.store(record) | self._origin(t.JOBS, key.partition("/")[0])
        statement = upsert(t.JOBS.table, self.connection.dialect.name, "key")
        self.connection.execute(statement, row | {"key": storable(key)})

    def put_waiting(self, report: Waiting) -> None:
        """Insert anew, so that rows are in the order of their reports."""
        self.end_waiting(report.key, report.item, report.alert)
        self._add(t.WAITING, report)

    def end_waiting(self, key: CheckKey, item: str, alert: str) -> None:
        """Delete what waits of one alert."""
        c = t.WAITING.table.c
        same = (c.key == storable(key), c.item == storable(item), c.alert == storable(alert))
        self.connection.execute(delete(t.WAITING.table).where(*same))

    def add_marker(self, marker: Marker) -> int:
        """Insert."""
        return self._add(t.MARKERS, marker)

    def add_audit(self, at: Instant, actor: str, act: str, subject: str, detail: str) -> None:
        """Append to this node's chain."""
        node, epoch = self.writing.node, self.writing.epoch
        texts = (act, subject, detail)
        chain.append(self.connection, node=node, epoch=epoch, at=at, actor=actor, texts=texts)

    def put_meta(self, name: str, value: str) -> None:
        """Insert or replace."""
        put_meta(self.connection, name, value)

    def next_epoch(self) -> int:
        """Raise the epoch by one."""
        epoch = int(self.meta(EPOCH_NAME) or 0) + 1
        self.put_meta(EPOCH_NAME, str(epoch))
        self.writing.epoch = epoch
        return epoch

    def prune(self, now: Instant, *, incidents_before: Instant, evidence_before: Instant) -> int:
        """Delete a slice of what retention no longer keeps."""
        return prune.prune(self.connection, now, incidents_before, evidence_before)
