"""Echo requests and their replies over one ICMP socket per family that all pings share.

It sends, matches and times; it judges nothing. The socket is open while any ping is under way: no
thread, no fork, no descriptor left behind. Replies are matched by sequence number and by eight
random bytes of each ping, so nobody can answer for another.
"""

import asyncio
import errno
import os
import socket
import struct
import time
import weakref
from collections.abc import Callable
from typing import NamedTuple

from monitord.errors import MonitordError
from monitord.model.result import Cause
from monitord.model.text import one_line
from monitord.probes.network.connect import explain
from monitord.probes.network.resolver import UnreachedError

_HEADER = struct.Struct("!BBHHH")
_STAMP = struct.Struct("qq")
_WORDS = struct.Struct("!32H")
_PADDING = b"monitord" * 6  # with the eight random bytes: 56, as ping has always sent
_HEAD = _HEADER.size
_TOKEN = 8
_SEQUENCES = 65_536
_MOST = 60_000  # pings under way at once, of the 65,536 that a sequence number can tell apart
_AT_ONCE = 256  # replies handled before the loop gets its turn
_BUFFER = 1 << 20
_RETRY = 0.005  # seconds until a full send buffer is tried again
_IPV6_HEADER = 40
_SOL_RAW, _ICMP_FILTER, _ICMP6_FILTER = 255, 1, 1  # linux/icmp.h, linux/icmpv6.h
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h


class _Family(NamedTuple):
    """The numbers of one family: RFC 792, RFC 4443."""

    family: socket.AddressFamily
    protocol: int
    request: int
    reply: int
    errors: dict[int, str]


_FAMILIES = {
    4: _Family(socket.AF_INET, socket.IPPROTO_ICMP, 8, 0, {3: "unreachable", 11: "out of hops"}),
    6: _Family(
        socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129, {1: "unreachable", 3: "out of hops"}
    ),
}


class NoIcmpError(MonitordError):
    """No ICMP socket may be opened here; the text tells the cure."""


class Pings:
    """One series of pings to one address: how many were sent, and what came of them.

    `trips` are round trips in seconds; `refusal` is what a router or this machine said of the last
    ping that could not be delivered (None: silence). `done` resolves when all are settled or time
    is up.
    """

    def __init__(self, socket_: "IcmpSocket", address: str, count: int) -> None:
        self.address = address
        self.count = count
        self.sent = 0
        self.settled = 0
        self.trips: list[float] = []
        self.refusal: UnreachedError | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.token = os.urandom(_TOKEN)
        self.pending: dict[int, tuple[float, int]] = {}
        self._socket = socket_

    def settle(self, outcome: float | UnreachedError) -> None:
        """Count one ping as answered (after so many seconds) or refused."""
        self.settled += 1
        if isinstance(outcome, UnreachedError):
            self.refusal = outcome
        else:
            self.trips.append(outcome)
        if self.settled == self.count:
            self.finish()

    def finish(self) -> None:
        """Let the waiting probe go on."""
        if not self.done.done():
            self.done.set_result(None)


async def ping(address: str, *, count: int, gap: float, wait: float, within: float) -> Pings:
    """Send `count` pings `gap` seconds apart and wait up to `wait` for the last one's reply.

    `address` is an IP literal. All takes at most `within` seconds.

    Raises:
        NoIcmpError: neither a ping socket nor a raw socket may be opened.
    """
    loop = asyncio.get_running_loop()
    shared = _shared(loop, 6 if ":" in address else 4)
    pings = Pings(shared, address, count)
    shared.users += 1
    timers: list[asyncio.TimerHandle] = []
    try:
        total = min((count - 1) * gap + wait, within)
        timers.append(loop.call_later(total, pings.finish))
        shared.send(pings)
        timers.extend(
            loop.call_later(gap * number, shared.send, pings) for number in range(1, count)
        )
        await pings.done
    finally:
        for timer in timers:
            timer.cancel()
        shared.leave(pings)
    return pings


_open: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, IcmpSocket]]"
_open = weakref.WeakKeyDictionary()


def _shared(loop: asyncio.AbstractEventLoop, version: int) -> "IcmpSocket":
    sockets = _open.setdefault(loop, {})
    shared = sockets.get(version)
    if shared is None:
        shared = sockets[version] = IcmpSocket(loop, version, lambda: sockets.pop(version, None))
    return shared


