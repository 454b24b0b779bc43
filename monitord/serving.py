"""Serving HTTP on a socket that we bound ourselves: bounded requests, and who the peer is.

Used by the core's control API (Unix socket) and by monitord-web (TCP). uvicorn does the HTTP; this
adds what it leaves open: a head without end, a request that trickles, a reader that never reads, a
socket that everybody may write to. It knows no route and no right, and takes over no signal.
"""

import asyncio
import contextlib
import functools
import grp
import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from starlette.requests import Request
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from monitord.errors import MonitordError

GROUP = "monitord"
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))
_BACKLOG = 128
_LONGEST_PATH = 107  # bytes of a Unix socket's name (unix(7)), its final zero apart
_HIGHEST_PORT = 65535  # getaddrinfo would take a higher one modulo 65536


class ListenError(MonitordError):
    """A socket cannot be bound; the text names the address and what holds it."""


class BodyTooLongError(MonitordError):
    """A request's body is over the limit."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a Unix socket, as the kernel says it (SO_PEERCRED)."""

    pid: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may cost.

    `head` and `request` are bytes of one request's head and of all of it; `receive` the seconds it
    may take to send one, `life` the seconds the connection may last (None: as long as it likes);
    `connections` how many there may be at once, `each` how many of them from one address (an IPv6
    one with its whole /64; None: as many as it likes).
    """

    head: int = 16 * 1024
    request: int = 1024 * 1024
    receive: float = 10.0
    life: float | None = None
    connections: int = 100
    each: int | None = None


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with the bounds enforced and the peer in the request's state.

    `request.state.peer` is a Peer on a Unix socket and None on any other; a handler that knows who
    is there calls `request.state.stay()`, and the connection outlives `life`. The overridden
    methods are asyncio's and httptools' callbacks.
    """

    bounds: ClassVar[Bounds] = Bounds()
    _receiving: asyncio.TimerHandle | None = None
    _ending: asyncio.TimerHandle | None = None
    _in_head = True
    _bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Learn who it is, and start both clocks."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "peer": _peer(transport), "stay": self._stay}
        self._expect_request()
        if self.bounds.life is not None:
            self._ending = self.loop.call_later(self.bounds.life, transport.abort)
        if self.bounds.each is not None and self._alike() > self.bounds.each:
            transport.abort()  # nobody alone can take the places of all

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._received()
        if self._ending is not None:
            self._ending.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what came, and end what is too long."""
        self._bytes += len(data)
        if self._in_head:
            self._expect_request()
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._bytes > self.bounds.head:
            self.send_400_response("The request's head is too long.")
        elif self._bytes > self.bounds.request:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Know the head's end."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Know the request's end."""
        self._in_head, self._bytes = True, 0
        self._received()
        super().on_message_complete()

    def _stay(self) -> None:
        """Let the connection last: a handler knows who is there."""
        if self._ending is not None:
            self._ending.cancel()

    def _alike(self) -> int:
        """Count the connections from our peer's address, this one included."""
        ours = origin(self.client)
        return sum(origin(getattr(other, "client", None)) == ours for other in self.connections)

    def _expect_request(self) -> None:
        if self._receiving is None:
            self._receiving = self.loop.call_later(self.bounds.receive, self.transport.abort)

    def _received(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None


@functools.lru_cache(maxsize=1024)
def origin(client: tuple[str, int] | None) -> str:
    """Give what stands for one network peer: its address, of an IPv6 one the /64 it is from."""
    if client is None:
        return ""
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return client[0]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))


def _peer(transport: asyncio.Transport) -> Peer | None:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    # A duplicate: uvloop hands out a pseudo socket that has no such option call of its own.
    with socket.socket(fileno=os.dup(sock.fileno())) as real:
        raw = real.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


class _Server(Server):
    """uvicorn's server, which leaves the process's signals to whoever owns the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: Any, sock: socket.socket, protocol: type[BoundedProtocol] = BoundedProtocol
) -> None:
    """Serve an ASGI app on a bound, listening socket until cancelled; then end within 3 s.

    The socket is closed at the end. No signal handler is touched.
    """
    config = Config(
        app,
        http=protocol,
        ws="none",
        loop="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # a stranger's garbage is not worth a line each; handlers log ours
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=protocol.bounds.connections,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    running = asyncio.ensure_future(server.serve(sockets=[sock]))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.should_exit = True
        await running
        raise


def listen_unix(path: Path, *, mode: int = 0o660) -> socket.socket:
    """Bind and listen on a Unix socket of our own making; a dead one left behind is replaced.

    It has `mode` before anybody can connect, and the group monitord where that exists.

    Raises:
        ListenError: another process answers there, or the folder is not ours.
    """
    if _answers(path):
        raise ListenError(f"{path} is in use: a core runs already; stop it first")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise ListenError(
            f"{path}: too long for a socket (over {_LONGEST_PATH} bytes); set `run:` to a short "
            f"folder, as /run/monitord"
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    old = os.umask(0o777 & ~mode)
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        _give_to_group(path)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen on {path}: {error.strerror or error}") from error
    finally:
        os.umask(old)
    sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return sock


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # no right to ask, or too long a path: binding will say what is wrong
            return False
    return True


def _give_to_group(path: Path) -> None:
    # Without the group (a trial run in a clone) or the right to give it, the owner alone commands.
    with contextlib.suppress(KeyError, PermissionError):
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)


def listen_tcp(address: str) -> socket.socket:
    """Bind and listen on `host:port` (`[::1]:port` for IPv6; port 0 takes a free one).

    Raises:
        ListenError: the address is not one, or not free.
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise ListenError(f"{address!r} is not an address to listen on (write 127.0.0.1:9110)")
    try:
        family, kind, proto, _, where = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind | socket.SOCK_CLOEXEC, proto)
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen on {address}: {error.strerror or error}") from error
    sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return sock


async def read_body(request: Request, limit: int) -> bytes:
    """Read a request's body up to `limit` bytes.

    Raises:
        BodyTooLongError: it is longer; the rest stays unread.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise BodyTooLongError(f"the request's body is over {limit} bytes; send less")
    return bytes(body)
