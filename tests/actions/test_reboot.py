"""What speaks against a restart is asked of the machine itself, and not of its clock."""

import os
import subprocess
from pathlib import Path

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext

KIND = ACTIONS["reboot"]


def look(up: str, path: str) -> str:
    """Ask whether the machine may be restarted; give what speaks against it."""
    effect = KIND.render(KIND.spec.model_validate({"look": True, "up": up}), StepContext("a", ""))
    assert isinstance(effect, Command)
    done = subprocess.run(
        effect.argv,
        input=effect.stdin,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("year", [1971, 2100])
def test_a_clock_that_was_set_after_the_boot_makes_no_machine_older(
    tmp_path: Path, year: int
) -> None:
    """A board without a clock of its own boots in 1970: it must not restart again and again."""
    date = tmp_path / "date"
    date.write_text(f"#!/bin/sh\necho {(year - 1970) * 31_556_952}\n")
    date.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert "it was started only" in look("36500d", path)
    assert "it was started only" not in look("0s", path)
