"""One HTTP request made ready: where to connect, and the bytes to send, without its secrets.

It decides what is sent where: a redirect to another origin gets none of our credentials. Nothing
here connects; a request is built once per spec, and once more per redirect.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin

from monitord import __version__
from monitord.model.result import Cause
from monitord.model.text import one_line
from monitord.probes.credentials import reveal
from monitord.probes.network.connect import Endpoint
from monitord.probes.network.http_spec import (
    SAFE,
    AuthSpec,
    HttpSpec,
    Location,
    is_header_value,
    locate,
)
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import TlsSpec
from monitord.secrets import SecretRef

_PERSONAL = frozenset({"authorization", "cookie", "proxy-authorization", "host"})
_KEEPS_METHOD = frozenset({307, 308})
_DEFAULT_TLS = TlsSpec.model_validate({})
_LONGEST_URL = 8192


@dataclass(frozen=True, slots=True)
class Request:
    """What to send where. `wire` is the bytes, when no secret has to be read for them first."""

    spec: HttpSpec
    url: str
    location: Location
    endpoint: Endpoint
    method: str
    headers: tuple[tuple[str, str | SecretRef], ...]
    auth: AuthSpec | None
    send: str | SecretRef | None
    wire: bytes = b""

    @property
    def secret(self) -> bool:
        """Tell whether a secret has to be read for it."""
        values = [self.send, *(value for _, value in self.headers)]
        if self.auth is not None:
            values += [self.auth.password, self.auth.bearer]
        return any(isinstance(value, SecretRef) for value in values)


def first_request(spec: HttpSpec) -> Request:
    """Build the request that a spec asks for."""
    location = locate(spec.url)
    endpoint = endpoint_of(spec, location)
    headers = tuple(spec.headers.items())
    request = Request(
        spec, spec.url, location, endpoint, spec.method, headers, spec.auth, spec.send
    )
    return request if request.secret else replace(request, wire=wire_of(request)[0])


def redirected(request: Request, status: int, where: str) -> Request:
    """Build the request that a redirect asks for; 301 to 303 become a GET, as browsers do.

    Raises:
        UnreachedError: it leads to no HTTP URL.
    """
    try:
        url = urljoin(request.url, quote(where[:_LONGEST_URL], safe=SAFE))
        location = locate(url)
    except ValueError:
        raise UnreachedError(f"redirects to {one_line(where, 120)}, which is no web page") from None
    endpoint = endpoint_of(request.spec, location)
    follow = replace(request, url=url, location=location, endpoint=endpoint, wire=b"")
    if status not in _KEEPS_METHOD and request.method != "HEAD":
        follow = replace(follow, method="GET", send=None)
    return follow if _origin(location) == _origin(request.location) else _for_stranger(follow)


def _origin(location: Location) -> tuple[str, str, int]:
    return location.scheme, location.host, location.port


def _for_stranger(request: Request) -> Request:
    headers = tuple(
        (name, value)
        for name, value in request.headers
        if name.lower() not in _PERSONAL and not isinstance(value, SecretRef)
    )
    send = None if isinstance(request.send, SecretRef) else request.send
    return replace(request, headers=headers, send=send, auth=None)


def endpoint_of(spec: HttpSpec, location: Location) -> Endpoint:
    """Give where to connect for a URL, and how, as a spec has it."""
    secure = location.scheme == "https"
    return Endpoint.of(
        location.host,
        location.port,
        family=spec.family,
        tls=(spec.tls or _DEFAULT_TLS) if secure else None,
        protocols=("http/1.1",) if secure else (),
    )


def wire_of(request: Request) -> tuple[bytes, tuple[str, ...]]:
    """Give the bytes to send and the secrets in them, read now.

    Raises:
        SecretError: a secret cannot be read.
        UnreachedError: a secret has a line end or control character and fits in no header.
    """
    if request.wire:
        return request.wire, ()
    secrets: list[str] = []

    def shown(value: str | SecretRef) -> str:
        text = reveal(value)
        if isinstance(value, SecretRef):
            secrets.append(text)
        return text

    lines = {"host": f"Host: {request.location.authority}"}
    lines["user-agent"] = f"User-Agent: monitord/{__version__}"
    lines["accept"] = "Accept: */*"
    if request.auth is not None:
        token = _token(request.auth, shown)
        secrets.append(token)
        lines["authorization"] = f"Authorization: {token}"
    for name, value in request.headers:
        lines[name.lower()] = f"{name}: {shown(value)}"
    body = b"" if request.send is None else shown(request.send).encode()
    if request.send is not None:
        lines["content-length"] = f"Content-Length: {len(body)}"
    for name, line in lines.items():
        if not is_header_value(line):
            text = f"the secret for header {name} has a line end or control character in it"
            raise UnreachedError(text, Cause.MISSING)
    head = [
        f"{request.method} {request.location.path} HTTP/1.1",
        *lines.values(),
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body, tuple(secrets)


def _token(auth: AuthSpec, shown: Callable[[str | SecretRef], str]) -> str:
    if auth.bearer is not None:
        return f"Bearer {shown(auth.bearer)}"
    pair = f"{auth.user}:{shown(auth.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
