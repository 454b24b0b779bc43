"""The targets: one process that answers HTTP and accepts TCP on every loopback address.

`GET /N` answers 200, or 503 while target N has its turn to be sick: 4 % of them at a time, another
4 % each round, so that 2 % of all checks change state each round. It costs as little as Python can.
"""

import asyncio
import sys
import time

import httptools
import uvloop

_SICK_SHARE = 25  # one target in so many is sick at a time
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_SICK = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsick"


class Web(asyncio.Protocol):
    """Answers one request and closes."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        number = int(self._url[1:] or b"0")
        turn = int(time.time() / self._every)
        sick = (number + turn) % _SICK_SHARE == 0
        self._transport.write(_SICK if sick else _OK)  # type: ignore[attr-defined]  # a Transport
        self._transport.close()


class Banner(asyncio.Protocol):
    """Accepts and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def serve(every: float) -> None:
    loop = asyncio.get_running_loop()
    web = await loop.create_server(lambda: Web(every), "0.0.0.0", 0, backlog=4096)
    tcp = await loop.create_server(Banner, "0.0.0.0", 0, backlog=4096)
    ports = (server.sockets[0].getsockname()[1] for server in (web, tcp))
    print(*ports, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1])))
