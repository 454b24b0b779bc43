"""The stage that delivers notices to single people: by the first of their ways that takes it.

Which way is next, and when, is decided by decisions/notifying.py. A way is a ticket backend of its
kind with the person as its only addressee: `email` by the server of the configured email backend.
What a burst brings goes as one message.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monitord import secrets
from monitord.clock import after
from monitord.decisions import notifying as decisions
from monitord.engine import telling, ticketing
from monitord.engine.backends import Backends
from monitord.engine.instance import Instance
from monitord.errors import SecretError, TicketError
from monitord.log import get_logger
from monitord.model.catalog import Backend
from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind, TicketBackend
from monitord.model.notice import Notice, NoticeKind, NoticeStatus
from monitord.model.oncall import Person, Way
from monitord.model.ticket import Event, Operation, OutboxItem, OutboxStatus
from monitord.secrets import SecretRef
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_P = NoticeStatus.PENDING
_SPAN = timedelta(minutes=10)
_BREATH = timedelta(minutes=1)
_URGENT = "P1"
_ALL = 100_000  # what a storm brings: the newest must be among them
_AS_ONE = 4  # so many at a time to one person are told in one message
_OPERATIONS = {NoticeKind.PAGE: Operation.OPEN, NoticeKind.OVER: Operation.RESOLVE}


@dataclass(frozen=True, slots=True)
class _Message:
    """What goes out: the notices that it tells of, and the document that a backend renders."""

    person: Person
    notices: tuple[Notice, ...]
    document: Mapping[str, Any]

    @property
    def first(self) -> Notice:
        """Give the most urgent one: it says which ways will do."""
        return min(self.notices, key=lambda one: (one.priority, one.id))


class Notifying:
    """Delivers notices; ways block, so each delivery runs in a worker thread."""

    def __init__(
        self, instance: Instance, kinds: Mapping[str, BackendKind], backends: Backends
    ) -> None:
        self._instance = instance
        self._kinds = kinds
        self._backends = backends

    def waiting(self, view: View, due_by: Instant) -> list[Notice]:
        """Give the notices that are due by then."""
        return view.notices(status=_P, due_by=due_by)

    def begin(self, due: Sequence[Notice]) -> None:
        """Begin to tell each person what is due, unless one of their messages is under way."""
        for person in dict.fromkeys(notice.person for notice in due):
            name = f"tell {person}"
            if not self._instance.busy(name):
                self._instance.start(name, self._tell(person))

    async def _tell(self, name: str) -> None:
        instance, now = self._instance, self._instance.now()
        message = await instance.store.write(lambda tx: self._prepare(tx, name, now))
        if message is None:
            return
        notice = message.first
        choice = decisions.choose(message.person, notice, now)
        match choice:
            case decisions.Later():
                await instance.insist(_postponed(message, choice.until))
            case decisions.Never():
                await instance.insist(_given_up(message, now, choice.reason))
            case decisions.By():
                await self._send(message, choice.way)

    async def _send(self, message: _Message, number: int) -> None:
        instance, way = self._instance, message.person.ways[number]
        try:
            backend = self._build(way)
            item = _item(message.first, instance.catalog.settings.instance)
            await self._backends.call(
                f"person {message.person.name}", backend.deliver, item, message.document, ""
            )
        except (TicketError, SecretError) as error:
            await instance.insist(self._failed(message, number, str(error)))
            return
        except Exception as error:
            log.exception("a way to a person failed", person=message.person.name, way=way.kind)
            await instance.insist(self._failed(message, number, f"{type(error).__name__}: {error}"))
            return
        await instance.insist(_sent(message, way, instance.now()))
        instance.counters.notices[way.kind] += len(message.notices)

    def _prepare(self, tx: Tx, name: str, now: Instant) -> _Message | None:
        """Give what a person is to be told now; what is no longer true is VOID."""
        due = [one for one in tx.notices(status=_P, due_by=now) if one.person == name]
        person = self._instance.catalog.people.get(name)
        due = [notice for notice in due if self._still(tx, notice, now)]
        if not due:
            return None
        if person is None:
            gone = _Message(Person(name, name), tuple(due), {})
            _given_up(gone, now, f"{name} is not configured any more")(tx)
            return None
        due, crowded = self._bearable(tx, due, name, now)
        if not due:
            return None
        told = tuple(due) if crowded or len(due) >= _AS_ONE else (due[0],)
        return _Message(person, told, self._document(tx, told))

    def _still(self, tx: Tx, notice: Notice, now: Instant) -> bool:
        """Tell whether a page is still to be sent: nobody has answered it meanwhile."""
        if notice.kind is not NoticeKind.PAGE:
            return True
        incident = tx.incident(notice.incident)
        if incident is not None:
            order = ticketing.kept_quiet(tx, self._instance, incident, now)
            if order is None:
                return True
        tx.move_notice(notice.id, _P, NoticeStatus.VOID)
        return False

    def _bearable(
        self, tx: Tx, due: list[Notice], name: str, now: Instant
    ) -> tuple[list[Notice], bool]:
        """Give what a person is told now, and whether they have heard too much; the rest waits.

        A page of P1 is not kept from them for longer than a minute after the last message.
        """
        lately = tx.notices(status=NoticeStatus.SENT, since=after(now, -2 * _SPAN), limit=_ALL)
        sent = sorted(
            {n.sent for n in lately if n.person == name and n.sent and n.sent > after(now, -_SPAN)}
        )
        most = self._instance.catalog.settings.notify.most
        if len(sent) < most:
            return due, False
        told = []
        for notice in due:
            urgent = notice.kind is NoticeKind.PAGE and notice.priority == _URGENT
            wait = after(sent[-1], _BREATH) if urgent else after(sent[-most], _SPAN)
            if wait > now:
                tx.change_notice(notice.id, _P, due_at=wait)
            else:
                told.append(notice)
        return told, True

    def _document(self, tx: Tx, notices: Sequence[Notice]) -> dict[str, object]:
        """Give the document that is rendered: the ticket, or a list of what it is about."""
        first = min(notices, key=lambda one: (one.priority, one.id))
        incident = tx.incident(first.incident) if len(notices) == 1 else None
        if incident is not None:
            document = ticketing.ticket_document(tx, self._instance, incident)
            return {**document, "comment": first.body}
        many = len(notices) > 1
        lines = [f"{notice.title}: {notice.body}" for notice in notices] if many else [first.body]
        return {
            "title": f"{len(notices)} messages at once" if many else first.title,
            "priority": first.priority,
            "means": "\n".join(lines),
            "status": "",
        }

    def _build(self, way: Way) -> TicketBackend:
        kind, notify = self._kinds[way.kind], self._instance.catalog.settings.notify
        if way.kind != "email":
            settings: dict[str, Any] = {"url": way.to}
            spec = kind.spec.model_construct(**settings)
            return self._backends.made(Backend("person", way.kind, spec))
        server = self._instance.catalog.backends.get(notify.mail)
        if server is None or server.kind != "email":
            raise TicketError("no email backend is configured to carry it", permanent=True)
        spec = server.spec.model_copy(update={"to": (_address(way),)})
        return self._backends.made(Backend("person", "email", spec))

    def _failed(self, message: _Message, way: int, error: str) -> Callable[[Tx], None]:
        now, notice, person = self._instance.now(), message.first, message.person
        again = decisions.after_failure(person, notice, way, now)
        kind = person.ways[way].kind
        self._instance.counters.unnoticed[kind] += 1
        log.warning("a person was not told", person=person.name, way=kind, error=error)
        if again is None:
            return _given_up(message, now, f"{person.name} could not be reached: {error}")
        rest = "no way to them works now" if again.nobody else "the next way is tried"
        line = f"{person.name} was not told by {kind} ({error}): {rest}"

        def work(tx: Tx) -> None:
            for one in message.notices:
                changes = {"way": again.way, "tries": notice.tries + 1, "last_error": error}
                tx.change_notice(one.id, _P, due_at=again.due_at, **changes)
            _note(tx, message, now, "unnoticed", line)
            if again.hands_over:
                _next_tier(tx, message, now)

        return work


def _sent(message: _Message, way: Way, now: Instant) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        for notice in message.notices:
            if not tx.move_notice(notice.id, _P, NoticeStatus.SENT, sent=now, told_by=way.kind):
                telling.sent_too_late(tx, notice, now)
        _note(tx, message, now, "noticed", f"{message.person.name} was told by {way.kind}")

    return work


def _postponed(message: _Message, until: Instant) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        for notice in message.notices:
            tx.change_notice(notice.id, _P, due_at=until)

    return work


def _given_up(message: _Message, now: Instant, reason: str) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        for notice in message.notices:
            tx.move_notice(notice.id, _P, NoticeStatus.DEAD, last_error=reason)
        _note(tx, message, now, "unnoticed", reason)
        if not message.first.tries:
            _next_tier(tx, message, now)

    return work


def _note(tx: Tx, message: _Message, now: Instant, kind: str, text: str) -> None:
    numbers = dict.fromkeys(notice.incident for notice in message.notices if notice.incident)
    tx.add_events([Event(number, now, kind, text) for number in numbers])


def _next_tier(tx: Tx, message: _Message, now: Instant) -> None:
    """Whoever is next in the policy is told at once: this person cannot be reached.

    Only one tier: while this person is tried again and again, whoever was told since may answer.
    """
    for notice in message.notices:
        incident = tx.incident(notice.incident)
        if notice.kind is not NoticeKind.PAGE or incident is None or incident.page_at is None:
            continue
        told = [event.data["people"] for event in tx.events(incident.id) if event.kind == "paged"]
        if told and notice.person in told[-1]:
            tx.change_incident(incident.id, incident.status, page_at=now)


def _address(way: Way) -> str:
    return secrets.resolve(way.to) if isinstance(way.to, SecretRef) else str(way.to)


def _item(notice: Notice, instance: str) -> OutboxItem:
    """Give the message of a notice as backends take it."""
    return OutboxItem(
        id=notice.id,
        backend=f"person/{notice.person}",
        incident=notice.incident,
        operation=_OPERATIONS.get(notice.kind, Operation.UPDATE),
        key=f"{instance}-{notice.incident}-{notice.person}",
        body="",
        status=OutboxStatus.PENDING,
        created=notice.created,
        due_at=notice.due_at,
    )
