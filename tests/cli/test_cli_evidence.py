"""`monitord evidence`: a folder that an auditor can check file by file."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Cli

SPAN = ("--from", "2026-11-27", "--to", "2026-11-27")


def table(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_what_was_done_in_a_span_is_written_with_the_hash_of_each_file(
    cli: Cli, tmp_path: Path
) -> None:
    cli.core.client.post("/v1/users", {"name": "aud", "role": "viewer"})
    folder = tmp_path / "audit" / "november"
    said = cli("evidence", str(folder), *SPAN, "--json", TZ="UTC")
    assert (said.code, said.err) == (0, "")
    manifest = (folder / "manifest.json").read_bytes()
    assert said.json["manifest"] == hashlib.sha256(manifest).hexdigest()
    files = json.loads(manifest)["files"]
    assert {one.name for one in folder.iterdir()} == {*files, "manifest.json"}
    for name, told in files.items():
        assert told["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert [row["act"] for row in table(folder / "everything.csv")] == ["mute"]
    assert table(folder / "access.csv") == []
    assert "aud" in {row["name"] for row in table(folder / "users.csv")}
    assert json.loads((folder / "chain.json").read_text(encoding="utf-8"))["holds"] is True
    assert folder.stat().st_mode & 0o777 == 0o700


def test_another_day_has_what_was_done_then(cli: Cli, tmp_path: Path) -> None:
    cli.core.client.post("/v1/users", {"name": "aud2", "role": "viewer"})
    said = cli("evidence", str(tmp_path / "now"), "--from", "2026-01-01", "--to", "2100-01-01")
    assert said.code == 0
    acts = {row["subject"] for row in table(tmp_path / "now" / "access.csv")}
    assert "aud2" in acts


def test_what_is_there_is_not_written_into(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    said = cli("evidence", str(tmp_path), *SPAN)
    assert (said.code, "is not empty" in said.err) == (1, True)
    said = cli("evidence", str(tmp_path / "a"), "--from", "2027-01-01", "--to", "2026-01-01")
    assert "does not lie before" in said.err
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]
