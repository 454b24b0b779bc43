"""A ticket server that speaks JSON over HTTP: its address, its login, one call.

It decides nothing about tickets; wire.py decides what a failure means.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from monitord import __version__
from monitord.errors import SecretError, TicketError
from monitord.log import hide
from monitord.model.spec import Duration, Spec
from monitord.secrets import SecretRef
from monitord.tickets.wire import Answer, Client, is_web

_GONE = (404, 410)

Resolve = Callable[[str | SecretRef], str]
Secret = str | SecretRef


def _web(url: str) -> str:
    if not is_web(url):
        raise ValueError(f"{url!r} is not a URL (write https://host/path)")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_web)]
Priorities = Mapping[str, str]


class RestSpec(Spec):
    """How a ticket server is reached."""

    timeout: Duration = Field(
        timedelta(seconds=20), description="How long one request may take in all."
    )
    ca: str = Field(
        "", description="A PEM file of the authorities to trust; left out: those of the system."
    )


@dataclass(frozen=True, slots=True)
class Login:
    """The header lines of a login, and which texts in them nobody may read in an error."""

    headers: Mapping[str, str]
    secrets: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)  # of the body, where it belongs there


def token_login(token: str, *, header: str = "Authorization", scheme: str = "Bearer ") -> Login:
    """Give the login by a token: `Authorization: Bearer …` unless told otherwise."""
    return Login({header: scheme + token}, (token,))


def basic_login(user: str, password: str) -> Login:
    """Give the login by name and password (RFC 7617)."""
    packed = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Login({"Authorization": f"Basic {packed}"}, (password, packed))


class Server:
    """Calls one ticket server. `login` is asked at each call: a changed secret counts at once."""

    def __init__(self, url: str, spec: RestSpec, login: Callable[[], Login]) -> None:
        self.url = url.rstrip("/")
        self._login = login
        self._client = Client(spec.timeout.total_seconds(), spec.ca)

    def call(
        self,
        method: str,
        path: str,
        *,
        send: Any = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send JSON (or nothing) to a path; gives a 2xx.

        Raises:
            TicketError: anything else.
        """
        answer, login = self._send(method, path, send, params)
        return answer.must_be_good(login.secrets)

    def look(self, path: str, *, params: Mapping[str, str] | None = None) -> Any:
        """Give what stands at a path as JSON, or None where there is nothing (404, 410).

        Raises:
            TicketError: any other answer than 2xx, or none.
        """
        answer, login = self._send("GET", path, None, params)
        if answer.status in _GONE:
            return None
        return answer.must_be_good(login.secrets).json()

    def _send(
        self,
        method: str,
        path: str,
        send: Any,
        params: Mapping[str, str] | None,
    ) -> tuple[Answer, Login]:
        try:
            login = self._login()
        except SecretError as error:
            raise TicketError(str(error), permanent=False) from error
        for secret in login.secrets:
            hide(secret)
        lines = {
            "Accept": "application/json",
            "User-Agent": f"monitord/{__version__}",
            **({} if send is None else {"Content-Type": "application/json"}),
            **login.headers,
        }
        if login.fields:
            send = {**send, **login.fields}
        body = None if send is None else json.dumps(send).encode()
        answer = self._client.send(method, self.url + path, headers=lines, body=body, params=params)
        return answer, login
