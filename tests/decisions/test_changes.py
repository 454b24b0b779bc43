"""What changed: which markers are about an outage, and when a person is at work."""

from datetime import timedelta
from typing import Any

import pytest

from monitord.decisions.changes import ASKED, changed, in_words, last_ok, person_at_work
from monitord.model.catalog import Check, Host
from monitord.model.facts import ChangeFact, ProgramFact, UnitFact
from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.marker import Marker
from monitord.model.result import Status
from monitord.model.spec import Spec
from monitord.model.state import StatePolicy
from monitord.model.ticket import Event

SECOND = 1_000_000
FAILED = Instant(1_800_000_000 * SECOND)
HOST = Host("web1", "10.0.0.1", groups=("web",))
CHECK = Check(
    key=CheckKey("web1/site"),
    host="web1",
    name="site",
    kind="http",
    spec=Spec(),
    every=timedelta(seconds=30),
    retry_every=timedelta(seconds=10),
    timeout=timedelta(seconds=5),
    policy=StatePolicy(),
)
INCIDENT = Incident(
    id=IncidentId(1),
    key="web1/site",
    status=IncidentStatus.OPEN,
    severity=Status.CRITICAL,
    summary="500",
    opened=FAILED,
    first_failed=FAILED,
    due_at=None,
)


def marker(seconds: int, selector: str, text: str) -> Marker:
    return Marker(1, Instant(FAILED + seconds * SECOND), "ci", selector, text)


def told(*rows: dict[str, Any], unread: tuple[str, ...] = ()) -> Event:
    data = {"rows": list(rows), "unread": list(unread)}
    return Event(IncidentId(1), FAILED, ASKED, "", data=data)


def unit(active: str, result: str = "success", load: str = "loaded") -> UnitFact:
    return UnitFact("nginx.service", load, active, "dead", "enabled", result, 0, 0)


def fact(kind: str, ago: float, who: str = "kim", text: str = "ran sudo: x") -> ChangeFact:
    return ChangeFact(ago, kind, who, text)


def test_only_markers_about_it_and_of_the_day_before_are_shown_since_the_last_ok_first() -> None:
    markers = [
        marker(-60, "group=web", "deploy 42"),
        marker(-10, "web2", "of another host"),
        marker(-23 * 3600, "*", "yesterday"),
        marker(-25 * 3600, "*", "long ago"),
        marker(-5, "*", "for all"),
    ]
    found = changed(INCIDENT, CHECK, HOST, [], markers)
    assert found is not None
    assert [(row.text, row.before) for row in found.rows] == [
        ("for all", False),
        ("yesterday", True),
        ("deploy 42", True),
    ]


def test_the_last_ok_lies_one_interval_before_the_first_failure() -> None:
    assert last_ok(INCIDENT, CHECK) == FAILED - 30 * SECOND
    assert last_ok(INCIDENT, None) == FAILED


def test_the_hosts_newest_words_count_and_stand_in_time_with_the_markers() -> None:
    early = {"at": FAILED - 90 * SECOND, "kind": "file", "who": "-", "text": "/etc/a was written"}
    late = {"at": FAILED - 5 * SECOND, "kind": "sudo", "who": "kim", "text": "ran sudo: y"}
    events = [told(early), told(early, late, unread=("crontabs: no",))]
    found = changed(INCIDENT, CHECK, HOST, events, [marker(-20, "*", "deploy")])
    assert found is not None
    assert [row.text for row in found.rows] == ["deploy", "ran sudo: y", "/etc/a was written"]
    assert found.unread == ("crontabs: no",)


def test_many_files_leave_room_for_who_wrote_them() -> None:
    sudo = {"at": FAILED - 60 * SECOND, "kind": "sudo", "who": "kim", "text": "ran sudo: z"}
    files = [
        {"at": FAILED - n * SECOND, "kind": "file", "who": "-", "text": f"/etc/{n} was written"}
        for n in range(50, 0, -1)
    ]
    found = changed(INCIDENT, CHECK, HOST, [told(sudo, *files)], [])
    assert found is not None
    texts = [row.text for row in found.rows]
    assert texts[-1] == "ran sudo: z"
    assert len(texts) == 16
    assert texts[-2] == "/etc/1 was written"


def test_nobody_asked_and_nobody_told_is_nothing() -> None:
    assert changed(INCIDENT, CHECK, HOST, [], []) is None
    asked = changed(INCIDENT, CHECK, HOST, [told()], [])
    assert asked is not None
    assert asked.rows == ()


def test_kinds_are_counted_in_words() -> None:
    assert in_words([]) == "nothing that the host tells"
    rows = [fact("login", 5), fact("login", 6), fact("sudo", 7)]
    assert in_words(rows) == "2 logins, 1 sudo"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (fact("sudo", 240), "kim ran sudo 4 min ago and nginx was stopped cleanly"),
        (fact("sudo", 60, text="became root by su"), "kim became root 1 min ago and"),
        (fact("login", 899), "kim logged in 15 min ago and"),
        (fact("session", 20), "kim typed on a terminal 1 min ago and"),
        (fact("package", 300, who="-"), "somebody changed packages 5 min ago and"),
    ],
)
def test_a_clean_stop_and_a_person_hold(row: ChangeFact, says: str) -> None:
    assert person_at_work([row], [unit("inactive")], []).startswith(says)


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        (fact("sudo", 901), unit("inactive")),
        (fact("file", 10), unit("inactive")),
        (fact("reboot", 10), unit("inactive")),
        (fact("sudo", 10), unit("failed", "exit-code")),
        (fact("sudo", 10), unit("inactive", "signal")),
        (fact("sudo", 10), unit("active")),
        (fact("sudo", 10), unit("inactive", load="not-found")),
    ],
)
def test_either_alone_holds_nothing(row: ChangeFact, seen: UnitFact) -> None:
    assert person_at_work([row], [seen], []) == ""


def test_a_program_that_supervisor_was_told_to_stop_counts_and_one_that_died_does_not() -> None:
    stopped, died = ProgramFact("worker", "STOPPED", ""), ProgramFact("worker", "FATAL", "")
    assert "worker was stopped cleanly" in person_at_work([fact("sudo", 5)], [], [stopped])
    assert person_at_work([fact("sudo", 5)], [], [died]) == ""
