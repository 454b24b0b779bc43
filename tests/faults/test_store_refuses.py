"""A database that takes no rows: checking goes on, actions stop, tickets wait, and it recovers."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator

import pytest

from tests.faults.conftest import CHECKS, a_house
from tests.scenarios.house import FOUND, House
from tests.world.needs import requires
from tests.world.until import until

TAKES_NO_ROWS = "the store takes no rows"


@contextlib.contextmanager
def locked(house: House) -> Iterator[None]:
    """Hold the database's write lock, as a backup that has forgotten itself would."""
    with contextlib.closing(sqlite3.connect(house.state / "state.db", timeout=20)) as database:
        database.isolation_level = None
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


@pytest.fixture
def cramped() -> Iterator[House]:
    """Give a running house whose state stands on a filesystem of 3 MB."""
    house = a_house()
    house.state.mkdir()
    size = ["-o", "size=3m"]
    subprocess.run(["mount", "-t", "tmpfs", *size, "house", str(house.state)], check=True)
    try:
        with house:
            house.await_ok(*CHECKS)
            yield house
    finally:
        subprocess.run(["umount", "--lazy", str(house.state)], check=False)
        shutil.rmtree(house.folder)  # what could not be removed under the mount


@contextlib.contextmanager
def full(house: House) -> Iterator[None]:
    """Fill the filesystem of the state to its last byte."""
    ballast = house.state / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (65536, 512, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    assert os.statvfs(house.state).f_bavail == 0
    yield
    ballast.unlink()


def problems(house: House) -> str:
    return "; ".join(house.get("/healthz")["problems"])


def goes_through(house: House, trouble: contextlib.AbstractContextManager[None]) -> None:
    """Break two things while the store takes nothing; see that both are dealt with afterwards."""
    with trouble:
        for name in ("marker", "notice"):
            (house.folder / name).unlink()
        until(lambda: TAKES_NO_ROWS in problems(house), within=FOUND, every=0.1, what="its word")
        house.await_status("CRITICAL", "here/notice")  # believed without being written
        assert not (house.folder / "effects").exists(), "an effect without a durable intent"
    assert house.incident("here/marker", "RESOLVED").cause == "verified"
    assert house.incident("here/notice", "ESCALATED").ticket is not None
    assert (house.folder / "effects").read_text() == "made\n"
    until(lambda: problems(house) == "", within=FOUND, every=0.1, what="the end of its complaint")
    assert house.violations() == []


def test_a_locked_database_stops_actions_and_nothing_else(house: House) -> None:
    goes_through(house, locked(house))


@requires("root")
def test_a_full_disk_stops_actions_and_nothing_else(cramped: House) -> None:
    goes_through(cramped, full(cramped))


def test_the_end_of_a_step_is_kept_until_the_database_takes_it(house: House) -> None:
    (house.folder / "gated").unlink()
    effects = house.folder / "gated-effects"
    until(effects.exists, within=FOUND, what="the step")
    with locked(house):
        (house.folder / "go").touch()
        until((house.folder / "gated").exists, within=FOUND, what="the end of the step")
        until(lambda: "tried again" in house.core.log.read_text(), within=FOUND, what="a refusal")
        assert [step.status for step in house.rows(lambda view: view.open_steps())] == ["INTENT"]
    assert house.incident("here/gated", "RESOLVED").cause == "verified"
    assert effects.read_text() == "made\n"
    assert house.violations() == []
