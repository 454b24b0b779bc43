"""The store on PostgreSQL: a repair like any other, and a server that dies and comes back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.faults.conftest import CHECKS, a_house
from tests.faults.test_store_refuses import goes_through
from tests.scenarios.house import House
from tests.world.needs import need, requires
from tests.world.peers import Postgres

pytestmark = requires("postgresql")


@pytest.fixture
def server() -> Iterator[Postgres]:
    """Give a server of our own: this one is killed."""
    need("postgresql")
    with Postgres() as server:
        yield server


@pytest.fixture
def house(server: Postgres) -> Iterator[House]:
    with a_house(store=server.new_database()) as house:
        house.await_ok(*CHECKS)
        yield house


@contextlib.contextmanager
def gone(server: Postgres) -> Iterator[None]:
    server.kill()
    yield
    server.start()


def test_a_database_server_that_is_gone_stops_actions_and_nothing_else(
    house: House, server: Postgres
) -> None:
    goes_through(house, gone(server))
