"""The console of the machine that hosts the hosts: a way to them that needs no sshd.

    with Console(machines) as console:
        console.url                      # POST URL/web1/start/ssh starts a unit on web1

Its hands are its own, as those of a hypervisor are; it knows only `start`.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Self

from tests.nightshift.machines import Machines


class Console:
    """An HTTP server on the hosts' network. A context manager."""

    def __init__(self, machines: Machines) -> None:
        handler = type("Handler", (_Handler,), {"machines": machines})
        self._server = ThreadingHTTPServer((machines.world.network.gateway, 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://{machines.world.network.gateway}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    machines: ClassVar[Machines]

    def do_POST(self) -> None:
        host, _, unit = self.path.strip("/").partition("/start/")
        known = host in self.machines.hosts and unit.isalnum()
        if known:
            self.machines.sh(host, f"systemctl start {unit}")
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the night prints a table."""
