import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.ticket_document import document, iso, next_command
from monitord.model.effect import Command, HttpCall, to_json
from monitord.model.ids import AttemptId, IncidentId, Instant, StepId, TicketId
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.kinds import JobRecord
from monitord.model.result import Status
from monitord.model.ticket import Event, Ticket, TicketStatus
from tests.decisions.cases import WEB1, at, check, incident

_S = IncidentStatus


def attempt(number: int, runbook: str, **changes: Any) -> Attempt:
    made = Attempt(
        id=AttemptId(number),
        incident=IncidentId(7),
        key="web1/site",
        host="web1",
        runbook=runbook,
        runbook_hash="h",
        catalog="c",
        mode="auto",
        status=AttemptStatus.FAILED,
        plan="{}",
        targets=("web1",),
        locks=(),
        planned=at(90),
        due_at=None,
        deadline=at(300),
        started=at(90),
        finished=at(200),
        outcome="not fixed: 0 of 3 OKs",
    )
    return replace(made, **changes)


def step(number: int, phase: Phase, *argv: str, of: int = 1, **changes: Any) -> Step:
    made = Step(
        id=StepId(number),
        attempt=AttemptId(of),
        position=number,
        phase=phase,
        kind="command",
        target="web1",
        effect=to_json(Command(argv)),
        idempotent=False,
        status=StepStatus.DONE,
        intended=at(90),
        deadline=at(150),
        exit_code=0,
    )
    return replace(made, **changes)


def event(second: float, kind: str, text: str = "it happened", **data: Any) -> Event:
    return Event(IncidentId(7), at(second), kind, text, data=data)


def made(of: Incident | None = None, **given_: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "check": check(),
        "host": WEB1,
        "attempts": [],
        "steps": {},
        "events": [],
        "ticket": None,
        "instance": "here",
    }
    return document(of or incident(), **{**arguments, **given_})


LOG = step(1, Phase.COLLECT, "journalctl", "-n", "50", output="segfault")
TEST = step(2, Phase.REQUIRE, "nginx", "-t", output="syntax is ok")
RESTART = step(3, Phase.STEP, "systemctl", "restart", "nginx", exit_code=1, error="exit 1")


def test_it_says_what_is_broken_for_whom_and_what_a_person_does() -> None:
    ticket = Ticket(
        TicketId(3), IncidentId(7), "here-7", TicketStatus.OPEN, "L1", "P3", "", at(1), at(1)
    )
    found = made(incident(tier="L1", priority="P2"), ticket=ticket)
    assert found["key"] == "here-7"
    assert found["ticket"] == 3
    assert (found["tier"], found["priority"]) == ("L1", "P2")
    assert found["title"] == "web1/site: CRITICAL: no answer within 5 s"
    assert found["host"]["address"] == "10.1.1.1"
    assert found["since"] == "1970-01-01T00:01:00Z"
    assert found["first_failed"] == "1970-01-01T00:00:40Z"
    assert found["means"] == "customers see an error page"
    assert found["by_hand"] == "look at the error log"
    assert found["next_command"] == "monitord explain web1/site"


def test_what_was_tried_is_a_transcript_and_evidence_stands_apart() -> None:
    found = made(attempts=[attempt(1, "restart-nginx")], steps={1: [LOG, TEST, RESTART]})
    (tried,) = found["tried"]
    assert tried["runbook"] == "restart-nginx"
    assert tried["outcome"] == "not fixed: 0 of 3 OKs"
    assert [step["effect"] for step in tried["steps"]] == ["nginx -t", "systemctl restart nginx"]
    assert tried["steps"][1]["error"] == "exit 1"
    assert found["evidence"] == [{"title": "web1: journalctl -n 50", "text": "segfault"}]


def test_of_evidence_that_was_collected_twice_the_newest_is_shown() -> None:
    later = replace(LOG, id=StepId(9), attempt=AttemptId(2), output="out of memory")
    attempts = [attempt(1, "restart-nginx"), attempt(2, "restore")]
    found = made(attempts=attempts, steps={1: [LOG], 2: [later]})
    assert found["evidence"] == [{"title": "web1: journalctl -n 50", "text": "out of memory"}]


def test_evidence_that_is_not_there_yet_is_left_out_and_a_failure_is_shown() -> None:
    running = replace(LOG, status=StepStatus.INTENT, output="")
    failed = step(4, Phase.COLLECT, "df", status=StepStatus.FAILED, error="not found")
    found = made(attempts=[attempt(1, "restart-nginx")], steps={1: [running, failed]})
    assert found["evidence"] == [{"title": "web1: df", "text": "not found"}]


def test_what_was_refused_is_told_with_its_reason_and_the_exact_plan() -> None:
    plan = [
        {"phase": "step", "kind": "systemd", "target": "web1", "text": "systemctl restart nginx"}
    ]
    events = [
        event(90, "opened"),
        event(91, "refused", guard="mode", runbook="restart-nginx", reason="in shadow", plan=plan),
    ]
    (refused,) = made(events=events)["refused"]
    assert refused == {
        "at": "1970-01-01T00:01:31Z",
        "runbook": "restart-nginx",
        "guard": "mode",
        "reason": "in shadow",
        "plan": plan,
    }


