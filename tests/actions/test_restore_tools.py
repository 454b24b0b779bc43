"""A restore from restic and from borg: whole, or nothing is changed."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.actions.restoring import (
    PAGES,
    names,
    restore,
    tree,
)
from tests.world.needs import need
from tests.world.peers import Restic


@pytest.fixture
def saved(www: Path, restic: Restic) -> dict[str, Any]:
    """A restic repository that holds the web root, and what a runbook says of it."""
    restic.save(www)
    source = {"repository": str(restic.repository), "password_file": str(restic.password_file)}
    return {
        "restic": source,
        "inside": str(www).strip("/"),
        "to": str(www),
        "expect": ["index.html"],
    }


def test_a_folder_comes_back_from_restic(www: Path, saved: dict[str, Any]) -> None:
    shutil.rmtree(www)
    code, output = restore(**saved)
    assert (code, tree(www)) == (0, PAGES), output
    assert names(www) == ["www"]


def test_a_damaged_restic_repository_changes_nothing(
    www: Path, saved: dict[str, Any], restic: Restic
) -> None:
    for pack in (restic.repository / "data").rglob("*"):
        if pack.is_file():
            pack.chmod(0o600)
            pack.write_bytes(b"\0" * pack.stat().st_size)
    (www / "index.html").write_text("still served")
    assert restore(**saved)[0] == 1
    assert (www / "index.html").read_text() == "still served"
    assert names(www) == ["www"]


def test_a_wrong_restic_password_changes_nothing(
    www: Path, saved: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_text("wrong\n")
    saved["restic"]["password_file"] = str(tmp_path / "wrong")
    code, output = restore(**saved)
    assert code == 1
    assert "restic could not read the backup" in output
    assert tree(www) == PAGES


def test_the_newest_snapshot_is_that_of_the_host_asked_for(
    www: Path, saved: dict[str, Any], restic: Restic
) -> None:
    (www / "index.html").write_text("of another host")
    subprocess.run(restic.argv("backup", "--host", "other", str(www)), check=True)
    shutil.rmtree(www)
    saved["restic"]["host"] = os.uname().nodename
    assert restore(**saved)[0] == 0
    assert tree(www) == PAGES


@pytest.fixture
def borged(www: Path, tmp_path: Path) -> dict[str, Any]:
    """An encrypted borg repository with an archive of the web root and a newer one of another's."""
    need("borg")
    secret, repository = tmp_path / "passphrase", tmp_path / "borg"
    secret.write_text("correct horse\n")
    env = {
        **os.environ,
        "BORG_PASSPHRASE": "correct horse",
        "BORG_BASE_DIR": str(tmp_path / "base"),
    }

    def borg(*words: str) -> None:
        subprocess.run(["borg", *words], env=env, check=True, capture_output=True)

    borg("init", "--encryption=repokey-blake2", str(repository))
    borg("create", f"{repository}::web1-1", str(www))
    (www / "index.html").write_text("of another host")
    borg("create", f"{repository}::web2-1", str(www))
    source = {"repository": str(repository), "password_file": str(secret), "match": "web1-*"}
    return {"borg": source, "inside": str(www).strip("/"), "to": str(www), "expect": ["index.html"]}


def test_a_folder_comes_back_from_borg(www: Path, borged: dict[str, Any]) -> None:
    shutil.rmtree(www)
    code, output = restore(**borged)
    assert (code, tree(www)) == (0, PAGES), output
    assert names(www) == ["www"]
    assert "from archive web1-1" in output


def test_a_borg_archive_that_is_not_whole_changes_nothing(
    www: Path, borged: dict[str, Any], tmp_path: Path
) -> None:
    """Wrong passphrase, no such archive, damaged data: each leaves what is there."""
    (www / "index.html").write_text("still served")
    assert restore(**borged, look=True) == (0, "restore: the archive is web1-1\n")
    nowhere = {**borged["borg"], "match": "web9-*"}
    code, output = restore(**{**borged, "borg": nowhere}, look=True)
    assert code == 1
    assert "no archive is called web9-*" in output
    for pack in (tmp_path / "borg/data").rglob("*"):
        if pack.is_file():
            pack.write_bytes(pack.read_bytes()[:-200] + b"x" * 200)
    code, output = restore(**borged)
    assert code == 1
    assert "borg could not read the backup" in output
    assert (www / "index.html").read_text() == "still served"
    assert names(www) == ["www"]
