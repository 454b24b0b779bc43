"""Steps on this machine: done once, bounded, ended in time, and known again after any death."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from monitord.model.ids import AttemptId, StepId
from monitord.model.incident import AttemptStatus
from monitord.store.contract import Tx
from tests.executor.core import Core, RefusalError
from tests.world.until import until

Start = Callable[..., Core]


def sh(script: str, *, more: str = "") -> str:
    """Give a runbook whose one step is a shell script."""
    lines = "\n".join(f"        {line}" for line in script.splitlines())
    return f"steps:\n- command:\n    run:\n      - sh\n      - -c\n      - |\n{lines}\n{more}"


def test_a_step_is_done_and_told(core: Start, tmp_path: Path) -> None:
    started = core(runbooks={"fix": sh(f"echo out; echo err >&2; touch {tmp_path}/done")})
    step = started.intend("fix")
    answer = started.ask("run", step=step)
    assert answer == {"outcome": "done", "exit_code": 0, "output": "out\nerr\n", "error": ""}
    assert started.events == [{"event": "started", "step": step}]
    assert (tmp_path / "done").exists()


def test_another_exit_code_is_a_failure(core: Start) -> None:
    answer = core(runbooks={"fix": sh("echo no; exit 3")}).done("fix")
    assert answer == {"outcome": "failed", "exit_code": 3, "output": "no\n", "error": "exit code 3"}


def test_exit_codes_that_count_as_done_are_done(core: Start) -> None:
    book = "steps:\n- command: {run: [sh, -c, 'exit 7'], ok_codes: [0, 7]}\n"
    assert core(runbooks={"fix": book}).done("fix")["outcome"] == "done"


def test_a_missing_program_is_a_failure_that_says_so(core: Start) -> None:
    answer = core(runbooks={"fix": "steps:\n- command: [no-such-program]\n"}).done("fix")
    assert (answer["outcome"], answer["error"]) == ("failed", "exit code 127 (not found)")


def test_the_environment_is_cleared_and_then_filled(core: Start) -> None:
    book = "steps:\n- command: {run: [env], cwd: /tmp, env: {GREETING: 'a  $HOME b', mode: x}}\n"
    started = core(runbooks={"fix": book}, env={"LEAK": "yes"})
    lines = set(started.done("fix")["output"].splitlines())
    assert {"GREETING=a  $HOME b", "mode=x", "PWD=/tmp", "LC_ALL=C"} <= lines
    names = {line.partition("=")[0] for line in lines}
    assert names <= {"GREETING", "mode", "PWD", "LC_ALL", "HOME", "PATH", "XDG_RUNTIME_DIR"}


def test_a_step_is_never_done_twice(core: Start, tmp_path: Path) -> None:
    started = core(runbooks={"fix": sh(f"echo x >> {tmp_path}/count")})
    step = started.intend("fix")
    started.ask("run", step=step)
    with pytest.raises(RefusalError, match="already ran: its record is") as caught:
        started.ask("run", step=step)
    assert caught.value.type == "refused"  # no proof that nothing was done
    assert (tmp_path / "count").read_text() == "x\n"


def test_a_running_step_is_not_begun_again(core: Start, tmp_path: Path) -> None:
    started = core(runbooks={"fix": sh(f"echo x >> {tmp_path}/count; cat {tmp_path}/go")})
    os.mkfifo(tmp_path / "go")
    step = started.intend("fix")
    first = started.send("run", step=step)
    started.await_started(step)
    with pytest.raises(RefusalError, match=r"step \d+ is running"):
        started.ask("run", step=step)
    (tmp_path / "go").write_text("")
    assert started.answer(first)["outcome"] == "done"
    assert (tmp_path / "count").read_text() == "x\n"


def test_a_flood_is_bounded_and_does_not_kill_the_step(core: Start, tmp_path: Path) -> None:
    """Past the limit output is drained: the step ends by itself, not by SIGPIPE."""
    script = f"echo begin; yes | head -c 200000000 && touch {tmp_path}/alive; echo end"
    answer = core(runbooks={"fix": sh(script)}).done("fix")
    assert answer["outcome"] == "done"
    assert len(answer["output"]) <= 65_536
    assert answer["output"].startswith("begin\ny\n")
    assert "output cut here" in answer["output"]
    assert answer["output"].endswith("y\nend\n")
    assert (tmp_path / "alive").exists()


def test_the_deadline_ends_the_step_and_its_children(core: Start, tmp_path: Path) -> None:
    """SIGTERM is ignored by all of them; SIGKILL after 5 s is not."""
    script = f"""\
