"""The `apprise` backend: a short message to any of the services that the Apprise library knows.

It decides title and text and whether a failure is worth another try; the outbox retries. Apprise
knows the service from the URL, and speaks to it.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from queue import Empty, Queue
from threading import Thread
from typing import Any
from urllib.parse import unquote

from pydantic import Field

from monitord.errors import SecretError, TicketError
from monitord.log import hide
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText, Spec
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, Operation, OutboxItem
from monitord.secrets import SecretRef, redact
from monitord.tickets.text import brief, subject

_APART = 1.0  # seconds between our limit and apprise's own
_LONGEST_TITLE = 200
_SAID = 200
_BETWEEN = re.compile(r"[/:?&=@#]")
_PATH = re.compile(r"[/?#]")
_HOST = re.compile(r"localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WORDS = {Operation.RESOLVE: "over: ", Operation.REOPEN: "again: "}

Resolve = Callable[[str | SecretRef], str]


class AppriseSpec(Spec):
    """Where messages go."""

    url: SecretText = Field(
        description="An Apprise URL; it holds the key of the service, so best a secret.",
        examples=["!secret credential:chat-url"],
    )
    timeout: Duration = Field(timedelta(seconds=10), description="How long the service may take.")


class AppriseBackend:
    """Sends short messages; see TicketBackend for the contract."""

    def __init__(self, spec: AppriseSpec, resolve: Resolve) -> None:
        self._spec = spec
        self._resolve = resolve

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Send one message; nothing can be answered there, so the reference is our own key.

        Raises:
            TicketError: permanent when the URL is none that Apprise knows; else the outcome is
                unknown, since Apprise does not tell how far it came.
        """
        try:
            url = self._resolve(self._spec.url)
        except SecretError as error:
            raise TicketError(str(error), permanent=False) from error
        hide(url)
        rank = " ".join(one_line(str(ticket.get(name, "")), 10) for name in ("priority", "tier"))
        title = f"[{rank.strip()}] {_WORDS.get(item.operation, '')}{subject(ticket)}"
        self._send(url, one_line(title, _LONGEST_TITLE), brief(ticket, item.operation))
        return Delivery(external or item.key)

    def _send(self, url: str, title: str, body: str) -> None:
        import apprise  # 130 ms that only who uses it pays

        seconds = self._spec.timeout.total_seconds()
        later = seconds + _APART  # so that ours is first: it says in plain words what is so
        limits = f"{'&' if '?' in url else '?'}rto={later:g}&cto={later:g}"
        service, done = apprise.Apprise(), Queue[str]()
        with _heard() as heard:
            known = service.add(url + limits)
        if not known:
            why = _told(heard, url)
            text = f"apprise: this URL names no service it knows: {why}"
            raise TicketError(text, permanent=True)

        def send() -> None:
            with _heard() as said:
                sent = service.notify(body=body, title=title)
            done.put("" if sent else _told(said, url))

        # Its limits count from each byte anew: a service that drips is left behind in its thread.
        Thread(target=send, name="apprise", daemon=True).start()
        try:
            why = done.get(timeout=seconds)
        except Empty:
            text = f"apprise: no answer within {seconds:g} s"
            raise TicketError(text, permanent=False, unknown=True) from None
        if why:
            raise TicketError(f"apprise: not delivered: {why}", permanent=False, unknown=True)


class _Ear(logging.Handler):
    """Keeps what Apprise says for whom it says it: others speak to other people's services."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _LISTENS.get()
        if lines is not None:
            lines.append(record.getMessage())


# What Apprise says may hold a topic, a token, a name: it goes into our error, cleaned.
_LISTENS: ContextVar[list[str] | None] = ContextVar("what Apprise says", default=None)
_LOGGER = logging.getLogger("apprise")
_LOGGER.propagate = False
_LOGGER.addHandler(_Ear(logging.WARNING))


@contextmanager
def _heard() -> Iterator[list[str]]:
    lines: list[str] = []
    before = _LISTENS.set(lines)
    try:
        yield lines
    finally:
        _LISTENS.reset(before)


def _told(lines: Iterable[str], url: str) -> str:
    """Give what Apprise said as one line without the URL, or any part of it but its host."""
    text = "; ".join(dict.fromkeys(lines)) or "no reason given"
    return one_line(redact(text, [url, *_parts(url)]), _SAID)


def _parts(url: str) -> Iterator[str]:
    """Give the parts of a URL that may be its key: user, password, token, topic, room."""
    rest = url.partition("://")[2]
    host = _BETWEEN.split(_PATH.split(rest)[0].rpartition("@")[2])[0]
    for part in _BETWEEN.split(rest):
        if part != host or not _HOST.fullmatch(host):  # a token may stand in its place
            yield part
            yield unquote(part)


KIND = BackendKind("apprise", AppriseSpec, AppriseBackend)
