"""A PostgreSQL primary and its standby: the pair healthy, behind, and cut off."""

from __future__ import annotations

import shutil

import pytest

from monitord.model.result import Result, Status
from tests.probes_service.asking import ask
from tests.world.peers import Postgres
from tests.world.process import run_program
from tests.world.until import until


class Standby(Postgres):
    """A copy of a primary that follows it."""

    def __init__(self, primary: Postgres) -> None:
        super().__init__()
        shutil.rmtree(self.data)
        copy = [str(self._programs / "pg_basebackup"), "--no-sync", "-X", "stream", "-R"]
        copy += ["-c", "fast", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
        run_program([*self.become, *copy, "-D", str(self.data)])


def asked(peer: Postgres, **given: object) -> Result:
    return ask("postgresql", port=peer.port, user="postgres", **given)


def replayed(standby: Postgres) -> str:
    return standby.psql("select count(*) from pg_stat_wal_receiver where status = 'streaming'")


@pytest.mark.requires("postgresql")
def test_a_pair_is_judged_from_both_ends() -> None:
    with Postgres() as primary, Standby(primary) as standby:
        until(lambda: replayed(standby) == "1", within=20)
        one = asked(primary, role="primary", standbys={"critical": "1:"})
        other = asked(standby, role="standby")
        wrong = asked(standby, role="primary")
        standby.psql("select pg_wal_replay_pause()")
        primary.psql("create table t as select * from generate_series(1, 50000) as x")
        limit = {"critical": 1 << 20}
        behind = until_critical(primary, lag_bytes=limit)
        primary.stop()
        until(lambda: replayed(standby) == "0", within=20)
        cut = asked(standby)
    assert one.status is Status.OK, one.summary
    assert other.status is Status.OK, other.summary
    assert "standby, let us in" in other.summary
    assert "is a standby, expected a primary: a failover happened" in wrong.summary
    assert "standby walreceiver is" in behind.summary
    assert cut.status is Status.CRITICAL
    assert "receives nothing from its primary" in cut.summary


def until_critical(peer: Postgres, **given: object) -> Result:
    until(lambda: asked(peer, **given).status is Status.CRITICAL, within=20)
    return asked(peer, **given)
