"""A job that runs already is not run beside itself, whatever started it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext
from tests.world.needs import requires
from tests.world.until import until

KIND = ACTIONS["job"]


def look(run: list[str]) -> tuple[int, str]:
    effect = KIND.render(KIND.spec.model_validate({"run": run, "look": True}), StepContext("a", ""))
    assert isinstance(effect, Command)
    argv = ["timeout", "20", *effect.argv]  # as under the runner
    done = subprocess.run(argv, input=effect.stdin, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip()


def test_a_job_that_runs_is_found_behind_its_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "nightly job"
    script.write_text("#!/bin/sh\nsleep 1000 & wait\n")
    script.chmod(0o755)
    run = [str(script), "--all", "two words"]
    assert look(run) == (0, "it does not run")
    with subprocess.Popen(run, start_new_session=True) as job:
        cmdline = Path(f"/proc/{job.pid}/cmdline")
        until(lambda: cmdline.read_bytes().endswith(b"two words\0"))
        code, said = look(run)
        other, _ = look([*run[:2], "other words"])
        subprocess.run(["kill", "--", f"-{job.pid}"], check=True)
    assert (code, said) == (1, f"it runs already: pid {job.pid}")
    assert other == 0


@requires("root")
@pytest.mark.parametrize("hidden", ["1", "2"])
def test_where_other_users_processes_are_hidden_nobody_says_that_it_does_not_run(
    hidden: str,
) -> None:
    effect = KIND.render(
        KIND.spec.model_validate({"run": ["sleep", "1000"], "look": True}), StepContext("a", "")
    )
    assert isinstance(effect, Command)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    mounted = f'mount -t proc -o hidepid={hidden} proc /proc && "$@"; exit $?'
    outside = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", mounted, "sh"]
    done = subprocess.run(
        [*outside, *nobody, *effect.argv],
        input=effect.stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "hidepid" in done.stdout


@pytest.mark.parametrize("more", [{"cwd": "/srv"}, {"env": {"A": "1"}}])
def test_looking_takes_nothing_that_running_would(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="runs nothing"):
        KIND.spec.model_validate({"run": ["x"], "look": True, **more})
