"""What every ticket backend must do, as checks that an author runs against a server of the kind.

    from monitord.tickets.contract import CHECKS, Rig
    rig = Rig(at=lambda url, timeout: MyBackend(...), url="http://127.0.0.1:8080", secret="t0ken")

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check): check(rig)

Each check raises AssertionError with a sentence. They need nothing but the standard library, open
servers of their own on 127.0.0.1 that misbehave, and make tickets of keys that nobody had before.
"""

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from monitord.errors import TicketError
from monitord.model.ids import IncidentId, Instant
from monitord.model.kinds import Readable, Searchable, TicketBackend
from monitord.model.ticket import Delivery, Operation, OutboxItem, OutboxStatus

_SHORT = 0.4  # seconds given to a server that does not answer
_PATIENCE = 3.0  # seconds that it may cost us then
_LONG = 20.0  # seconds given to one that answers
_WAIT = 7  # seconds that a server asks to be left alone

DOCUMENT: dict[str, Any] = {
    "incident": 12,
    "check": "web1/site",
    "tier": "L1",
    "priority": "P3",
    "status": "ESCALATED",
    "severity": "CRITICAL",
    "title": "web1/site: CRITICAL: no answer within 5 s",
    "summary": "no answer within 5 s",
    "host": {"name": "web1", "address": "10.1.1.11"},
    "since": "2026-03-01T02:30:15Z",
    "first_failed": "2026-03-01T02:29:30Z",
    "says": "I have stopped. It is yours.",
    "next_command": "monitord explain web1/site",
    "timeline": [
        {"at": "2026-03-01T02:30:15Z", "kind": "opened", "text": "größer ``` \u202e'\"\\"}
    ],
}
"""A ticket document of the shape that the engine makes, with hostile text in it."""


@dataclass(frozen=True)
class Rig:
    """A backend's author says how to reach a server that answers well, real or faithful.

    `at` builds the backend for the server at a URL, with a time-out in seconds for each request.
    `secret` is what no error may tell. `searched_within` is how many seconds the server needs
    until a search finds what is new.
    """

    at: Callable[[str, float], TicketBackend]
    url: str
    secret: str = ""
    searched_within: float = 0.0

    def backend(self) -> TicketBackend:
        """Give the backend before the server that answers well."""
        return self.at(self.url, _LONG)


def message(number: int, operation: Operation, key: str) -> OutboxItem:
    """Give an outbox message of the shape that the engine makes."""
    return OutboxItem(
        id=number,
        backend="contract",
        incident=IncidentId(12),
        operation=operation,
        key=key,
        body="",
        status=OutboxStatus.PENDING,
        created=Instant(0),
        due_at=Instant(0),
    )


def new_key() -> str:
    """Give a key that no ticket has."""
    return f"contract-{uuid.uuid4().hex[:12]}"


def an_open_ticket_has_a_reference(rig: Rig) -> None:
    """What OPEN gives is handed to all later messages, so it must lead to the ticket."""
    delivery = rig.backend().deliver(message(1, Operation.OPEN, new_key()), DOCUMENT, "")
    _must(isinstance(delivery, Delivery), "deliver must give a Delivery")
    if isinstance(rig.backend(), Searchable):
        _must(delivery.external, "a backend that can be searched must give a reference")


def every_operation_is_taken_in_order(rig: Rig) -> None:
    """An incident's whole life; the reference stays the same."""
    backend, key, external = rig.backend(), new_key(), ""
    order = (
        Operation.OPEN,
        Operation.UPDATE,
        Operation.COMMENT,
        Operation.RESOLVE,
        Operation.REOPEN,
        Operation.RESOLVE,
    )
    for number, operation in enumerate(order, 1):
        said = DOCUMENT | {"comment": "a remark"} if operation is Operation.COMMENT else DOCUMENT
        given = backend.deliver(message(number, operation, key), said, external).external
        _must(not external or given in ("", external), f"{operation} changed the reference")
        external = given or external


def what_is_repeated_is_taken_again(rig: Rig) -> None:
    """A message whose outcome was not known comes again, the same in every part."""
    backend, key = rig.backend(), new_key()
    external = backend.deliver(message(1, Operation.OPEN, key), DOCUMENT, "").external
    for operation in (Operation.UPDATE, Operation.RESOLVE, Operation.REOPEN):
        for _try in range(2):
            backend.deliver(message(2, operation, key), DOCUMENT, external)


