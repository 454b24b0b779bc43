"""The `apprise` backend: a short message to any of the services that the Apprise library knows.

It decides title and text and whether a failure is worth another try; the outbox retries. Apprise
knows the service from the URL, and speaks to it.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from queue import Empty, Queue
from threading import Thread
from typing import Any

from pydantic import Field

from monitord.errors import SecretError, TicketError
from monitord.log import hide
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText, Spec
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, Operation, OutboxItem
from monitord.secrets import SecretRef, redact
from monitord.tickets.text import brief, subject

_LONGEST_TITLE = 200
_SAID = 200
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
        limits = f"{'&' if '?' in url else '?'}rto={seconds:g}&cto={seconds:g}"
        service, done = apprise.Apprise(), Queue[str]()
        if not service.add(url + limits):
            raise TicketError("apprise: this URL names no service it knows", permanent=True)

        def send() -> None:
            with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call] # Apprise leaves it so
                sent = service.notify(body=body, title=title)
                done.put("" if sent else said.getvalue() or "no reason given")

        # Its limits count from each byte anew: a service that drips is left behind in its thread.
        Thread(target=send, name="apprise", daemon=True).start()
        try:
            why = done.get(timeout=seconds)
        except Empty:
            text = f"apprise: no answer within {seconds:g} s"
            raise TicketError(text, permanent=False, unknown=True) from None
        if why:
            said = one_line(redact(why, [url]), _SAID)
            raise TicketError(f"apprise: not delivered: {said}", permanent=False, unknown=True)


KIND = BackendKind("apprise", AppriseSpec, AppriseBackend)
