"""A proxy before a ticket server that fails as networks and servers do, one request at a time.

with Proxy(rt.url, random.Random(7)) as proxy:     # proxy.url; proxy.share of requests meet a fault
    proxy.down(); proxy.up()                       # nobody listens in between
    proxy.faults                                   # how often which fault happened
"""

from __future__ import annotations

import http.client
import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_BEFORE = ("429", "500", "503", "cut before")  # the server behind it hears nothing
_AFTER = ("500 after", "cut after", "cut in mid-answer", "time-out after")
_GIVE_UP = 60.0  # seconds that the server behind may take


class Proxy:
    """Serves strictly one after the other: what came first reaches the server first."""

    def __init__(self, behind: str, chance: random.Random, share: float = 0.4) -> None:
        self._behind = urlsplit(behind)
        self._random = chance
        self.share = share
        self.faults: Counter[str] = Counter()
        self.held: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._is_up = True

    def up(self) -> None:
        """Listen again, at the same port."""
        if not self._is_up:
            self._server = socket.create_server(("127.0.0.1", self.port))
            self._is_up = True
            self._serve()

    def down(self) -> None:
        """Listen no more: connections are refused."""
        self._is_up = False
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def __enter__(self) -> Self:
        self._serve()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.down()
        for connection in self.held:
            connection.close()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.settimeout(_GIVE_UP)
                with suppress(OSError, http.client.HTTPException):
                    self._one(connection)

    def _one(self, connection: socket.socket) -> None:
        request = _read(connection)
        fault = ""
        if self._random.random() < self.share:
            fault = self._random.choice([*_BEFORE, *_AFTER])
        self.faults[fault or "none"] += 1
        answer = b"" if fault in _BEFORE else self._forward(request)
        match fault:
            case "429":
                answer = _answer("429 Too Many Requests", "Retry-After: 3\r\n")
            case "500" | "500 after":
                answer = _answer("500 Internal Server Error")
            case "503":
                answer = _answer("503 Service Unavailable")
            case "cut before" | "cut after":
                answer = b""
            case "cut in mid-answer":
                answer = answer[: len(answer) - 5]
            case "time-out after":
                self.held.append(connection)
                return
        connection.sendall(answer)
        connection.close()

    def _forward(self, request: bytes) -> bytes:
        """Hand the request on, and give the whole answer as it came."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        place = (self._behind.hostname or "", self._behind.port or 80)
        with socket.create_connection(place, timeout=_GIVE_UP) as behind:
            behind.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
            said = b""
            while more := behind.recv(65_536):
                said += more
        return said


def _read(connection: socket.socket) -> bytes:
    said = b""
    while b"\r\n\r\n" not in said:
        more = connection.recv(65_536)
        if not more:
            raise OSError("no request came")
        said += more
    head, _, body = said.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = connection.recv(65_536)
        if not more:
            raise OSError("the request broke off")
        said, body = said + more, body + more
    return said


def _answer(status: str, headers: str = "") -> bytes:
    lines = f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n"
    return lines.encode()
