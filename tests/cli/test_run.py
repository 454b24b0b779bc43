"""`monitord run` where it cannot start: it ends with 1 and the reason, and hides passwords."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from monitord import config as configuration
from monitord.cli.composed import KINDS
from monitord.daemon.foreground import banner
from monitord.daemon.places import prepare
from tests.api.cores import ROOT, FakeCore
from tests.world.process import free_port

FILE = """\
state: {state}
web: 127.0.0.1:{port}
hosts:
  web1:
    address: 127.0.0.1
    checks:
      nightly: {{job: {{every: 1d}}}}
"""


def write(folder: Path, **said: object) -> Path:
    """Write a configuration and give its path."""
    path = folder / "monitord.yaml"
    path.write_text(FILE.format(**{"state": folder / "var", "port": free_port(), **said}))
    return path


def run(config: Path) -> subprocess.CompletedProcess[str]:
    """Start all of it, which must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "monitord", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=config.parent,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
    )


def corrupt(folder: Path) -> Path:
    (folder / "var").mkdir()
    (folder / "var" / "state.db").write_bytes(b"this is no database" * 1000)
    return write(folder)


def far_away(folder: Path) -> Path:
    return write(folder, state=folder / ("long" * 30))


def test_what_no_retry_can_mend_ends_it_with_1_and_the_cure(tmp_path: Path) -> None:
    done = run(corrupt(tmp_path))
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if "file is not a database" in line]
    assert said
    assert all("move the file aside" in line for line in said)
    assert "cannot start; its line above says why" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_state_folder_too_deep_for_a_socket_is_refused_with_its_line(tmp_path: Path) -> None:
    done = run(far_away(tmp_path))
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("monitord: "), done.stderr
    assert "monitord.yaml:1:8: state: " in done.stderr
    assert "a socket's path has at most 107 (write run: /run/monitord" in done.stderr
    assert done.stdout == "", "nothing was started"
    assert "Traceback" not in done.stderr


def test_processes_that_start_at_once_make_their_folders_together(tmp_path: Path) -> None:
    settings = configuration.load(write(tmp_path), KINDS).settings
    for number in range(50):
        place = replace(settings, state=str(tmp_path / f"{number}"))
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(prepare, [place] * 4))
        assert len(set(made)) == 1
        assert (tmp_path / f"{number}" / "spool").stat().st_mode & 0o7777 == 0o3770


def test_a_second_run_ends_with_1_and_leaves_the_first_alone(tmp_path: Path) -> None:
    with FakeCore() as first:
        done = run(write(tmp_path, state=first.state))
        assert done.returncode == 1, done.stderr
        assert "a core runs already" in done.stderr
        assert first.is_ready()


def test_the_banner_hides_the_database_s_password(tmp_path: Path) -> None:
    path = write(tmp_path)
    url = "postgresql+psycopg://u:secretpw@db/m?password=secretpw"
    path.write_text(f"{path.read_text()}store: {url}\n")
    shown = "\n".join(banner(configuration.load(path, KINDS), path, tmp_path))
    assert "secretpw" not in shown
    assert "u:***@db/m" in shown


def test_the_banner_says_where_the_console_is_and_how_the_first_user_gets_in(
    tmp_path: Path,
) -> None:
    path = write(tmp_path)
    catalog = configuration.load(path, KINDS)
    shown = banner(catalog, path, tmp_path)
    assert f"  console   http://{catalog.settings.web}/   who may log in first:" in shown
    assert f"            monitord --state {tmp_path}/var user add NAME --role admin" in shown
