"""Opens, updates and resolves tickets inside the transaction that decided it, outbox rows included.

What a ticket says is built by decisions/ticket_document.py; whether it is due was decided before.
Nothing is sent here: the outbox stage does that, after the commit.
"""

import json
from collections.abc import Iterable
from datetime import timedelta

from monitord.clock import after
from monitord.decisions.changes import look_back
from monitord.decisions.handing import last_handed_on
from monitord.decisions.routing import hears
from monitord.decisions.ticket_document import document, title
from monitord.decisions.verbs import IN_HAND, QUIET
from monitord.engine import storm
from monitord.engine.duty import is_open
from monitord.engine.instance import Instance
from monitord.engine.linking import link_of
from monitord.engine.situation import order_over
from monitord.engine.telling import begins_at, over
from monitord.model.ids import IncidentId, Instant, TicketId
from monitord.model.incident import Incident
from monitord.model.ticket import (
    Event,
    Operation,
    Order,
    OutboxItem,
    OutboxStatus,
    Ticket,
    TicketStatus,
)
from monitord.store.around import around
from monitord.store.contract import Tx, View

_ASKING = timedelta(seconds=8)  # a message waits so long for what its host is being asked


def ticket_document(view: View, instance: Instance, incident: Incident) -> dict[str, object]:
    """Give the ticket of an incident as it stands in this transaction."""
    check = instance.check(incident.key)
    attempts = view.attempts(incident=incident.id)
    return document(
        incident,
        check=check,
        host=instance.host(check),
        attempts=attempts,
        steps={attempt.id: view.steps(attempt.id) for attempt in attempts},
        events=view.events(incident.id),
        ticket=view.ticket(incident.ticket) if incident.ticket is not None else None,
        instance=instance.catalog.settings.instance,
        markers=view.markers(look_back(incident, check)),
        job=view.job(incident.key),
        around=around(view, instance.catalog, incident, instance.now()),
        links={f"approve attempt {a.id}": link_of(instance, a) for a in attempts},
    )


def open_or_update(tx: Tx, instance: Instance, number: IncidentId, now: Instant) -> list[Event]:
    """Make sure that a person has a ticket of this incident that shows what is true now.

    Of one that is part of another people hear there.
    """
    incident = _read(tx, number)
    if incident.part_of:
        return []
    if incident.ticket is None:
        return _open(tx, instance, incident, now)
    ticket = tx.ticket(incident.ticket)
    if ticket is None:
        return _open(tx, instance, incident, now)
    fields = {
        "updated": now,
        "title": title(incident),
        "tier": incident.tier,
        "priority": incident.priority,
    }
    lapsed = ticket.status is TicketStatus.ACKED and not _acked(tx, instance, incident, now)
    if ticket.status is TicketStatus.RESOLVED or lapsed:
        tx.move_ticket(ticket.id, ticket.status, TicketStatus.OPEN, resolved=None, **fields)
    else:
        tx.change_ticket(ticket.id, ticket.status, **fields)
    return _send(tx, instance, incident, now)


def catch_up(tx: Tx, instance: Instance, number: IncidentId, now: Instant) -> None:
    """Tell people what an order kept from them, once nothing keeps it quiet any more."""
    incident = _read(tx, number)
    ticket = tx.ticket(incident.ticket) if incident.ticket is not None else None
    if ticket is None or ticket.status in (TicketStatus.RESOLVED, TicketStatus.CLOSED):
        return
    if kept_quiet(tx, instance, incident, now) is not None:
        return
    told = _told(tx, number)
    hearers = _hearers(instance, incident, told, now)
    behind = [name for name in hearers if told.get(name) in _NOT_TOLD]
    if behind or ticket.status is TicketStatus.ACKED:
        open_or_update(tx, instance, number, now)


def resolve(tx: Tx, instance: Instance, number: IncidentId, now: Instant) -> None:
    """Say on the ticket, where there is one, that it is over, or part of another incident."""
    incident = _read(tx, number)
    if incident.ticket is None:
        return
    ticket = tx.ticket(incident.ticket)
    if ticket is None or ticket.status in (TicketStatus.RESOLVED, TicketStatus.CLOSED):
        return
    tx.move_ticket(ticket.id, ticket.status, TicketStatus.RESOLVED, updated=now, resolved=now)
    over(tx, instance, incident, now)
    _send(tx, instance, incident, now, ended=True)


def comment(
    tx: Tx, instance: Instance, number: IncidentId, backend: str, text: str, now: Instant
) -> None:
    """Queue one sentence for an incident's ticket in one backend; it changes nothing there."""
    incident = _read(tx, number)
    body = {**ticket_document(tx, instance, incident), "comment": text}
    tx.add_outbox(
        OutboxItem(
            id=0,
            backend=backend,
            incident=number,
            operation=Operation.COMMENT,
            key=f"{instance.catalog.settings.instance}-{number}",
            body=json.dumps(body, ensure_ascii=False),
            status=OutboxStatus.PENDING,
            created=now,
            due_at=now,
        )
    )


def remark(tx: Tx, instance: Instance, number: IncidentId, text: str, now: Instant) -> None:
    """Queue one sentence for an incident's ticket in each backend that has it open."""
    for backend, operation in _told(tx, number).items():
        if operation is not Operation.RESOLVE:
            comment(tx, instance, number, backend, text, now)


def close(tx: Tx, incident: Incident, now: Instant) -> None:
    """Close the embedded ticket with its incident; backends were told when it was resolved."""
    ticket = tx.ticket(incident.ticket) if incident.ticket is not None else None
    if ticket is not None and ticket.status is not TicketStatus.CLOSED:
        tx.move_ticket(ticket.id, ticket.status, TicketStatus.CLOSED, updated=now)


