"""`monitord job run`: the job must not notice us, and somebody must hear of it."""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitord.cli import jobrun
from monitord.model.ids import Instant
from monitord.pings import TAIL, spooled
from tests.api.cores import ROOT, FakeCore
from tests.cli.conftest import Cli, Said
from tests.world.process import answers, free_port
from tests.world.until import until

ME = pwd.getpwuid(os.getuid()).pw_name
NOW = Instant(10**17)


def job(cli: Cli, *argv: str, **environment: str) -> Said:
    """Wrap a command as the job db1/nightly."""
    return cli("job", "run", "nightly", "--", *argv, **environment)


def events(core: FakeCore) -> list[tuple[str, int | None]]:
    """Give what the core heard of jobs: event and exit code."""
    return [(call["event"], call["exit_code"]) for call in core.calls("job")]


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_the_job_s(cli: Cli, code: int) -> None:
    assert job(cli, "sh", "-c", f"exit {code}").code == code
    assert events(cli.core) == [("start", None), ("fail" if code else "success", code)]


def test_both_outputs_go_where_they_went_and_the_tail_is_reported(cli: Cli) -> None:
    said = job(cli, "sh", "-c", "echo out; echo err >&2; exit 2")
    assert (said.out, said.err) == ("out\n", "err\n")
    end = cli.core.calls("job")[-1]
    assert sorted(end["output"].split()) == ["err", "out"]
    assert (end["key"], end["by"]) == ("db1/nightly", ME)


def test_bytes_pass_through_unchanged_and_a_flood_is_reported_by_its_end(cli: Cli) -> None:
    program = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 200_000 + b'the end')"
    done = subprocess.run(
        cli.argv("job", "run", "nightly", "--", sys.executable, "-c", program),
        capture_output=True,
        check=True,
        env=cli.environment,
        timeout=60,
    )
    assert done.stdout == bytes(range(256)) * 200_000 + b"the end"
    output = cli.core.calls("job")[-1]["output"]
    assert output.endswith("the end")
    assert len(output.encode()) <= TAIL


def test_the_job_reads_our_standard_input(cli: Cli) -> None:
    done = subprocess.run(
        cli.argv("job", "run", "nightly", "--", "cat"),
        input=b"for the job",
        capture_output=True,
        check=True,
        env=cli.environment,
        timeout=60,
    )
    assert done.stdout == b"for the job"


def test_options_behind_the_name_are_the_job_s(cli: Cli) -> None:
    said = cli("job", "run", "nightly", "printf", "%s|", "--json", "--help", "-x")
    assert said.out == "--json|--help|-x|"


def test_a_program_that_is_not_there_exits_as_in_a_shell_and_is_a_failure(
    cli: Cli, tmp_path: Path
) -> None:
    said = job(cli, "no-such-program")
    assert (said.code, said.err) == (127, "monitord: no-such-program: No such file or directory\n")
    (tmp_path / "plain").write_text("text")
    assert job(cli, str(tmp_path / "plain")).code == 126
    assert [code for _, code in events(cli.core)] == [None, 127, None, 126]


