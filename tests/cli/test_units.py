"""The systemd units: read by systemd's own tools, and each open line of the executor's reasoned."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from monitord.cli.app import app
from tests.world.needs import need
from tests.world.process import find_program

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
HARD = ["monitord.service", "monitord-web.service"]


@pytest.fixture(scope="module")
def analyze() -> str:
    program = find_program("systemd-analyze")
    if program is None:
        need("hosts")  # it comes with the same package, and is missed in the same words
        raise AssertionError("systemd is there without systemd-analyze")
    return program


def settings(name: str) -> list[tuple[str, str]]:
    """Give (key, value) of each line of a unit."""
    text = (ROOT / "systemd" / name).read_text(encoding="utf-8")
    return re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE)


def value(name: str, key: str) -> str:
    """Give the last value of a key."""
    return [found for word, found in settings(name) if word == key][-1]


def test_systemd_finds_no_mistake_in_any_unit(analyze: str, tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        # Where it will be installed there is nothing here; the rest of the line stays.
        text = text.replace("/opt/monitord/bin/monitord", sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    mine = [line for line in done.stderr.splitlines() if "monitord" in line]
    assert (done.returncode, mine) == (0, [])


@pytest.mark.parametrize("name", HARD)
def test_core_and_web_are_exposed_2_0_at_most(analyze: str, name: str) -> None:
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", str(ROOT / "systemd" / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0", "PATH": "/usr/bin:/bin"},
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= 2.0
    assert done.returncode == 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_starts_a_command_that_exists_and_tells_systemd(unit: Path) -> None:
    word = value(unit.name, "ExecStart").split()[1]
    assert word in typer.main.get_command(app).commands  # type: ignore[attr-defined] # a click group
    assert value(unit.name, "Type") == "notify"
    assert int(value(unit.name, "WatchdogSec")) > 0
    assert value(unit.name, "Restart") == "always"


def test_each_process_has_a_user_of_its_own_and_all_share_the_group() -> None:
    users = [value(unit.name, "User") for unit in UNITS]
    assert sorted(users) == ["monitord", "monitord-executor", "monitord-web"]
    assert {value(unit.name, "Group") for unit in UNITS} == {"monitord"}
    made = (ROOT / "systemd" / "sysusers.d" / "monitord.conf").read_text(encoding="utf-8")
    assert all(re.search(rf"^u {user} ", made, flags=re.MULTILINE) for user in users)


def test_each_line_that_the_executor_leaves_open_has_its_reason_above_it() -> None:
    lines = (ROOT / "systemd" / "monitord-executor.service").read_text().splitlines()
    open_lines = [
        number
        for number, line in enumerate(lines)
        if re.fullmatch(
            r"(No|Protect|Private|Restrict|Remove|ProcSubset)\w*=(no|default|all)", line
        )
    ]
    assert len(open_lines) >= 10
    assert [lines[number] for number in open_lines if not lines[number - 1].startswith("#")] == []


def test_a_running_step_outlives_a_restart_of_the_executor_and_its_socket_the_core_s() -> None:
    assert value("monitord-executor.service", "KillMode") == "process"
    assert value("monitord.service", "RuntimeDirectoryPreserve") == "yes"
