"""One HTTP server for all of them: routes, logins, JSON; a refusal is an exception.

with Github() as fake:                 # fake.url, fake.issues
    fake.requests                      # (method, path, body) of all that came
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlsplit


class RefusedError(Exception):
    """An answer that is not a 2xx."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body
        super().__init__(f"{status} {body}")


Call = Callable[..., tuple[int, Any]]


def route(method: str, path: str) -> Callable[[Call], Call]:
    """Mark a method as what answers this path; each `{}` is one part of it, handed over decoded."""

    def mark(call: Call) -> Call:
        pattern = re.compile(
            "".join("([^/]+)" if p == "{}" else re.escape(p) for p in re.split(r"(\{\})", path))
        )
        call.route = (method, pattern)  # type: ignore[attr-defined]  # a mark on a function
        return call

    return mark


class Fake:
    """A server on 127.0.0.1; subclasses have routes and `login`."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.lock = threading.Lock()
        self._count = 0
        routes = [
            (*call.route, name)
            for name in dir(type(self))
            if hasattr(call := getattr(type(self), name), "route")
        ]
        routes.sort(key=lambda each: each[1].groups)  # a fixed path before one with parts
        handler = type("Handler", (_Handler,), {"fake": self, "routes": routes})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def login(self, headers: dict[str, str]) -> None:
        """Refuse who may not."""

    def next_number(self) -> int:
        """Give numbers from 1."""
        self._count += 1
        return self._count

    def now(self) -> datetime:
        """Give the server's time."""
        return datetime.now(UTC)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def only(body: Any, *names: str) -> dict[str, Any]:
    """Give a body that holds no other fields than these."""
    if not isinstance(body, dict):
        raise RefusedError(400, {"message": "Problems parsing JSON"})
    unknown = set(body) - set(names)
    if unknown:
        raise RefusedError(400, {"message": f"unknown fields {sorted(unknown)}"})
    return body


def iso(moment: datetime) -> str:
    """Write a time with Z, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def later(moment: datetime, seconds: float) -> datetime:
    """Give a time somewhat later."""
    return moment + timedelta(seconds=seconds)


class _Handler(BaseHTTPRequestHandler):
    fake: ClassVar[Fake]
    routes: ClassVar[list[tuple[str, re.Pattern[str], str]]]
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._body(headers, raw)
            self.fake.requests.append((self.command, parts.path, body))
            self.fake.login(headers)
            query = dict(
                parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
            )
            status, said = self._call(parts.path, query, body)
        except RefusedError as refused:
            status, said = refused.status, refused.body
        self._say(status, said)

    def _body(self, headers: dict[str, str], raw: bytes) -> Any:
        if not raw:
            return None
        if headers.get("content-type") != "application/json":
            raise RefusedError(415, {"message": "Content-Type must be application/json"})
        return json.loads(raw)

    def _call(self, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        for method, pattern, name in self.routes:
            found = pattern.fullmatch(path)
            if found and method == self.command:
                given = [unquote(part) for part in found.groups()]
                with self.fake.lock:
                    return getattr(self.fake, name)(*given, query=query, body=body)
        raise RefusedError(404, {"message": "Not Found"})

    def _say(self, status: int, said: Any) -> None:
        content = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815  -- http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  -- http.server's name
        """Say nothing: pytest's output is for tests."""