trap '' TERM
(trap '' TERM; echo $$ ; exec sleep 300) &
echo $! > {tmp_path}/child; echo $$ > {tmp_path}/parent
wait"""
    began = time.monotonic()
    answer = core(runbooks={"fix": sh(script, more="  timeout: 1s\n")}).done("fix")
    assert answer["outcome"] == "failed"
    assert answer["error"] == "not done within 1 s; it was ended"
    assert 5 < time.monotonic() - began < 20
    for name in ("child", "parent"):
        pid = int((tmp_path / name).read_text())
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def test_a_child_that_ignores_the_end_of_its_parent_ends_too(core: Start, tmp_path: Path) -> None:
    script = f"(trap '' TERM; exec sleep 300) & echo $! > {tmp_path}/child; wait"
    answer = core(runbooks={"fix": sh(script, more="  timeout: 1s\n")}).done("fix")
    assert answer["outcome"] == "failed"
    pid = int((tmp_path / "child").read_text())
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", within=5)


def test_a_daemon_that_a_step_starts_stays_alive(core: Start, tmp_path: Path) -> None:
    """It holds the output open; the step is told as done all the same, and it may go on writing."""
    script = f"(while :; do echo x; sleep 0.05; done) & echo $! > {tmp_path}/daemon; echo started"
    started = core(runbooks={"fix": sh(script)})
    answer = started.done("fix")
    daemon = psutil.Process(int((tmp_path / "daemon").read_text()))
    assert answer["outcome"] == "done"
    assert "started\n" in answer["output"]
    (record,) = (started.state / "runs").glob("*.1-*")
    heard = (record / "out.head").stat().st_size
    until(lambda: (record / "out.head").stat().st_size > heard, within=10)
    daemon.kill()


def test_a_step_outlives_the_executor_and_is_adopted(core: Start, tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/count; cat {tmp_path}/go; echo finished; exit 4"
    started = core(runbooks={"fix": sh(script)})
    os.mkfifo(tmp_path / "go")
    step = started.intend("fix")
    started.send("run", step=step)
    started.await_started(step)
    started.kill()
    started.start()
    asked = started.send("adopt", step=step)
    started.events.clear()
    started.await_started(step)
    (tmp_path / "go").write_text("gone on\n")
    assert started.answer(asked) == {
        "outcome": "failed",
        "exit_code": 4,
        "output": "gone on\nfinished\n",
        "error": "exit code 4",
    }
    assert (tmp_path / "count").read_text() == "x\n"
    assert started.ask("adopt", step=step)["exit_code"] == 4  # and again, from the record


def test_a_step_outlives_the_end_of_the_executor_by_systemd(core: Start, tmp_path: Path) -> None:
    started = core(runbooks={"fix": sh(f"cat {tmp_path}/go; echo finished")})
    os.mkfifo(tmp_path / "go")
    step = started.intend("fix")
    started.send("run", step=step)
    started.await_started(step)
    assert started.stop() == 0
    started.start()
    asked = started.send("adopt", step=step)
    (tmp_path / "go").write_text("")
    assert started.answer(asked)["output"] == "finished\n"


def test_a_step_goes_on_when_the_core_goes_away(core: Start, tmp_path: Path) -> None:
    started = core(runbooks={"fix": sh(f"echo x >> {tmp_path}/count; cat {tmp_path}/go")})
    os.mkfifo(tmp_path / "go")
    step = started.intend("fix")
    started.send("run", step=step)
    started.await_started(step)
    started.disconnect()
    started.connect()
    asked = started.send("adopt", step=step)
    (tmp_path / "go").write_text("still here")
    assert started.answer(asked)["output"] == "still here"
    assert (tmp_path / "count").read_text() == "x\n"


def test_an_intent_that_nobody_began_is_told_as_never_started(core: Start) -> None:
    started = core(runbooks={"fix": sh("echo x")})
    step = started.intend("fix")
    answer = started.ask("adopt", step=step)
    assert answer == {"outcome": "never-started", "exit_code": None, "output": "", "error": ""}
    assert started.ask("run", step=step)["outcome"] == "done"


def test_a_step_whose_runner_was_killed_is_unknown(core: Start, tmp_path: Path) -> None:
    """With the runner gone nobody can learn the exit code, and nothing is repeated."""
    started = core(runbooks={"fix": sh(f"echo $PPID > {tmp_path}/timeout; cat {tmp_path}/go")})
    os.mkfifo(tmp_path / "go")
    step = started.intend("fix")
    run = started.send("run", step=step)
    started.await_started(step)
    until((tmp_path / "timeout").exists, within=10)
    (record,) = (started.state / "runs").glob(f"*.{step}-*")
    psutil.Process(int((record / "runner").read_text().split()[0])).kill()
    answer_at = time.monotonic()
    (tmp_path / "go").write_text("")
    answer = started.answer(run)
    assert answer["outcome"] == "unknown"
    assert "the runner" in answer["error"]
    assert time.monotonic() - answer_at < 10
    with pytest.raises(RefusalError, match="already ran"):
        started.ask("run", step=step)


def test_killing_a_step_leaves_its_outcome_unknown(core: Start, tmp_path: Path) -> None:
    started = core(runbooks={"fix": sh(f"sleep 300 & echo $! > {tmp_path}/child; wait")})
    step = started.intend("fix")
    run = started.send("run", step=step)
    started.await_started(step)
    until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(), within=10)
    assert started.ask("kill", step=step) == {}
    answer = started.answer(run)
    assert (answer["outcome"], answer["error"]) == ("unknown", "killed by halt --now")
    pid = int((tmp_path / "child").read_text())
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", within=5)


def test_killing_what_never_began_is_no_error(core: Start) -> None:
    started = core(runbooks={"fix": sh("echo x")})
    assert started.ask("kill", step=started.intend("fix")) == {}


def test_secrets_reach_the_step_and_never_leave_it(core: Start, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2-hunter2\n")
    secret.chmod(0o600)
    book = f"""\
