"""The stage that delivers tickets: in order per backend and incident, each incident one ticket.

The error says whether trying again can help, and whether the message may have been taken all the
same; this is the one place that tries again. Before an OPEN leaves, its row says that its outcome
is in doubt, so that a crash is no different from a time-out: then the backend is searched twice,
its lag between, before anything is created again. While a backend takes nothing, later updates of
an incident become one message with the newest document. A message refused for good is DEAD and
becomes a problem of monitord's own health. A ticket that its tracker does not let be opened again
is followed by another one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from monitord.clock import after
from monitord.decisions.remote import DELIVERED, FOLLOWS, is_held
from monitord.engine.backends import Backends
from monitord.engine.instance import Instance
from monitord.errors import SecretError, StaysClosedError, TicketError
from monitord.log import get_logger
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES
from monitord.model.kinds import Lapsing, Searchable
from monitord.model.ticket import Delivery, Event, Operation, OutboxItem, OutboxStatus
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_FIRST_RETRY = 5.0  # seconds
_DOUBLINGS = 10  # beyond, the longest is reached anyway and a float would overflow
_LONGEST_RETRY = 60.0  # seconds: with the searches, a server that is back is served in two minutes
_SEARCHES = 2  # that must find nothing before an OPEN of unknown outcome is sent again
_P = OutboxStatus.PENDING
_MANY = 100  # messages of one look


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What one try sends: `item` is the oldest that waits, `sent` the one that speaks for `all`."""

    item: OutboxItem
    sent: OutboxItem
    all: tuple[OutboxItem, ...]
    document: Mapping[str, Any]
    external: str


