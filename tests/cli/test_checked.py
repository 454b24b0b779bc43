"""`check-config` answers from its record only while every file, folder and right is the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.cli import checked, serve

MAIN = """\
state: STATE
include: [conf.d/*.yaml]
hosts: {web1: {groups: [linux], checks: {own: {nagios: {command: [SCRIPT]}}}}}
groups: {linux: {login: local}}
inventory: {cmdb: {csv: {file: hosts.csv}}}
"""


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "checks").mkdir()
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    path = tmp_path / "monitord.yaml"
    text = MAIN.replace("STATE", str(tmp_path / "var")).replace("SCRIPT", str(script))
    path.write_text(text)
    serve._judged(path)
    return path


def test_what_has_not_changed_is_told_again(main: Path) -> None:
    found = checked.recall(main)
    assert found is not None
    assert found["counts"]["hosts"] == 1
    assert "never fetched" in " ".join(found["warnings"])


def rewritten(main: Path) -> None:
    """Change the text and nothing that a listing shows: not its length, not its times."""
    before = main.stat()
    main.write_text(main.read_text().replace("web1", "web2"))
    os.utime(main, ns=(before.st_atime_ns, before.st_mtime_ns))


def included(main: Path) -> None:
    (main.parent / "conf.d" / "more.yaml").write_text("hosts: {web2: }\n")


def defined(main: Path) -> None:
    (main.parent / "checks" / "disk-space.yaml").write_text("")


def fetched(main: Path) -> None:
    folder = main.parent / "var" / "inventory"
    folder.mkdir(parents=True)
    (folder / "cmdb.json").write_text('{"hosts": {}}')


def let_anybody_write(main: Path) -> None:
    (main.parent / "script").chmod(0o757)


def tampered(main: Path) -> None:
    (record,) = (main.parent / "cache" / "monitord").glob("check-*.json")
    record.chmod(0o666)


def cut(main: Path) -> None:
    (record,) = (main.parent / "cache" / "monitord").glob("check-*.json")
    record.write_bytes(record.read_bytes()[:-20])


@pytest.mark.parametrize(
    "change", [rewritten, included, defined, fetched, let_anybody_write, tampered, cut]
)
def test_any_change_has_all_read_anew(main: Path, change: Callable[[Path], None]) -> None:
    assert checked.recall(main) is not None
    change(main)
    assert checked.recall(main) is None


def test_a_configuration_that_depends_on_the_day_is_never_remembered(main: Path) -> None:
    main.write_text(f"{main.read_text()}people: {{kim: }}\n")
    serve._judged(main)
    assert checked.recall(main) is None
