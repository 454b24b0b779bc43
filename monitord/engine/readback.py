"""The stage that reads tickets back: what people did to them where they work is respected.

Once a minute each backend that can be read is asked about its tickets of open incidents. An owner
there counts as an acknowledgement; a priority that a person set is not set by monitord any more; a
due date is a deadline; a ticket that was closed there while the check still fails stays closed, and
is told once that it fails. Each change is a line on the timeline, and those lines are also what is
known of a ticket.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.clock import after
from monitord.decisions.promises import DEADLINE_THERE
from monitord.decisions.remote import Known, known, news
from monitord.engine import clocks, ticketing
from monitord.engine.backends import Backends
from monitord.engine.instance import Instance
from monitord.engine.orders import Orders
from monitord.engine.situation import checks_of
from monitord.errors import MonitordError, SecretError, TicketError
from monitord.log import get_logger
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.kinds import Readable
from monitord.model.ticket import Event, Operation, OutboxStatus, Remote, Verb
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_EVERY = 60.0  # seconds
_ROUND = 45.0  # seconds that one round may keep one of a backend's threads
_FAILURES = 3  # one after the other: then it is the server that fails
_SKEW = timedelta(minutes=10)  # by which the server's clock may be behind ours
_ACK = timedelta(hours=24)
_CHECKS = 20  # of an incident that several share: a selector has its limits


@dataclass(frozen=True, slots=True)
class _Asked:
    """A ticket to read: of which incident, how many messages had been sent about it by then."""

    incident: IncidentId
    external: str
    since: Instant
    sent: int


class ReadBack:
    """Reads the tickets of all backends that can be read."""

    def __init__(self, instance: Instance, backends: Backends, orders: Orders) -> None:
        self._instance = instance
        self._backends = backends
        self._orders = orders
        self._due: dict[str, float] = {}
        self._last: dict[str, IncidentId] = {}  # where a round that took too long has stopped

    def look(self) -> None:
        """Begin the rounds that are due."""
        for name in self._backends.names():
            try:
                backend = self._backends.get(name)
            except TicketError:
                continue  # taken out of the configuration this moment
            now = self._instance.clock.monotonic()
            if self._backends.quiet_until(name) > self._instance.now():
                continue  # it asked to be left alone, which holds for looks as well
            if isinstance(backend, Readable) and now >= self._due.get(name, 0.0):
                self._due[name] = now + _EVERY
                self._instance.start(f"read back {name}", self._round(name, backend))

    async def _round(self, name: str, backend: Readable) -> None:
        asked = await self._instance.store.read(lambda view: _open_tickets(view, name))
        last = self._last.pop(name, IncidentId(0))
        asked.sort(key=lambda each: (each.incident <= last, each.incident))
        if not asked:
            return
        found, wait = await self._backends.call(name, _read_each, backend, asked)
        self._backends.leave_alone(name, wait)
        if 0 < len(found) < len(asked):
            self._last[name] = found[-1][0].incident
        for ticket, there in found:
            if there is not None:
                await self._take(name, ticket, there)

    async def _take(self, name: str, asked: _Asked, there: Remote) -> None:
        instance = self._instance
        incident, before = await instance.store.read(lambda view: _before(view, name, asked))
        if incident is None or before is None:
            return
        if there.owner and there.owner != before.owner:
            # First the order: killed in between, it is given a second time, which changes nothing.
            await self._acknowledge(name, incident, asked.external, there.owner)
        events = await instance.store.write(lambda tx: self._write(tx, name, asked, there))
        instance.tell(events)

    def _write(self, tx: Tx, name: str, asked: _Asked, there: Remote) -> list[Event]:
        incident, before = _before(tx, name, asked)
        if incident is None or before is None:
            return []
        now, zone = self._instance.now(), self._instance.catalog.settings.timezone
        calls = clocks.next_call(tx, self._instance, incident, now)
        events = news(incident.id, name, asked.external, before, there, now, zone=zone)
        tx.add_events(events)
        if any(event.kind == DEADLINE_THERE for event in events):
            clocks.changed(tx, self._instance, incident.id, calls, now)
            self._instance.wake()
        if there.closed and not before.closed:
            text = (
                f"{incident.key} still fails ({incident.summary}). This ticket was closed here, so"
                " it stays closed; monitord goes on looking, and the incident stays open there."
            )
            ticketing.comment(tx, self._instance, incident.id, name, text, now)
        return events

    async def _acknowledge(self, name: str, incident: Incident, external: str, owner: str) -> None:
        instance = self._instance
        keys = sorted(check.key for check in checks_of(instance, incident))[:_CHECKS]
        if not keys:
            return
        try:
            await self._orders.give(
                Verb.ACK,
                " | ".join(keys),
                by=f"{owner} in {name}",
                reason=f"owns {external}",
                expires=after(instance.now(), _ACK),
                until_ok=True,
            )
        except MonitordError as error:
            log.warning("an owner could not be taken for an ack", backend=name, error=str(error))


def _read_each(
    backend: Readable, asked: Sequence[_Asked]
) -> tuple[list[tuple[_Asked, Remote | None]], float]:
    """Read one ticket after the other until the round's time is up or the server fails.

    Gives the tickets that were asked about, and for how many seconds the server wants quiet. One
    that cannot be read (no right to it, say) hides none behind it.
    """
    ends, failed = time.monotonic() + _ROUND, 0
    found: list[tuple[_Asked, Remote | None]] = []
    for ticket in asked:
        if time.monotonic() > ends or failed >= _FAILURES:
            break
        try:
            found.append((ticket, backend.read(ticket.external, ticket.since)))
            failed = 0
        except (TicketError, SecretError) as error:
            log.warning("ticket not read back", ticket=ticket.external, error=str(error))
            found.append((ticket, None))
            failed += 1
            if wait := getattr(error, "retry_after", None):
                return found, wait
        except (KeyError, TypeError, ValueError) as error:
            # An answer of another shape: this ticket cannot be read, the others may.
            log.warning("ticket not understood", ticket=ticket.external, error=repr(error))
    return found, 0.0


def _open_tickets(view: View, name: str) -> list[_Asked]:
    """Give the tickets of open incidents that a backend has, and that are not being told news."""
    found = []
    for incident in view.incidents(OPEN_STATUSES, limit=100_000):
        external, sent = view.external(name, incident.id), _sent(view, name, incident.id)
        if external and sent:
            since = after(incident.opened, -_SKEW)
            found.append(_Asked(incident.id, external, since, sent))
    return found


def _sent(view: View, name: str, number: IncidentId) -> int:
    """Count what a backend was told; 0 while something waits, or when it was told that it is over.

    A ticket that was read while news were on their way would show the change as a person's.
    """
    mine = [item for item in view.messages(number) if item.backend == name]
    told = [item for item in mine if item.status is OutboxStatus.SENT]
    waits = any(item.status is OutboxStatus.PENDING for item in mine)
    last = [item.operation for item in told if item.operation is not Operation.COMMENT]
    return 0 if waits or not last or last[-1] is Operation.RESOLVE else len(told)


def _before(view: View, name: str, asked: _Asked) -> tuple[Incident | None, Known | None]:
    """Give what was known of a ticket; None where it was told something since it was read."""
    incident = view.incident(asked.incident)
    if incident is None or incident.status not in OPEN_STATUSES:
        return None, None
    if _sent(view, name, asked.incident) != asked.sent:
        return None, None
    return incident, known(view.events(asked.incident), name, _rank(view, name, incident))


def _rank(view: View, name: str, incident: Incident) -> str:
    """Give the priority that a backend was told last.

    While a mute or an ack keeps news from it, that is another than the incident's, and nobody has
    changed it there.
    """
    told = [
        item.body
        for item in view.messages(incident.id)
        if item.backend == name
        and item.status is OutboxStatus.SENT
        and item.body
        and item.operation is not Operation.COMMENT
    ]
    return str(json.loads(told[-1]).get("priority", "")) if told else incident.priority
