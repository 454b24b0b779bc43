"""A real PostgreSQL, healthy and broken; primary and standby stand in tests/services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_service.asking import ask
from tests.world.peers import Postgres
from tests.world.process import free_port
from tests.world.until import until


def asked(peer: Postgres, **given: object) -> Result:
    return ask("postgresql", **{"port": peer.port, "user": "postgres", **given})


@contextmanager
def session(peer: Postgres, database: str) -> Iterator[psycopg.Connection]:
    place = f"host=127.0.0.1 port={peer.port} user=postgres dbname={database}"
    with psycopg.connect(place) as connection:
        yield connection
        connection.rollback()


def database_of(peer: Postgres) -> str:
    return peer.new_database().rpartition("/")[2]


def test_a_healthy_primary(postgres: Postgres) -> None:
    result = asked(postgres, role="primary")
    assert result.status is Status.OK, result.summary
    assert "primary, let us in after" in result.summary
    names = {one.name for one in result.measurements}
    assert names >= {"time", "connections", "wraparound", "size", "lock_wait"}


@pytest.mark.parametrize(
    ("given", "said"),
    [({"role": "standby"}, "is a primary, expected a standby"),
     ({"connections": {"critical": "0.1%"}}, "of 100 connections used"),
     ({"standbys": {"critical": "1:"}}, "0 standbys stream from it (at least 1)"),
     ({"size": {"critical": 10}}, "database postgres is"),
     ({"database": "nowhere"}, 'database "nowhere" does not exist'),
     ({"query": {"sql": "select 41 + 1", "name": "jobs", "value": {"critical": 10}}},
      "jobs: 42 (limit 10)")],
)  # fmt: skip
def test_what_breaks_a_limit_is_critical(
    postgres: Postgres, given: dict[str, object], said: str
) -> None:
    result = asked(postgres, **given)
    assert result.status is Status.CRITICAL, result.summary
    assert said in result.summary


def test_a_waiting_lock_names_who_waits_and_who_holds(postgres: Postgres) -> None:
    name = database_of(postgres)
    postgres.psql("create table t (x int); insert into t values (1)", database=name)
    with session(postgres, name) as holder, session(postgres, name) as waiter:
        holder.execute("lock table t")
        waiter.pgconn.send_query(b"select * from t")
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        until(lambda: postgres.psql(waiting) == "1", within=10)
        result = asked(postgres, locks={"critical": "~:-1"}, transactions={"warning": "~:-1"})
        pid = holder.info.backend_pid
        waiter.cancel()
        while waiter.pgconn.get_result() is not None:
            continue
    assert result.status is Status.CRITICAL
    assert "waits for a lock since" in result.summary
    assert f"held by process {pid}" in result.summary
    assert "transaction of process" in result.summary


def test_a_slot_that_nobody_uses_is_told(postgres: Postgres) -> None:
    postgres.psql("select pg_create_physical_replication_slot('old', true)")
    result = asked(postgres, slots={"warning": "~:-1"})
    postgres.psql("select pg_drop_replication_slot('old')")
    assert result.status is Status.WARNING
    assert "slot old, which nobody uses, holds back" in result.summary


def test_the_session_can_write_nothing(postgres: Postgres) -> None:
    result = asked(postgres, query={"sql": "create table x (y int)"})
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN)
    assert "read-only transaction" in result.summary


def test_a_query_that_takes_too_long_is_cut_and_a_wrong_one_told(postgres: Postgres) -> None:
    slow = ask("postgresql", port=postgres.port, user="postgres", query={"sql": "select nonsense"})
    assert slow.status is Status.UNKNOWN
    assert 'column "nonsense" does not exist' in slow.summary


def test_a_plain_reader_is_told_what_it_cannot_see(postgres: Postgres) -> None:
    postgres.psql("create role plain login")
    result = asked(postgres, user="plain")
    postgres.psql("drop role plain")
    assert result.status is Status.OK
    assert "GRANT pg_monitor" in result.details


def test_an_unknown_user_is_our_login(postgres: Postgres) -> None:
    result = asked(postgres, user="nobody_knows")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary


def test_a_server_that_is_gone_is_critical() -> None:
    result = ask("postgresql", port=free_port())
    assert result.status is Status.CRITICAL
    assert "refused" in result.summary
