"""Processes that die or are doubled: one incident says so, and what is left goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.faults.conftest import CHECKS, a_house
from tests.scenarios.conftest import Took
from tests.scenarios.house import FOUND, House, now
from tests.world.until import until


class Foreground:
    """`monitord run` on the files of a house, and the pids of its three children."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.log = house.folder / "foreground.log"
        words = [sys.executable, "-m", "monitord", "run", "--config", str(house.config)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *words],
                stdout=log,
                stderr=log,
                env=house.core.environment,
                start_new_session=True,
            )

    def children(self) -> dict[str, int]:
        """Give the pids of core, executor and web, by name."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # a zombie counts as gone
                words = child.cmdline()
                if "monitord" in words:
                    found[words[words.index("monitord") + 1]] = child.pid
        return found

    def kill(self, name: str) -> None:
        """Kill one child, and wait until there is another in its place."""
        before = self.children()[name]
        os.kill(before, signal.SIGKILL)
        until(
            lambda: self.children().get(name) not in (None, before),
            within=FOUND,
            every=0.1,
            what=f"another {name}",
        )


@pytest.fixture
def foreground() -> Iterator[Foreground]:
    house = a_house()
    started = Foreground(house)
    try:
        until(house.is_up, within=FOUND, every=0.1, what="the core")
        house.await_ok(*CHECKS)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(30)
        house.close()


def test_without_the_executor_host_checks_are_one_unknown_incident(
    house: House, took: Took
) -> None:
    house.executor.kill()
    broken = now()
    incident = house.incident("unknown/executor")
    took(incident, broken)
    until(
        lambda: len(house.incident("unknown/executor").items) == 3,
        within=FOUND,
        what="all host checks in it",
    )
    own = house.incident("here/monitord-health", within=FOUND)
    assert "the executor does not answer" in own.summary
    assert {one.key for one in house.incidents()} == {"unknown/executor", "here/monitord-health"}
    assert house.tried(incident) == []
    house.executor.start()
    assert house.incident("unknown/executor", "RESOLVED").cause == "recovered"
    house.incident("here/monitord-health", "RESOLVED")
    house.await_ok(*CHECKS)
    assert house.violations() == []


def test_the_supervisor_brings_back_what_dies_and_the_rest_goes_on(foreground: Foreground) -> None:
    house = foreground.house
    before = foreground.children()
    foreground.kill("executor")
    after = foreground.children()
    assert (after["core"], after["web"]) == (before["core"], before["web"])
    assert "executor ended with -9" in foreground.log.read_text()
    (house.folder / "marker").unlink()
    assert house.incident("here/marker", "RESOLVED").cause == "verified"
    foreground.kill("core")
    (house.folder / "notice").unlink()
    assert house.incident("here/notice", "ESCALATED").ticket is not None
    assert house.violations() == []


def test_the_three_end_with_their_supervisor(foreground: Foreground) -> None:
    pids = [*foreground.children().values()]
    assert len(pids) == 3
    foreground.process.kill()
    foreground.process.wait(10)
    until(lambda: not any(map(psutil.pid_exists, pids)), within=FOUND, what="the end of all three")


def test_a_second_core_on_the_same_state_is_turned_away(house: House) -> None:
    done = subprocess.run(
        house.core.argv,
        env=house.core.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "core.sock" in done.stderr, done.stderr
    assert house.is_up(), "it pushed the first one aside"


def test_what_a_job_reports_while_there_is_no_core_is_not_lost(house: House) -> None:
    house.core.stop()
    words = [*house.names["monitord"].split(), "job", "run", "export", "--"]
    done = subprocess.run([*words, "sh", "-c", "echo no route; exit 5"], check=False, timeout=30)
    assert done.returncode == 5
    house.core.start()
    incident = house.incident("here/export", "ESCALATED")
    assert "exit code 5" in incident.summary
    assert list((house.state / "spool").iterdir()) == []
