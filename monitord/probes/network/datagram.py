"""One question over UDP and its answer, asked again where a packet may have been lost.

It sends and waits; what counts as an answer its caller says. No socket stays when it ends.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar, cast

from monitord.probes.network.connect import explain, is_literal
from monitord.probes.network.resolver import UnreachedError, resolve

T = TypeVar("T")
Read = Callable[[bytes, float], T | None]
"""Takes a packet and when (perf_counter) the question was last sent; None: wait for another."""

_TRIES = 3
_LONGEST = 2.0  # seconds until the question is asked again


class _Waiting(asyncio.DatagramProtocol):
    """Hands packets to `read` until one is an answer."""

    def __init__(self, read: Read[Any]) -> None:
        self.read = read
        self.sent = 0.0
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 - asyncio's signature; the socket is connected, so it comes from whom we asked
        if self.answer.done():
            return
        try:
            found = self.read(data, self.sent)
        except UnreachedError as error:
            self.answer.set_exception(error)
            return
        if found is not None:
            self.answer.set_result(found)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def converse(
    host: str,
    port: int,
    packet: bytes,
    read: Read[T],
    family: int,
    within: float,
    tries: int = _TRIES,
) -> T:
    """Send `packet` up to `tries` times until `read` finds an answer; the caller sets the deadline.

    `within` is that deadline in seconds (0: not known): the tries are spread over it.

    Raises:
        UnreachedError: nobody listens there, no such name, or what `read` raised.
    """
    address = host if is_literal(host) else (await resolve(host, family))[0]
    loop = asyncio.get_running_loop()
    try:
        transport, waiting = await loop.create_datagram_endpoint(
            lambda: _Waiting(read), remote_addr=(address, port)
        )
    except OSError as error:
        raise explain(error) from error
    gap = min(_LONGEST, within / (tries + 1)) if within > 0 else _LONGEST
    try:
        for _ in range(tries - 1):
            waiting.sent = perf_counter()
            transport.sendto(packet)
            done, _ = await asyncio.wait((waiting.answer,), timeout=gap)
            if done:
                return cast("T", waiting.answer.result())
        waiting.sent = perf_counter()
        transport.sendto(packet)
        return cast("T", await waiting.answer)
    except ConnectionRefusedError:
        raise UnreachedError("nobody listens on this UDP port") from None
    except OSError as error:
        raise explain(error) from error
    finally:
        waiting.answer.cancel()
        transport.abort()
