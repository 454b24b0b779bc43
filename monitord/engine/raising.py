"""Gives an open incident another priority, with what follows: its line, clocks, pages and ticket.

Which priority it has is decided by engine/ranking.py; what is lowered says so as well.
"""

from monitord.engine import clocks, telling, ticketing
from monitord.engine.instance import Instance
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.ticket import Event
from monitord.store.contract import Tx


def to(
    tx: Tx, instance: Instance, incident: Incident, ranked: str, now: Instant, why: str
) -> list[Event]:
    """Give an incident this priority; nothing where it has it, or is over."""
    if ranked == incident.priority or incident.status not in OPEN_STATUSES:
        return []
    text = f"{incident.priority} → {ranked}: {why}"
    facts = {"before": incident.priority, "after": ranked}
    event = Event(incident.id, now, "ranked", text, data=facts)
    tx.add_events([event])
    page_at = telling.urged(instance, incident, ranked, now)
    tx.change_incident(incident.id, incident.status, priority=ranked, page_at=page_at)
    clocks.begin(tx, instance, incident.id, now)
    if incident.ticket is None or incident.part_of:  # another one tells people of it
        return [event]
    moved = tx.incident(incident.id) or incident
    telling.worse(tx, instance, moved, incident.priority, now)
    return [event, *ticketing.open_or_update(tx, instance, incident.id, now)]


def at_least(
    tx: Tx, instance: Instance, number: IncidentId, ranked: str, now: Instant, why: str
) -> list[Event]:
    """Raise an incident to this priority, where it is less urgent."""
    incident = tx.incident(number)
    if incident is None or incident.priority <= ranked:
        return []
    return to(tx, instance, incident, ranked, now, why)
