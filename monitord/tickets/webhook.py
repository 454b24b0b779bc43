"""The `webhook` backend: each message is one signed JSON POST.

It decides what is sent, how it is signed, and whether a failure is worth another try; the outbox
retries. Redirects are not followed: a signed message goes where it was configured to go.
"""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3
from pydantic import Field, field_validator
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from monitord import __version__
from monitord.clock import SystemClock, as_datetime
from monitord.errors import SecretError, TicketError
from monitord.log import hide
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText, Spec
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, OutboxItem
from monitord.secrets import SecretRef, redact
from monitord.tickets.cutoff import Cutoff

_CLOCK = SystemClock()  # the receiver compares the signature's time with its own wall clock
_READ = 65_536  # bytes of an answer
_LONGEST_WAIT = 86_400.0  # seconds: a Retry-After beyond a day is cut to it
# What a person mends in a configuration (a token, an address, a right) does not lose the ticket:
# only an answer about this very message is for good.
_FOR_GOOD = frozenset({400, 409, 413, 415, 422, 431})
_GOOD = range(200, 300)
_MOVED = range(300, 400)
_SERVER = range(500, 600)

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
        if isinstance(value, str) and not _is_web(value):
            raise ValueError(f"{value!r} is not a URL (write https://host/path)")
        return value


def _is_web(url: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    return False


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
        if not _is_web(url):
            raise TicketError("the webhook's url is not one (https://host/path)", permanent=True)
        body = _document(item, ticket, external)
        headers = extra | _headers(item, secret, body)
        answer = self._post(url, body, headers)
        # What a receiver says may echo what it was sent.
        hidden = [secret, *extra.values()]
        if isinstance(spec.url, SecretRef):
            hidden += [url, *urlsplit(url).path.split("/"), urlsplit(url).query]
        said = redact(answer.said, hidden)
        return _judge(replace(answer, said=said), external)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> "_Answer":
        seconds = self._spec.timeout.total_seconds()
        place = one_line(urlsplit(url).hostname or "", 80)
        with Cutoff(seconds) as cutoff, requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(cutoff))
            try:
                response = session.post(
                    url,
                    data=body,
                    headers=headers,
                    timeout=seconds,
                    allow_redirects=False,
                    stream=True,
                    verify=self._spec.ca or True,
                )
            except (requests.RequestException, OSError) as error:
                raise _failure(place, error, None if not cutoff.fired else seconds) from error
            with response:
                return _Answer(place, response.status_code, response.headers, _read(response))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the receiver at `place` answered; `said` is at most the first 64 KiB."""

    place: str
    status: int
    headers: Mapping[str, str]
    said: str


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
        "Accept-Encoding": "identity",
        "User-Agent": f"monitord/{__version__}",
        # The same for every try of one message, so that a receiver can drop a repeat.
        "Idempotency-Key": quote(f"{item.key}:{item.operation}:{item.id}", safe="/:@._-"),
        "X-Monitord-Signature": sign(secret, _CLOCK.now() // 1_000_000, body),
    }


def _read(response: requests.Response) -> str:
    # The status has been said: a body that breaks off must not send the message a second time.
    try:
        said = response.raw.read(_READ, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    return str(said, "utf-8", "replace")


def _judge(answer: _Answer, external: str) -> Delivery:
    if answer.status in _GOOD:
        return _delivery(answer.said, external)
    text = f"{answer.place} answered {answer.status}"
    location = answer.headers.get("Location", "")
    if answer.status in _MOVED and location:
        text += f" to {one_line(location, 120)}: set the new url"
    elif answer.said.strip():
        text += f": {one_line(answer.said, 120)}"
    again = answer.status not in _FOR_GOOD
    wait = _retry_after(answer.headers.get("Retry-After", "")) if again else None
    raise TicketError(text, permanent=not again, retry_after=wait)


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
    link = url if isinstance(url, str) and _is_web(url) else ""
    return Delivery(shown or external, one_line(link, 500))


def _retry_after(text: str) -> float | None:
    """Give seconds from `Retry-After: 120` or `…: <HTTP date>`; None when it is neither."""
    if text.strip().isdecimal():
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - as_datetime(_CLOCK.now())).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _failure(place: str, error: Exception, after: float | None) -> TicketError:
    if after is not None or isinstance(error, requests.Timeout):
        shown = "no answer in time" if after is None else f"no answer within {after:g} s"
        return TicketError(f"{place}: {shown}", permanent=False)
    if isinstance(error, ValueError):  # requests' words for a URL or header that cannot be sent
        return TicketError(f"{place}: cannot be sent: {type(error).__name__}", permanent=True)
    root: BaseException = error
    while root.__context__ is not None:
        root = root.__context__
    # The root only: what requests adds holds the whole URL, which may be a secret.
    why = type(root).__name__
    if isinstance(root, OSError) and not isinstance(root, requests.RequestException):
        why = root.strerror or str(root)
    return TicketError(f"{place}: {one_line(why, 120)}", permanent=False)


class _Adapter(HTTPAdapter):
    """Has each connection that it opens guarded by the cut-off, through a proxy or not."""

    def __init__(self, cutoff: Cutoff) -> None:
        self._pools = _guarded_pools(cutoff)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Let the pools of this adapter open guarded connections."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        """Do the same for a proxy named in the environment."""
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _guarded_pools(cutoff: Cutoff) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            cutoff.watch(opened)
            return opened

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            cutoff.watch(opened)
            return opened

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


KIND = BackendKind("webhook", WebhookSpec, Webhook)