class IcmpSocket:
    """The shared socket of one family and event loop; closes itself after its last user."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, version: int, closed: Callable[[], object]
    ) -> None:
        self.users = 0
        self._loop = loop
        self._numbers = _FAMILIES[version]
        self._closed = closed
        self._raw, self._socket = _opened(self._numbers)
        # A ping socket's identifier is set by the kernel, which also keeps others' replies away.
        self._identifier = int.from_bytes(os.urandom(2), "big") if self._raw else 0
        self._sequence = int.from_bytes(os.urandom(2), "big")
        self._pending: dict[int, Pings] = {}
        loop.add_reader(self._socket, self._readable)

    def send(self, pings: Pings) -> None:
        """Send the next ping of a series; a refusal by this machine is told to the series."""
        if pings.done.done():
            return
        sequence = self._next_sequence()
        if sequence is None:
            pings.sent += 1
            pings.settle(UnreachedError("too many pings are under way here", Cause.PROBE))
            return
        packet = self._packet(sequence, pings.token)
        stamps = time.perf_counter(), time.time_ns()
        try:
            self._socket.sendto(packet, (pings.address, 0))
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.ENOBUFS}:
                self._loop.call_later(_RETRY, self.send, pings)
                return
            pings.sent += 1
            pings.settle(explain(error))
            return
        pings.sent += 1
        pings.pending[sequence] = stamps
        self._pending[sequence] = pings
        if len(self._pending) % _AT_ONCE == 0:
            self._readable()  # or a burst overflows the receive buffer before the loop reads

    def leave(self, pings: Pings) -> None:
        """Forget a series; the last one closes the socket."""
        for sequence in pings.pending:
            self._pending.pop(sequence, None)
        self.users -= 1
        if self.users == 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._closed()

    def _next_sequence(self) -> int | None:
        if len(self._pending) >= _MOST:
            return None
        while True:
            self._sequence = (self._sequence + 1) % _SEQUENCES
            if self._sequence not in self._pending:
                return self._sequence

    def _packet(self, sequence: int, token: bytes) -> bytes:
        kind = self._numbers.request
        head = _HEADER.pack(kind, 0, 0, self._identifier, sequence)
        body = token + _PADDING
        if kind != _FAMILIES[4].request:
            return head + body  # the kernel fills in the checksum of ICMPv6
        return _HEADER.pack(kind, 0, checksum(head + body), self._identifier, sequence) + body

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, control, _, source = self._socket.recvmsg(512, 64)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error that the kernel reports on the socket, of nobody's ping
            self._received(data, control, str(source[0]))

    def _received(self, data: bytes, control: list[tuple[int, int, bytes]], source: str) -> None:
        if self._raw and self._numbers.family is socket.AF_INET:
            data = _without_ip(data)
        if len(data) < _HEAD:
            return
        kind, code, _, identifier, sequence = _HEADER.unpack_from(data)
        if kind == self._numbers.reply:
            if not self._raw or identifier == self._identifier:
                self._answered(sequence, data[_HEAD : _HEAD + _TOKEN], control)
        elif kind in self._numbers.errors and self._raw:
            self._refused(data[_HEAD:], kind, code, source)

    def _answered(self, sequence: int, token: bytes, control: list[tuple[int, int, bytes]]) -> None:
        pings = self._pending.get(sequence)
        if pings is None or pings.token != token:
            return
        del self._pending[sequence]
        sent, sent_wall = pings.pending.pop(sequence)
        trip = time.perf_counter() - sent
        for _, _, stamp in control:
            # The kernel's own time of arrival leaves out how long the loop was busy; after a step
            # of the wall clock it is nonsense, and the plain difference holds.
            seconds, nanoseconds = _STAMP.unpack_from(stamp)
            exact = (seconds * 1_000_000_000 + nanoseconds - sent_wall) / 1e9
            if 0 < exact < trip:
                trip = exact
        pings.settle(trip)

    def _refused(self, inner: bytes, kind: int, code: int, source: str) -> None:
        """Match a router's error to the ping that it quotes."""
        if self._numbers.family is socket.AF_INET:
            inner, destination = _without_ip(inner), inner[16:20]
        else:
            inner, destination = inner[_IPV6_HEADER:], inner[24:40]
        if len(inner) < _HEAD:
            return
        request, _, _, identifier, sequence = _HEADER.unpack_from(inner)
        pings = self._pending.get(sequence)
        if (request, identifier) != (self._numbers.request, self._identifier) or pings is None:
            return
        if destination != _packed(self._numbers.family, pings.address):
            return
        del self._pending[sequence]
        del pings.pending[sequence]
        word = self._numbers.errors[kind]
        pings.settle(UnreachedError(f"{word} (code {code}), says {one_line(source, 60)}"))


def _opened(numbers: _Family) -> tuple[bool, socket.socket]:
    """Open a ping socket, or a raw one; tells whether it is raw."""
    for raw, kind in ((False, socket.SOCK_DGRAM), (True, socket.SOCK_RAW)):
        try:
            opened = socket.socket(numbers.family, kind | socket.SOCK_NONBLOCK, numbers.protocol)
        except PermissionError:
            continue
        except OSError as error:
            raise NoIcmpError(f"no ICMP socket can be opened here: {error.strerror}") from error
        _tune(opened, numbers, raw=raw)
        return raw, opened
    raise NoIcmpError(
        "no ICMP socket may be opened here; set net.ipv4.ping_group_range or give CAP_NET_RAW"
    )


def _tune(opened: socket.socket, numbers: _Family, *, raw: bool) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    if not raw:
        return
    # Let the kernel drop what is not for us: on a busy machine that is nearly everything.
    wanted = {numbers.reply, *numbers.errors}
    if numbers.family is socket.AF_INET:
        blocked = 0xFFFFFFFF & ~sum(1 << kind for kind in wanted)
        opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", blocked))
        return
    words = [0xFFFFFFFF] * 8
    for kind in wanted:
        words[kind >> 5] &= ~(1 << (kind & 31))
    opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *words))


def _without_ip(packet: bytes) -> bytes:
    return packet[(packet[0] & 0x0F) * 4 :] if packet else b""


def _packed(family: socket.AddressFamily, address: str) -> bytes:
    return socket.inet_pton(family, address.partition("%")[0])


def checksum(packet: bytes) -> int:
    """Give the Internet checksum (RFC 1071) of a packet of 64 bytes."""
    total: int = sum(_WORDS.unpack(packet))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF & ~((total & 0xFFFF) + (total >> 16))
