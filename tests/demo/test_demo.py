"""The demo itself, once, as a person starts it: a child process whose end leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil
import pytest

import monitord
from tests.world.needs import need
from tests.world.until import until

_MARK = "MONITORD_DEMO_TEST"
_LIMIT = 90.0  # seconds: what the demo promises
DEMO = [sys.executable, "-m", "monitord", "demo"]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    need("supervisor")
    folder = Path(mkdtemp(prefix="mdt-"))  # short: a Unix socket's path has 107 bytes
    yield folder
    folder.rmdir()  # fails where the demo left something


def _environment(place: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(place), _MARK: str(place)}


def _left(place: Path) -> list[str]:
    """Name the processes that carry our mark or work in our folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if str(place) in words or process.environ().get(_MARK) == str(place):
                found.append(f"{process.pid} {words}")
        except psutil.Error:
            continue  # it ended, or is not ours to ask
    return found


@pytest.fixture(scope="module")
def played(place: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    done = subprocess.run(
        [*DEMO, "--json"],
        env=_environment(place),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    return done, time.monotonic() - began


@pytest.fixture(scope="module")
def summary(played: tuple[subprocess.CompletedProcess[str], float]) -> dict[str, Any]:
    done, _ = played
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_ends_in_time(
    played: tuple[subprocess.CompletedProcess[str], float], summary: dict[str, Any]
) -> None:
    assert played[1] < _LIMIT
    assert summary["seconds"] <= played[1]


@pytest.mark.parametrize(
    ("name", "tried", "ended"),
    [
        ("program-killed", ["restart-program"], "fixed"),
        ("job-failed", ["rerun-job"], "fixed"),
        ("web-root-deleted", ["restart-program", "restore-files"], "fixed"),
        ("licence-lost", ["restart-program", "restore-files"], "ticket"),
    ],
)
def test_each_fault_ends_as_told(
    summary: dict[str, Any], name: str, tried: list[str], ended: str
) -> None:
    (fault,) = [each for each in summary["faults"] if each["fault"] == name]
    assert fault["as_it_should"]
    assert (fault["tried"], fault["ended"]) == (tried, ended)
    assert fault["fixed_by"] == (tried[-1] if ended == "fixed" else "")
    assert 0 < fault["found_after"] < fault["ended_after"]


def test_the_ticket_holds_the_cause_and_what_was_tried(summary: dict[str, Any]) -> None:
    (ticket,) = summary["tickets"]
    assert ticket["status"] == "ESCALATED"
    evidence = "\n".join(piece["text"] for piece in ticket["evidence"])
    assert "licence.key is missing" in evidence
    outcomes = [attempt["outcome"] for attempt in ticket["tried"]]
    assert "spawn error" in outcomes[0]
    assert "licence.key is missing or empty in the backup" in outcomes[1]


def test_the_story_shows_commands_findings_proofs_and_the_whole_ticket(
    played: tuple[subprocess.CompletedProcess[str], float],
) -> None:
    story = played[0].stderr
    for line in ("$ kill -9 ", "$ rm -r $DEMO/srv/www", "FIXED", "1 of 2 OKs", "What I did"):
        assert line in story
    assert all(len(line) <= 80 for line in story.splitlines())
    assert "\x1b" not in story  # no terminal, no colours


@pytest.mark.usefixtures("summary")
def test_nothing_is_left_behind(place: Path, summary: dict[str, Any]) -> None:
    assert summary["left_behind"] == []
    assert list(place.iterdir()) == []
    assert _left(place) == []


def test_ctrl_c_clears_everything_away(place: Path) -> None:
    """In the middle, with supervisor, monitord and a first fault under way."""
    demo = subprocess.Popen(
        DEMO,
        env=_environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "$ kill -9" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: the whole foreground group
    rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "stopped" in rest
    until(lambda: not _left(place), what="the end of all processes")
    assert list(place.iterdir()) == []


def test_a_reader_that_goes_away_leaves_nothing_behind_either(place: Path) -> None:
    """`monitord demo | head`: the next line meets a closed pipe, with everything running."""
    piped = subprocess.Popen(
        DEMO, env=_environment(place), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with piped as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        while "$ python -m monitord run" not in demo.stdout.readline():
            pass
        demo.stdout.close()
        demo.wait(timeout=60)
        assert demo.stderr.read() == ""
    until(lambda: not _left(place), what="the end of all processes")
    assert list(place.iterdir()) == []


def test_without_supervisor_one_line_says_what_to_install(tmp_path: Path) -> None:
    """A Python that has every installed package but that one."""
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not package.name.startswith("supervisor"):
            (tmp_path / package.name).symlink_to(package)
    packages = f"{tmp_path}:{Path(monitord.__file__).parent.parent}"
    done = subprocess.run(
        [sys.executable, "-S", "-m", "monitord", "demo"],
        env={**os.environ, "PYTHONPATH": packages},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'monitord[demo]'" in done.stderr