steps:
- command:
    run: [sh, -c, 'echo "got $TOKEN" of ${{{{#TOKEN}}}}']
    env: {{TOKEN: !secret "file:{secret}"}}
"""
    started = core(runbooks={"fix": book})
    answer = started.done("fix")
    assert (answer["outcome"], answer["output"]) == ("done", "got [redacted] of 15\n")
    (record,) = (started.state / "runs").glob("*.1-*")
    kept = {file.name: file.read_text() for file in record.iterdir() if file.name != "out.head"}
    assert not [name for name, text in kept.items() if "hunter2" in text]
    assert "hunter2" not in (started.state / "executor.log").read_text()


def test_a_secret_that_is_missing_stops_the_step_before_it_begins(core: Start) -> None:
    book = "steps:\n- command: {run: [env], env: {TOKEN: !secret 'env:NOT_SET_ANYWHERE'}}\n"
    started = core(runbooks={"fix": book})
    step = started.intend("fix")
    with pytest.raises(RefusalError, match="the environment variable is not set") as caught:
        started.ask("run", step=step)
    assert caught.value.type == "secret"
    assert started.ask("adopt", step=step)["outcome"] == "never-started"


def test_records_are_for_our_eyes_only(core: Start) -> None:
    started = core(runbooks={"fix": sh("echo x")})
    started.done("fix")
    for path in (started.state / "runs", *(started.state / "runs").iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_the_socket_is_for_the_group_only(core: Start) -> None:
    started = core()
    assert (started.state / "executor.sock").stat().st_mode & 0o777 == 0o660


def test_old_records_are_removed_by_the_next_step(core: Start) -> None:
    started = core(runbooks={"fix": sh("echo x")})
    started.done("fix")
    (old,) = (started.state / "runs").glob("*.1-*")
    os.utime(old, (1, 1))
    started.done("fix")
    until(lambda: not old.exists(), within=5)


def test_an_undo_takes_back_what_its_own_attempt_did(core: Start, tmp_path: Path) -> None:
    """A copy that an earlier attempt moved aside is not what stood there before this one."""
    www = tmp_path / "srv/www"
    www.mkdir(parents=True)
    (www / "index.html").write_text("backed up")
    subprocess.run(["tar", "-cf", tmp_path / "www.tar", "-C", www, "."], check=True)
    of = f"tar: {tmp_path}/www.tar, to: {www}"
    book = f"steps:\n- restore: {{{of}}}\nundo:\n- restore: {{{of}, back: true}}\n"
    started = core(runbooks={"fix": book})
    (www / "index.html").write_text("of an earlier attempt")
    assert started.done("fix")["outcome"] == "done"
    (www / "index.html").write_text("before")
    step = started.intend("fix")
    assert started.ask("run", step=step)["outcome"] == "done"

    def undone(tx: Tx) -> AttemptId:
        acted = tx.step(StepId(step))
        assert acted is not None
        tx.change_attempt(acted.attempt, AttemptStatus.RUNNING, undoing="a test")
        return acted.attempt

    attempt = started.write_store(undone)
    undo = started.intend("fix", position=1, step={"attempt": attempt})
    assert started.ask("run", step=undo)["outcome"] == "done"
    assert (www / "index.html").read_text() == "before"
