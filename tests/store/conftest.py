"""A place for a database on each engine, and an open store there that is closed at the end."""

from collections.abc import Iterator

import pytest

from monitord.store import OpenStore, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    """Where a database may be made: a file, or an empty PostgreSQL database."""
    name = "postgres_url" if request.param == "postgresql" else "tmp_path"
    found = request.getfixturevalue(name)
    return str(found) if request.param == "postgresql" else str(found / "state.db")


@pytest.fixture
def store(place: str) -> Iterator[OpenStore]:
    opened = open_store(place, durable=False, node="n1", locate=lambda host: (f"of {host}", "ulm"))
    yield opened
    opened.close_now()
