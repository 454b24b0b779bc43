"""What the tests of restores share: one step run as the runner does, and a folder of pages."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext

PAGES = {"index.html": "<h1>shop</h1>\n", "css/a.css": "h1 {}\n", "empty": ""}
KIND = ACTIONS["restore"]
NOTHING_WAS_MOVED = "restore: nothing that stood in the place of {} was moved aside; it stays"


def command(**written: Any) -> Command:
    effect = KIND.render(KIND.spec.model_validate(written), StepContext("web1", "10.1.1.11"))
    assert isinstance(effect, Command)
    return effect


def start(step: int, effect: Command, told: str = "") -> subprocess.Popen[str]:
    """Start the script as the runner does: its step's number stands before it."""
    script = subprocess.Popen(
        effect.argv,
        env={"PATH": os.environ["PATH"], **effect.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o077,
    )
    assert script.stdin is not None
    script.stdin.write(f"monitord_step={step}{told}\n{effect.stdin}")
    script.stdin.close()
    script.stdin = None
    return script


def restore(step: int = 7, **written: Any) -> tuple[int, str]:
    """Do it; give the exit code and the output."""
    script = start(step, command(**written))
    output, _ = script.communicate(timeout=60)
    return script.returncode, output


def take_back(first: int, last: int, by: int, wanted: dict[str, Any]) -> tuple[int, str]:
    """Have step `by` take back what the steps `first` to `last` restored."""
    told = f" monitord_first={first} monitord_last={last}"
    script = start(by, command(**wanted, back=True), told)
    output, _ = script.communicate(timeout=60)
    return script.returncode, output


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(www: Path) -> list[str]:
    """Give what stands in the folder of the web root."""
    return sorted(path.name for path in www.parent.iterdir())
