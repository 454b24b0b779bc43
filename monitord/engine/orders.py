"""Gives and ends the orders of people, the five verbs; always with a reason and an expiry.

The rows are the truth; a halt of everything also leaves the file HALT, which works with the
database dead. What an order means for a repair is decided by the guards.
"""

from dataclasses import replace

from monitord.clock import between
from monitord.decisions.orders import touched
from monitord.decisions.verbs import MATRIX
from monitord.engine import halt_file
from monitord.engine.composites import made_of
from monitord.engine.instance import Instance
from monitord.engine.situation import checks_of
from monitord.errors import CommandRefusedError, NotFoundError, StoreError
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.model.spec import format_duration
from monitord.model.ticket import Event, Order, TicketStatus, Verb
from monitord.store.contract import Tx

EVERYTHING = "*"
_NOBODY = IncidentId(0)  # stands in a line until it is known whose timeline it goes to
_ON_LADDER = frozenset({IncidentStatus.OPEN, IncidentStatus.WAITING})
_WOKEN = _ON_LADDER | {IncidentStatus.ESCALATED}  # what keeps quiet also bears on told people


class Orders:
    """The orders of one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def preview(self, text: str) -> list[str]:
        """Give the check keys that a selector touches now, sorted."""
        return touched(self._instance.catalog, text)

    async def give(
        self,
        verb: Verb,
        selector: str,
        *,
        by: str,
        reason: str,
        expires: Instant,
        starts: Instant | None = None,
        until_ok: bool = False,
        excused: bool = False,
    ) -> Order:
        """Store an order; from the commit on it is in force, or from `starts`.

        Raises:
            BadSelectorError: the selector cannot be read.
            CommandRefusedError: it touches nothing, has no reason, or is over before it begins.
        """
        instance, now = self._instance, self._instance.now()
        starts, until_ok = starts or now, until_ok or MATRIX[verb].until_ok
        self._must_make_sense(verb, selector, reason, starts, expires)
        if excused and verb is not Verb.MAINTENANCE:
            raise CommandRefusedError(f"only maintenance can be excused, {verb} cannot")
        order = Order(
            0, verb, selector, reason, by, now, starts, expires, until_ok, excused=excused
        )

        def work(tx: Tx) -> tuple[Order, list[Event]]:
            number = tx.add_order(order)
            lasting = format_duration(between(starts, expires))
            said = f"{reason} (order {number}, {lasting}{', excused' * excused})"
            tx.add_audit(now, by, verb.value, selector, said)
            given = _numbered(order, number)
            text = f"{verb} by {by}: {reason}"
            return given, self._tell_incidents(
                tx, given, now, Event(_NOBODY, now, verb.value, text, by)
            )

        if verb is Verb.HALT and selector == EVERYTHING:
            halt_file.write(instance.state, by, reason, expires)
        try:
            given, events = await instance.store.write(work)
        except StoreError as error:
            raise _told(order, error) from error
        instance.tell(events)
        instance.wake()
        return given

    async def end(
        self, what: int | str, *, by: str, verb: Verb = Verb.HALT, own: bool = False
    ) -> list[Order]:
        """End one order by its number, or all orders of a verb with this very selector.

        With `own`, only what the same person gave.

        Raises:
            NotFoundError: no such order is in force.
        """
        instance, now = self._instance, self._instance.now()

        def work(tx: Tx) -> tuple[list[Order], list[Event]]:
            ended, events = [], []
            for order in tx.orders(at=now):
                named = order.id == what or (order.verb is verb and order.selector == what)
                if named and own and order.by != by:
                    raise CommandRefusedError(
                        f"order {order.id} is of {order.by}; an operator ends what others gave"
                    )
                if named and tx.end_order(order.id, now, by):
                    tx.add_audit(now, by, "end", f"order {order.id}", order.selector)
                    text = f"{order.verb} of {order.by} ended by {by}"
                    event = Event(_NOBODY, now, f"{order.verb}-ended", text, by)
                    events += self._tell_incidents(tx, order, now, event)
                    ended.append(order)
            return ended, events

        of_all = verb is Verb.HALT and what == EVERYTHING
        had_file = of_all and not own and halt_file.exists(instance.state)
        ended, events = await instance.store.write(work)
        if had_file or any(o.verb is Verb.HALT and o.selector == EVERYTHING for o in ended):
            halt_file.remove(instance.state)
        if not ended and not had_file:
            named = f"order {what}" if isinstance(what, int) else f"{verb} of {what}"
            raise NotFoundError(f"no {named} is in force; `monitord orders` lists them")
        instance.tell(events)
        instance.wake()
        return ended

    def _must_make_sense(
        self, verb: Verb, selector: str, reason: str, starts: Instant, expires: Instant
    ) -> None:
        if not reason.strip():
            raise CommandRefusedError(f"{verb} needs a reason; add --reason '…'")
        if expires <= max(starts, self._instance.now()):
            raise CommandRefusedError(f"{verb} would be over before it begins; give a later end")
        catalog = self._instance.catalog
        if touched(catalog, selector, verb) or verb is Verb.HALT:
            return
        if MATRIX[verb].hosts and touched(catalog, selector):
            raise CommandRefusedError(
                f"{selector!r} names no whole host, and {verb} is of hosts; write web1 or group=web"
            )
        if touched(catalog, selector):
            raise CommandRefusedError(
                f"{selector!r} names runbooks, which only halt can stop; name hosts or checks"
            )
        raise CommandRefusedError(
            f"{selector!r} touches no check now; `monitord checks` lists them"
        )

    def _tell_incidents(self, tx: Tx, order: Order, now: Instant, line: Event) -> list[Event]:
        """Write a line on the timeline of every live incident that it covers, and wake these."""
        covered = set(touched(self._instance.catalog, order.selector, order.verb))
        if order.verb is Verb.MAINTENANCE:
            covered |= made_of(self._instance.catalog, covered)
        wakes = _WOKEN if order.verb is not Verb.HALT else _ON_LADDER
        events = []
        for incident in tx.incidents(OPEN_STATUSES, limit=100_000):
            keys = {check.key for check in checks_of(self._instance, incident)}
            if not keys or not keys <= covered:
                continue
            events.append(replace(line, incident=incident.id))
            if incident.status in wakes:
                tx.change_incident(incident.id, incident.status, due_at=now)
            if incident.ticket is not None and not MATRIX[order.verb].pages and order.starts <= now:
                # It begins or ends to keep people quiet: when somebody hears next is looked at.
                tx.change_incident(incident.id, incident.status, page_at=now)
            if line.kind == order.verb and MATRIX[order.verb].in_hand:
                _acknowledge(tx, incident, now)
        tx.add_events(events)
        return events


def _acknowledge(tx: Tx, incident: Incident, now: Instant) -> None:
    ticket = tx.ticket(incident.ticket) if incident.ticket is not None else None
    if ticket is not None and ticket.status is TicketStatus.OPEN:
        tx.move_ticket(ticket.id, TicketStatus.OPEN, TicketStatus.ACKED, updated=now)


def _told(order: Order, error: StoreError) -> Exception:
    """Give what a person is told when the store did not take an order."""
    if order.verb is not Verb.HALT or order.selector != EVERYTHING:
        return error
    return CommandRefusedError(
        f"halted by the file HALT; the order could not be recorded ({error}):"
        " it stays until `monitord resume '*'`"
    )


def _numbered(order: Order, number: int) -> Order:
    return replace(order, id=number)
