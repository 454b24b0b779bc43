"""Keeps a storm from burying people: so many new tickets in ten minutes, the rest counted on one.

What is held back has its embedded ticket, and its own in each backend as soon as there is room, the
most urgent first; what is over by then needs none. Which ticket counts the rest is a row.
"""

import json
from collections.abc import Sequence
from datetime import timedelta

from monitord.clock import after
from monitord.engine.instance import Instance
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.ticket import HELD_BACK, Event
from monitord.store.contract import Tx, View

_SPAN = timedelta(minutes=10)
_COUNTED = timedelta(minutes=1)  # how often the count on the one ticket is brought up to date
_STORM = "storm"  # the meta row: {"since", "told", "count"}, empty while there is none
_DAY = timedelta(days=1)


def room(view: View, instance: Instance, now: Instant) -> int:
    """Give how many incidents may still open a ticket in backends now; 0 or less: none."""
    opened = view.tickets_opened(instance.before(now, _SPAN // timedelta(microseconds=1)))
    return instance.catalog.settings.ticket_cap - len(opened)


def hold(tx: Tx, instance: Instance, incident: Incident, now: Instant) -> list[Event]:
    """Note once that an incident's ticket waits for the storm to pass."""
    if not tx.meta(_STORM):
        tx.put_meta(_STORM, json.dumps({"since": now, "told": 0, "count": 0}))
    since = json.loads(tx.meta(_STORM) or "{}").get("since", now)
    timeline = tx.events(incident.id)
    if any(event.kind == HELD_BACK and event.at >= since for event in timeline):
        return []
    cap = instance.catalog.settings.ticket_cap
    text = f"its ticket waits: {cap} were opened in 10 minutes; one of them counts the rest"
    event = Event(incident.id, now, HELD_BACK, text)
    tx.add_events([event])
    return [event]


def held(view: View) -> list[Incident]:
    """Give the incidents that are still on and whose tickets wait, the most urgent first."""
    storm = json.loads(view.meta(_STORM) or "{}")
    if not storm:
        return []
    since = Instant(storm["since"])
    numbers = dict.fromkeys(event.incident for event in view.told([HELD_BACK], since))
    rows = (view.incident(number) for number in numbers)
    waiting = [
        row
        for row in rows
        if row is not None and row.status in OPEN_STATUSES and not row.part_of
        if not view.messages(row.id)
    ]
    return sorted(waiting, key=lambda row: (row.priority, row.id))


def is_on(view: View) -> bool:
    """Tell whether tickets wait, or did a moment ago."""
    return bool(view.meta(_STORM))


def over(tx: Tx) -> None:
    """Forget the storm: nothing waits any more."""
    tx.put_meta(_STORM, "")


def count(view: View, waiting: Sequence[Incident], now: Instant) -> tuple[IncidentId, str] | None:
    """Give the ticket that is to say how many wait, and the sentence; None: it says so already."""
    storm = json.loads(view.meta(_STORM) or "{}")
    soon = storm.get("told", 0) and now < after(Instant(storm["told"]), _COUNTED)
    if not waiting or soon or storm.get("count") == len(waiting):
        return None
    opened = view.tickets_opened(after(now, -_DAY))
    alive = (view.incident(number) for number in reversed(opened))
    anchor = next((one for one in alive if one is not None and one.status in OPEN_STATUSES), None)
    if anchor is None:
        return None
    said = (
        f"and {len(waiting)} more, whose tickets wait for the storm to pass: `monitord incidents`"
    )
    return anchor.id, said


def counted(tx: Tx, waiting: int, now: Instant) -> None:
    """Keep that the count was told."""
    storm = json.loads(tx.meta(_STORM) or "{}")
    tx.put_meta(_STORM, json.dumps({**storm, "told": now, "count": waiting}))