def test_what_every_guard_said_of_a_rung_is_told_as_it_was_last_asked() -> None:
    early = [{"guard": "halt", "ok": False, "reason": "the file HALT exists"}]
    late = [{"guard": "halt", "ok": True, "reason": ""}]
    events = [
        event(91, "waiting", runbook="restart-nginx", guards=early),
        event(92, "refused", runbook="restore", guards=early),
        event(93, "attempt-planned", runbook="restart-nginx", guards=late),
        event(94, "refused", runbook="restart-nginx", guards=[]),
    ]
    found = made(events=events)["guards"]
    assert found == [
        {"at": "1970-01-01T00:01:33Z", "runbook": "restart-nginx", "verdicts": late},
        {"at": "1970-01-01T00:01:32Z", "runbook": "restore", "verdicts": early},
    ]


SAYS = {
    _S.OPEN: "I am looking.",
    _S.WAITING: "I wait: the lock",
    _S.REPAIRING: "I am repairing it; there is nothing for you to do yet.",
    _S.ESCALATED: "I have stopped, it is yours.",
    _S.RESOLVED: "It is over: verified.",
    _S.CLOSED: "It is over: verified.",
}


@pytest.mark.parametrize("status", _S)
def test_it_says_whose_it_is(status: IncidentStatus) -> None:
    waiting = "the lock" if status is _S.WAITING else ""
    of = incident(status=status, cause="verified", waiting_for=waiting)
    assert made(of)["says"] == SAYS[status]


def test_what_a_person_closed_says_who_and_why() -> None:
    of = incident(status=_S.CLOSED, closed_by="kim", close_reason="moved", cause="closed")
    assert made(of)["says"] == "Closed by kim: moved"


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({}, "monitord explain web1/site"),
        ({"status": _S.RESOLVED}, "monitord incident 7"),
        ({"status": _S.CLOSED}, "monitord incident 7"),
        ({"key": "unknown/login", "items": ("web2/ssh",)}, "monitord explain web2/ssh"),
        ({"key": "unknown/login", "items": ()}, "monitord incident 7"),
    ],
)
def test_the_next_command_changes_nothing(changes: dict[str, Any], command: str) -> None:
    assert next_command(incident(**changes)) == command


def test_an_incident_of_no_check_and_no_host_has_a_ticket_all_the_same() -> None:
    of = incident(key="unknown/login", severity=Status.UNKNOWN, items=("web1/ssh", "web2/ssh"))
    found = made(of, check=None, host=None)
    assert found["host"] is None
    assert found["means"] == ""
    assert found["items"] == ["web1/ssh", "web2/ssh"]


def test_a_long_timeline_loses_its_middle() -> None:
    events = [event(number, "waiting", str(number)) for number in range(1000)]
    shown = [line["text"] for line in made(events=events)["timeline"]]
    assert len(shown) == 200
    assert shown[:2] == ["0", "1"]
    assert shown[99:101] == ["99", "900"]
    assert shown[-1] == "999"


@pytest.mark.parametrize(
    ("instant", "text"),
    [(None, None), (0, "1970-01-01T00:00:00Z"), (1_800_000_000_500_000, "2027-01-15T08:00:00Z")],
)
def test_times_are_iso_texts(instant: int | None, text: str | None) -> None:
    assert iso(None if instant is None else Instant(instant)) == text


@given(st.text(), st.text(), st.text())
def test_whatever_targets_say_it_is_json(said: str, printed: str, header: str) -> None:
    call = step(2, Phase.STEP, effect=to_json(HttpCall("GET", "http://x/", {"h": header})))
    found = made(
        incident(summary=said),
        attempts=[attempt(1, "r", outcome=said)],
        steps={1: [replace(LOG, output=printed), call]},
        events=[event(1, "opened", said)],
    )
    assert json.loads(json.dumps(found)) == found


def test_the_end_of_a_jobs_output_is_evidence_without_any_attempt() -> None:
    made = document(
        incident(),
        check=check(),
        host=WEB1,
        attempts=[],
        steps={},
        events=[],
        ticket=None,
        instance="ulm-1",
        job=JobRecord(
            at(0), at(60), 1, "no space on the archive", running=False, watched_since=at(0)
        ),
    )
    text = "no space on the archive"
    assert made["evidence"] == [{"title": "the end of the job's output", "text": text}]


def test_what_the_check_saw_is_evidence_the_newest_once() -> None:
    text = "no space on the archive"
    job = JobRecord(at(0), at(60), 1, f"{text}\n", running=False, watched_since=at(0))
    events = [
        event(1, "opened", saw="503 Busy", item="web1/site"),
        event(2, "amended", saw=text, item="web1/site"),
        event(3, "amended"),
    ]
    expected = [{"title": "what web1/site saw", "text": text}]
    assert made(events=events)["evidence"] == expected
    assert made(events=events, job=job)["evidence"] == expected, "a job's output is not told twice"
