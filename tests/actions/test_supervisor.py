"""What supervisorctl is told does what the step says, on a real supervisord."""

import subprocess
import sys
from collections.abc import Callable, Mapping

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext
from tests.world.peers import Supervisord
from tests.world.until import until

KIND = ACTIONS["supervisor"]
Start = Callable[[Mapping[str, str]], Supervisord]


def do(manager: Supervisord, program: str, what: str) -> int:
    """Render and run; give the exit code."""
    server = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(manager.config)]
    written = {"program": "{item}", "do": what, "server": server}
    effect = KIND.render(KIND.spec.model_validate(written), StepContext("web1", "", program))
    assert isinstance(effect, Command)
    done = subprocess.run(effect.argv, check=False, capture_output=True, timeout=30)
    return done.returncode


def test_a_stopped_program_is_started(supervisord: Start) -> None:
    manager = supervisord({"worker": "command=sleep 1000\nautostart=false"})
    assert do(manager, "worker", "start") == 0
    until(lambda: manager.state("worker") == "RUNNING")


def test_a_running_program_is_restarted(supervisord: Start) -> None:
    manager = supervisord({"worker": "command=sleep 1000\nstartsecs=0"})
    until(lambda: manager.state("worker") == "RUNNING")
    before = manager.call("getProcessInfo", "worker")["pid"]
    assert do(manager, "worker", "restart") == 0
    until(lambda: manager.call("getProcessInfo", "worker")["pid"] not in {0, before})


def test_a_running_program_is_stopped(supervisord: Start) -> None:
    manager = supervisord({"worker": "command=sleep 1000"})
    until(lambda: manager.state("worker") == "RUNNING")
    assert do(manager, "worker", "stop") == 0
    assert manager.state("worker") == "STOPPED"


def test_a_program_that_cannot_start_is_a_failure(supervisord: Start) -> None:
    manager = supervisord({"worker": "command=/no/such\nautostart=false"})
    assert do(manager, "worker", "start") != 0


def test_a_program_that_nobody_knows_is_a_failure(supervisord: Start) -> None:
    manager = supervisord({"worker": "command=sleep 1000"})
    assert do(manager, "wroker", "start") != 0
