"""`ready` names what stands in the way of a start, and changes nothing."""

import os
import pwd
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext

KIND = ACTIONS["ready"]
Ask = Callable[..., tuple[int, str]]
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def ask() -> Ask:
    def run(**written: str) -> tuple[int, str]:
        effect = KIND.render(KIND.spec.model_validate(written), StepContext("db1", ""))
        assert isinstance(effect, Command)
        done = subprocess.run(
            effect.argv, input=effect.stdin, capture_output=True, text=True, check=False, timeout=30
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    return run


def test_a_free_port_and_an_own_folder_are_ready(ask: Ask, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    assert ask(folder=str(tmp_path), owner=ME, free="0", port=port) == (0, "ready")


def test_a_taken_port_is_told_with_its_holder(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        comm = Path("/proc/self/comm").read_text().strip()
        assert ask(port=str(port)) == (
            1, f"port {port} is held by {comm} (pid {os.getpid()})",
        )  # fmt: skip


def test_a_connection_from_a_port_does_not_hold_it(ask: Ask) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert ask(port=str(client.getsockname()[1])) == (0, "ready")


def test_all_that_is_wrong_is_told_in_one_line(ask: Ask, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, said = ask(folder=str(tmp_path), owner=ME, free="99")
    assert code == 1
    first, *more = said.split("; ")
    assert first == f"{ME} may not write {tmp_path}"
    assert more[0].startswith(f"the filesystem of {tmp_path} has ")
    assert more[0].endswith(" % of its space used")


@pytest.mark.parametrize(
    ("owner", "sentence"),
    [
        ("daemon", f"{{folder}} belongs to {ME}, not to daemon"),
        ("nobody-here", "there is no user nobody-here"),
    ],
)
def test_somebody_elses_data_is_not_started_on(
    ask: Ask, tmp_path: Path, owner: str, sentence: str
) -> None:
    assert ask(folder=str(tmp_path), owner=owner) == (1, sentence.format(folder=tmp_path))


def test_one_file_of_somebody_else_is_enough(ask: Ask, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    (tmp_path / "dump\n.rdb").touch()
    os.chown(tmp_path / "dump\n.rdb", 1, 1)
    code, said = ask(folder=str(tmp_path), owner=ME)
    assert (code, "does not belong to" in said, "\n" in said) == (1, True, False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("debian-10.11.flag", "ready"),
        ("mysql_upgrade_info", "ready"),
        ("mariadb_upgrade_info", "ready"),
        ("ibdata1", "{folder}/./ibdata1 does not belong to daemon"),
    ],
)
def test_what_the_packages_of_mysql_leave_to_root_there_is_no_obstacle(
    ask: Ask, tmp_path: Path, name: str, said: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(tmp_path, 1, 1)
    (tmp_path / name).touch()
    assert ask(folder=str(tmp_path), owner="daemon")[1] == said.format(folder=tmp_path)


def test_a_filesystem_of_its_own_is_no_obstacle(ask: Ask, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(tmp_path, 1, 1)
    (tmp_path / "lost+found").mkdir()
    assert ask(folder=str(tmp_path), owner="daemon") == (0, "ready")


def test_a_missing_folder_is_told(ask: Ask, tmp_path: Path) -> None:
    assert ask(folder=f"{tmp_path}/gone") == (1, f"{tmp_path}/gone is not a folder")
