"""Running the command line as a process, beside a core that lives or has ended."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.cores import ROOT, FakeCore


@dataclass(frozen=True)
class Said:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Cli:
    """The command line, pointed at one monitord."""

    core: FakeCore

    def __call__(self, *args: str, **environment: str) -> Said:
        """Run a command with no terminal anywhere."""
        done = subprocess.run(
            self.argv(*args),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**self.environment, **environment},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def argv(self, *args: str) -> list[str]:
        """Give the argv of a command."""
        return [sys.executable, "-m", "monitord", "--state", str(self.core.state), *args]

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of a command."""
        return {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}

    def on_terminal(self, answer: str, *args: str) -> tuple[int, str]:
        """Run a command on a terminal, type `answer`; give its exit code and what was shown."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            self.argv(*args), stdin=theirs, stdout=theirs, stderr=theirs, env=self.environment
        ) as process:
            os.close(theirs)
            os.write(ours, answer.encode())
            shown = b""
            try:
                while piece := os.read(ours, 65536):
                    shown += piece
            except OSError:  # a terminal ends with EIO
                pass
            os.close(ours)
            return process.wait(60), shown.decode()


@pytest.fixture(scope="module")
def core() -> Iterator[FakeCore]:
    with FakeCore() as running:
        yield running


@pytest.fixture
def cli(core: FakeCore) -> Cli:
    (core.state / "calls.jsonl").unlink(missing_ok=True)
    return Cli(core)


@pytest.fixture(scope="module")
def ended_core() -> Iterator[FakeCore]:
    """One that ran and has ended: its database and its dead socket are there."""
    with FakeCore() as running:
        running.stop()
        yield running


@pytest.fixture
def offline(ended_core: FakeCore) -> Cli:
    return Cli(ended_core)
