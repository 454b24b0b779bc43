"""What the tests of restores stand on: a folder of pages, as a web server would serve it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.actions.restoring import PAGES


@pytest.fixture
def www(tmp_path: Path) -> Path:
    """A web root with its pages, and a backup of it beside: tmp_path/backup.tar.gz."""
    folder = tmp_path / "srv" / "www"
    for name, text in PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "css").chmod(0o750)
    backup = ["tar", "-czf", str(tmp_path / "backup.tar.gz"), "-C", str(folder.parent), "www"]
    subprocess.run(backup, check=True)
    return folder
