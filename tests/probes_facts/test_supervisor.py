"""Programs of a supervisord: what each of its words means, and a real one that breaks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import Facts, ProgramFact, Section
from monitord.model.result import Cause, Result, Status
from monitord.probes.host.supervisor import SupervisorSpec
from monitord.transports.facts_local import gather
from tests.probes_facts.judging import judged
from tests.world.peers import Supervisord
from tests.world.until import until

ASK = ("supervisorctl",)


def told(*programs: ProgramFact, **given: Any) -> dict[str, Result]:
    return judged("supervisor", Facts("h", programs={ASK: programs}), given)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("RUNNING", 0),
        ("STARTING", 1),
        ("STOPPING", 1),
        ("BACKOFF", 2),
        ("FATAL", 2),
        ("STOPPED", 2),
        ("EXITED", 2),
        ("UNKNOWN", 2),
        ("NEVERHEARD", 2),
    ],
)
def test_each_word(word: str, status: int) -> None:
    assert told(ProgramFact("worker", word, ""))["worker"].status == status


def test_the_summary_names_program_state_and_what_supervisor_adds() -> None:
    results = told(
        ProgramFact("web:a", "RUNNING", "pid 7, uptime 1:00:00"),
        ProgramFact("web:b", "FATAL", "Exited too quickly\x1b"),
    )
    assert results["web:a"].summary == "web:a: running, pid 7, uptime 1:00:00"
    assert results["web:b"].summary == (
        "web:b: could not be started and was given up (FATAL), Exited too quickly\\x1b"
    )


def test_what_a_user_stops_or_lets_run_once_may_be_fine() -> None:
    programs = (ProgramFact("a", "STOPPED", ""), ProgramFact("b", "EXITED", ""))
    results = told(*programs, stopped="ok", exited="warning")
    assert [result.status for result in results.values()] == [Status.OK, Status.WARNING]


def test_only_the_named_programs_and_those_must_be_there() -> None:
    programs = (ProgramFact("web:a", "RUNNING", ""), ProgramFact("other", "FATAL", ""))
    results = told(*programs, programs=["web:*", "worker"])
    assert [(item, result.status.name) for item, result in results.items()] == [
        ("web:a", "OK"),
        ("worker", "CRITICAL"),
    ]
    assert "knows no such program" in results["worker"].summary


def test_a_supervisor_without_programs_or_without_an_answer_is_unknown() -> None:
    facts = Facts("h", errors={"program:supervisorctl": "unix:///run/x.sock no such file"})
    for results in (told(), judged("supervisor", facts), judged("supervisor", Facts("h"))):
        (result,) = results.values()
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    (result,) = judged("supervisor", facts).values()
    assert result.summary == "supervisor does not answer: unix:///run/x.sock no such file"


def test_an_empty_command_is_refused() -> None:
    with pytest.raises(ValidationError, match="names no program"):
        SupervisorSpec.model_validate({"server": []})


def test_a_real_program_that_is_killed_and_cannot_come_back(
    supervisord: Callable[[Mapping[str, str]], Supervisord], tmp_path: Any
) -> None:
    program = tmp_path / "worker"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    server = supervisord({"worker": f"command={program}\nstartretries=1\nstartsecs=0"})
    argv = (sys.executable, "-m", "supervisor.supervisorctl", "-c", str(server.config))

    def look() -> Result:
        facts = gather("me", (Section("program", argv),))
        return judged("supervisor", facts, {"server": list(argv)})["worker"]

    until(lambda: server.state("worker") == "RUNNING")
    assert look().status is Status.OK
    program.unlink()
    server.call("signalProcess", "worker", "KILL")
    until(lambda: server.state("worker") in {"FATAL", "BACKOFF", "EXITED"})
    assert look().status is Status.CRITICAL
