"""The console's fleet: ten thousand checks of targets that are told when to be sick.

The targets are a process of their own: `GET /N` answers 200, or 503 while N is sick; `GET /sick/N`
and `GET /well/N` tell it so. Every second check only connects.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import httptools
import uvloop

from tests.benchmarks.targets import Banner

CHECKS, EVERY = 10_000, 20
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_SICK = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsick"


class Web(asyncio.Protocol):
    """Answers one request and closes."""

    def __init__(self, sick: set[int]) -> None:
        self._sick, self._url = sick, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        word, _, number = self._url[1:].decode().rpartition("/")
        if word == "sick":
            self._sick.add(int(number))
        elif word == "well":
            self._sick.discard(int(number))
        ill = not word and int(number) in self._sick
        self._transport.write(_SICK if ill else _OK)  # type: ignore[attr-defined]  # a Transport
        self._transport.close()


async def serve() -> None:
    loop, sick = asyncio.get_running_loop(), set[int]()
    web = await loop.create_server(lambda: Web(sick), "0.0.0.0", 0, backlog=4096)
    tcp = await loop.create_server(Banner, "0.0.0.0", 0, backlog=4096)
    print(*(server.sockets[0].getsockname()[1] for server in (web, tcp)), flush=True)
    await asyncio.Event().wait()


class Targets:
    """The process that runs; `web` and `tcp` are its ports."""

    def __init__(self, web: int, tcp: int) -> None:
        self.web, self.tcp = web, tcp

    def tell(self, word: str, number: int) -> None:
        """Make a target `sick` or `well`."""
        with contextlib.closing(HTTPConnection("127.0.0.1", self.web, timeout=10)) as connection:
            connection.request("GET", f"/{word}/{number}")
            connection.getresponse().read()


@contextlib.contextmanager
def targets() -> Iterator[Targets]:
    """Start the targets' process, and end it."""
    argv = [sys.executable, "-m", "tests.benchmarks.fleet"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Targets(*map(int, process.stdout.readline().split()))
        finally:
            process.kill()


def configuration(web: int, tcp: int, hosts: int) -> dict[str, Any]:
    """Give ten thousand checks; the http ones, c0, c2 …, ask for target host * of each + check."""
    found: dict[str, Any] = {}
    of_each = CHECKS // hosts
    for host in range(hosts):
        address = f"127.{1 + host // 62500}.{host // 250 % 250}.{1 + host % 250}"
        url = f"http://{address}:{web}"
        checks = {
            f"c{n}": {"http": {"url": f"{url}/{host * of_each + n}"}}
            if n % 2 == 0
            else {"tcp": {"port": tcp}}
            for n in range(of_each)
        }
        found[f"h{host:04}"] = {"address": address, "login": "none", "checks": checks}
    timing = {"every": f"{EVERY}s", "retry_every": "1s", "attempts": 1}
    return {"instance": "bench", "defaults": timing, "hosts": found}


if __name__ == "__main__":
    uvloop.run(serve())
