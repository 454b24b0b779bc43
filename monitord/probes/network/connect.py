"""From an address to an open connection: TCP and TLS; and words for what went wrong.

It decides whose fault a failure is: the target's (no cause: CRITICAL), the resolver's or our own
machine's (a cause: UNKNOWN). It neither retries nor sets deadlines: its caller cancels it, and then
no socket stays behind.
"""

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from monitord.model.result import Cause
from monitord.model.text import one_line
from monitord.probes.credentials import quote
from monitord.probes.network.latency import show
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.network.tls import BadAuthorityError, TlsSpec, context_for

Family = Literal["any", "ipv4", "ipv6"]
FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}

LOOKING_UP = "no name lookup"
CONNECTING = "no connection"
SHAKING_HANDS = "no TLS handshake"
WAITING = "no answer"
"""What has not happened yet while a probe is in that phase."""

_MARGIN = 0.05  # seconds, and share of the deadline: a probe ends itself this long before it is cut
_TRIED = 4  # addresses of one name; more would only spend the deadline
_PATIENCE = 1.0  # seconds for each address but the last
_SENTENCES = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.EPIPE: "connection closed by the other side",
    errno.ETIMEDOUT: "no answer to the connection request",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to its network",
    errno.EHOSTDOWN: "the host is down",
}
_OURS = {
    errno.EMFILE: "too many open files here (raise LimitNOFILE)",
    errno.ENFILE: "too many open files on this machine (raise fs.file-max)",
    errno.EADDRNOTAVAIL: "no free local port or no such address family here",
    errno.EAFNOSUPPORT: "this machine does not speak that address family",
    errno.ENOBUFS: "no buffer space on this machine",
    errno.ENOMEM: "no memory on this machine",
    errno.EPERM: "this machine's own firewall forbids it",
    errno.EACCES: "this machine forbids it",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect. `literal` says that `host` is an IP address and needs no resolver.

    `place` is `host:port` for a person, an IPv6 address in brackets.
    """

    host: str
    port: int
    literal: bool
    place: str
    family: int = socket.AF_UNSPEC
    tls: TlsSpec | None = None
    protocols: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        host: str,
        port: int,
        *,
        family: Family = "any",
        tls: TlsSpec | None = None,
        protocols: tuple[str, ...] = (),
    ) -> "Endpoint":
        """Look once whether the host is a literal."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return cls(host, port, is_literal(host), place, FAMILIES[family], tls, protocols)


class Connection(asyncio.Protocol):
    """What `dial` connects. `phase` is what it is busy with; `transport` is set once it is open."""

    __slots__ = ("phase", "transport")

    def __init__(self) -> None:
        self.phase = CONNECTING
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, so that it can be dropped."""
        self.transport = cast("asyncio.Transport", transport)

    def drop(self) -> None:
        """Close at once: a polite end would wait for a peer that may never answer."""
        if self.transport is not None:
            self.transport.abort()
            self.transport = None


def patience(timeout: float) -> float | None:
    """Give the seconds after which a probe ends itself, just before its caller's `timeout`."""
    return timeout - min(_MARGIN, timeout * _MARGIN) if timeout > 0 else None


def overdue(phase: str, seconds: float) -> UnreachedError:
    """Say what had not happened when the deadline of `seconds` came."""
    cause = Cause.RESOLVER if phase == LOOKING_UP else None
    return UnreachedError(f"{phase} within {show(seconds)}", cause)


def is_literal(host: str) -> bool:
    """Tell whether `host` is an IP address (v4, or v6 without brackets)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def dial(connection: Connection, to: Endpoint) -> None:
    """Connect; the protocol's `connection_made` has been called when this returns.

    Raises:
        UnreachedError: with the sentence for a person and whose fault it is.
    """
    loop = asyncio.get_running_loop()
    try:
        if to.literal and to.tls is None:
            await loop.create_connection(lambda: connection, to.host, to.port)
            return
        context = await context_for(to.tls, to.protocols) if to.tls else None
        addresses = [to.host] if to.literal else await _resolved(connection, to)
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await _dial_one(connection, to, address, context)
            except OSError:  # a TimeoutError is one; the next address gets its chance
                connection.drop()
            else:
                return
        await _dial_one(connection, to, addresses[-1], context)
    except OSError as error:
        raise explain(error) from error
    except BadAuthorityError as error:
        raise UnreachedError(str(error), Cause.MISSING) from error


async def _dial_one(
    connection: Connection, to: Endpoint, address: str, context: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    connection.phase = CONNECTING
    if to.tls is None or context is None:
        await loop.create_connection(lambda: connection, address, to.port)
        return
    # The TCP connection first, so that a deadline can tell which of the two did not come. Not with
    # a socket of our own: when the peer resets at the wrong moment, uvloop and that socket both
    # close the descriptor, and the second close hits whoever has its number by then (tried).
    link = _Link()
    await loop.create_connection(lambda: link, address, to.port)
    connection.phase = SHAKING_HANDS
    try:
        secure = await loop.start_tls(
            link.ready(), connection, context, server_hostname=to.tls.server_name or to.host
        )
    except BaseException:
        link.drop()
        raise
    if secure is None:  # asyncio's way to say that the connection was lost meanwhile
        raise ConnectionResetError(errno.ECONNRESET, "")
    connection.connection_made(secure)


class _Link(Connection):
    """The TCP connection below TLS, until the handshake takes it over."""

    early = b""

    def data_received(self, data: bytes) -> None:
        self.early = data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.transport = None

    def ready(self) -> asyncio.Transport:
        """Give the transport, if the other side has kept silent as a TLS server does."""
        if self.early:
            self.drop()
            raise UnreachedError(f"speaks before TLS could begin: {quote(self.early)}")
        if self.transport is None or self.transport.is_closing():
            raise UnreachedError("connection closed before TLS could begin")
        return self.transport


async def _resolved(connection: Connection, to: Endpoint) -> Sequence[str]:
    connection.phase = LOOKING_UP
    return (await resolve(to.host, to.family))[:_TRIED]


def explain(error: OSError) -> UnreachedError:
    """Word a failed connection or handshake, and say whose fault it is."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return UnreachedError(f"certificate refused: {one_line(error.verify_message)}")
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return UnreachedError(f"TLS handshake failed: {one_line(reason)}")
    code = error.errno or 0
    if code in _OURS:
        return UnreachedError(f"not tried: {_OURS[code]}", Cause.PROBE)
    known = _SENTENCES.get(code)
    if known is None:
        known = os.strerror(code).lower() if code else one_line(str(error)) or "connection lost"
    return UnreachedError(known)
