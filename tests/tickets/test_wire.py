"""The pooled HTTP client of all backends: what is kept between requests, and what never is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from monitord.errors import TicketError
from monitord.tickets.wire import Client


class Server:
    """Keeps who connected, and which header lines came; answers as told."""

    def __init__(self) -> None:
        self.connections: set[int] = set()
        self.headers: list[dict[str, str]] = []
        self.body = b"{}"
        self.extra: dict[str, str] = {}
        self.waits = 0.0
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[Server]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server_of
        server.connections.add(self.client_address[1])
        server.headers.append({name.lower(): value for name, value in self.headers.items()})
        time.sleep(server.waits)
        self.send_response(200)
        for name, value in server.extra.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def test_one_thread_needs_one_connection_for_many_requests(server: Server) -> None:
    client = Client(5.0)
    for _ in range(5):
        assert client.send("GET", server.url, headers={}).ok
    assert len(server.connections) == 1
    client.close()


def test_the_deadline_holds_on_a_kept_connection_too(server: Server) -> None:
    client = Client(0.4)
    client.send("GET", server.url, headers={})
    server.waits = 5.0
    started = time.monotonic()
    with pytest.raises(TicketError, match="no answer") as caught:
        client.send("GET", server.url, headers={})
    assert time.monotonic() - started < 3
    assert caught.value.unknown
    client.close()


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(server: Server) -> None:
    client = Client(5.0)
    server.extra = {"Connection": "close"}
    for _ in range(3):
        assert client.send("GET", server.url, headers={}).ok
    assert len(server.connections) == 3
    client.close()


def test_no_cookie_is_kept(server: Server) -> None:
    """A login that a server remembers would outlive the token."""
    client = Client(5.0)
    server.extra = {"Set-Cookie": "session=abc"}
    for _ in range(2):
        client.send("GET", server.url, headers={})
    assert all("cookie" not in headers for headers in server.headers)
    client.close()


def test_a_login_in_netrc_does_not_replace_the_one_that_is_configured(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login kim password other\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = Client(5.0)
    client.send("GET", server.url, headers={"Authorization": "Bearer ours"})
    assert server.headers[0]["authorization"] == "Bearer ours"
    client.close()


def test_of_an_endless_answer_only_a_megabyte_is_read(server: Server) -> None:
    client = Client(20.0)
    server.body = b"x" * (3 << 20)
    assert len(client.send("GET", server.url, headers={}).said) == 1 << 20
    server.body = b"{}"
    assert client.send("GET", server.url, headers={}).json() == {}
    client.close()


def test_two_threads_do_not_share_a_deadline(server: Server) -> None:
    client = Client(5.0)
    said: list[bool] = []

    def ask() -> None:
        said.extend(client.send("GET", server.url, headers={}).ok for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 20
    assert len(server.connections) <= 2
    client.close()


@pytest.mark.parametrize("token", ["t0ken\nX-Other: 1", "t0ken\u201d", "t0ken\u2026"])
def test_a_token_that_no_header_can_hold_does_not_lose_the_ticket(
    server: Server, token: str
) -> None:
    """A person mends it, as any other wrong token; it is not shown."""
    client = Client(5.0)
    with pytest.raises(TicketError, match="cannot be sent") as caught:
        client.send("GET", server.url, headers={"Authorization": f"Bearer {token}"})
    assert not caught.value.permanent
    assert not caught.value.unknown
    assert "t0ken" not in str(caught.value)
    assert client.send("GET", server.url, headers={}).ok
    client.close()
