"""The `tls` probe's STARTTLS against a real PostgreSQL, with TLS and without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.model.result import Status
from tests.probes_network.authority import Chain
from tests.probes_service.asking import ask
from tests.world.peers import Postgres


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with Postgres() as peer:
        yield peer


def test_a_database_without_tls_says_so(database: Postgres) -> None:
    result = ask("tls", port=database.port, starttls="postgresql")
    assert result.status is Status.CRITICAL
    assert "TLS is refused: it has no TLS (ssl = off)" in result.summary


def test_a_database_with_tls_shows_its_certificate(database: Postgres, chain: Chain) -> None:
    for name, file in (("server.crt", chain.chain), ("server.key", chain.key)):
        placed = Path(shutil.copy(file, database.data / name))
        placed.chmod(0o600)
        shutil.chown(placed, database.data.owner(), database.data.group())
    database.psql("alter system set ssl = on")
    database.psql("select pg_reload_conf()")
    database.stop()
    database.start()
    result = ask("tls", port=database.port, starttls="postgresql", ca=str(chain.root))
    assert result.status is Status.OK, result.summary
    untrusted = ask("tls", port=database.port, starttls="postgresql")
    assert untrusted.status is Status.CRITICAL