class Outbox:
    """Sends what the outbox holds, and repeats what backends would forget."""

    def __init__(self, instance: Instance, backends: Backends) -> None:
        self._instance = instance
        self._backends = backends
        self._said_again: dict[str, float] = {}

    def waiting(self, view: View, due_by: Instant) -> list[OutboxItem]:
        """Give the messages due by then, of each backend its own share: none hides another's.

        What goes to a backend that asked to be left alone (Retry-After) is due when that is over.
        """
        first = view.outbox(status=_P, due_by=due_by, limit=_MANY)
        found = {item.id: item for item in first}
        # Fewer than asked for: these are all, so that no backend's can be hidden behind another's.
        for backend in self._backends.names() if len(first) == _MANY else ():
            mine = view.outbox(status=_P, due_by=due_by, backend=backend)
            found.update({item.id: item for item in mine})
        return [self._postponed(found[number]) for number in sorted(found)]

    def begin(self, item: OutboxItem) -> None:
        """Begin a delivery that is due, unless one to the same incident's ticket is under way."""
        if not self._instance.busy(_lane(item)):
            self._instance.start(_lane(item), self._deliver(item))

    def repeat(self) -> None:
        """Say again what is still true to the backends that would forget it."""
        for name in self._backends.names():
            try:
                backend = self._backends.get(name)
            except TicketError:
                continue  # taken out of the configuration this moment
            now = self._instance.clock.monotonic()
            rests = self._backends.quiet_until(name) > self._instance.now()
            if (
                isinstance(backend, Lapsing)
                and now >= self._said_again.get(name, 0.0)
                and not rests
            ):
                self._said_again[name] = now + backend.resend
                self._instance.start(f"repeat {name}", self._repeat_all(name))

    def close(self) -> None:
        """Let nothing new begin; what is under way ends by its own time-outs."""
        self._backends.close()

    def _postponed(self, item: OutboxItem) -> OutboxItem:
        return replace(item, due_at=max(item.due_at, self._backends.quiet_until(item.backend)))

    async def _deliver(self, item: OutboxItem) -> None:
        instance = self._instance
        # Asked again: between the look that found it and now, an earlier delivery may have ended.
        parcel = await instance.store.read(lambda view: _parcel(view, item))
        if parcel is None or self._postponed(parcel.item).due_at > instance.now():
            return
        try:
            done = await self._try(parcel)
        except StaysClosedError as error:
            await instance.insist(self._follow(parcel, error))
            return
        except (TicketError, SecretError) as error:
            await instance.insist(self._failed(parcel, error))
            return
        except Exception as error:
            log.exception("ticket backend failed", backend=item.backend)  # the message stays
            text = f"{type(error).__name__}: {error}"
            wrapped = TicketError(text, permanent=False, unknown=True)
            await instance.insist(self._failed(parcel, wrapped))
            return
        if done is not None:
            await instance.insist(done)
            instance.counters.delivered[item.backend] += 1

    async def _try(self, parcel: _Parcel) -> Callable[[Tx], None] | None:
        """Search where the outcome of an earlier try is in doubt, else send; None: not yet."""
        item, name = parcel.item, parcel.item.backend
        backend = self._backends.get(name)
        opens = item.operation is Operation.OPEN and not parcel.external
        if opens and item.doubt and isinstance(backend, Searchable):
            found = await self._backends.call(name, backend.find, item.key)
            if found is not None:
                return self._sent(replace(parcel, sent=item, all=(item,)), Delivery(found), "found")
            if item.doubt > 1:
                due = after(self._instance.now(), timedelta(seconds=backend.lag))
                await self._change(item, doubt=item.doubt - 1, due_at=due)
                return None
        if opens:
            await self._change(item, doubt=_SEARCHES)
        delivery = await self._backends.call(
            name, backend.deliver, parcel.sent, parcel.document, parcel.external
        )
        return self._sent(parcel, delivery, "delivered")

    async def _change(self, item: OutboxItem, **changes: Any) -> None:
        await self._instance.insist(lambda tx: tx.change_outbox(item.id, _P, **changes))

    def _sent(self, parcel: _Parcel, delivery: Delivery, how: str) -> Callable[[Tx], None]:
        now, sent = self._instance.now(), parcel.sent
        text = f"{sent.operation} {how} {'to' if how == 'delivered' else 'in'} {sent.backend}"
        if delivery.external:
            text += f" as {delivery.external}"
        if len(parcel.all) > 1:
            text += f", with {len(parcel.all) - 1} others that it makes needless"
        if delivery.owner:
            text += f", which gave it to {delivery.owner}"
        data = {"backend": sent.backend, "external": delivery.external, "url": delivery.url}
        data |= {"owner": delivery.owner} if delivery.owner else {}
        if sent.operation is Operation.OPEN and FOLLOWS in parcel.document:
            data[FOLLOWS] = parcel.document[FOLLOWS]

        def work(tx: Tx) -> None:
            moved = False
            for item in parcel.all:
                changes = {"external": delivery.external} if item.id == sent.id else {}
                moved |= tx.move_outbox(
                    item.id, _P, OutboxStatus.SENT, tries=item.tries + 1, **changes
                )
            if moved:
                tx.add_events([Event(sent.incident, now, DELIVERED, text, data=data)])

        return work

    def _follow(self, parcel: _Parcel, error: StaysClosedError) -> Callable[[Tx], None]:
        """Have another ticket opened in the place of one that stays closed.

        Its key is another one, so that after a time-out a search finds it and not the closed one.
        """
        now, item, closed = self._instance.now(), parcel.item, parcel.external
        document = {**json.loads(item.body), FOLLOWS: closed}
        log.warning("a ticket stays closed", backend=item.backend, error=str(error))

        def work(tx: Tx) -> None:
            changes: dict[str, Any] = {
                "operation": Operation.OPEN,
                "key": f"{item.key}.{_tickets(tx, item) + 1}",
                "body": json.dumps(document, ensure_ascii=False),
                "due_at": now,
                "last_error": str(error),
                "tries": item.tries + 1,
            }
            if tx.change_outbox(item.id, _P, **changes):
                text = f"{item.backend}: {error}; another ticket follows it"
                tx.add_events([Event(item.incident, now, "followed", text)])

        return work

    def _failed(self, parcel: _Parcel, error: TicketError | SecretError) -> Callable[[Tx], None]:
        now, item = self._instance.now(), parcel.item
        self._instance.counters.undelivered[item.backend] += 1
        told = error if isinstance(error, TicketError) else TicketError(str(error), permanent=False)
        wait = told.retry_after or _back_off(item.tries)
        if told.retry_after:
            self._backends.leave_alone(item.backend, told.retry_after)
        changes: dict[str, Any] = {"tries": item.tries + 1, "last_error": str(error)}
        if item.operation is Operation.OPEN and not item.doubt:
            # Sent for the first time, or for the first time since it surely was not taken.
            changes["doubt"] = _SEARCHES if told.unknown else 0
            wait = max(wait, self._lag(item.backend)) if told.unknown else wait
        due = after(now, timedelta(seconds=wait))
        log.warning(
            "ticket not delivered", backend=item.backend, error=str(error), permanent=told.permanent
        )

        def work(tx: Tx) -> None:
            if not told.permanent:
                tx.change_outbox(item.id, _P, due_at=due, **changes)
                return
            for each in parcel.all:
                tx.move_outbox(each.id, _P, OutboxStatus.DEAD, **changes)
            text = f"{item.backend} refuses {parcel.sent.operation} for good: {error}"
            tx.add_events([Event(item.incident, now, "undeliverable", text)])

        return work

    def _lag(self, name: str) -> float:
        try:
            backend = self._backends.get(name)
        except TicketError:
            return 0.0  # it is not configured any more: then the next try says so
        return float(backend.lag) if isinstance(backend, Searchable) else 0.0

    async def _repeat_all(self, name: str) -> None:
        """Begin to repeat each open ticket's last message, in the lane of its deliveries."""
        alive = await self._instance.store.read(
            lambda view: [each.id for each in view.incidents(OPEN_STATUSES, limit=100_000)]
        )
        for incident in alive:
            lane = f"deliver {name} {incident}"
            if not self._instance.busy(lane):
                self._instance.start(lane, self._repeat(name, incident))

    async def _repeat(self, name: str, incident: IncidentId) -> None:
        last, external = await self._instance.store.read(
            lambda view: (_last(view, name, incident), view.external(name, incident))
        )
        if last is None or last.operation is Operation.RESOLVE or last.status is _P:
            return
        again = replace(last, operation=Operation.UPDATE)
        try:
            backend = self._backends.get(name)
            await self._backends.call(name, backend.deliver, again, json.loads(last.body), external)
        except (TicketError, SecretError) as error:
            self._backends.leave_alone(name, getattr(error, "retry_after", None) or 0.0)
            # It is said again soon, long before the backend forgets.
            log.warning("ticket not said again", backend=name, error=str(error))


