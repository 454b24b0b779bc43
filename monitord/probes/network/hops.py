"""The routers on the way to an address, found by datagrams whose lifetime ends at each of them.

It needs no raw socket: Linux hands what routers say of a UDP socket's datagrams to that socket
(ip(7), IP_RECVERR). All go from one port to one port, so that balancers send them one way. It
judges nothing.
"""

import asyncio
import errno
import ipaddress
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

from monitord.probes.network.connect import explain

_ERROR = struct.Struct("=IBBBBII")  # linux/errqueue.h: sock_extended_err
_LOOK = 0.005  # seconds between two looks at the queue of errors
_SILENT_ROW = 5  # hops in a row that say nothing: more of them are not to be expected
_BUFFER = 512


class _Family(NamedTuple):
    """The numbers of one family: linux/in.h and in6.h, RFC 792, RFC 4443."""

    level: int
    recverr: int
    lifetime: int
    origin: int
    expired: int
    unreachable: int
    no_port: int
    address: slice


_V4 = _Family(socket.IPPROTO_IP, 11, socket.IP_TTL, 2, 11, 3, 3, slice(4, 8))
_V6 = _Family(socket.IPPROTO_IPV6, 25, socket.IPV6_UNICAST_HOPS, 3, 3, 1, 4, slice(8, 24))


@dataclass(slots=True)
class Way:
    """What was found: an address for each hop (empty: silent), and how it ended.

    `reached`: the address itself answered. `refused`: the last hop said that it cannot go on.
    """

    hops: list[str] = field(default_factory=list)
    reached: bool = False
    refused: bool = False


class _Said(NamedTuple):
    by: str
    final: bool
    refused: bool


async def trace(address: str, port: int, most: int, tries: int, wait: float) -> Way:
    """Give the way to an address; hops that stay silent for `tries` times `wait` seconds are empty.

    Raises:
        UnreachedError: this machine itself cannot send there.
    """
    numbers = _V6 if ":" in address else _V4
    way = Way()
    try:
        with socket.socket(
            socket.AF_INET6 if numbers is _V6 else socket.AF_INET, socket.SOCK_DGRAM
        ) as sock:
            sock.settimeout(0)
            sock.setsockopt(numbers.level, numbers.recverr, 1)
            for hop in range(1, most + 1):
                sock.setsockopt(numbers.level, numbers.lifetime, hop)
                said = await _hop(sock, numbers, (address, port), hop, tries, wait)
                way.hops.append(said.by if said else "")
                if said is not None and said.final:
                    # A router's own "no" comes from it; an answer of the address is the end.
                    way.reached, way.refused = not said.refused, said.refused
                    break
                if not any(way.hops[-_SILENT_ROW:]) and hop >= _SILENT_ROW:
                    break
    except OSError as error:
        raise explain(error) from error
    while way.hops and not way.hops[-1]:
        way.hops.pop()
    return way


async def _hop(
    sock: socket.socket, numbers: _Family, to: tuple[str, int], hop: int, tries: int, wait: float
) -> _Said | None:
    for _ in range(tries):
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # what was said is in the queue, too
        sock.sendto(bytes([hop]) * 8, to)
        until = perf_counter() + wait
        while perf_counter() < until:
            await asyncio.sleep(_LOOK)
            said = _heard(sock, numbers, to[0], hop)
            if said is not None:
                return said
    return None


def _heard(sock: socket.socket, numbers: _Family, address: str, hop: int) -> _Said | None:
    """Give what was said of the datagram with this lifetime, if anything was by now."""
    while True:
        try:
            payload, told, _, _ = sock.recvmsg(_BUFFER, _BUFFER, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            break
        # Routers need not give back what we sent; where they do, a late word is told from a new.
        if payload and payload[0] != hop:
            continue
        said = _read(numbers, told, address)
        if said is not None:
            return said
    try:
        sock.recvfrom(_BUFFER)
    except OSError:  # nothing, or an error that is in the queue of errors as well
        return None
    return _Said(address, final=True, refused=False)


def _read(numbers: _Family, told: Sequence[tuple[int, int, bytes]], address: str) -> _Said | None:
    for level, kind, data in told:
        if (level, kind) != (numbers.level, numbers.recverr) or len(data) < _ERROR.size:
            continue
        code, origin, what, which, *_ = _ERROR.unpack_from(data)
        if origin != numbers.origin:  # not by ICMP: this machine's own complaint
            raise OSError(code or errno.EHOSTUNREACH, "")
        by = str(ipaddress.ip_address(data[_ERROR.size :][numbers.address]))
        if what == numbers.expired:
            return _Said(by, final=False, refused=False)
        if what == numbers.unreachable:
            there = by == address or which == numbers.no_port
            return _Said(by, final=True, refused=not there)
    return None
