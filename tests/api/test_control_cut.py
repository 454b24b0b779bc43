"""A core that dies in mid-answer is a core that is down: its callers never see half an answer."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.control import Core, CoreDownError

ANSWERS = {
    "no body": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n",
    "half a body": b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"checks"',
    "half a chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{"checks"',
    "no last chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"checks"\r\n',
}
CALLS: dict[str, Callable[[Core], object]] = {
    "get": lambda core: core.get("/v1/checks"),
    "post": lambda core: core.post("/v1/run-check", {"key": "web1/site"}),
    "follow": lambda core: list(core.follow("/v1/follow")),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("call", CALLS)
def test_a_cut_answer_says_that_the_core_is_down(tmp_path: Path, call: str, answer: str) -> None:
    path = tmp_path / "core.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def die_in_mid_answer() -> None:
            peer, _ = listener.accept()
            with peer:
                asked = peer.recv(65536)
                while asked.startswith(b"POST") and not asked.endswith(b"}"):
                    asked += peer.recv(65536)
                peer.sendall(ANSWERS[answer])

        dying = threading.Thread(target=die_in_mid_answer)
        dying.start()
        with pytest.raises(CoreDownError, match="broke off"):
            CALLS[call](Core(path, timeout=10))
        dying.join(10)