def _lane(item: OutboxItem) -> str:
    """Name the work on one incident's ticket in one backend: one thing at a time."""
    return f"deliver {item.backend} {item.incident}"


def _back_off(tries: int) -> float:
    return min(_FIRST_RETRY * 2.0 ** min(tries, _DOUBLINGS), _LONGEST_RETRY)


def _last(view: View, backend: str, incident: IncidentId) -> OutboxItem | None:
    """Give the last message of a backend about an incident; a comment changes nothing."""
    found = None
    for item in view.messages(incident):
        if item.backend == backend and item.operation is not Operation.COMMENT:
            found = item if item.status is not OutboxStatus.DEAD else found
    return found


def _tickets(view: View, item: OutboxItem) -> int:
    """Count the tickets of an incident that a backend has made."""
    return sum(
        each.backend == item.backend
        and each.operation is Operation.OPEN
        and each.status is OutboxStatus.SENT
        for each in view.messages(item.incident)
    )


def _parcel(view: View, item: OutboxItem) -> _Parcel | None:
    """Give what to send for the oldest message that waits; None where that is not `item`.

    Updates that follow it without anything between are needless once the newest is told. An OPEN
    that may have been taken is not changed: whoever knows it already would drop the news with it.
    """
    mine = [each for each in view.messages(item.incident) if each.backend == item.backend]
    waits = [each for each in mine if each.status is _P]
    if not waits or waits[0].id != item.id:
        return None
    first, run = waits[0], [waits[0]]
    fresh = first.operation is Operation.OPEN and not first.doubt
    for each in waits[1:] if fresh or first.operation is Operation.UPDATE else ():
        if each.operation is not Operation.UPDATE:
            break
        run.append(each)
    document = json.loads(run[-1].body)
    document |= {name: of for name, of in json.loads(first.body).items() if name == FOLLOWS}
    # A comment moves nothing there, whatever its document says.
    before = [
        each
        for each in mine
        if each.status is OutboxStatus.SENT and each.body and each.operation != Operation.COMMENT
    ]
    if before:
        was = json.loads(before[-1].body)
        document["was"] = {name: was.get(name) for name in ("priority", "tier")}
        if is_held(view.events(item.incident), item.backend):
            document["was"]["priority"] = document.get("priority")
    sent = first if first.operation is Operation.OPEN else run[-1]
    external = view.external(item.backend, item.incident)
    if FOLLOWS in document and first.operation is Operation.OPEN:
        external = ""  # it is not about that one any more
    return _Parcel(first, sent, tuple(run), document, external)
