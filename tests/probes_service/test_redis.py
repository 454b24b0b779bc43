"""A real Redis, primary and replica, healthy and broken."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest

from monitord.model.result import Cause, Status
from tests.probes_service.asking import ask
from tests.world.needs import need
from tests.world.process import Peer, answers, find_program, free_port
from tests.world.until import until


class Redis(Peer):
    name = "redis"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.port = free_port()
        self.argv = [str(find_program("redis-server")), "--port", str(self.port)]
        self.argv += ["--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "", *options]

    def is_ready(self) -> bool:
        return answers(self.port)


@pytest.fixture(scope="module")
def primary() -> Iterator[Redis]:
    need("redis")
    with Redis("--requirepass", "geheim", "--maxmemory", "100mb") as peer:
        yield peer


def test_a_healthy_primary(primary: Redis) -> None:
    result = ask("redis", port=primary.port, password="geheim", role="primary")
    assert result.status is Status.OK, result.summary
    assert "primary, answered in" in result.summary
    assert {one.name for one in result.measurements} >= {"memory", "clients", "rejected"}


@pytest.mark.parametrize(
    ("given", "said"),
    [({"memory": {"critical": "0.1%"}}, "% of maxmemory"),
     ({"role": "replica"}, "is a primary, expected a replica"),
     ({"replicas": {"critical": "1:"}}, "0 replicas are connected (at least 1)"),
     ({"critical": "0.000001"}, "took")],
)  # fmt: skip
def test_what_breaks_a_limit_is_critical(
    primary: Redis, given: dict[str, object], said: str
) -> None:
    result = ask("redis", port=primary.port, password="geheim", **given)
    assert result.status is Status.CRITICAL
    assert said in result.summary


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_refused_login_is_unknown_and_shows_no_password(primary: Redis, password: str) -> None:
    given = {"password": password} if password else {}
    result = ask("redis", port=primary.port, **given)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
    assert "our login is refused" in result.summary
    assert "wrong" not in result.summary.replace("WRONGPASS", "")


def test_a_replica_without_its_primary_is_critical(primary: Redis) -> None:
    with Redis("--replicaof", "127.0.0.1", str(free_port())) as replica:
        result = ask("redis", port=replica.port)
    assert result.status is Status.CRITICAL
    assert "the link to its primary 127.0.0.1:" in result.summary


def test_a_save_that_failed_is_critical() -> None:
    need("redis")
    with Redis("--enable-protected-configs", "yes") as peer:
        # It saves into a folder that is no more.
        folder = peer.folder / "gone"
        folder.mkdir()
        told = _redis(peer.port)
        told("config set dir " + str(folder))
        os.rmdir(folder)  # noqa: PTH106 - as short as it gets
        told("bgsave")
        until(lambda: "rdb_last_bgsave_status:err" in told("info persistence"), within=10)
        result = ask("redis", port=peer.port)
    assert result.status is Status.CRITICAL
    assert "the last save to disk (RDB) failed" in result.summary


def _redis(port: int) -> Callable[[str], str]:
    import redis

    def say(line: str) -> str:
        with contextlib.closing(redis.Redis(port=port)) as client:
            client.response_callbacks.clear()
            answer = client.execute_command(*line.split())
            return answer.decode() if isinstance(answer, bytes) else str(answer)

    return say


def test_clients_that_were_turned_away_are_told(primary: Redis) -> None:
    memory = {"": {"rejected": -3}}
    result = ask("redis", memory, port=primary.port, password="geheim")
    assert result.status is Status.WARNING
    assert "3 clients turned away" in result.summary


def test_a_server_that_is_gone_is_critical() -> None:
    result = ask("redis", port=free_port())
    assert result.status is Status.CRITICAL
    assert "connection refused" in result.summary
