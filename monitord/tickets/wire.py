"""HTTP to a ticket server: one pooled client, a deadline for each exchange, judged answers.

It decides whether a failure may be tried again, when, and whether the server may have done what it
was asked; the outbox retries. Redirects are not followed: a message goes where it was configured to
go. No error names a secret.
"""

import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from monitord.clock import SystemClock, as_datetime
from monitord.errors import TicketError
from monitord.model.text import one_line
from monitord.secrets import redact
from monitord.tickets.cutoff import Cutoff

_CLOCK = SystemClock()  # a date in Retry-After is compared with the machine's clock
_READ = 1 << 20  # bytes of an answer
_KEPT = 2  # idle connections: as many as the outbox has threads for one backend
_LONGEST_WAIT = 86_400.0  # seconds: a Retry-After beyond a day is cut to it
# What a person mends in a configuration (a token, an address, a right) does not lose the ticket:
# only an answer about this very message is for good.
# 409 is another change at the same moment (Jira, an idempotency key in use): it passes.
_FOR_GOOD = frozenset({400, 413, 415, 422, 431})
# A workflow or a rule forbids it (ServiceNow, GitLab: 403), or the change is none (400, 422).
_NOT_THIS = frozenset({400, 403, 422})
_GOOD = range(200, 300)
_MOVED = range(300, 400)
_SERVER = range(500, 600)


def is_web(url: str) -> bool:
    """Tell whether this is an address of the web with a host in it."""
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    return False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server at `place` answered; `said` is what came of its first megabyte."""

    place: str
    status: int
    headers: Mapping[str, str]
    said: str

    @property
    def ok(self) -> bool:
        """Whether it is a 2xx."""
        return self.status in _GOOD

    def json(self) -> Any:
        """Give the body as JSON.

        Raises:
            TicketError: it is none, so it is not known what the server did.
        """
        try:
            return json.loads(self.said)
        except (ValueError, RecursionError) as error:
            text = f"{self.place} answered {self.status} without the JSON that belongs to it"
            raise TicketError(text, permanent=False, unknown=True) from error

    def must_be_good(self, secrets: Iterable[str] = ()) -> "Answer":
        """Give itself when it is a 2xx.

        Raises:
            TicketError: it is not. What the server says may echo `secrets`, which are masked.
        """
        if self.ok:
            return self
        text = f"{self.place} answered {self.status}"
        location = redact(self.headers.get("Location", ""), secrets)
        said = redact(self.said, secrets)
        if self.status in _MOVED and location:
            text += f" to {one_line(location, 120)}: set the new url"
        elif said.strip():
            text += f": {one_line(said, 120)}"
        raise TicketError(
            text,
            permanent=self.status in _FOR_GOOD,
            retry_after=None if self.status in _FOR_GOOD else _wait(self.headers),
            unknown=self.status in _SERVER,
            refused=self.status in _NOT_THIS,
        )


class Client:
    """Keeps a few connections to one server; may be used by several threads."""

    def __init__(self, timeout: float, ca: str = "") -> None:
        self._timeout = timeout
        self._ca = ca
        self._session = requests.Session()
        # A login that a server remembers in a cookie would outlive its token.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and give what came back, whatever its status.

        Raises:
            TicketError: no answer; `unknown` when the request was under way.
        """
        place = one_line(urlsplit(url).hostname or "", 80)
        with Cutoff(self._timeout) as cutoff:
            _exchange.cutoff, _exchange.sent = cutoff, False
            try:
                response = self._session.request(
                    method,
                    url,
                    data=body,
                    params=params,
                    headers={"Accept-Encoding": "identity", **headers},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    verify=self._ca or _authorities(),
                    auth=_as_given,
                )
            except (requests.RequestException, OSError, ValueError) as error:
                seconds = self._timeout if cutoff.fired else None
                raise _failure(place, error, seconds, sent=_exchange.sent) from error
            finally:
                _exchange.cutoff = None
            with response:
                return Answer(place, response.status_code, response.headers, _read(response))

    def close(self) -> None:
        """Close what is kept open."""
        self._session.close()


