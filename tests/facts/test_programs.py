"""A real supervisord, as its supervisorctl tells it here and over the script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import pytest

from monitord.model.facts import ProgramFact, Section
from monitord.transports.facts_local import gather
from monitord.transports.facts_sections import SectionError
from monitord.transports.facts_text import (
    failed_units,
    program_facts,
    synchronised,
    unit_facts,
)
from tests.facts.conftest import Ask
from tests.world.peers import Supervisord
from tests.world.until import until

PROGRAMS = {
    "worker": "command=sleep 1000",
    "broken": "command=/bin/false\nstartretries=0",
    "once": "command=/bin/true\nstartsecs=0\nautorestart=false",
    "resting": "command=sleep 1000\nautostart=false",
}


def test_every_program_with_its_word(
    ask: Ask, supervisord: Callable[[Mapping[str, str]], Supervisord]
) -> None:
    server = supervisord(PROGRAMS)
    wanted = {"worker": "RUNNING", "broken": "FATAL", "once": "EXITED", "resting": "STOPPED"}
    until(lambda: {name: server.state(name) for name in PROGRAMS} == wanted)
    argv = (sys.executable, "-m", "supervisor.supervisorctl", "-c", str(server.config))
    section = Section("program", argv)
    for facts in (ask(section), gather("me", (section,))):
        assert dict(facts.errors) == {}
        programs = {program.name: program for program in facts.programs[argv]}
        assert {name: program.state for name, program in programs.items()} == wanted
        assert programs["worker"].description.startswith("pid ")


def test_a_supervisord_that_is_gone_is_an_error(
    ask: Ask, supervisord: Callable[[Mapping[str, str]], Supervisord]
) -> None:
    server = supervisord({"worker": "command=sleep 1000"})
    argv = (sys.executable, "-m", "supervisor.supervisorctl", "-c", str(server.config))
    server.stop()
    section = Section("program", argv)
    for facts in (ask(section), gather("me", (section,))):
        (reason,) = facts.errors.values()
        assert "sock" in reason
        assert dict(facts.programs) == {}


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("", ()),
        (
            "worker                           RUNNING   pid 12, uptime 0:00:05\n",
            (ProgramFact("worker", "RUNNING", "pid 12, uptime 0:00:05"),),
        ),
        (
            "web:web_00   FATAL     Exited too quickly (see its log)\nweb:web_01   BACKOFF\n",
            (
                ProgramFact("web:web_00", "FATAL", "Exited too quickly (see its log)"),
                ProgramFact("web:web_01", "BACKOFF", ""),
            ),
        ),
        (
            "Warning: something\nworker STOPPED Not started\n",
            (ProgramFact("worker", "STOPPED", "Not started"),),
        ),
    ],
)
def test_what_supervisorctl_prints(text: str, programs: tuple[ProgramFact, ...]) -> None:
    assert program_facts(text) == programs


@pytest.mark.parametrize(
    "text", ["unix:///tmp/sock no such file\n", "error: <class 'OSError'>", "worker DANCING fast"]
)
def test_what_is_no_list_of_programs_is_an_error(text: str) -> None:
    with pytest.raises(SectionError, match=text.split(maxsplit=1)[0].replace("<", ".")):
        program_facts(text)


def test_units_that_do_not_match_their_names_are_an_error() -> None:
    block = "Id=a.service\nLoadState=loaded\nActiveState=active\n"
    assert unit_facts(block, ["a"])["a"].active == "active"
    with pytest.raises(SectionError, match="told 1 units where 2 were asked"):
        unit_facts(block, ["a", "b"])


def test_odd_numbers_of_a_unit_read_as_zero() -> None:
    block = "LoadState=loaded\nMainPID=x\nNRestarts=[not set]\n"
    unit = unit_facts(block, ["a"])["a"]
    assert (unit.name, unit.main_pid, unit.restarts) == ("a", 0, 0)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", ()),
        ("a.service loaded failed failed What it is\n", ("a.service",)),
        (
            "● b.service loaded failed failed B\n* a.mount loaded failed failed A\n",
            ("a.mount", "b.service"),
        ),
        ("a.service loaded active running failed to describe\n", ()),
        ("gone.service not-found failed failed gone.service\n", ("gone.service",)),
    ],
)
def test_the_list_of_failed_units(text: str, units: tuple[str, ...]) -> None:
    assert failed_units(text) == units


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("NTPSynchronized=yes\n", True),
        ("NTPSynchronized=no\n", False),
        ("", None),
        ("Failed to query server: NTPSynchronized=yes", None),
    ],
)
def test_whether_something_keeps_the_clock(text: str, *, kept: bool | None) -> None:
    assert synchronised(text) is kept
