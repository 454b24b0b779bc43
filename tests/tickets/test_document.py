"""The document that the engine makes, read as the person gets it."""

from __future__ import annotations

from datetime import timedelta

from monitord.decisions.ticket_document import document
from monitord.model.catalog import Host
from monitord.model.effect import Command, to_json
from monitord.model.ids import AttemptId, IncidentId, Instant, StepId
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.result import Status
from monitord.tickets.text import render

AT = Instant(int(timedelta(days=20_000) / timedelta(microseconds=1)))
ARGV = ("journalctl", "--unit=nginx", "--grep=out of memory")


def _step(phase: Phase, status: StepStatus, output: str) -> Step:
    return Step(
        id=StepId(1),
        attempt=AttemptId(1),
        position=0,
        phase=phase,
        kind="command",
        target="web1",
        effect=to_json(Command(ARGV)),
        idempotent=False,
        status=status,
        intended=AT,
        deadline=AT,
        exit_code=1,
        output=output,
    )


def _text() -> str:
    incident = Incident(
        IncidentId(4),
        "web1/site",
        IncidentStatus.ESCALATED,
        Status.CRITICAL,
        "answered 500",
        AT,
        AT,
        None,
    )
    attempt = Attempt(
        AttemptId(1),
        IncidentId(4),
        "web1/site",
        "web1",
        "restart-nginx",
        "",
        "",
        "auto",
        AttemptStatus.FAILED,
        "",
        ("web1",),
        (),
        AT,
        None,
        AT,
    )
    steps = [
        _step(Phase.COLLECT, StepStatus.DONE, "killed worker 7"),
        _step(Phase.STEP, StepStatus.FAILED, "no such unit"),
    ]
    return render(
        document(
            incident,
            check=None,
            host=Host("web1", "10.1.1.11"),
            attempts=[attempt],
            steps={1: steps},
            events=[],
            ticket=None,
            instance="prod",
        )
    )


def test_the_first_line_names_the_check_and_not_the_number() -> None:
    assert _text().splitlines()[0] == "web1/site is CRITICAL: answered 500"


def test_the_host_is_named_with_its_address() -> None:
    assert "  host:          web1 (10.1.1.11)" in _text().splitlines()


def test_evidence_and_steps_show_the_command_as_a_shell_would_take_it() -> None:
    command = "journalctl --unit=nginx '--grep=out of memory'"
    text = _text()
    assert f"  web1: {command}\n  | killed worker 7" in text
    assert f"     $ {command}\n     | no such unit" in text
