"""The `webhook` backend: each message is one signed JSON POST.

It decides what is sent and how it is signed; wire.py sends it and judges the answer.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator

from monitord import __version__
from monitord.clock import SystemClock
from monitord.errors import SecretError, TicketError
from monitord.log import hide
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText, Spec
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, OutboxItem
from monitord.secrets import SecretRef, redact
from monitord.tickets.wire import Client, is_web

_CLOCK = SystemClock()  # the receiver compares the signature's time with its own wall clock
Resolve = Callable[[str | SecretRef], str]


class WebhookSpec(Spec):
    """Where tickets are posted, and how they are signed."""

    url: SecretText = Field(
        description="Where to POST to; a secret where the URL itself lets people in.",
        examples=["https://hooks.example.com/monitord", "!secret file:/etc/monitord/hook-url"],
    )
    secret: SecretText = Field(
        description="The key of the signature, which the receiver knows too.",
        examples=["!secret credential:webhook"],
    )
    headers: dict[str, SecretText] = Field(
        default_factory=dict, description="Further header lines to send."
    )
    timeout: Duration = Field(
        timedelta(seconds=10), description="How long one delivery may take in all."
    )
    ca: str = Field(
        "", description="A PEM file of the authorities to trust; left out: those of the system."
    )

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: object) -> object:
        if isinstance(value, str) and not is_web(value):
            raise ValueError(f"{value!r} is not a URL (write https://host/path)")
        return value


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Give `X-Monitord-Signature`: `t=<seconds>,v1=<hex>`.

    v1 is HMAC-SHA256 with the secret over `<seconds>.<body>`. A receiver recomputes it over the raw
    body, compares in constant time, and refuses a time more than a few minutes off.
    """
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Webhook:
    """Posts messages; see TicketBackend for the contract."""

    def __init__(self, spec: WebhookSpec, resolve: Resolve) -> None:
        self._spec = spec
        self._resolve = resolve
        self._client = Client(spec.timeout.total_seconds(), spec.ca)

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Post one message; the receiver's `id` and `url` come back as the delivery.

        Raises:
            TicketError: permanent for an answer about this very message (400, 413, 422, …); a
                refused token or a moved address is mended by a person, and then it is sent.
        """
        spec = self._spec
        try:
            url, secret = self._resolve(spec.url), self._resolve(spec.secret)
            extra = {name: self._resolve(value) for name, value in spec.headers.items()}
        except SecretError as error:
            raise TicketError(str(error), permanent=False) from error
        hide(secret)
        if not is_web(url):
            raise TicketError("the webhook's url is not one (https://host/path)", permanent=True)
        body = _document(item, ticket, external)
        headers = extra | _headers(item, secret, body)
        hidden = [secret, *extra.values()]
        if isinstance(spec.url, SecretRef):
            hidden += [url, *urlsplit(url).path.split("/"), urlsplit(url).query]
        answer = self._client.send("POST", url, headers=headers, body=body)
        return _delivery(redact(answer.must_be_good(hidden).said, hidden), external)


def _document(item: OutboxItem, ticket: Mapping[str, Any], external: str) -> bytes:
    message = {
        "operation": item.operation.value,
        "key": item.key,
        "message": item.id,
        "external": external,
        "ticket": dict(ticket),
    }
    return json.dumps(message, separators=(",", ":")).encode()


def _headers(item: OutboxItem, secret: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": f"monitord/{__version__}",
        # The same for every try of one message, so that a receiver can drop a repeat.
        "Idempotency-Key": quote(f"{item.key}:{item.operation}:{item.id}", safe="/:@._-"),
        "X-Monitord-Signature": sign(secret, _CLOCK.now() // 1_000_000, body),
    }


def _delivery(said: str, external: str) -> Delivery:
    try:
        told = json.loads(said)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Delivery(external)
    name, url = told.get("id"), told.get("url")
    named = isinstance(name, str | int) and not isinstance(name, bool)
    shown = one_line(str(name), 200) if named else ""
    link = url if isinstance(url, str) and is_web(url) else ""
    return Delivery(shown or external, one_line(link, 500))


KIND = BackendKind("webhook", WebhookSpec, Webhook)