def test_a_job_killed_by_a_signal_exits_as_in_a_shell(cli: Cli) -> None:
    assert job(cli, "sh", "-c", "kill -KILL $$").code == 137
    assert events(cli.core)[-1] == ("fail", 137)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_us_reaches_the_job_which_answers_as_it_likes(
    cli: Cli, number: signal.Signals
) -> None:
    script = f"trap 'echo caught; exit 7' {number.value}; echo ready; while :; do sleep 0.05; done"
    # A signal that the caller of the tests ignores (nohup, &) would be ignored by the job as well.
    afresh = ["env", f"--default-signal={number.name}"]
    with subprocess.Popen(
        [*afresh, *cli.argv("job", "run", "nightly", "--", "sh", "-c", script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=cli.environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.read() == b"caught\n"
        assert process.wait(30) == 7
    assert events(cli.core)[-1] == ("fail", 7)


def test_what_the_job_leaves_running_is_neither_waited_for_nor_cut_off(
    cli: Cli, tmp_path: Path
) -> None:
    gate, out = tmp_path / "gate", tmp_path / "out"
    os.mkfifo(gate)
    with out.open("wb") as file:
        done = subprocess.run(
            cli.argv("job", "run", "nightly", "--", "sh", "-c", f"(cat {gate}) & echo now"),
            stdin=subprocess.DEVNULL,
            stdout=file,
            env=cli.environment,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0
    assert out.read_bytes() == b"now\n"
    gate.write_bytes(b"late\n")
    until(lambda: out.read_bytes() == b"now\nlate\n")


def test_a_reader_that_goes_away_ends_the_job_as_it_would_without_us(cli: Cli) -> None:
    command = " ".join(cli.argv("job", "run", "nightly", "--", "yes"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
        env=cli.environment,
        timeout=60,
    )
    assert done.stdout == "y\n141\n"


def test_without_a_core_both_reports_wait_in_the_spool(offline: Cli) -> None:
    for path in (offline.core.state / "spool").iterdir():
        path.unlink()
    said = job(offline, "sh", "-c", "echo x; exit 4")
    assert (said.code, said.out, said.err) == (4, "x\n", "")
    reports = [report for _, report in spooled(offline.core.state / "spool", now=NOW)]
    assert [(one.event, one.exit_code, one.by) for one in reports] == [
        ("start", None, ME),
        ("fail", 4, ME),
    ]
    assert reports[1].output == "x\n"


def test_where_nothing_can_be_reported_the_job_runs_and_a_line_says_so(tmp_path: Path) -> None:
    state = tmp_path / "none"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "monitord",
            "--state",
            str(state),
            "job",
            "run",
            "x",
            "--",
            "echo",
            "hi",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "hi\n")
    lines = done.stderr.splitlines()
    assert [line[:40] for line in lines] == [
        "monitord: job x (start) not reported: ca",
        "monitord: job x (success) not reported: ",
    ]


def test_a_name_that_is_no_job_is_said_and_changes_nothing(cli: Cli) -> None:
    said = cli("job", "run", "nihgtly", "--", "true")
    assert said.code == 0
    assert "no job is called 'nihgtly'" in said.err


def test_a_core_that_hangs_does_not_delay_the_job(core: FakeCore) -> None:
    cli = Cli(core)
    os.kill(core.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with subprocess.Popen(
            cli.argv("job", "run", "nightly", "--", "echo", "at once"),
            stdout=subprocess.PIPE,
            env=cli.environment,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"at once\n"
            assert time.monotonic() - began < 3
            assert process.wait(30) == 0
        assert time.monotonic() - began < 12
    finally:
        os.kill(core.pid, signal.SIGCONT)
    spool = [report.event for _, report in spooled(core.state / "spool", now=NOW)]
    assert spool == ["start", "success"]


def test_a_host_without_a_core_reports_to_a_ping_url(cli: Cli) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "tests.web.web_process", str(cli.core.state), f"127.0.0.1:{port}"]
    with subprocess.Popen([*argv, "db1/nightly"], env=cli.environment) as web:
        try:
            base = f"http://127.0.0.1:{port}"
            url = cli("job", "url", "nightly").out.strip()
            ours = base + url[url.index("/ping/") :]
            until(lambda: answers(port))
            said = job(cli, "sh", "-c", "echo x; exit 9", MONITORD_PING_URL=ours)
            assert (said.code, said.out, said.err) == (9, "x\n", "")
            assert events(cli.core) == [("start", None), ("fail", 9)]
            assert cli.core.calls("job")[-1]["by"] == "ping"
            wrong = cli("job", "run", "--url", f"{base}/ping/nope", "nightly", "--", "true")
            assert wrong.code == 0
            assert "answered 404" in wrong.err
        finally:
            web.terminate()


def test_a_url_that_is_a_file_is_not_opened(cli: Cli, tmp_path: Path) -> None:
    said = cli("job", "run", "--url", f"file://{tmp_path}", "nightly", "--", "true")
    assert said.code == 0
    assert "is not an http or https URL" in said.err


def test_the_jobs_are_listed(cli: Cli) -> None:
    (row,) = cli("job", "list", "--json").json["jobs"]
    assert (row["key"], row["status"]) == ("db1/nightly", "OK")


def test_the_url_of_a_job_that_is_not_there_names_the_nearest(cli: Cli) -> None:
    said = cli("job", "url", "nihgtly")
    assert said.code == 1
    assert said.err == "monitord: 'nihgtly' is no job; use one of: db1/nightly\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_with_its_standard_files_closed_the_exit_code_is_still_the_job_s(
    cli: Cli, closed: str
) -> None:
    words = shlex.join(cli.argv("job", "run", "nightly", "--", "sh", "-c", "exit 6"))
    done = subprocess.run(
        ["sh", "-c", f"{words} {closed}"],
        capture_output=True,
        check=False,
        env=cli.environment,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (6, b"", b"")
    assert events(cli.core) == [("start", None), ("fail", 6)]


class _Broken:
    """Reports that have a bug."""

    def started(self) -> None:
        raise AttributeError("a bug of ours")

    def ended(self, exit_code: int, output: bytes) -> None:  # noqa: ARG002 - as Reports says
        raise AttributeError("another bug of ours")


def test_a_bug_of_ours_does_not_change_the_exit_code() -> None:
    assert jobrun.run(["sh", "-c", "exit 6"], _Broken()) == 6


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not read")
@pytest.mark.parametrize("option", ["--state", "--config"])
def test_a_job_starts_though_its_user_may_not_read_our_folder(option: str, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    argv = [sys.executable, "-m", "monitord", option, str(closed), "job", "run", "nightly"]
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", *argv, "--", "sh", "-c", "echo ran; exit 6"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (6, "ran\n"), done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_core_and_its_files_a_job_s_url_cannot_be_known(offline: Cli) -> None:
    said = offline("job", "url", "nightly")
    assert said.code == 1
    assert said.err.startswith(f"monitord: no core answers for {offline.core.state}, and ")