def a_ticket_is_found_by_its_key(rig: Rig) -> None:
    """And by its own key only: `…-1` is not `…-12`."""
    backend, key = rig.backend(), new_key()
    if not isinstance(backend, Searchable):
        return
    _must(backend.lag >= 0, "lag is in seconds")
    _must(backend.find(key) is None, "a key that nobody had is found")
    external = backend.deliver(message(1, Operation.OPEN, f"{key}2"), DOCUMENT, "").external
    found = _soon(lambda: backend.find(f"{key}2"), rig.searched_within)
    _must(found == external, f"the ticket {external} is not found by its key, but {found}")
    _must(backend.find(key) is None, "a key is found in a longer one")


def a_long_title_does_not_hide_the_key(rig: Rig) -> None:
    """What a server cuts off its subject must not be what the ticket is found by."""
    backend, key = rig.backend(), new_key()
    if not isinstance(backend, Searchable):
        return
    document = DOCUMENT | {"title": "web1/site: CRITICAL: " + "größer " * 100}
    external = backend.deliver(message(1, Operation.OPEN, key), document, "").external
    found = _soon(lambda: backend.find(key), rig.searched_within)
    _must(found == external, f"the ticket {external} is not found by its key, but {found}")


def a_message_without_reference_goes_by_its_key(rig: Rig) -> None:
    """The delivery that gave the reference may have been of an older monitord."""
    backend, key = rig.backend(), new_key()
    if not isinstance(backend, Searchable):
        return
    external = backend.deliver(message(1, Operation.OPEN, key), DOCUMENT, "").external
    _soon(lambda: backend.find(key), rig.searched_within)
    given = backend.deliver(message(2, Operation.UPDATE, key), DOCUMENT, "").external
    _must(given == external, f"{given} was made beside {external}")


def a_ticket_is_read_back(rig: Rig) -> None:
    """Its state follows what was said, and monitord's own words are not a person's."""
    backend, key = rig.backend(), new_key()
    if not isinstance(backend, Readable):
        return
    external = backend.deliver(message(1, Operation.OPEN, key), DOCUMENT, "").external
    for number, operation, closed in (
        (2, Operation.UPDATE, False),
        (3, Operation.RESOLVE, True),
        (4, Operation.REOPEN, False),
    ):
        backend.deliver(message(number, operation, key), DOCUMENT, external)
        there = backend.read(external, Instant(0))
        if there is None:
            raise AssertionError(f"{external} cannot be read")
        _must(there.closed is closed, f"after {operation} it is {there.status}")
        _must(
            there.priority == "" or "P3" in there.priority.split("/"),
            f"the priority P3 reads as {there.priority}",
        )
        _must(not there.remarks, f"monitord's own words read as a person's: {there.remarks}")


