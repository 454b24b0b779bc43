"""`monitord status-page`: a folder that any web server can serve."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli


def test_the_page_for_end_users_is_written_as_files_that_need_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "public" / "status"
    for _ in range(2):  # the second time in place of the first
        said = cli("status-page", str(folder))
        assert (said.code, "2 services as of" in said.out) == (0, True), said
    assert {one.name for one in folder.iterdir()} == {"index.html", "status.css", "status.json"}
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "The online shop" in page
    assert "<form" not in page
    assert "<script" not in page
    assert "/static/" not in page
    assert "web1" not in page
    rows = json.loads((folder / "status.json").read_text(encoding="utf-8"))["services"]
    assert [row["service"] for row in rows] == ["The online shop", "Mail at night"]
    assert "The online shop  down" in cli("status-page").out
