"""Rate and CPU per check of the network probes, on varied loopback addresses under uvloop.

    python -m tests.probes_network.bench_http [checks]

The server is nginx in processes of its own; CPU is this process's alone. Prints ms per check, for
the bare building block as well, so that a slow machine does not pass for a slow probe.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httptools
import uvloop

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Result, Status
from monitord.probes import PROBES
from tests.world.hostile import write_certificate
from tests.world.peers import Nginx

AT_ONCE = 64
Check = Callable[[], Awaitable[Sequence[Result]]]


def checks(kind: str, spec: Callable[[str], dict[str, Any]], number: int) -> list[Check]:
    """One check per address, each with a spec of its own, as a catalog has them."""
    probe = PROBES[kind]
    assert isinstance(probe, NetworkProbe)

    def one(address: str) -> Check:
        validated = probe.spec.model_validate(spec(address))
        target = Target(address, address, {}, 5.0)
        return lambda: probe.probe(validated, target)

    return [one(address) for address in addresses(number)]


def addresses(number: int) -> list[str]:
    """Loopback addresses, so that no pair of them runs out of ports."""
    return [f"127.0.{1 + i // 250 % 250}.{1 + i % 250}" for i in range(number)]


async def measure(name: str, todo: list[Check], rounds: int) -> None:
    """Run all checks `rounds` times, 64 at once; the first round is to warm up."""
    bad: list[Result] = []

    async def work(queue: list[Check]) -> None:
        while queue:
            results = await queue.pop()()
            bad.extend(result for result in results if result.status is not Status.OK)

    async def round_() -> None:
        queue = todo.copy()
        await asyncio.gather(*(work(queue) for _ in range(AT_ONCE)))

    await round_()
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(rounds):
        await round_()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done = len(todo) * rounds
    say(f"{name:28} {done / wall:8,.0f}/s   {cpu / done * 1000:.4f} ms CPU per check")
    if bad:
        say(f"  {len(bad)} were not OK, the first: {bad[0].summary}")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


class Bare(asyncio.Protocol):
    """The building block alone: connect, send, parse, close."""

    def __init__(self, request: bytes, done: asyncio.Future[None]) -> None:
        self.request, self.done = request, done

    def connection_made(self, transport: Any) -> None:
        """Send the request."""
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Parse the answer."""
        httptools.HttpResponseParser(self).feed_data(data)

    def on_message_complete(self) -> None:
        """Let go."""
        self.transport.abort()
        if not self.done.done():
            self.done.set_result(None)


def bare(address: str, port: int) -> Check:
    """One request on a fresh connection without any of our code."""
    request = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    async def go() -> Sequence[Result]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda: Bare(request, done), address, port)
        await done
        return ()

    return go


PORT, TLS_PORT = 18081, 18444


def plan(number: int, authority: Path) -> list[tuple[str, list[Check]]]:
    """What is measured, in this order."""

    def plain(address: str) -> dict[str, Any]:
        return {"url": f"http://{address}:{PORT}/health"}

    def judged(address: str) -> dict[str, Any]:
        limits = {"status": 200, "body": "ok", "warning": "1s", "critical": "3s"}
        return plain(address) | limits

    def secure(address: str) -> dict[str, Any]:
        tls = {"ca": str(authority), "server_name": "localhost"}
        return {"url": f"https://{address}:{TLS_PORT}/health", "tls": tls}

    return [
        ("bare Protocol + httptools", [bare(address, PORT) for address in addresses(number)]),
        ("http", checks("http", plain, number)),
        ("http: status, body, limits", checks("http", judged, number)),
        ("https, verified", checks("http", secure, number // 10)),
        ("tcp", checks("tcp", lambda _: {"port": PORT}, number)),
        ("icmp, 1 ping", checks("icmp", lambda _: {"count": 1}, number)),
    ]


async def main(number: int) -> None:
    """Measure each kind."""
    with tempfile.TemporaryDirectory() as folder:
        pem = write_certificate(Path(folder), valid_for=timedelta(days=30))
        listen = (
            f"listen 0.0.0.0:{PORT}; listen 0.0.0.0:{TLS_PORT} ssl;"
            f"ssl_certificate {pem}; ssl_certificate_key {pem};"
        )
        with Nginx(extra=listen):
            for name, todo in plan(number, pem):
                await measure(name, todo, 4)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2500))
