"""What the conditions are about: real servers on loopback, well and broken, for one run."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.probes_network.authority import Server
from tests.probes_network.chronyd import Chronyd
from tests.probes_network.conftest import _speak
from tests.probes_network.dovecot import Dovecot
from tests.probes_network.named import Named
from tests.world.hostile import hostile
from tests.world.peers import Sshd
from tests.world.process import free_port


@dataclass(frozen=True)
class World:
    """Ports by what listens there, and a folder with files of known age and size."""

    port: dict[str, int]
    folder: Path


class _Page(BaseHTTPRequestHandler):
    """Pages by path: /ok, /404, /500, /moved, /slow (300 ms), /204."""

    def do_GET(self) -> None:
        path = self.path.strip("/")
        if path == "slow":
            time.sleep(0.3)  # a slow server: how long it takes is what is asked about
        status = {"404": 404, "500": 500, "503": 503, "moved": 302, "204": 204}.get(path, 200)
        body = b"" if status == 204 else b"<h1>the basket is ready, build 42</h1>"
        self.send_response(status)
        if path == "moved":
            self.send_header("Location", "/ok")
        self.send_header("X-Build", "42")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's name
        """Say nothing: the table is the output."""


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start everything; it ends with the block."""
    with ExitStack() as stack:
        port = {"closed": free_port()}
        web = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Page))
        threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
        stack.callback(web.shutdown)
        port["web"] = web.server_address[1]
        for manner in ("silent", "resets", "cut_short", "closes_at_once", "circles"):
            port[manner] = stack.enter_context(hostile(manner)).port
        for name, says, listens in (
            ("banner", b"220 mail.example.com ESMTP\r\n", False),
            ("garbage", b"\x00\x01\x02 nonsense\r\n\r\n", True),
            ("echo", b"+PONG\r\n", True),
        ):
            speaker = stack.enter_context(_speak((says,), listens=listens))
            port[name] = speaker.port
        for name, days in (("tls90", 90.0), ("tls14", 14.0), ("tls3", 3.0), ("tls0", -1.0)):
            server = stack.enter_context(Server(leaf=days))
            port[name] = server.port
            (folder / f"{name}.ca").write_bytes(server.made.root.read_bytes())
        port["ssh"] = stack.enter_context(Sshd()).port
        port["dns"] = stack.enter_context(Named()).port
        port["ntp"] = stack.enter_context(Chronyd(3)).port
        port["ntp0"] = stack.enter_context(Chronyd(0)).port
        mail = stack.enter_context(Dovecot())
        port["imap"], port["imaps"], port["pop3"] = mail.imap, mail.imaps, mail.pop3
        smtp = Controller(object(), hostname="127.0.0.1", port=free_port())
        smtp.start()
        stack.callback(smtp.stop)
        port["smtp"] = smtp.port
        _files(folder)
        yield World(port, folder)


def _files(folder: Path) -> None:
    for name, age, size in (("fresh", 60, 5000), ("old", 7200, 5000), ("small", 60, 3)):
        file = folder / name
        file.write_bytes(b"x" * size)
        then = time.time() - age
        os.utime(file, (then, then))
