"""What the tests of network probes stand on: a server that says given bytes, and a namespace."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.world.needs import need

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Speaker:
    """A server that reads one request per connection and says the next of its answers."""

    port: int
    answers: list[bytes]
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of its only page."""
        return f"http://127.0.0.1:{self.port}/"


Speaking = Callable[..., Speaker]


@pytest.fixture
def speaker() -> Iterator[Speaking]:
    """`speaker(b"HTTP/1.1 200 OK…", …)`: the last is repeated; `listens=False` speaks first."""
    with contextlib.ExitStack() as stack:
        yield lambda *answers, listens=True: stack.enter_context(_speak(answers, listens=listens))


@contextlib.contextmanager
def _speak(answers: Sequence[bytes], *, listens: bool) -> Iterator[Speaker]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        speaker = Speaker(server.getsockname()[1], list(answers))
        thread = threading.Thread(target=_serve, args=(server, speaker, listens), daemon=True)
        thread.start()
        try:
            yield speaker
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(server: socket.socket, speaker: Speaker, listens: bool) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            request = _request(connection) if listens else b""
            speaker.requests.append(request)
            said = speaker.answers[0] if len(speaker.answers) == 1 else speaker.answers.pop(0)
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


def _request(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        data = connection.recv(65536)
        if not data:
            return read
        read += data
    head, _, body = read.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


Asked = list[tuple[str, str, str | None, list[float]]]


@pytest.fixture
def namespace() -> Callable[..., Asked]:
    """Run probes in a network and mount namespace: `namespace("ip link …", questions)`.

    `set_up` is shell; `without` names capabilities that the probes do not have.
    """
    need("root")

    def asked(set_up: str, questions: list[Any], *, without: str = "") -> Asked:
        drop = f"setpriv --bounding-set=-{without} --inh-caps=-{without} " if without else ""
        script = (
            f'set -e; ip link set lo up; {set_up}\nexec {drop}$0 -m tests.probes_network.ask "$1"'
        )
        done = subprocess.run(
            [
                "unshare",
                # Whatever the set-up started ends with the probes.
                "--pid",
                "--fork",
                "--kill-child",
                "--net",
                "--mount",
                "sh",
                "-c",
                script,
                sys.executable,
                json.dumps(questions),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [(row[0], row[1], row[2], row[3]) for row in json.loads(done.stdout)]

    return asked
