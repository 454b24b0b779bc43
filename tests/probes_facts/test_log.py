"""Log files as programs and logrotate leave them: each line that matches is counted once."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Result, Status
from monitord.probes import PROBES
from tests.probes_facts.looking import Run, Watch, shell
from tests.world.needs import need, requires

BAD = {"patterns": {"bad": {"match": "ERROR", "critical": "0"}}, "within": "1s"}
"""A span shorter than the interval: each look counts what it read itself."""


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Run:
    need("busybox")
    folder = tmp_path_factory.mktemp("busybox")
    subprocess.run(["busybox", "--install", "-s", str(folder)], check=True)
    return shell(str(folder / "ash"), path=str(folder))


@pytest.fixture(params=["dash", "busybox"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.getfixturevalue("busybox") if request.param == "busybox" else shell("dash")
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app log"
    path.write_text("ERROR: old\n")
    return path


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def watch(path: Path | str, run: Run | None = None, **more: Any) -> Watch:
    return Watch("log", {"files": str(path), **BAD, **more}, run)


def bad(result: Result) -> float:
    return next(one.value for one in result.measurements if one.name == "bad")


def logrotate(folder: Path, options: str) -> None:
    """Have the real logrotate turn `app log` over once."""
    need("logrotate")
    config = folder / "conf"
    config.write_text(f'"{folder}/app log" {{\n  rotate 5\n  su root root\n  {options}\n}}\n')
    config.chmod(0o600)
    state = str(folder / "state")
    subprocess.run(["logrotate", "--force", "--state", state, str(config)], check=True)


def test_reading_begins_at_the_end_and_each_line_is_told_once(run: Run, log: Path) -> None:
    watched = watch(log, run)
    assert watched.look().summary.endswith("app log: 1 file, read from now on")
    add(log, "all is well", "ERROR: disk full")
    result = watched.look()
    assert result.status is Status.CRITICAL
    assert result.summary.endswith("app log: 1 × bad in 1s (limit 0): ERROR: disk full")
    assert result.details == "ERROR: disk full"
    again = watched.look()
    assert (again.status, again.summary) == (Status.OK, f"{log}: 1 file, nothing bad")


def test_an_unfinished_line_waits_for_its_end(log: Path) -> None:
    watched = watch(log)
    watched.look()
    with log.open("a") as file:
        file.write("ERR")
    assert bad(watched.look()) == 0
    add(log, "OR: now")
    assert bad(watched.look()) == 1


ROTATIONS: dict[str, Callable[[Path], None]] = {
    "rename": lambda log: logrotate(log.parent, "create"),
    "copytruncate": lambda log: logrotate(log.parent, "copytruncate"),
    "by date": lambda log: logrotate(log.parent, "create\n  dateext\n  dateformat -%Y%m%d-%s"),
    "packed at once": lambda log: logrotate(log.parent, "create\n  compress"),
    "copied and packed": lambda log: logrotate(log.parent, "copytruncate\n  compress"),
    "twice": lambda log: (logrotate(log.parent, "create"), add(log, "ERROR between"),
                          logrotate(log.parent, "create")),
}  # fmt: skip


@pytest.mark.parametrize("how", ROTATIONS)
def test_a_rotation_loses_nothing_and_tells_nothing_twice(run: Run, log: Path, how: str) -> None:
    watched = watch(log, run)
    watched.look()
    add(log, "ERROR one", "fine")
    assert bad(watched.look()) == 1
    add(log, "ERROR two", "ERROR three")
    ROTATIONS[how](log)
    add(log, "ERROR four")
    result = watched.look()
    assert bad(result) == (4 if how == "twice" else 3), result.summary
    add(log, "ERROR five")
    assert bad(watched.look()) == 1
    assert bad(watched.look()) == 0


def test_a_rotated_log_that_still_grows_is_read_to_its_end(log: Path) -> None:
    """Workers that were not yet told to reopen it write on under its old name."""
    watched = watch(log)
    watched.look()
    old = log.rename(log.with_name("app log.1"))
    add(log, "ERROR new")
    assert bad(watched.look()) == 1
    add(old, "ERROR late")
    assert bad(watched.look()) == 1
    assert bad(watched.look()) == 0


def test_a_log_that_is_away_between_two_looks_is_known_again(log: Path) -> None:
    watched = watch(log)
    watched.look()
    log.rename(log.with_name("app log.1"))
    add(log.with_name("app log.1"), "ERROR last")
    result = watched.look()
    assert bad(result) == 1
    assert "there is no such file" in result.summary
    add(log, "ERROR first")
    assert bad(watched.look()) == 1


def test_a_truncated_log_that_grew_beyond_its_old_end_is_read_from_its_beginning(log: Path) -> None:
    watched = watch(log)
    watched.look()
    log.write_text("ERROR a\nERROR b\nERROR c\n")
    result = watched.look()
    assert bad(result) == 3
    assert "lines may be missing" in result.summary


def test_a_log_that_was_removed_before_it_was_read_is_told_once(log: Path) -> None:
    watched = watch(log)
    watched.look()
    log.unlink()
    add(log, "fine")
    result = watched.look()
    assert result.status is Status.WARNING
    assert "was rotated, and what it held behind 11 B is gone or packed" in result.summary
    assert watched.look().status is Status.OK


def test_one_look_reads_a_bounded_part_and_the_next_goes_on(run: Run, log: Path) -> None:
    watched = watch(log, run, at_once=4096, behind="6k")
    watched.look()
    add(log, *(f"ERROR {number:04d}" for number in range(1000)))
    counts = [watched.look() for _ in range(5)]
    assert [bad(result) for result in counts] == [372, 372, 256, 0, 0]
    assert "6.7 KiB are not read yet (limit 6.0 KiB)" in counts[0].summary
    assert counts[1].summary.count("not read") == 0


def test_a_line_longer_than_a_look_does_not_stop_reading(log: Path) -> None:
    watched = watch(log, at_once=4096)
    watched.look()
    add(log, "x" * 10_000, "ERROR behind it")
    assert sum(bad(watched.look()) for _ in range(4)) == 1


def test_a_new_file_of_a_pattern_is_read_whole_and_rotated_names_are_left_out(
    run: Run, tmp_path: Path
) -> None:
    add(tmp_path / "a.log", "ERROR old")
    watched = watch(tmp_path / "*.log*", run)
    watched.look()
    add(tmp_path / "b.log", "ERROR new")
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    add(tmp_path / "a.log.1", "ERROR rotated")
    add(tmp_path / "a.log", "ERROR a")
    assert bad(watched.look()) == 3
    assert bad(watched.look()) == 0


def test_what_a_writer_of_the_log_links_to_is_not_read(log: Path, tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("ERROR: root:secret\n")
    watched = watch(log)
    watched.look()
    log.unlink()
    Path(f"{log}.1").symlink_to(secret)
    add(log, "ERROR mine")
    assert bad(watched.look()) == 1


def test_counts_go_over_the_span_and_it_stays_bad_that_long(log: Path) -> None:
    patterns = {"errors": {"match": "ERROR", "ignore": "harmless", "warning": "1", "critical": "2"}}
    watched = Watch("log", {"files": str(log), "patterns": patterns, "within": "10m"})
    watched.look()
    add(log, "ERROR 1", "ERROR harmless")
    assert watched.look().status is Status.OK
    add(log, "ERROR 2")
    assert watched.look().summary.endswith("2 × errors in 10m (limit 1): ERROR 2")
    add(log, "ERROR 3")
    assert watched.look().status is Status.CRITICAL
    assert watched.look(400).summary.endswith("3 × errors in 10m (limit 2): ERROR 3")
    assert watched.look(100).status is Status.WARNING
    assert watched.look(100).status is Status.OK


def test_lines_that_hold_secrets_are_counted_and_not_shown(log: Path) -> None:
    watched = watch(log, show=False)
    watched.look()
    add(log, "ERROR password=hunter2")
    result = watched.look()
    assert bad(result) == 1
    assert "hunter2" not in f"{result}{watched.memory}"


def test_bytes_that_are_no_text_and_lines_of_ours_are_a_logs_own(run: Run, log: Path) -> None:
    watched = watch(log, run)
    watched.look()
    with log.open("ab") as file:
        file.write(b"\xff\x00 ERROR \xfe\nmonitord-look 1 x\n\n00000000-0000 at 1 2 3\nERROR 2\n")
    assert bad(watched.look()) == 2
    assert bad(watched.look()) == 0


@pytest.mark.parametrize(
    ("absent", "status"), [("unknown", "UNKNOWN"), ("critical", "CRITICAL"), ("ok", "OK")]
)
def test_a_log_that_is_not_there(tmp_path: Path, absent: str, status: str) -> None:
    watched = watch(tmp_path / "none.log", absent=absent)
    result = watched.look()
    assert result.status.name == status
    add(tmp_path / "none.log", "ERROR first")
    assert bad(watched.look()) == 1, "it is new: all of it is read"


@requires("root")
def test_a_log_that_the_login_may_not_read_is_its_own_lack() -> None:
    with tempfile.TemporaryDirectory(prefix="log-") as folder:
        Path(folder).chmod(0o755)
        log = Path(folder) / "app.log"
        add(log, "ERROR: old")
        log.chmod(0o600)
        watched = watch(log, shell("/bin/sh", user="nobody"))
        result = watched.look()
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN), result.summary
        assert "the reading login may not read it (usermod -aG adm USER)" in result.summary
        log.chmod(0o644)
        assert watched.look().status is Status.OK, "what stood there before is old"
        add(log, "ERROR: new")
        assert bad(watched.look()) == 1


def test_an_answer_that_breaks_off_moves_no_place(log: Path) -> None:
    watched = watch(log)
    watched.look()
    add(log, "ERROR 1")
    before = dict(watched.memory)
    real, watched.run = watched.run, lambda _: PluginOutput(-9, "", "", timed_out=True)
    assert watched.look().cause is Cause.TIMEOUT
    watched.run = lambda text: PluginOutput(0, real(text).stdout[:-60], "", truncated=True)
    assert watched.look().status is Status.UNKNOWN
    assert watched.memory == before
    watched.run = real
    assert bad(watched.look()) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [({"patterns": {"a": "x"}}, "needs either files"),
     ({"files": "/a", "unit": "b", "patterns": {"a": "x"}}, "needs either files"),
     ({"files": "log", "patterns": {"a": "x"}}, "'log' is not an absolute path"),
     ({"files": "/log", "patterns": {}}, "names no pattern"),
     ({"files": "/log", "patterns": {"A b": "x"}}, "cannot name a pattern"),
     ({"files": "/log", "patterns": {"a": "(?=x)"}}, "is not a pattern"),
     ({"unit": "a b", "patterns": {"a": "x"}}, "is not a unit name"),
     ({"files": "/log", "patterns": {"a": "x"}, "at_once": "2M"}, "less than or equal")],
)  # fmt: skip
def test_what_is_refused_at_loading(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PROBES["log"].spec.model_validate(given)
