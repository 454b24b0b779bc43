"""The questions about what people are told, change of shifts and know of problems; one SELECT each.

They are part of the one view (view.py), which lives inside one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, func, or_, select, text
from sqlalchemy.sql import Select

from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Incident
from monitord.model.notice import Notice, NoticeStatus
from monitord.model.oncall import Override
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.service import ServiceChange
from monitord.model.sla import Corrected, Paused, Sealed
from monitord.model.ticket import Event
from monitord.store import statements
from monitord.store import tables as t
from monitord.store.columns import Row, storable


def values(statuses: Iterable[str]) -> list[str]:
    """Give the stored texts of statuses."""
    return [str(status) for status in statuses]


def pages(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Split: SQLite takes no more than 32,766 values in one statement."""
    rest = iter(numbers)
    while page := list(islice(rest, 10_000)):
        yield page


def _opened(since: Instant, until: Instant) -> Select[Any]:
    """Ask for the numbers of the incidents that opened in a span of time."""
    c = t.INCIDENTS.table.c
    return select(c.id).where(c.opened >= since, c.opened < until)


class PeopleView:
    """Questions to one transaction's connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def _all(self, rows: t.Rows[Row], query: Select[Any], **bound: Any) -> list[Row]:
        load = rows.codec.load
        return [load(record) for record in self.connection.execute(query, bound)]

    def _first(self, rows: t.Rows[Row], query: Select[Any], **bound: Any) -> Row | None:
        record = self.connection.execute(query, bound).first()
        return None if record is None else rows.codec.load(record)

    def _one(self, rows: t.Rows[Row], query: Select[Any]) -> Row | None:
        record = self.connection.execute(query.limit(1)).first()
        return None if record is None else rows.codec.load(record)

    def _by_id(self, rows: t.Rows[Row], number: int) -> Row | None:
        return self._first(rows, statements.by_id(rows), id=number)

    # --- what people are told, and problems

    def notice(self, number: int) -> Notice | None:
        """Give one."""
        return self._by_id(t.NOTICES, number)

    def notices(
        self,
        *,
        status: NoticeStatus | None = None,
        due_by: Instant | None = None,
        incident: IncidentId | None = None,
        since: Instant | None = None,
        limit: int = 500,
    ) -> list[Notice]:
        """Give those that meet all that is given, by id."""
        query = statements.notices(
            status=status is not None,
            due=due_by is not None,
            incident=incident is not None,
            since=since is not None,
        )
        bound = {"due_by": due_by, "incident": incident, "since": since, "most": limit}
        return self._all(t.NOTICES, query, status=str(status), **bound)

    def problem(self, problem: int) -> Problem | None:
        """Give one problem."""
        return self._by_id(t.PROBLEMS, problem)

    def problems(self, statuses: Iterable[ProblemStatus] | None = None) -> list[Problem]:
        """Give problems, by id."""
        query = t.PROBLEMS.select()
        if statuses is not None:
            query = query.where(t.PROBLEMS.table.c.status.in_(values(statuses)))
        return self._all(t.PROBLEMS, query.order_by(t.PROBLEMS.table.c.id))

    # --- on call

    def shift_change(self, number: int) -> Override | None:
        """Give one."""
        return self._by_id(t.SHIFTS, number)

    def shift_changes(
        self, *, rotation: str = "", since: Instant, until: Instant | None = None
    ) -> list[Override]:
        """Give those that reach into a span of time, by id."""
        c = t.SHIFTS.table.c
        query = t.SHIFTS.select().where(c.ends > since)
        if rotation:
            query = query.where(c.rotation == rotation)
        if until is not None:
            query = query.where(c.starts < until)
        return self._all(t.SHIFTS, query.order_by(c.id))

    # --- service levels

    def pauses(self, incident: IncidentId) -> list[Paused]:
        """Give those of an incident, by id."""
        query = t.PAUSES.select().where(t.PAUSES.table.c.incident == incident)
        return self._all(t.PAUSES, query.order_by(t.PAUSES.table.c.id))

    # --- of all incidents that opened in a span of time: one statement, however many they are

    def told_of_opened(
        self, kinds: Iterable[str], since: Instant, until: Instant
    ) -> dict[IncidentId, list[Event]]:
        """Give lines of these kinds, by incident and id."""
        c = t.EVENTS.table.c
        own = c.incident.in_(_opened(since, until))
        query = t.EVENTS.select().where(own, c.kind.in_(list(kinds))).order_by(c.id)
        found: dict[IncidentId, list[Event]] = defaultdict(list)
        for event in self._all(t.EVENTS, query):
            found[event.incident].append(event)
        return found

    def pauses_of_opened(self, since: Instant, until: Instant) -> dict[IncidentId, list[Paused]]:
        """Give pauses, by incident and id."""
        c = t.PAUSES.table.c
        query = t.PAUSES.select().where(c.incident.in_(_opened(since, until))).order_by(c.id)
        found: dict[IncidentId, list[Paused]] = defaultdict(list)
        for row in self._all(t.PAUSES, query):
            found[row.incident].append(row)
        return found

    def keys_of(self, incidents: Iterable[IncidentId]) -> dict[IncidentId, str]:
        """Give the keys of incidents."""
        c = t.INCIDENTS.table.c
        found: dict[IncidentId, str] = {}
        for some in pages(incidents):
            query = select(c.id, c.key).where(c.id.in_(some))
            found.update(tuple(row) for row in self.connection.execute(query))
        return found

    def corrections(self, since: Instant) -> list[Corrected]:
        """Give those of times that end after an instant, by id."""
        c = t.CORRECTIONS.table.c
        return self._all(t.CORRECTIONS, t.CORRECTIONS.select().where(c.ends > since).order_by(c.id))

    def seals(self, *, service: str = "", month: str = "") -> list[Sealed]:
        """Give those that meet all that is given, by id."""
        c = t.SEALS.table.c
        query = t.SEALS.select().order_by(c.id)
        if service:
            query = query.where(c.service == storable(service))
        return self._all(t.SEALS, query.where(c.month == storable(month)) if month else query)

    def seal(self, number: int) -> Sealed | None:
        """Give one."""
        return self._by_id(t.SEALS, number)

    def service_changes(self, service: str, since: Instant) -> list[ServiceChange]:
        """Give those of a service since an instant, by id, and the one that held then."""
        c = t.SERVICES.table.c
        before = select(func.max(c.id)).where(c.service == service, c.at <= since)
        reaches = or_(c.at > since, c.id == before.scalar_subquery())
        query = t.SERVICES.select().where(c.service == service, reaches).order_by(c.id)
        return self._all(t.SERVICES, query)

    def standings(self) -> dict[str, ServiceChange]:
        """Give the newest change of each service."""
        c = t.SERVICES.table.c
        newest = select(func.max(c.id)).group_by(c.service)
        found = self._all(t.SERVICES, t.SERVICES.select().where(c.id.in_(newest)))
        return {row.service: row for row in found}

    def tickets_opened(self, since: Instant) -> list[IncidentId]:
        """Give the incidents of which a backend first heard at or after an instant, by number."""
        c = t.OUTBOX.table.c
        # As text: a partial index serves only a condition that is written as its own.
        query = select(c.incident).where(text("operation = 'open'"), c.created >= since)
        found = self.connection.execute(query.distinct().order_by(c.incident))
        return [IncidentId(row[0]) for row in found]

    def incidents_of(
        self, key: str, *, since: Instant | None = None, limit: int = 50
    ) -> list[Incident]:
        """Give the incidents of one key, the newest first."""
        c = t.INCIDENTS.table.c
        query = t.INCIDENTS.select().where(c.key == key)
        if since is not None:
            query = query.where(c.opened >= since)
        return self._all(t.INCIDENTS, query.order_by(c.id.desc()).limit(limit))
