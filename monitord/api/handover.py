"""The page of a hand-over: what is open, taken, muted, repaired twice, asked, and due by morning.

It reads rows and shapes them; signing it is the engine's.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from pydantic import StringConstraints

from monitord.api import bodies, shapes
from monitord.api.access import Right
from monitord.api.bodies import Body
from monitord.api.routes import Asked, Route, asked_since
from monitord.clock import after
from monitord.decisions import calendars, oncall
from monitord.decisions.ticket_document import iso
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.incident import OPEN_STATUSES, Attempt, AttemptStatus, Incident
from monitord.model.oncall import Rotation
from monitord.model.ticket import Order, Verb
from monitord.serving import read_body
from monitord.store.contract import View

SINCE = timedelta(hours=8)
"""What a hand-over looks back on unless told otherwise."""

SIGNED = "handover"  # as monitord.engine.oncall keeps it

_MORNING = time(9)
_AHEAD = timedelta(days=35)
_TWICE = 2
_IN_HAND = frozenset((Verb.TAKE, Verb.ACK))
_QUIET = frozenset((Verb.MUTE, Verb.MAINTENANCE))


def document(view: View, catalog: Catalog | None, *, since: Instant, now: Instant) -> Any:
    """Give the page; without a catalog it knows no rotation and reads the morning in UTC."""
    morning = _morning(now, catalog.settings.timezone if catalog else "UTC")
    opened = view.incidents(OPEN_STATUSES, limit=1000)
    orders = view.orders(at=now)
    asked = view.attempts(statuses=[AttemptStatus.APPROVAL])
    fixed = view.attempts(statuses=[AttemptStatus.FIXED], since=since)
    rotations = catalog.rotations.values() if catalog else ()
    return {
        "since": iso(since),
        "now": iso(now),
        "morning": iso(morning),
        "on_call": [on_call(view, catalog, one, now) for one in rotations if catalog],
        "open": [{**shapes.incident(one), "new": one.opened >= since} for one in opened],
        "taken": [shapes.order(one, now=now) for one in orders if one.verb in _IN_HAND],
        "muted": [shapes.order(one, now=now) for one in orders if one.verb in _QUIET],
        "repaired": len(fixed),
        "repaired_twice": _twice(fixed),
        "approvals": [_asked(one) for one in asked],
        "due": _due(opened, view.orders(), asked, now, morning),
        "signed": json.loads(view.meta(SIGNED) or "null"),
    }


def _morning(now: Instant, zone: str) -> Instant:
    """Give the next nine o'clock."""
    where = calendars.zone_of(zone)
    wall = calendars.wall_time(where, now)
    today = calendars.instant_of(where, datetime.combine(wall.date(), _MORNING))
    if today > now:
        return today
    return calendars.instant_of(where, datetime.combine(wall.date() + timedelta(days=1), _MORNING))


def on_call(view: View, catalog: Catalog, rotation: Rotation, now: Instant) -> dict[str, Any]:
    """Give who is on call in a rotation, and who comes next."""
    end = after(now, _AHEAD)
    written = view.shift_changes(rotation=rotation.name, since=now, until=end)
    found = oncall.shifts(rotation, oncall.of_people(written, catalog.people), now, end)
    on = [one for one in found if one.starts <= now]
    later = [one for one in found if one.starts > now]
    return {
        "rotation": rotation.name,
        "on": [one.person for one in sorted(on, key=lambda one: one.beside)],
        "next": later[0].person if later else None,
        "at": iso(later[0].starts) if later else None,
    }


def _twice(fixed: Iterable[Attempt]) -> list[dict[str, Any]]:
    """Give what was repaired more than once: it comes back."""
    times = Counter((one.key, one.runbook) for one in fixed)
    return [
        {"key": key, "runbook": runbook, "times": count}
        for (key, runbook), count in sorted(times.items())
        if count >= _TWICE
    ]


def _asked(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.id,
        "key": attempt.key,
        "runbook": attempt.runbook,
        "planned": iso(attempt.planned),
        "until": iso(attempt.deadline),
    }


def _due(
    opened: Iterable[Incident],
    orders: Iterable[Order],
    asked: Iterable[Attempt],
    now: Instant,
    morning: Instant,
) -> list[dict[str, Any]]:
    """Give what falls due by the morning, the earliest first."""
    found: list[tuple[Instant, str]] = []
    for order in orders:
        if order.ended is None:
            text = f"{order.verb} on {order.selector} ({order.by}: {order.reason})"
            found += [(order.starts, f"begins: {text}"), (order.expires, f"ends: {text}")]
    found += [
        (one.deadline, f"expires to the next tier: attempt {one.id}, {one.runbook} on {one.key}")
        for one in asked
    ]
    found += [
        (one.page_at, f"the next people are told: incident {one.id}, {one.key}")
        for one in opened
        if one.page_at is not None
    ]
    return [{"at": iso(at), "what": what} for at, what in sorted(found) if now < at <= morning]


class Sign(Body):
    """POST /v1/handover/sign: who leaves first, then who comes."""

    leaving: bool
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""


async def show(asked: Asked) -> Any:
    """GET /v1/handover: `since` (8 hours ago)."""
    now, catalog = asked.engine.now(), asked.engine.catalog
    since = asked_since(asked, SINCE)
    return await asked.engine.store.read(lambda view: document(view, catalog, since=since, now=now))


async def sign(asked: Asked) -> Any:
    """POST /v1/handover/sign."""
    body = bodies.parse(Sign, await read_body(asked.request, bodies.LONGEST))
    return await asked.engine.oncall.sign(
        leaving=body.leaving, note=body.note, by=asked.person.name
    )


HANDOVER = (
    Route(
        "GET",
        "/v1/handover",
        Right.READ,
        show,
        "what the next on call must know; `since`",
        query=("since",),
    ),
    Route(
        "POST",
        "/v1/handover/sign",
        Right.RESPOND,
        sign,
        "sign it, as who leaves or comes",
        body=Sign,
    ),
)
