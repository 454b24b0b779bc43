"""`monitord services` as a person and as a program reads it, from the rows of a core that ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from monitord.model.service import ServiceChange, ServiceState
from monitord.model.state import CheckState
from monitord.store import open_store
from monitord.store.contract import Tx
from tests.api.cores import ROOT
from tests.cli.conftest import Said

TEXT = """
state: {state}
hosts:
  www: {{address: 127.0.0.1, checks: {{vip: {{tcp: {{port: 80}}}}}}}}
services:
  shop: {{sla: gold, down_when: [www/vip]}}
  wiki: {{checks: [www/vip]}}
slas: {{gold: {{availability: 99%}}}}
"""
BEGAN = Instant(1_795_780_800_000_000)


def rows(tx: Tx) -> None:
    tx.put_states([CheckState(StateKey("www/vip"), Status.CRITICAL, Status.CRITICAL)])
    text = "www/vip: www/vip is critical"
    tx.add_service_change(
        ServiceChange(0, "shop", BEGAN, ServiceState.DOWN, "down", text, ("www/vip",))
    )
    tx.add_service_change(ServiceChange(0, "wiki", BEGAN, ServiceState.UP, "up", ""))


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("services")
    opened = open_store(folder / "state.db", durable=False)
    opened.write_now(rows)
    asyncio.run(opened.close())
    path = folder / "monitord.yaml"
    path.write_text(TEXT.format(state=folder))
    return path


def run(main: Path, *args: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "monitord", "--config", str(main), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": "/nonexistent"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def test_the_services_are_a_table_and_the_worst_is_the_exit_code(main: Path) -> None:
    said = run(main, "services")
    assert said.code == 2
    head, shop, wiki = (line.split() for line in said.out.splitlines())
    assert head[:3] == ["STATE", "SERVICE", "FOR"]
    assert (shop[:2], wiki[:2]) == (["DOWN", "shop"], ["UP", "wiki"])
    assert "www/vip is critical" in said.out


def test_one_service_is_told_with_its_rules_and_as_json(main: Path) -> None:
    said = run(main, "services", "shop")
    assert said.code == 2
    assert said.out.startswith("shop is DOWN")
    (line,) = [one for one in said.out.splitlines() if one.startswith("down_when")]
    assert line.split() == ["down_when", "www/vip", "yes", "1", "of", "1", "critical"]
    answer = run(main, "services", "wiki", "--json").json
    assert (answer["state"], answer["rules"], answer["budget_s"]) == ("UP", [], None)


def test_a_service_that_is_not_there_is_one_line(main: Path) -> None:
    said = run(main, "services", "shp")
    assert (said.code, said.out) == (3, "")
    assert "there is no service shp; there are: shop, wiki" in said.err
