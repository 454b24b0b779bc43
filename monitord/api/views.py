"""Documents over a `View`: what the API answers, and the command line where no core runs.

Pure functions of rows, states and (where there is one) the catalog: no clock, no socket, no engine.
How one row looks is in `shapes`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from monitord.actions.plan import from_text
from monitord.api import shapes
from monitord.clock import between
from monitord.decisions import verbs
from monitord.decisions.changes import changed, look_back
from monitord.decisions.orders import bears_on, touched
from monitord.decisions.promises import deadline
from monitord.decisions.selector import matches, parse
from monitord.decisions.ticket_document import document, iso, told_changes
from monitord.errors import NotFoundError
from monitord.metrics import Rows
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, CheckKey, IncidentId, Instant, TicketId
from monitord.model.incident import OPEN_STATUSES, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.model.ticket import Order, OutboxStatus, TicketStatus
from monitord.store.around import around
from monitord.store.contract import View

NOT_OVER = frozenset({*OPEN_STATUSES, IncidentStatus.RESOLVED})
"""Incidents that may still want somebody: all but CLOSED."""

LIVE_TICKETS = frozenset({TicketStatus.OPEN, TicketStatus.ACKED, TicketStatus.RESOLVED})

_BAD = frozenset({Status.WARNING, Status.UNKNOWN, Status.CRITICAL})
_HIGHEST_ID = 2**63 - 1  # what a row's number can be
_SHOWN = 50  # bad states that a status names; the rest is a number
_MANY = 100_000  # more than any retention keeps: a count must not stop at a page
_COUNTED = 100  # messages of the outbox carry whole tickets: counting stops here


def incident_document(
    view: View, number: int, *, now: Instant, catalog: Catalog | None = None
) -> dict[str, Any]:
    """Give an incident with its attempts, steps, timeline, ticket and the orders in force.

    Raises:
        NotFoundError: no such incident.
    """
    found = view.incident(IncidentId(number)) if number <= _HIGHEST_ID else None
    if found is None:
        raise NotFoundError(f"there is no incident {number}; `monitord incidents` lists them")
    attempts = view.attempts(incident=found.id)
    held = view.ticket(found.ticket) if found.ticket is not None else None
    check = catalog.checks.get(CheckKey(found.key)) if catalog else None
    host = catalog.hosts.get(found.host) if catalog else None
    events = view.events(found.id)
    changes = changed(found, check, host, events, view.markers(look_back(found, check)))
    return {
        **shapes.incident(found),
        "attempts": [shapes.attempt(one, view.steps(one.id)) for one in attempts],
        "events": [shapes.event(one) for one in events],
        "changed": told_changes(changes),
        "orders": [shapes.order(one, now=now) for one in view.orders(at=now)],
        "pauses": [shapes.pause(one, now=now) for one in view.pauses(found.id)],
        "deadline": shapes.deadline(deadline(events)),
        "ticket_row": shapes.ticket(held) if held else None,
    }


def attempt_document(view: View, number: int) -> dict[str, Any]:
    """Give one attempt with its exact plan and its steps.

    Raises:
        NotFoundError: no such attempt.
    """
    found = view.attempt(AttemptId(number)) if number <= _HIGHEST_ID else None
    if found is None:
        raise NotFoundError(f"there is no attempt {number}; `monitord incidents` leads to them")
    return {
        **shapes.attempt(found, view.steps(found.id)),
        "incident": found.incident,
        "approved": iso(found.approved),
        "approved_by": found.approved_by,
        "undoing": found.undoing,
        "wrong": found.wrong,
        "wrong_by": found.wrong_by,
        "plan": [shapes.planned(step) for step in from_text(found.plan)],
    }


def ticket_document(
    view: View, number: int, *, catalog: Catalog | None, instance: str, now: Instant
) -> dict[str, Any]:
    """Give the whole ticket; without a catalog, what only the configuration says is missing.

    Raises:
        NotFoundError: no such ticket.
    """
    found = view.ticket(TicketId(number)) if number <= _HIGHEST_ID else None
    row = view.incident(found.incident) if found else None
    if found is None or row is None:
        raise NotFoundError(f"there is no ticket {number}; `monitord tickets` lists them")
    attempts = view.attempts(incident=row.id)
    check = catalog.checks.get(CheckKey(row.key)) if catalog else None
    return document(
        row,
        check=check,
        host=catalog.hosts.get(row.host) if catalog else None,
        attempts=attempts,
        steps={one.id: view.steps(one.id) for one in attempts},
        events=view.events(row.id),
        ticket=found,
        instance=instance,
        markers=view.markers(look_back(row, check)),
        job=view.job(row.key),
        around=around(view, catalog, row, now) if catalog is not None else None,
    )


def incidents(view: View, *, every: bool, limit: int) -> dict[str, Any]:
    """Give the newest incidents, oldest first: those not closed, or every one."""
    which = frozenset(IncidentStatus) if every else NOT_OVER
    rows = view.incidents(which, limit=_MANY)[-limit:]
    return {"incidents": [shapes.incident(one) for one in rows]}


def hidden(
    orders: Iterable[Order], catalog: Catalog | None, states: Iterable[CheckState]
) -> list[str]:
    """Say per verb what its orders keep from people: `2 acks hide 3 CRITICAL, 1 WARNING`.

    Nothing is ever hidden silently. Without a catalog nobody can tell what an order touches.
    """
    bad = shapes.by_check(one for one in states if one.hard in _BAD)
    if catalog is None or not bad:
        return []
    given, lines = list(orders), []
    for verb in verbs.MATRIX:
        own = [one for one in given if one.verb is verb]
        keys = {key for one in own for key in touched(catalog, one.selector, verb)}
        counts = Counter(one.hard for key in keys for one in bad.get(CheckKey(key), ()))
        if counts:
            what = ", ".join(f"{counts[s]} {s.name}" for s in reversed(shapes.BADNESS) if counts[s])
            lines.append(verbs.line(verb, len(own), what))
    return lines


def orders(
    view: View,
    states: Sequence[CheckState],
    catalog: Catalog | None,
    *,
    every: bool,
    limit: int,
    now: Instant,
    host: str = "",
) -> dict[str, Any]:
    """Give the orders in force, or every one, and what those in force keep from people.

    With `host` those that bear on a check of it.
    """
    in_force = view.orders(at=now)
    rows = view.orders() if every else in_force
    if host and catalog is not None:
        rows = [one for one in rows if _on_host(one, catalog, host)]
    return {
        "orders": [shapes.order(one, now=now) for one in rows[-limit:]],
        "hidden": hidden(in_force, catalog, states),
    }


def _on_host(order: Order, catalog: Catalog, host: str) -> bool:
    own = (check for check in catalog.checks.values() if check.host == host)
    return any(bears_on(order.selector, order.verb, catalog.hosts[host], one) for one in own)


def status(view: View, states: Sequence[CheckState], *, now: Instant) -> dict[str, Any]:
    """Give the whole in one page: counts, the worst, what is bad, what is on, what is ordered."""
    bad = sorted(
        (one for one in states if one.hard in _BAD),
        key=lambda one: (-shapes.RANK[one.hard], one.key),
    )
    hard = Counter(one.hard for one in states)
    rows = count(view, now=now)
    return {
        "at": iso(now),
        "status": shapes.worst(hard).name,
        "states": {status.name: hard[status] for status in Status},
        "soft": sum(one.soft for one in states),
        "flapping": sum(one.flapping for one in states),
        "unreachable": sum(one.unreachable for one in states),
        "stale": sum(one.stale for one in states),
        "bad": [shapes.state(one) for one in bad[:_SHOWN]],
        "bad_total": len(bad),
        "incidents": dict(rows.incidents),
        "tickets": dict(rows.tickets),
        "orders": [shapes.order(one, now=now) for one in view.orders(at=now)],
        "outbox": {"pending": rows.outbox_pending, "dead": rows.outbox_dead},
    }


def violations(view: View, catalog: Catalog | None) -> dict[str, Any]:
    """Give the broken invariants; without a catalog by the shipped budgets and by host names."""
    from monitord.store import audit

    if catalog is None:
        return {"violations": [str(one) for one in audit(view)]}

    def covers(selector: str, host: str) -> bool:
        known = catalog.hosts.get(host)
        return known is not None and matches(parse(selector), host=known)

    found = audit(view, catalog.settings.budgets, matches=covers)
    return {"violations": [str(one) for one in found]}


def count(view: View, *, now: Instant) -> Rows:
    """Count what only the database knows; messages up to 100."""
    waiting = view.outbox(status=OutboxStatus.PENDING, limit=_COUNTED)
    oldest = min((one.created for one in waiting), default=now)
    return Rows(
        incidents=Counter(one.status.value for one in view.incidents(NOT_OVER, limit=_MANY)),
        tickets=Counter(one.status.value for one in view.tickets(LIVE_TICKETS)),
        orders=Counter(one.verb.value for one in view.orders(at=now)),
        outbox_pending=len(waiting),
        outbox_dead=len(view.outbox(status=OutboxStatus.DEAD, limit=_COUNTED)),
        outbox_age=max(0.0, between(oldest, now).total_seconds()),
    )
