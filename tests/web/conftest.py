"""A monitord-web of its own per test, in front of a core of its own that may be stopped."""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from monitord.pings import read_secret, token
from tests.api.cores import ROOT, FakeCore
from tests.world.process import Peer, answers, free_port


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str]


class Web(Peer):
    """The process, and an HTTP client of it."""

    name = "web"

    def __init__(
        self, core: FakeCore, *, jobs: tuple[str, ...] = ("db1/nightly",), proxy: str = ""
    ) -> None:
        super().__init__()
        self.core = core
        self.port = free_port()
        address = f"127.0.0.1:{self.port}"
        self.argv = [sys.executable, "-m", "tests.web.web_process", str(core.state), address, *jobs]
        self.environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PROXY": proxy}

    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.port)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
        """Make one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.getheaders()))
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send bytes and give what comes back until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(data)
            heard = b""
            try:
                while piece := sock.recv(65536):
                    heard += piece
            except ConnectionError:  # a refused sender is cut off: what came before is the answer
                pass
            return heard

    def ping(self, key: str = "db1/nightly") -> str:
        """Give the path of a job's ping."""
        return f"/ping/{token(read_secret(self.core.state), key)}"


@pytest.fixture(scope="module")
def shared_web() -> Iterator[Web]:
    with FakeCore() as core, Web(core) as running:
        yield running


@pytest.fixture
def web(shared_web: Web) -> Web:
    """One that the tests of a file share, with nothing noted yet."""
    (shared_web.core.state / "calls.jsonl").unlink(missing_ok=True)
    return shared_web


@pytest.fixture
def core() -> Iterator[FakeCore]:
    with FakeCore() as running:
        yield running


@pytest.fixture
def lone_web(core: FakeCore) -> Iterator[Web]:
    """One whose core a test may stop."""
    with Web(core) as running:
        yield running
