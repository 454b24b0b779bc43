"""The remote script, run here by a real shell instead of over SSH: dash, and busybox alone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.model.facts import Facts, Section
from monitord.model.ids import Instant
from monitord.transports.facts_remote import parse, script
from tests.world.needs import need

Ask = Callable[..., Facts]


def run_script(shell: list[str], path: str, sections: tuple[Section, ...]) -> tuple[Facts, str]:
    """Feed the script to a shell on stdin, as the transport does; give facts and raw output."""
    asked = Instant(time.time_ns() // 1000)
    done = subprocess.run(
        shell,
        input=script(sections).encode(),
        capture_output=True,
        env={"PATH": path, "HOME": "/"},
        timeout=60,
        check=True,
    )
    assert done.stderr == b"", "the script keeps stderr clean"
    output = done.stdout.decode("utf-8", "replace")
    answered = Instant(time.time_ns() // 1000)
    return parse("far", output, asked_at=asked, answered_at=answered), output


@pytest.fixture(scope="session")
def busybox_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    need("busybox")
    folder = tmp_path_factory.mktemp("busybox")
    subprocess.run(["busybox", "--install", "-s", str(folder)], check=True)
    # Where only the full tools have what busybox lacks, the host has not got it at all.
    return str(folder)


@pytest.fixture(params=["dash", "busybox"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask the script for sections, in each of the shells that it must run in."""
    if request.param == "dash":
        return lambda *sections: run_script(["sh"], os.environ["PATH"], sections)[0]
    path = request.getfixturevalue("busybox_path")
    shell = [str(Path(path) / "ash")]
    return lambda *sections: run_script(shell, path, sections)[0]
