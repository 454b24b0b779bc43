"""Retention: deletes what is old and settled, a bounded slice at a time.

How long things are kept is the caller's business. What is still on (a live incident, an undecided
transition, an unsent message) is never deleted, however old it is.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql import Select

from monitord.model.ids import Instant
from monitord.model.incident import IncidentStatus
from monitord.model.notice import NoticeStatus
from monitord.model.ticket import OutboxStatus
from monitord.store import chain
from monitord.store import tables as t

_INCIDENTS = 200  # with all their rows: some 10 ms of the writer's time
_ROWS = 2000
_OF_INCIDENTS = tuple(
    rows.table for rows in (t.ATTEMPTS, t.EVENTS, t.TICKETS, t.OUTBOX, t.NOTICES, t.PAUSES)
)


def prune(
    connection: Connection, now: Instant, incidents_before: Instant, evidence_before: Instant
) -> int:
    """Delete a slice; gives the number of rows deleted or cleared, 0 when nothing is left.

    A cut in the future (a wrong retention) is taken as `now`.
    """
    old, stale = min(incidents_before, now), min(evidence_before, now)
    return (
        _incidents(connection, old)
        + _transitions(connection, old)
        + _messages(connection, old)
        + _orders(connection, old)
        + _markers(connection, old)
        + _notices(connection, old)
        + _shifts(connection, old)
        + _corrections(connection, old)
        + _services(connection, old)
        + _chains(connection, old)
        + _credentials(connection, old)
        + _evidence(connection, stale)
        + chain.cut_before(connection, old)
    )


def _delete(connection: Connection, table: Table, *where: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(*where)).rowcount


def _incidents(connection: Connection, before: Instant) -> int:
    c, message = t.INCIDENTS.table.c, t.OUTBOX.table.c
    unsent = exists().where(message.incident == c.id, message.status == str(OutboxStatus.PENDING))
    closed = and_(c.status == str(IncidentStatus.CLOSED), c.closed < before, ~unsent)
    query = select(c.id).where(closed).order_by(c.id).limit(_INCIDENTS)
    gone = list(connection.execute(query).scalars())
    if not gone:
        return 0
    attempts = select(t.ATTEMPTS.table.c.id).where(t.ATTEMPTS.table.c.incident.in_(gone))
    count = _delete(connection, t.STEPS.table, t.STEPS.table.c.attempt.in_(attempts))
    count += _delete(connection, t.LOCKS, t.LOCKS.c.attempt.in_(attempts))
    for table in _OF_INCIDENTS:
        count += _delete(connection, table, table.c.incident.in_(gone))
    return count + _delete(connection, t.INCIDENTS.table, c.id.in_(gone))


def _slice(connection: Connection, table: Table, query: Select[Any]) -> int:
    return _delete(connection, table, table.c.id.in_(query.limit(_ROWS).scalar_subquery()))


def _transitions(connection: Connection, before: Instant) -> int:
    # A key's newest of each kind stays: the last hard one carries the reason why a long-standing
    # CRITICAL has no incident.
    c = t.TRANSITIONS.table.c
    later = t.TRANSITIONS.table.alias()
    replaced = exists().where(later.c.key == c.key, later.c.change == c.change, later.c.id > c.id)
    query = select(c.id).where(c.outcome.is_not(None), c.at < before, replaced)
    return _slice(connection, t.TRANSITIONS.table, query)


def _messages(connection: Connection, before: Instant) -> int:
    # Those of a live incident stay: the backend's own reference stands in them.
    c, incident = t.OUTBOX.table.c, t.INCIDENTS.table.c
    live = exists().where(incident.id == c.incident, incident.status != str(IncidentStatus.CLOSED))
    pending = str(OutboxStatus.PENDING)
    query = select(c.id).where(c.status != pending, c.created < before, ~live)
    return _slice(connection, t.OUTBOX.table, query)


def _orders(connection: Connection, before: Instant) -> int:
    c = t.ORDERS.table.c
    over = func.coalesce(c.ended, c.expires)
    return _slice(connection, t.ORDERS.table, select(c.id).where(over < before))


def _markers(connection: Connection, before: Instant) -> int:
    c = t.MARKERS.table.c
    return _slice(connection, t.MARKERS.table, select(c.id).where(c.at < before))


def _notices(connection: Connection, before: Instant) -> int:
    # Those of an incident go with it: they tell who heard of it and when.
    c = t.NOTICES.table.c
    pending = str(NoticeStatus.PENDING)
    query = select(c.id).where(c.incident == 0, c.status != pending, c.created < before)
    return _slice(connection, t.NOTICES.table, query)


def _credentials(connection: Connection, before: Instant) -> int:
    """Delete what proves nothing any more, in bounded slices."""
    c = t.CREDENTIALS.table.c
    over = or_(c.ended < before, c.expires < before)
    query = select(c.id).where(over).order_by(c.id).limit(_ROWS)
    gone = list(connection.execute(query).scalars())
    return _delete(connection, t.CREDENTIALS.table, c.id.in_(gone)) if gone else 0


def _shifts(connection: Connection, before: Instant) -> int:
    c = t.SHIFTS.table.c
    return _slice(connection, t.SHIFTS.table, select(c.id).where(c.ends < before))


def _corrections(connection: Connection, before: Instant) -> int:
    c = t.CORRECTIONS.table.c
    return _slice(connection, t.CORRECTIONS.table, select(c.id).where(c.ends < before))


def _services(connection: Connection, before: Instant) -> int:
    # The newest of each service stays, and so does the one that held at the cut.
    c = t.SERVICES.table.c
    later = t.SERVICES.table.alias()
    replaced = exists().where(later.c.service == c.service, later.c.id > c.id, later.c.at < before)
    return _slice(connection, t.SERVICES.table, select(c.id).where(c.at < before, replaced))


def _chains(connection: Connection, before: Instant) -> int:
    """Delete runs that are over, with their links and what started those."""
    run, link = t.CHAIN_RUNS.table.c, t.CHAIN_LINKS.table.c
    query = select(run.id).where(run.ended < before).order_by(run.id).limit(_INCIDENTS)
    gone = list(connection.execute(query).scalars())
    if not gone:
        return 0
    c = t.ATTEMPTS.table.c
    by = select(link.attempt).where(link.run.in_(gone), link.attempt != 0)
    starts = list(connection.execute(select(c.id).where(c.id.in_(by), c.incident == 0)).scalars())
    count = _delete(connection, t.STEPS.table, t.STEPS.table.c.attempt.in_(starts))
    count += _delete(connection, t.LOCKS, t.LOCKS.c.attempt.in_(starts))
    count += _delete(connection, t.ATTEMPTS.table, c.id.in_(starts))
    count += _delete(connection, t.CHAIN_LINKS.table, link.run.in_(gone))
    return count + _delete(connection, t.CHAIN_RUNS.table, run.id.in_(gone))


def _evidence(connection: Connection, before: Instant) -> int:
    step, message = t.STEPS.table.c, t.OUTBOX.table.c
    outputs = select(step.id).where(step.finished < before, step.output != "").limit(_ROWS)
    sent = message.status != str(OutboxStatus.PENDING)
    bodies = select(message.id).where(sent, message.created < before, message.body != "")
    cleared = connection.execute(
        update(t.STEPS.table).where(step.id.in_(outputs.scalar_subquery())).values(output="")
    ).rowcount
    emptied = connection.execute(
        update(t.OUTBOX.table)
        .where(message.id.in_(bodies.limit(_ROWS).scalar_subquery()))
        .values(body="")
    ).rowcount
    return cleared + emptied
