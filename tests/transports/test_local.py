"""Children of this machine cost their deadline and nothing else."""

import asyncio
import fcntl
import os
import time
from pathlib import Path

import psutil
import pytest

from monitord.transports import local
from monitord.transports.local import Ran
from tests.world.until import until


def run(*argv: str, seconds: float = 10, stdin: bytes = b"", limit: int = local.LIMIT) -> Ran:
    return asyncio.run(local.run(argv, timeout=seconds, stdin=stdin, limit=limit))


def test_both_streams_and_the_code_come_back() -> None:
    assert run("sh", "-c", "echo out; echo err >&2; exit 3") == Ran(3, b"out\n", b"err\n")


def test_standard_input_of_any_size_arrives() -> None:
    given = os.urandom(3_000_000)
    assert run("cksum", stdin=given).stdout.split()[1] == b"3000000"


def test_without_input_there_is_the_end_of_the_file() -> None:
    assert run("cat") == Ran(0, b"", b"")


def test_a_program_that_is_not_there_is_told_as_a_shell_does() -> None:
    assert run("no-such-program") == Ran(127, b"", b"no-such-program: No such file or directory")


def test_a_signal_is_a_negative_code() -> None:
    assert run("sh", "-c", "kill -SEGV $$").exit_code == -11


def test_a_child_that_hangs_ends_at_its_deadline() -> None:
    began = time.monotonic()
    ran = run("sh", "-c", "echo begun; trap '' TERM; sleep 300", seconds=0.5)
    assert (ran.timed_out, ran.stdout) == (True, b"begun\n")
    assert time.monotonic() - began < 5


def test_the_children_of_a_child_end_with_it(tmp_path: Path) -> None:
    run("sh", "-c", f"sleep 300 & echo $! > {tmp_path}/pid; exit 0")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not _runs(pid))


def test_at_the_deadline_those_in_sessions_of_their_own_end_as_well(tmp_path: Path) -> None:
    script = f"setsid sh -c 'sleep 300 & echo $! > {tmp_path}/pid; wait' & wait"
    ran = asyncio.run(local.run(("sh", "-c", script), timeout=2, whole=True))
    assert ran.timed_out
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not _runs(pid))


def test_a_step_in_a_session_of_its_own_outlives_who_watches_it(tmp_path: Path) -> None:
    script = f"setsid sleep 300 & echo $! > {tmp_path}/pid; wait"
    assert run("sh", "-c", script, seconds=1).timed_out
    step = psutil.Process(int((tmp_path / "pid").read_text()))
    assert step.is_running()
    step.kill()


def test_a_child_that_leaves_the_pipe_open_does_not_hold_us() -> None:
    began = time.monotonic()
    assert run("sh", "-c", "echo x; setsid sleep 5 & exit 0").stdout == b"x\n"
    assert time.monotonic() - began < 4


def test_a_flood_is_cut_and_ended() -> None:
    began = time.monotonic()
    ran = run("yes", seconds=60)
    assert (len(ran.stdout), ran.truncated, ran.timed_out) == (local.LIMIT, True, False)
    assert ran.flooded == 64 * local.LIMIT
    assert time.monotonic() - began < 10


def test_much_output_is_cut_and_the_child_goes_on(tmp_path: Path) -> None:
    ran = run("sh", "-c", f"yes | head -c 200000; touch {tmp_path}/end")
    assert (ran.exit_code, len(ran.stdout), ran.truncated) == (0, local.LIMIT, True)
    assert (tmp_path / "end").exists()


def test_nothing_of_our_environment_or_files_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK", "yes")
    with Path("/dev/null").open() as file:
        extra = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 200)
    ran = run("sh", "-c", "env; ls /proc/self/fd | tr '\\n' ' '")
    os.close(extra)
    assert b"LEAK" not in ran.stdout
    assert str(extra).encode() not in ran.stdout.splitlines()[-1].split()


def test_signals_are_as_the_system_has_them() -> None:
    """Python ignores SIGPIPE; a child must not."""
    ran = run("sh", "-c", "grep -E '^Sig(Ign|Blk)' /proc/self/status")
    masks = [int(line.split()[1], 16) for line in ran.stdout.splitlines()]
    assert [mask & 0x7FFF_FFFF for mask in masks] == [0, 0]  # above are glibc's own


def test_many_children_leave_no_descriptor_behind() -> None:
    async def many() -> None:
        await asyncio.gather(*(local.run(("true",), timeout=10) for _ in range(20)))
        before = psutil.Process().num_fds()
        await asyncio.gather(*(local.run(("true",), timeout=10) for _ in range(20)))
        await asyncio.gather(*(local.run(("no-such",), timeout=10) for _ in range(20)))
        assert psutil.Process().num_fds() == before

    asyncio.run(many())


def test_who_no_longer_waits_leaves_no_child_behind(tmp_path: Path) -> None:
    def begun() -> int:
        path = tmp_path / "pid"
        return int(path.read_text() or "0") if path.exists() else 0

    async def give_up() -> int:
        script = f"echo $$ > {tmp_path}/pid; exec sleep 300"
        waiting = asyncio.create_task(local.run(("sh", "-c", script), timeout=300))
        pid = await asyncio.to_thread(until, begun)
        waiting.cancel()
        await asyncio.to_thread(until, lambda: not _runs(pid))
        return pid

    assert asyncio.run(give_up()) > 0


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