def kept_quiet(view: View, instance: Instance, incident: Incident, now: Instant) -> Order | None:
    """Give the order that keeps people from being paged now: of several, which ends first.

    Who had it in hand and has handed it on has it in hand no more.
    """
    order = order_over(view, instance, QUIET, incident, now)
    if order is None or order.verb not in IN_HAND:
        return order
    since = last_handed_on(view.events(incident.id))
    return order_over(view, instance, QUIET, incident, now, since=since) if since else order


def note_quiet(tx: Tx, number: IncidentId, order: Order, now: Instant) -> list[Event]:
    """Write once on the timeline what keeps people from being told, so that it can be found."""
    incident = _read(tx, number)
    since = incident.escalated or incident.opened
    for event in tx.events(number):
        if event.kind == "quiet" and event.data.get("order") == order.id and event.at >= since:
            return []
    text = f"nobody is paged before the {order.verb} by {order.by} ends: {order.reason}"
    data = {"order": order.id, "verb": str(order.verb)}
    event = Event(number, now, "quiet", text, data=data)
    tx.add_events([event])
    return [event]


def _acked(view: View, instance: Instance, incident: Incident, now: Instant) -> bool:
    since = last_handed_on(view.events(incident.id))
    return order_over(view, instance, IN_HAND, incident, now, since=since) is not None


def _open(tx: Tx, instance: Instance, incident: Incident, now: Instant) -> list[Event]:
    status = TicketStatus.ACKED if _acked(tx, instance, incident, now) else TicketStatus.OPEN
    number = tx.add_ticket(
        Ticket(
            id=TicketId(0),  # the store numbers it
            incident=incident.id,
            key=f"{instance.catalog.settings.instance}-{incident.id}",
            status=status,
            title=title(incident),
            opened=now,
            updated=now,
            tier=incident.tier,
            priority=incident.priority,
        )
    )
    page_at = begins_at(instance, incident, now)
    tx.change_incident(incident.id, incident.status, ticket=number, page_at=page_at)
    instance.counters.tickets[incident.tier] += 1
    text = f"ticket {number} opened, {incident.priority} at {incident.tier}"
    event = Event(incident.id, now, "ticket-opened", text, data={"ticket": number})
    tx.add_events([event])
    return [event, *_send(tx, instance, incident, now)]


def _send(
    tx: Tx, instance: Instance, incident: Incident, now: Instant, *, ended: bool = False
) -> list[Event]:
    """Queue what each backend must learn, by what it was told last; or say what keeps it quiet."""
    settings = instance.catalog.settings
    incident = _read(tx, incident.id)
    if settings.observe:
        return []  # every decision is taken, nothing is let out
    order = None if ended else kept_quiet(tx, instance, incident, now)
    if order is not None:
        return note_quiet(tx, incident.id, order, now)
    told = _told(tx, incident.id)
    urgent = incident.priority == "P1"  # a storm is where these must not drown
    if not (told or ended or urgent) and storm.room(tx, instance, now) <= 0:
        return storm.hold(tx, instance, incident, now)
    body = json.dumps(ticket_document(tx, instance, incident), ensure_ascii=False)
    for backend in _hearers(instance, incident, told, now):
        operation = _operation(told.get(backend), ended=ended)
        if operation is None:
            continue
        tx.add_outbox(
            OutboxItem(
                id=0,
                backend=backend,
                incident=incident.id,
                operation=operation,
                key=f"{settings.instance}-{incident.id}",
                body=body,
                status=OutboxStatus.PENDING,
                created=now,
                due_at=after(now, _ASKING) if incident.id in instance.asking else now,
            )
        )
    return []


def _hearers(
    instance: Instance, incident: Incident, told: Iterable[str], now: Instant
) -> tuple[str, ...]:
    """Give the backends that hear of an incident."""
    check, catalog = instance.check(incident.key), instance.catalog
    return hears(
        catalog.settings.routes,
        catalog.backends,
        told,
        incident=incident,
        host=instance.host(check),
        check=check,
        is_open=is_open(instance, now),
    )


_NOT_TOLD = (None, Operation.RESOLVE)


def _told(view: View, number: IncidentId) -> dict[str, Operation]:
    """Give what each backend was or will be told last; what it refused for good does not count."""
    return {
        item.backend: item.operation
        for item in view.messages(number)
        if item.status is not OutboxStatus.DEAD and item.operation is not Operation.COMMENT
    }


def _operation(told: Operation | None, *, ended: bool) -> Operation | None:
    """Give what to say to a backend after what it was told last; None: it need not know."""
    if ended:
        return None if told in _NOT_TOLD else Operation.RESOLVE
    if told is None:
        return Operation.OPEN
    return Operation.REOPEN if told is Operation.RESOLVE else Operation.UPDATE


def _read(view: View, number: IncidentId) -> Incident:
    incident = view.incident(number)
    if incident is None:
        raise LookupError(f"incident {number} vanished inside its own transaction")
    return incident


def after_the_storm(tx: Tx, instance: Instance, now: Instant) -> list[Event]:
    """Open the tickets that waited, as far as there is room, and have one count the rest."""
    # What an order keeps quiet is told when that ends; in the queue it would hold up the others.
    held = storm.held(tx)
    waiting = [one for one in held if kept_quiet(tx, instance, one, now) is None]
    events: list[Event] = []
    room = max(0, storm.room(tx, instance, now))
    for incident in waiting[:room]:
        events += open_or_update(tx, instance, incident.id, now)
    rest = waiting[room:]
    if not rest:
        storm.over(tx)
    said = storm.count(tx, rest, now)
    if said is not None:
        number, text = said
        for backend in _told(tx, number):
            comment(tx, instance, number, backend, text, now)
        storm.counted(tx, len(rest), now)
    return events
