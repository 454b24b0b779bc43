"""A missing peer skips its tests and is named in one line at the end; in CI it fails them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world.needs import requires, summary

ROOT = Path(__file__).parents[2]


def run_restic_test(**environment: str) -> str:
    """Run the test that needs restic on a PATH without it; return pytest's output."""
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "PYTEST_ADDOPTS")}
    options = ["-p", "no:cacheprovider", "-k", "restic", "tests/world/test_peers.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**kept, "PATH": "/nonexistent", **environment},
    )
    return done.stdout


def test_a_missing_peer_skips_and_is_said_in_one_line() -> None:
    output = run_restic_test()
    said = [line for line in output.splitlines() if line.startswith("Not proven by this run")]
    cure = "restic is not installed (apt-get install restic)"
    assert said == [f"Not proven by this run: restores from restic (1 skipped; {cure})."]
    assert "1 skipped" in output.splitlines()[-1]


def test_in_ci_a_missing_peer_is_a_failure() -> None:
    output = run_restic_test(CI="true")
    assert "CI must have restic, but restic is not installed" in output
    assert "1 error" in output.splitlines()[-1]


def test_nothing_is_said_when_nothing_is_missing() -> None:
    assert summary(["Skipped: needs a full moon"]) == ""


def test_an_unknown_need_is_refused() -> None:
    with pytest.raises(ValueError, match="abacus"):
        requires("abacus")