def _authorities() -> str | bool:
    """Give where the system keeps the authorities it trusts; requests would trust its own list.

    A company's own stand there only. True, for requests' list, where the system has none, or where
    the environment names another for requests.
    """
    if os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"):
        return True
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    return paths.capath if paths.capath and any(Path(paths.capath).iterdir()) else True


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Without it, requests would take a login from ~/.netrc over the one that is configured.
    return request


def _read(response: requests.Response) -> str:
    # The status has been said: a body that breaks off must not send the message a second time.
    try:
        said = response.raw.read(_READ, decode_content=False)
        if response.raw.read(1):
            response.raw.close()  # more than anybody asked for: not a connection to keep
    except (urllib3.exceptions.HTTPError, OSError):
        response.raw.close()
        return ""
    return str(said, "utf-8", "replace")


def _wait(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that a server asks to be left alone, or None.

    `Retry-After: 120`, `Retry-After: <HTTP date>`; else the epoch second at which a spent allowance
    is renewed (`X-RateLimit-Reset` of GitHub, `RateLimit-Reset` of GitLab).
    """
    told = headers.get("Retry-After", "")
    seconds = _seconds(told)
    if seconds is None and "0" in (
        headers.get("X-RateLimit-Remaining"),
        headers.get("RateLimit-Remaining"),
    ):
        reset = headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset") or ""
        if re.fullmatch(r"[0-9]{9,11}", reset):
            seconds = float(reset) - _CLOCK.now() / 1e6
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_WAIT)


def _seconds(text: str) -> float | None:
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - as_datetime(_CLOCK.now())).total_seconds()


def _failure(place: str, error: Exception, after: float | None, *, sent: bool) -> TicketError:
    if after is not None or isinstance(error, requests.Timeout):
        shown = "no answer in time" if after is None else f"no answer within {after:g} s"
        return TicketError(f"{place}: {shown}", permanent=False, unknown=sent)
    if isinstance(error, ValueError):  # requests' words for a URL or header that cannot be sent
        # In a token or an address, which a person mends; the text itself may hold the secret.
        text = f"{place}: cannot be sent: {type(error).__name__}: look at url, token, headers"
        return TicketError(text, permanent=False)
    root: BaseException = error
    while root.__context__ is not None:
        root = root.__context__
    # The root only: what requests adds holds the whole URL, which may be a secret.
    why = type(root).__name__
    if isinstance(root, OSError) and not isinstance(root, requests.RequestException):
        why = root.strerror or str(root)
    return TicketError(f"{place}: {one_line(why, 120)}", permanent=False, unknown=sent)


class _Exchange(threading.local):
    """What a connection must know of the exchange that its thread is in."""

    cutoff: Cutoff | None = None
    sent = False  # the request has begun to leave: the server may act on it


_exchange = _Exchange()


class _Guarded:
    """A connection that the exchange's cut-off ends, be it new or kept; it notes what has left."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        opened: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's own class
        if _exchange.cutoff is not None:
            _exchange.cutoff.watch(opened)
        return opened

    def putrequest(self, *arguments: Any, **named: Any) -> None:
        if self.sock is not None and _exchange.cutoff is not None:
            _exchange.cutoff.watch(self.sock)
        super().putrequest(*arguments, **named)  # type: ignore[misc]  # as above

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]  # http.client would do it a line later
        _exchange.sent = True
        super().send(data)  # type: ignore[misc]  # as above


class _Plain(_Guarded, HTTPConnection):
    """To an `http` server."""


class _Secure(_Guarded, HTTPSConnection):
    """To an `https` server."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Has each connection that it opens guarded by the cut-off, through a proxy or not."""

    def __init__(self) -> None:
        super().__init__(pool_connections=_KEPT, pool_maxsize=_KEPT)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Let the pools of this adapter open guarded connections."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        """Do the same for a proxy named in the environment."""
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager
