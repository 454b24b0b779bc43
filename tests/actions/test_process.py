"""Exactly one process is ended: the sick one, by pid, start time and name, or none at all."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext
from tests.world.until import until

KIND = ACTIONS["process"]
Start = Callable[..., subprocess.Popen[bytes]]


def end(name: str, **written: Any) -> tuple[int, str]:
    """Do it; give the exit code and what was said."""
    asked = {"name": name, "memory": "100k", "grace": "1s", **written}
    effect = KIND.render(KIND.spec.model_validate(asked), StepContext("app1", ""))
    assert isinstance(effect, Command)
    done = subprocess.run(
        effect.argv, input=effect.stdin, capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program under a name of this test's own; `deaf` ones ignore TERM."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(name: str, *, deaf: bool = False) -> subprocess.Popen[bytes]:
        program = tmp_path / name
        if not program.exists():
            shutil.copy("/bin/sleep", program)
        trap = "trap '' TERM; " if deaf else ""
        argv = ["sh", "-c", f'{trap}exec "$0" 1000', str(program)]
        running.append(subprocess.Popen(argv))
        comm = Path(f"/proc/{running[-1].pid}/comm")
        until(lambda: comm.read_text().strip() == name[:15])
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


def test_looking_names_it_and_ending_ends_it(start: Start) -> None:
    sick = start(f"runaway{os.getpid()}")
    code, said = end(f"runaway{os.getpid()}", look=True)
    assert (code, sick.poll()) == (0, None)
    assert said.startswith(f"process: it is pid {sick.pid} (runaway")
    code, said = end(f"runaway{os.getpid()}")
    assert (code, sick.wait(timeout=10)) == (0, -15)
    assert said.endswith("ended on TERM")


def test_one_that_does_not_answer_is_killed(start: Start) -> None:
    sick = start(f"deaf{os.getpid()}", deaf=True)
    code, said = end(f"deaf{os.getpid()}")
    assert (code, sick.wait(timeout=10)) == (0, -9)
    assert "ended on KILL" in said


def test_of_two_alike_none_is_ended(start: Start) -> None:
    name = f"twin{os.getpid()}"
    twins = [start(name), start(name)]
    code, said = end(name)
    assert (code, said) == (
        1, f"process: 2 processes {name} are what was asked for; only exactly one is ended",
    )  # fmt: skip
    assert [twin.poll() for twin in twins] == [None, None]


@pytest.mark.parametrize(
    "healthy", [{"memory": "1G"}, {"older": "1h"}, {"user": "nobody"}, {"cpu": "50"}]
)
def test_a_healthy_one_is_left_alone(start: Start, healthy: dict[str, str]) -> None:
    name = f"fine{os.getpid()}"
    fine = start(name)
    code, said = end(name, **healthy)
    assert (code, said) == (1, f"process: no process {name} is what was asked for")
    assert fine.poll() is None


def test_nothing_is_ended_by_a_name_alone() -> None:
    with pytest.raises(ValueError, match="says not what is wrong with it"):
        end("java", memory="")
    with pytest.raises(ValueError, match="says not what is wrong with it"):
        KIND.render(
            KIND.spec.model_validate({"name": "java", "cpu": "{cpu}"}),
            StepContext("app1", "", "", {"cpu": ""}),
        )


@pytest.mark.parametrize("name", ["systemd", "sshd", "postgres", "mariadbd", "monitord-core"])
def test_what_the_machine_stands_on_is_never_ended(name: str) -> None:
    with pytest.raises(ValueError, match="is never ended"):
        end(name)
