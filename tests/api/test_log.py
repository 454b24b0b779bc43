"""Log lines: what stands in them, and what must never."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PRELUDE = """
import logging, sys
from monitord import log as logs
from monitord.log import configure, get_logger, hide
log = get_logger("monitord.test")
"""


def lines(program: str) -> list[str]:
    """Run a program whose stderr is a pipe; give the lines it logged."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program], capture_output=True, check=True, timeout=60
    )
    assert done.stdout == b""
    return done.stderr.decode().splitlines()


def only(program: str) -> dict[str, object]:
    """Give the one JSON line that a program logged."""
    (line,) = lines(program)
    found: dict[str, object] = json.loads(line)
    return found


def test_a_line_is_json_with_time_level_event_and_fields_where_stderr_is_no_terminal() -> None:
    line = only('configure("info"); log.info("attempt finished", incident=3, outcome="fixed")')
    assert list(line)[:3] == ["at", "level", "event"]
    assert line["level"] == "info"
    assert line["event"] == "attempt finished"
    assert line["incident"] == 3
    assert line["module"] == "monitord.test"


def test_a_person_gets_one_plain_line() -> None:
    (line,) = lines('configure("info", json=False); log.info("attempt finished", a="b c", n=3)')
    assert line[8:] == '  attempt finished  a="b c"  n=3'


def test_a_registered_secret_stands_in_no_field_at_any_depth() -> None:
    text = lines(
        'configure("info"); hide("hunter2hunter2")\n'
        'log.info("login hunter2hunter2", a=["x hunter2hunter2"], b={"hunter2hunter2": 1})\n'
        "try: raise ValueError('hunter2hunter2')\n"
        "except ValueError: log.exception('failed')"
    )
    assert "hunter2" not in "".join(text)
    assert "[redacted]" in text[0]


def test_a_target_cannot_move_the_terminal_or_forge_a_line() -> None:
    hostile = r"\x1b[2J\x07\u202e\udc80\r\n{}"
    machine = lines(f"""configure("info"); log.info("x", summary="{hostile}")""")
    person = lines(f"""configure("info", json=False); log.info("x", summary="{hostile}")""")
    for shown in (machine, person):
        assert len(shown) == 1
        assert all(character.isprintable() for character in shown[0])
    assert "\\\\x1b[2J" in machine[0]


def test_below_the_level_nothing_is_written() -> None:
    assert lines('configure("warning"); log.info("x"); log.debug("y")') == []


def test_before_configure_only_warnings_are_shown() -> None:
    assert len(lines('log.info("x"); log.warning("y")')) == 1


def test_an_unknown_level_is_refused_with_those_that_are_known() -> None:
    (line,) = lines(
        'try: configure("loud")\nexcept ValueError as error: sys.stderr.write(str(error))'
    )
    assert line == "'loud' is not a log level (use debug, info, warning, error, critical)"


def test_what_a_library_logs_comes_in_the_same_form_from_warnings_on() -> None:
    line = only(
        'configure("debug"); logging.getLogger("paramiko.transport").info("chatty")\n'
        'logging.getLogger("paramiko.transport").warning("bad key %s", "\\x1b[1m")'
    )
    assert line["event"] == "bad key \\x1b[1m"
    assert line["module"] == "paramiko.transport"


def test_infinity_is_still_json() -> None:
    assert only('configure("info"); log.info("x", value=float("inf"))')["value"] == "inf"


def test_a_stderr_that_is_gone_does_not_end_the_process() -> None:
    done = subprocess.run(
        ["sh", "-c", f'{sys.executable} -c \'{PRELUDE}configure("info")\nlog.info("x")\' 2>&-'],
        check=False,
        timeout=60,
    )
    assert done.returncode == 0


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_journald_gets_the_priority_of_each_level(level: str) -> None:
    program = (
        "import os; s = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}'\n"
        f"configure('debug'); log.{level}('x')"
    )
    (line,) = lines(program)
    numbers = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
    assert line.startswith(f"<{numbers[level]}>{{")
