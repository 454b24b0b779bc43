"""Ways of the tests of service probes: ask one as the core would, and a server of set pages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvloop

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Result
from monitord.probes import PROBES

Memory = Mapping[str, Mapping[str, Any]]


def ask_all(
    kind: str,
    memory: Memory | None = None,
    /,
    *,
    plain: bool = False,
    within: float = 5,
    **given: Any,
) -> dict[str, Result]:
    """Run one probe on uvloop, as in the core; its results by item."""
    probe = PROBES[kind]
    assert isinstance(probe, NetworkProbe)
    spec, target = probe.spec.model_validate(given), Target("h", "127.0.0.1", memory or {}, within)
    question = probe.probe(spec, target)
    results = asyncio.run(question) if plain else uvloop.run(question)  # type: ignore[arg-type]
    by_item = {result.item: result for result in results}
    assert len(by_item) == len(results), "one result per item"
    return by_item


def ask(kind: str, memory: Memory | None = None, /, **given: Any) -> Result:
    """As `ask_all`, of a probe without items."""
    found = ask_all(kind, memory, **given)
    assert list(found) == [""], found
    return found[""]


class Site:
    """Pages by path: what is set there is answered."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.pages: dict[str, tuple[int, str]] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []


@contextmanager
def site(pages: Mapping[str, str | tuple[int, str]]) -> Iterator[Site]:
    """Serve pages over HTTP on a free port: for services that Debian does not have."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, dict(self.headers)))
            status, text = made.pages.get(self.path, (404, "no such page"))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's name
            """Say nothing: a test's output is its failures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Site(server.server_address[1])
        for path, page in pages.items():
            made.pages[path] = page if isinstance(page, tuple) else (200, page)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield made
        server.shutdown()
