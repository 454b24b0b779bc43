"""The `udp` probe against a real time server, and peers that answer exact bytes or nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.result import Result, Status
from monitord.probes.network.udp import UdpSpec
from monitord.secrets import SecretRef
from tests.probes_network.ask import ask
from tests.probes_network.chronyd import Chronyd, free_udp_port
from tests.probes_network.clean import is_clean
from tests.probes_network.sockets import connected_to
from tests.world.needs import requires

Answer = Callable[[bytes, int], bytes]


@contextlib.contextmanager
def peer(answer: Answer) -> Iterator[int]:
    """Answer each packet with what `answer` makes of it and of its number; nothing for b""."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            count = 0
            while True:
                data, sender = server.recvfrom(2000)
                if data == b"end of the test":
                    return
                count += 1
                said = answer(data, count)
                if said:
                    server.sendto(said, sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.sendto(b"end of the test", server.getsockname())
        thread.join(5)


def look(port: int, *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask("udp", {"port": port, **spec}, timeout=timeout)


@requires("chronyd")
def test_a_real_time_server_answers_bytes() -> None:
    with Chronyd() as server:
        result = look(server.port, send_hex="23 " + "00" * 47)
    assert result.status is Status.OK
    assert [(m.name, m.unit) for m in result.measurements] == [("time", "s")]


def test_the_answer_is_held_against_the_spec() -> None:
    with peer(lambda data, _: b"said " + data) as port:
        assert look(port, send="ping", expect="said ping").status is Status.OK
        assert look(port, send="ping", regex="^said p").status is Status.OK
        result = look(port, send="go\x1b", expect="pong")
        assert result.status is Status.CRITICAL
        assert result.summary == f'127.0.0.1:{port}/udp: said "said go\\x1b", expected "pong"'
        late = look(port, send="ping", critical="0.0000001")
        assert late.status is Status.CRITICAL
        assert "took" in late.summary


def test_a_lost_packet_is_sent_again() -> None:
    with peer(lambda data, count: data if count == 2 else b"") as port:
        assert look(port, send="ping", timeout=2.0).status is Status.OK


def test_silence_is_critical_at_the_deadline() -> None:
    with peer(lambda *_: b"") as port:
        result = look(port, send="ping", timeout=0.3)
        assert result.summary == f"127.0.0.1:{port}/udp: no answer within 300 ms"
        assert result.status is Status.CRITICAL
        assert connected_to(port) == 0


def test_a_closed_port_is_told_at_once() -> None:
    result = look(free_udp_port(), send="ping")
    assert result.status is Status.CRITICAL
    assert result.summary.endswith("/udp: nobody listens on this UDP port")


def test_a_secret_that_is_sent_back_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDP_TOKEN", "hunter22")
    with peer(lambda data, _: b"no such word " + data) as port:
        result = look(port, send=SecretRef("env", "UDP_TOKEN"), expect="welcome")
    assert "hunter22" not in result.summary
    assert is_clean(result.summary)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, "needs either send or send_hex"),
        ({"send": "a", "send_hex": "00"}, "needs either send or send_hex"),
        ({"send_hex": "0g"}, "'0g' is not hexadecimal"),
        ({"send": "a", "expect": "b", "regex": "c"}, "exclude each other"),
    ],
)
def test_mistakes_are_named(spec: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        UdpSpec.model_validate({"port": 1, **spec})
