"""The statements that are asked thousands of times an hour, each built once for its shape.

Building one costs more than running it. A shape is which conditions it has; what they compare with
is bound at each call. Nothing is asked here.
"""

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, bindparam, exists, or_
from sqlalchemy.sql import Select

from monitord.store import tables as t

_EARLIER = t.OUTBOX.table.alias()


@cache
def by_id(rows: t.Rows[Any]) -> Select[Any]:
    """Ask for the row whose number is `id`."""
    return rows.select().where(rows.table.c.id == bindparam("id")).limit(1)


@cache
def by_key(rows: t.Rows[Any]) -> Select[Any]:
    """Ask for the row whose key is `key`."""
    return rows.select().where(rows.table.c.key == bindparam("key")).limit(1)


@cache
def pending_transitions() -> Select[Any]:
    """Ask for the undecided, at most `most`."""
    c = t.TRANSITIONS.table.c
    query = t.TRANSITIONS.select().where(c.outcome.is_(None)).order_by(c.id)
    return query.limit(bindparam("most"))


@cache
def incidents(statuses: tuple[str, ...], *, due: bool, page: bool) -> Select[Any]:
    """Ask for those in `statuses`, `due_by`, `page_by`, at most `most`; what is due by due time.

    By due time, so that a crowd of low numbers cannot starve the rest of a full page.
    """
    c = t.INCIDENTS.table.c
    query = t.INCIDENTS.select().where(c.status.in_(statuses))
    if page:
        query = query.where(c.page_at <= bindparam("page_by"), c.part_of == 0)
    if due:
        query = query.where(c.due_at <= bindparam("due_by")).order_by(c.due_at, c.id)
    else:
        query = query.order_by(c.id)
    return query.limit(bindparam("most"))


@cache
def attempts(
    statuses: tuple[str, ...] | None, *, incident: bool, due: bool, runbook: bool, since: bool
) -> Select[Any]:
    """Ask for those in `statuses`, of `incident`, `due_by`, of `runbook`, planned `since`."""
    c = t.ATTEMPTS.table.c
    query = t.ATTEMPTS.select().order_by(c.id)
    if statuses is not None:
        query = query.where(c.status.in_(statuses))
    if incident:
        query = query.where(c.incident == bindparam("incident"))
    if due:
        query = query.where(c.due_at <= bindparam("due_by"))
    if runbook:
        query = query.where(c.runbook == bindparam("runbook"))
    if since:
        query = query.where(c.planned >= bindparam("since"))
    return query


@cache
def outbox(*, due: bool, backend: bool) -> Select[Any]:
    """Ask for those in `status`, of `backend`, `due_by` and overtaking none, at most `most`."""
    c, e = t.OUTBOX.table.c, _EARLIER.c
    query = t.OUTBOX.select().where(c.status == bindparam("status"))
    if backend:
        query = query.where(c.backend == bindparam("backend"))
    if due:
        overtakes = exists().where(
            e.status == bindparam("status"),
            e.backend == c.backend,
            e.incident == c.incident,
            e.id < c.id,
        )
        query = query.where(c.due_at <= bindparam("due_by"), ~overtakes)
    return query.order_by(c.id).limit(bindparam("most"))


@cache
def notices(*, status: bool, due: bool, incident: bool, since: bool) -> Select[Any]:
    """Ask for those in `status`, `due_by`, of `incident`, created `since`, at most `most`."""
    c = t.NOTICES.table.c
    query = t.NOTICES.select()
    if status:
        query = query.where(c.status == bindparam("status"))
    if due:
        query = query.where(c.due_at <= bindparam("due_by"))
    if incident:
        query = query.where(c.incident == bindparam("incident"))
    if since:
        query = query.where(c.created >= bindparam("since"))
    return query.order_by(c.id).limit(bindparam("most"))


@cache
def orders(*, verb: bool, at: bool) -> Select[Any]:
    """Ask for those of `verb`, in force `at`."""
    c = t.ORDERS.table.c
    query = t.ORDERS.select().order_by(c.id)
    if verb:
        query = query.where(c.verb == bindparam("verb"))
    if at:
        now: BindParameter[Any] = bindparam("at")
        query = query.where(c.starts <= now, c.expires > now, or_(c.ended.is_(None), c.ended > now))
    return query