def a_closed_port_may_be_tried_again(rig: Rig) -> None:
    """Nothing was taken, and that is known."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = _failure(rig, rig.at(f"http://127.0.0.1:{port}", _LONG))
    _must(not error.permanent, "a server that is down comes back")
    _must(not error.unknown, "nothing was sent, so nothing can have been taken")


def a_silent_server_costs_the_time_out(rig: Rig) -> None:
    """And it is not known what it did."""
    with _server(lambda connection: _drain(connection, 5.0)) as url:
        started = time.monotonic()
        error = _failure(rig, rig.at(url, _SHORT))
        took = time.monotonic() - started
    _must(took < _PATIENCE, f"a time-out of {_SHORT} s took {took:.1f} s")
    _must(not error.permanent, "it may be tried again")
    _must(error.unknown, "it must be told that the outcome is not known")


def a_server_that_drips_costs_the_time_out(rig: Rig) -> None:
    """The time-out is for the whole request, not for each byte."""

    def drip(connection: socket.socket) -> None:
        for _byte in range(200):
            connection.sendall(b"2")
            time.sleep(0.05)

    with _server(drip) as url:
        started = time.monotonic()
        _failure(rig, rig.at(url, _SHORT))
        took = time.monotonic() - started
    _must(took < _PATIENCE, f"a time-out of {_SHORT} s took {took:.1f} s")


def a_cut_leaves_the_outcome_unknown(rig: Rig) -> None:
    """The request was read, then the connection ended: the ticket may be there."""
    with _server(lambda connection: _drain(connection, 0.2)) as url:
        error = _failure(rig, rig.at(url, _LONG))
    _must(not error.permanent, "it may be tried again")
    _must(error.unknown, "it must be told that the outcome is not known")


def too_many_requests_may_be_tried_again_when_told(rig: Rig) -> None:
    """429 with Retry-After: surely not taken, and not to be tried before."""
    said = f"HTTP/1.1 429 Too Many\r\nRetry-After: {_WAIT}\r\nContent-Length: 0\r\n\r\n"
    with _server(_says(said.encode())) as url:
        error = _failure(rig, rig.at(url, _LONG))
    _must(not error.permanent, "it may be tried again")
    _must(not error.unknown, "429 says that it was not taken")
    _must(error.retry_after == _WAIT, f"Retry-After is {_WAIT} s")


def a_broken_server_may_be_tried_again(rig: Rig) -> None:
    """500: it may have failed before or after it did what was asked."""
    said = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry"
    with _server(_says(said)) as url:
        error = _failure(rig, rig.at(url, _LONG))
    _must(not error.permanent, "it may be tried again")
    _must(error.unknown, "a 5xx may come after the deed")


def a_redirect_is_not_followed(rig: Rig) -> None:
    """A login and a ticket go where they were configured to go."""
    seen: list[bytes] = []
    with _server(lambda connection: seen.append(connection.recv(10))) as elsewhere:
        said = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        with _server(_says(said.encode())) as url:
            error = _failure(rig, rig.at(url, _LONG))
    _must(not error.permanent, "a person sets the new address, and then it is sent")
    _must(not seen, "it went elsewhere")


def a_refused_login_may_be_tried_again(rig: Rig) -> None:
    """A person mends the token, and then the ticket must still be there; nobody learns it."""
    body = f"wrong token {rig.secret}".encode()
    said = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with _server(_says(said)) as url:
        error = _failure(rig, rig.at(url, _LONG))
    _must(not error.permanent, "a login that is refused is mended by a person")
    _must("401" in str(error), f"the error must tell the answer: {error}")


CHECKS: tuple[Callable[[Rig], None], ...] = (
    an_open_ticket_has_a_reference,
    every_operation_is_taken_in_order,
    what_is_repeated_is_taken_again,
    a_ticket_is_found_by_its_key,
    a_long_title_does_not_hide_the_key,
    a_message_without_reference_goes_by_its_key,
    a_ticket_is_read_back,
    a_closed_port_may_be_tried_again,
    a_silent_server_costs_the_time_out,
    a_server_that_drips_costs_the_time_out,
    a_cut_leaves_the_outcome_unknown,
)
"""For every backend."""

HTTP_CHECKS: tuple[Callable[[Rig], None], ...] = (
    too_many_requests_may_be_tried_again_when_told,
    a_broken_server_may_be_tried_again,
    a_redirect_is_not_followed,
    a_refused_login_may_be_tried_again,
)
"""For those that speak HTTP."""


def _must(holds: object, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)


def _failure(rig: Rig, backend: TicketBackend) -> TicketError:
    try:
        backend.deliver(message(1, Operation.OPEN, new_key()), DOCUMENT, "")
    except TicketError as error:
        text = str(error)
        _must(not rig.secret or rig.secret not in text, f"the error tells the secret: {text}")
        _must("127.0.0.1" in text, f"the error must name the server: {text}")
        _must(text.isprintable(), f"the error must be one clean line: {text!r}")
        return error
    raise AssertionError("it must raise a TicketError")


def _soon(look: Callable[[], str | None], within: float) -> str | None:
    deadline = time.monotonic() + within
    found = look()
    while found is None and time.monotonic() < deadline:
        time.sleep(0.1)
        found = look()
    return found


def _says(answer: bytes) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(answer)
        _drain(connection, 0.2)  # or the rest of the request would reset the answer

    return say


def _drain(connection: socket.socket, seconds: float) -> None:
    """Read until nothing came for so long."""
    connection.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        while connection.recv(65_536):
            pass


@contextlib.contextmanager
def _server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each connection in a thread of its own; it is closed when `serve` returns."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def run(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=run, args=(server,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
