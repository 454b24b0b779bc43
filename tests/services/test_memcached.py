"""A real memcached, healthy and broken."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from monitord.model.result import Cause, Status
from tests.probes_service.asking import ask
from tests.world.process import Peer, answers, find_program, free_port


class Memcached(Peer):
    name = "memcached"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.port = free_port()
        program = find_program("memcached")
        assert program, "make services installs it"
        self.argv = [program, "-l", "127.0.0.1", "-p", str(self.port), "-u", "root", *options]

    def is_ready(self) -> bool:
        return answers(self.port)


@pytest.fixture(scope="module")
def cache() -> Iterator[Memcached]:
    with Memcached("-c", "100", "-m", "4") as peer:
        yield peer


def test_a_healthy_cache(cache: Memcached) -> None:
    result = ask("memcached", port=cache.port)
    assert result.status is Status.OK, result.summary
    assert "used (" in result.summary


@pytest.mark.parametrize(
    ("held", "said"), [(60, "of 100 connections used"), (99, "turns us away, too many connections")]
)
def test_a_cache_whose_connections_run_out_is_critical(
    cache: Memcached, held: int, said: str
) -> None:
    clients = [socket.create_connection(("127.0.0.1", cache.port)) for _ in range(held)]
    result = ask("memcached", port=cache.port, connections={"critical": "50%"})
    for one in clients:
        one.close()
    assert result.status is Status.CRITICAL
    assert said in result.summary


def test_entries_thrown_out_are_told(cache: Memcached) -> None:
    with socket.create_connection(("127.0.0.1", cache.port)) as peer:
        said = peer.makefile("rb")
        for number in range(200):
            block = b"x" * 100_000
            peer.sendall(b"set k%d 0 0 %d\r\n%s\r\n" % (number, len(block), block))
            said.readline()
        said.close()
    result = ask("memcached", {"": {"evicted": 0}}, port=cache.port, evictions={"warning": 0})
    assert result.status is Status.WARNING, result.summary
    assert "entries thrown out" in result.summary


def test_a_cache_that_is_gone_is_critical() -> None:
    assert ask("memcached", port=free_port()).status is Status.CRITICAL


def test_another_server_is_unknown() -> None:
    result = ask("memcached", port=server_saying(b"220 mail ESMTP\r\nERROR\r\n"))
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)
    assert "not what memcached says" in result.summary


def server_saying(text: bytes) -> int:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(text)

    threading.Thread(target=serve, daemon=True).start()
    port: int = server.getsockname()[1]
    return port
