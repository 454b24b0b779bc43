"""A real MariaDB, healthy and broken."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_service.asking import ask
from tests.world.process import Peer, answers, find_program, free_port, run_program

GRANTS = (
    "create user monitor@'%' identified by 'geheim'",
    "grant process, replica monitor on *.* to monitor@'%'",
    "create user weak@'%' identified by 'geheim'",
)


class MariaDb(Peer):
    name = "mariadb"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.data = self.folder / "data"
        account = pwd.getpwuid(os.geteuid()).pw_name
        options = ["--no-defaults", f"--datadir={self.data}", f"--user={account}"]
        install = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        run_program(["mariadb-install-db", *options, *install])
        self.argv = [str(find_program("mariadbd")), *options, f"--port={self.port}"]
        self.argv += ["--bind-address=127.0.0.1", f"--socket={self.folder}/s", "--server-id=7"]

    def say(self, *statements: str) -> None:
        place: dict[str, Any] = {"unix_socket": str(self.folder / "s"), "user": "root"}
        with pymysql.connect(**place) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def is_ready(self) -> bool:
        return answers(self.port)


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDb]:
    with MariaDb() as peer:
        peer.say(*GRANTS)
        yield peer


def asked(peer: MariaDb, **given: Any) -> Result:
    settings = {"port": peer.port, "user": "monitor", "password": "geheim", **given}
    return ask("mysql", **settings)


def test_a_healthy_primary(database: MariaDb) -> None:
    result = asked(database, role="primary")
    assert result.status is Status.OK, result.summary
    assert "primary, let us in after" in result.summary


@pytest.mark.parametrize(
    ("given", "said"),
    [({"role": "replica"}, "is a primary, expected a replica"),
     ({"connections": {"critical": "0.1%"}}, "connections used"),
     ({"query": {"sql": "select 42", "name": "jobs", "value": {"critical": 10}}},
      "jobs: 42 (limit 10)")],
)  # fmt: skip
def test_what_breaks_a_limit_is_critical(
    database: MariaDb, given: dict[str, Any], said: str
) -> None:
    result = asked(database, **given)
    assert result.status is Status.CRITICAL, result.summary
    assert said in result.summary


def test_a_wrong_password_is_our_login(database: MariaDb) -> None:
    result = asked(database, password="wrong-one")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
    assert "wrong-one" not in result.summary


def test_a_user_without_the_right_is_told_which(database: MariaDb) -> None:
    result = asked(database, user="weak")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
    assert "SLAVE MONITOR" in result.summary


def test_a_query_may_write_nothing(database: MariaDb) -> None:
    result = asked(database, query={"sql": "create table mysql.x (y int)"})
    assert result.status is Status.UNKNOWN, result.summary


def test_a_replica_that_does_not_replicate_is_critical(database: MariaDb) -> None:
    place = f"master_host='127.0.0.1', master_port={free_port()}, master_user='r'"
    database.say(f"change master to {place}")
    result = asked(database, role="replica")
    database.say("reset slave all")
    assert result.status is Status.CRITICAL, result.summary
    assert "receives nothing from its primary" in result.summary


def test_a_server_that_is_gone_is_critical() -> None:
    result = ask("mysql", port=free_port(), password="x")
    assert result.status is Status.CRITICAL
    assert "refused" in result.summary
