"""`monitord report` as a person, a spreadsheet and an auditor get it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Cli

MONTH = datetime.now(UTC).strftime("%Y-%m")


def test_a_month_is_told_printed_as_a_table_and_proved(cli: Cli, tmp_path: Path) -> None:
    said = cli("report", "--accounts", str(tmp_path / "accounts"))
    assert (said.code, said.err) == (0, "")
    assert "99.9 % a month" in said.out
    for file in (tmp_path / "accounts").iterdir():
        seal = hashlib.sha256(file.read_bytes()).hexdigest()
        assert file.stem.endswith(seal[:16])
        assert seal[:16] in said.out
    assert len(list((tmp_path / "accounts").iterdir())) == 2
    table = cli("report", MONTH, "--csv")
    assert table.out.startswith("part,about,measure,value\n")
    assert "service,shop,sla,gold" in table.out


def test_a_month_that_is_not_over_has_no_seal_yet(cli: Cli, tmp_path: Path) -> None:
    said = cli("report", MONTH)
    assert said.out.startswith(f"{MONTH} of test, up to ")
    assert said.out.count("when it is over") == 2
    refused = cli("report", MONTH, "--accounts", str(tmp_path))
    assert refused.err.startswith(f"monitord: {MONTH} is not over for jobs, shop: ")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_month_is_one_line(cli: Cli) -> None:
    said = cli("report", "soon")
    assert (said.code, said.err) == (1, "monitord: month=soon: no month; write month=2027-01\n")


def test_a_seal_from_which_the_rows_differ_ends_with_1(cli: Cli) -> None:
    said = cli("report", "--verify")
    assert (said.code, said.err) == (1, "")
    assert "now differs from what was sealed\n- the month begins" in said.out
    assert "replaces 1: correction 1 of kim" in said.out
    assert "shop: not sealed" in said.out
