"""The questions: each a SELECT on the connection it is given, answered with the model's types.

One view lives inside one transaction, so that all its answers are of one snapshot. Nothing is
changed here.
"""

from collections.abc import Iterable

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.sql import ColumnElement

from monitord.model.ids import AttemptId, IncidentId, Instant, StateKey, StepId, TicketId
from monitord.model.inbound import Waiting
from monitord.model.incident import (
    OPEN_STATUSES,
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Step,
    StepStatus,
)
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.state import Change, CheckState, Transition
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
from monitord.store import statements
from monitord.store import tables as t
from monitord.store.contract import EffectCount
from monitord.store.upsert import get_meta
from monitord.store.view_chains import ChainView
from monitord.store.view_people import pages, values

_HARD = [str(Change.HARD), str(Change.VERIFIED)]


def under(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """Match a key that is `prefix` or lies under it: a range, so that an index serves it."""
    stem = prefix.removesuffix("/")
    # "0" is the character after "/": keys under the stem lie between the two.
    return or_(column == stem, and_(column > stem + "/", column < stem + "0"))


class RowView(ChainView):
    """Questions to one transaction's connection."""

    # --- states and transitions

    def states(self) -> list[CheckState]:
        """Give all states, by key."""
        return self._all(t.STATES, t.STATES.select().order_by(t.STATES.table.c.key))

    def state(self, key: StateKey) -> CheckState | None:
        """Give one state."""
        return self._first(t.STATES, statements.by_key(t.STATES), key=key)

    def pending_transitions(self, limit: int = 1000) -> list[Transition]:
        """Give the undecided ones, oldest first."""
        return self._all(t.TRANSITIONS, statements.pending_transitions(), most=limit)

    def transitions(self, key_prefix: str, since: Instant, limit: int = 200) -> list[Transition]:
        """Give those at or under a key, oldest first."""
        c = t.TRANSITIONS.table.c
        query = t.TRANSITIONS.select().where(c.at >= since)
        if key_prefix:
            query = query.where(under(c.key, key_prefix))
        return self._all(t.TRANSITIONS, query.order_by(c.id).limit(limit))

    def outcomes(self, transitions: Iterable[int]) -> dict[int, str]:
        """Give what was decided, by transition."""
        c = t.TRANSITIONS.table.c
        found: dict[int, str] = {}
        for some in pages(transitions):
            query = select(c.id, c.outcome).where(c.id.in_(some), c.outcome.is_not(None))
            found.update(tuple(row) for row in self.connection.execute(query))
        return found

    def last_changes(self) -> dict[StateKey, Transition]:
        """Give each key's newest that is about its hard status."""
        c = t.TRANSITIONS.table.c
        newest = select(func.max(c.id)).where(c.change.in_(_HARD)).group_by(c.key)
        query = t.TRANSITIONS.select().where(c.id.in_(newest)).order_by(c.id)
        return {row.key: row for row in self._all(t.TRANSITIONS, query)}

    # --- incidents, attempts, steps

    def incident(self, incident: IncidentId) -> Incident | None:
        """Give one incident."""
        return self._by_id(t.INCIDENTS, incident)

    def incidents(
        self,
        statuses: Iterable[IncidentStatus],
        *,
        due_by: Instant | None = None,
        page_by: Instant | None = None,
        limit: int = 500,
    ) -> list[Incident]:
        """Give those in `statuses`, by id; with `due_by` those that are due, longest first."""
        wanted = tuple(sorted(values(statuses)))
        query = statements.incidents(wanted, due=due_by is not None, page=page_by is not None)
        return self._all(t.INCIDENTS, query, due_by=due_by, page_by=page_by, most=limit)

    def incidents_opened(self, since: Instant, until: Instant) -> list[Incident]:
        """Give those that opened in a span of time, by id."""
        c = t.INCIDENTS.table.c
        query = t.INCIDENTS.select().where(c.opened >= since, c.opened < until)
        return self._all(t.INCIDENTS, query.order_by(c.id))

    def parts(self, incident: IncidentId) -> list[Incident]:
        """Give those that are part of it and on."""
        c = t.INCIDENTS.table.c
        on = c.status.in_(values(OPEN_STATUSES))
        query = t.INCIDENTS.select().where(c.part_of == incident, c.part_of != 0, on)
        return self._all(t.INCIDENTS, query.order_by(c.id))

    def live_incident(self, key: str) -> Incident | None:
        """Give the one that is not CLOSED."""
        c = t.INCIDENTS.table.c
        closed = str(IncidentStatus.CLOSED)
        return self._one(t.INCIDENTS, t.INCIDENTS.select().where(c.key == key, c.status != closed))

    def attempt(self, attempt: AttemptId) -> Attempt | None:
        """Give one attempt."""
        return self._by_id(t.ATTEMPTS, attempt)

    def attempts(
        self,
        *,
        incident: IncidentId | None = None,
        statuses: Iterable[AttemptStatus] | None = None,
        due_by: Instant | None = None,
        runbook: str = "",
        since: Instant | None = None,
    ) -> list[Attempt]:
        """Give those that meet all that is given, by id."""
        query = statements.attempts(
            None if statuses is None else tuple(sorted(values(statuses))),
            incident=incident is not None,
            due=due_by is not None,
            runbook=bool(runbook),
            since=since is not None,
        )
        return self._all(
            t.ATTEMPTS, query, incident=incident, due_by=due_by, runbook=runbook, since=since
        )

    def step(self, step: StepId) -> Step | None:
        """Give one step."""
        return self._by_id(t.STEPS, step)

    def steps(self, attempt: AttemptId) -> list[Step]:
        """Give an attempt's steps, by id."""
        c = t.STEPS.table.c
        return self._all(t.STEPS, t.STEPS.select().where(c.attempt == attempt).order_by(c.id))

    def open_steps(self) -> list[Step]:
        """Give all in INTENT, by id."""
        c = t.STEPS.table.c
        query = t.STEPS.select().where(c.status == str(StepStatus.INTENT)).order_by(c.id)
        return self._all(t.STEPS, query)

    # --- what the guards count

    def effects_since(
        self, since: Instant, *, incident: IncidentId, key: str, runbook: str, host: str
    ) -> EffectCount:
        """Count attempts with a first effect at or after `since`."""
        c = t.ATTEMPTS.table.c

        def count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
            return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)

        query = select(
            count(c.incident == incident),
            count(c.runbook == runbook, c.key == key),
            count(c.runbook == runbook),
            count(c.host == host),
            func.count(),
        ).where(c.effect_at >= since, c.incident != 0)
        return EffectCount(*(int(number) for number in self.connection.execute(query).one()))

    def last_effect(self, runbook: str, host: str) -> Attempt | None:
        """Give the newest attempt that reached an effect."""
        c = t.ATTEMPTS.table.c
        query = (
            t.ATTEMPTS.select()
            .where(c.runbook == runbook, c.host == host, c.effect_at.is_not(None))
            .order_by(c.effect_at.desc(), c.id.desc())
        )
        return self._one(t.ATTEMPTS, query)

    def held_locks(self) -> dict[str, tuple[AttemptId, bool]]:
        """Give the holder of each held name; of several that share it, the oldest."""
        c = t.LOCKS.c
        query = select(c.name, c.attempt, c.exclusive).where(~c.released)
        rows = self.connection.execute(query.order_by(c.name, c.attempt.desc()))
        return {name: (attempt, exclusive) for name, attempt, exclusive in rows}

    def lock_history(self) -> list[tuple[str, AttemptId, bool]]:
        """Give every lock taken, by name and attempt."""
        c = t.LOCKS.c
        query = select(c.name, c.attempt, c.exclusive).order_by(c.name, c.attempt)
        return [(name, attempt, held) for name, attempt, held in self.connection.execute(query)]

    def orders(self, *, verb: Verb | None = None, at: Instant | None = None) -> list[Order]:
        """Give orders, by id; with `at` those in force then."""
        query = statements.orders(verb=verb is not None, at=at is not None)
        return self._all(t.ORDERS, query, verb=str(verb), at=at)

    # --- tickets, timeline, outbox

    def ticket(self, ticket: TicketId) -> Ticket | None:
        """Give one ticket."""
        return self._by_id(t.TICKETS, ticket)

    def tickets(self, statuses: Iterable[TicketStatus] | None = None) -> list[Ticket]:
        """Give tickets, by id."""
        c = t.TICKETS.table.c
        query = t.TICKETS.select().order_by(c.id)
        if statuses is not None:
            query = query.where(c.status.in_(values(statuses)))
        return self._all(t.TICKETS, query)

    def events(self, incident: IncidentId) -> list[Event]:
        """Give an incident's timeline, by id."""
        c = t.EVENTS.table.c
        return self._all(t.EVENTS, t.EVENTS.select().where(c.incident == incident).order_by(c.id))

    def told(self, kinds: Iterable[str], since: Instant) -> list[Event]:
        """Give lines of any timeline, by id."""
        c = t.EVENTS.table.c
        query = t.EVENTS.select().where(c.kind.in_(list(kinds)), c.at >= since).order_by(c.id)
        return self._all(t.EVENTS, query)

    def outbox(
        self,
        *,
        status: OutboxStatus,
        due_by: Instant | None = None,
        backend: str = "",
        limit: int = 100,
    ) -> list[OutboxItem]:
        """Give messages, by id; with `due_by` none that would overtake an earlier one."""
        query = statements.outbox(due=due_by is not None, backend=bool(backend))
        return self._all(
            t.OUTBOX, query, status=str(status), due_by=due_by, backend=backend, most=limit
        )

    def messages(self, incident: IncidentId) -> list[OutboxItem]:
        """Give the messages about an incident, by id."""
        c = t.OUTBOX.table.c
        return self._all(t.OUTBOX, t.OUTBOX.select().where(c.incident == incident).order_by(c.id))

    def external(self, backend: str, incident: IncidentId) -> str:
        """Give the reference that the backend gave last."""
        c = t.OUTBOX.table.c
        query = (
            select(c.external)
            .where(c.backend == backend, c.incident == incident, c.external != "")
            .order_by(c.id.desc())
            .limit(1)
        )
        return self.connection.execute(query).scalar() or ""

    # --- the rest

    def job(self, key: str) -> JobRecord | None:
        """Give what is known of a watched job."""
        return self._one(t.JOBS, t.JOBS.select().where(t.JOBS.table.c.key == key))

    def waiting(self) -> list[Waiting]:
        """Give the reports that wait, by id."""
        return self._all(t.WAITING, t.WAITING.select().order_by(t.WAITING.table.c.id))

    def markers(self, since: Instant, limit: int = 2000) -> list[Marker]:
        """Give the changes that were told since an instant, by id."""
        c = t.MARKERS.table.c
        query = t.MARKERS.select().where(c.at >= since).order_by(c.id).limit(limit)
        return self._all(t.MARKERS, query)

    def audit_rows(self, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """Give links of the audit chain, by id, from the one after `after`."""
        c = t.AUDIT.table.c
        query = t.AUDIT.select().where(c.id > after).order_by(c.id).limit(limit)
        return self._all(t.AUDIT, query)

    def audit_found(
        self, *, before: int = 0, limit: int = 200, actor: str = "", act: str = "", text: str = ""
    ) -> list[AuditRow]:
        """Give links of the audit chain, the newest first."""
        c = t.AUDIT.table.c
        query = t.AUDIT.select().order_by(c.id.desc()).limit(limit)
        if before:
            query = query.where(c.id < before)
        if actor:
            query = query.where(c.actor == actor)
        if act:
            query = query.where(c.act == act)
        if text:
            columns = (c.actor, c.act, c.subject, c.detail)
            query = query.where(or_(*(one.icontains(text, autoescape=True) for one in columns)))
        return self._all(t.AUDIT, query)

    def audit_ends(self) -> list[AuditRow]:
        """Give the newest link of each node, by node."""
        c = t.AUDIT.table.c
        newest = select(func.max(c.id)).group_by(c.node)
        return self._all(t.AUDIT, t.AUDIT.select().where(c.id.in_(newest)).order_by(c.node))

    def meta(self, name: str) -> str | None:
        """Give a value that was put under a name."""
        return get_meta(self.connection, name)

    def metas(self, prefix: str) -> dict[str, str]:
        """Give the values under a prefix, by the rest of their names."""
        c = t.META.c
        query = select(c.name, c.value).where(c.name.startswith(prefix, autoescape=True))
        rows = self.connection.execute(query.order_by(c.name))
        return {name.removeprefix(prefix): value for name, value in rows}
