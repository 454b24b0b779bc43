"""Each tracker before its server: what is sent in its own terms, what people did there is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from monitord.errors import StaysClosedError, TicketError
from monitord.model.ids import Instant
from monitord.model.kinds import Readable, TicketBackend
from monitord.model.ticket import Operation, Remote
from monitord.tickets.contract import DOCUMENT, message
from tests.tickets.fakes import desks, forges, jira
from tests.tickets.real import RequestTracker
from tests.tickets.rigs import build
from tests.world.needs import need


@dataclass
class Case:
    """A tracker, its server, and how a person changes the ticket `external` there."""

    backend: TicketBackend
    server: Any
    person: Callable[[str], None]
    shown: Callable[[str], Any]  # the ticket's priority and tier in the server's own words
    expected: Any  # that of P1 at L3
    due: str = ""  # by when a person wants it, as it is read


def _github(fake: forges.Github) -> Case:
    def person(external: str) -> None:
        issue = fake.issues[int(external)]
        issue["assignees"] = [{"login": "anna"}]
        issue.update(state="closed", state_reason="not_planned")
        issue["labels"] = [{"name": "monitord"}, {"name": "priority: P2"}]
        fake.add_comment(int(external), "not ours", "anna")

    def shown(external: str) -> Any:
        return {label["name"] for label in fake.issues[int(external)]["labels"]}

    wanted = {"monitord", "priority: P1", "experts"}
    return Case(build("github", fake.url, tiers={"L3": "experts"}), fake, person, shown, wanted)


def _gitlab(fake: forges.Gitlab) -> Case:
    def person(external: str) -> None:
        issue = fake.issues[int(external)]
        issue.update(state="closed", assignees=[{"username": "anna"}])
        issue["labels"] = ["monitord", "priority::P2"]
        issue["due_date"] = "2027-01-31"
        fake.add_note(int(external), "closed", "anna", system=True)
        fake.add_note(int(external), "not ours", "anna")

    def shown(external: str) -> Any:
        return set(fake.issues[int(external)]["labels"])

    wanted = {"monitord", "priority::P1", "experts"}
    backend = build("gitlab", fake.url, tiers={"L3": "experts"})
    return Case(backend, fake, person, shown, wanted, "2027-01-31")


def _jira(fake: jira.Jira) -> Case:
    name = "jira-cloud" if fake.version == 3 else "jira"
    text = {"type": "text", "text": "not ours"}
    said: Any = "not ours"
    if fake.version == 3:
        paragraph = {"type": "paragraph", "content": [text]}
        said = {"type": "doc", "version": 1, "content": [paragraph]}

    def person(external: str) -> None:
        fake.issues[external].update(
            status="Won't Do", assignee="anna", priority={"name": "High", "id": "2"}
        )
        fake.issues[external]["duedate"] = "2027-01-31"
        fake.add_comment(external, said, "anna")

    def shown(external: str) -> Any:
        issue = fake.issues[external]
        return issue["priority"]["name"], "experts" in issue["labels"]

    backend = build(name, fake.url, tiers={"L3": "experts"})
    return Case(backend, fake, person, shown, ("Highest", True), "2027-01-31")


def _servicenow(fake: desks.Servicenow) -> Case:
    def person(external: str) -> None:
        fake.records[external].update(state="8", assigned_to="anna", impact="1", priority="2")
        fake.records[external]["due_date"] = "2027-01-31 18:00:00"
        fake.write_journal(external, "comments", "not ours", "anna")

    def shown(external: str) -> Any:
        record = fake.records[external]
        return record["impact"], record["urgency"], record.get("assignment_group")

    backend = build("servicenow", fake.url, tiers={"L3": "Experts"})
    return Case(backend, fake, person, shown, ("1", "1", "Experts"), "2027-01-31 18:00:00Z")


def _zammad(fake: desks.Zammad) -> Case:
    def person(external: str) -> None:
        fake.tickets[int(external)].update(state="closed", owner="anna", priority="3 high")
        fake.add_article(int(external), "not ours", "anna")

    def shown(external: str) -> Any:
        ticket = fake.tickets[int(external)]
        return ticket["priority"], ticket["group"]

    backend = build("zammad", fake.url, tiers={"L3": "Experts"})
    return Case(backend, fake, person, shown, ("3 high", "Experts"))


def _rt(rt: RequestTracker) -> Case:
    rt.ask("POST", "/queue", {"Name": "Experts"})
    anna = {"Name": "anna", "Password": "s3cret-of-anna", "Privileged": 1}
    rt.ask("POST", "/user", anna)

    def person(external: str) -> None:
        fields = {"Status": "rejected", "Owner": "root", "Priority": "75"}
        fields["Due"] = "2027-01-31 18:00:00"
        rt.ask("PUT", f"/ticket/{external}", fields)
        said = {"Content": "not ours", "ContentType": "text/plain"}
        rt.ask("POST", f"/ticket/{external}/comment", said)

    def shown(external: str) -> Any:
        ticket = rt.ask("GET", f"/ticket/{external}?fields[Queue]=Name")
        return ticket["Priority"], rt.ask("GET", f"/queue/{ticket['Queue']['id']}")["Name"]

    backend = build("rt", rt.url, timeout=20, tiers={"L3": "Experts"})
    return Case(backend, rt, person, shown, ("100", "Experts"), "2027-01-31T18:00:00Z")


CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Case]]] = {
    "github": (forges.Github, _github),
    "gitlab": (forges.Gitlab, _gitlab),
    "jira": (jira.Jira, _jira),
    "jira-cloud": (jira.JiraCloud, _jira),
    "rt": (RequestTracker, _rt),
    "servicenow": (desks.Servicenow, _servicenow),
    "zammad": (desks.Zammad, _zammad),
}


@pytest.fixture(scope="module", params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    server, make = CASES[request.param]
    if request.param == "rt":
        need("request-tracker")
    with server() as started:
        yield make(started)


def opened(case: Case, key: str) -> str:
    return case.backend.deliver(message(1, Operation.OPEN, key), DOCUMENT, "").external


def test_what_a_person_did_there_is_read(case: Case) -> None:
    assert isinstance(case.backend, Readable)
    external = opened(case, "prod-1")
    untouched = case.backend.read(external, Instant(0))
    assert untouched is not None
    assert untouched.due == ""
    case.person(external)
    there = case.backend.read(external, Instant(0))
    assert isinstance(there, Remote)
    assert there.due == case.due
    assert there.closed
    assert there.owner == ("root" if isinstance(case.server, RequestTracker) else "anna")
    assert "P2" in there.priority.split("/")
    (remark,) = there.remarks
    assert (remark.text.strip(), remark.by) == ("not ours", there.owner)
    late = Instant(remark.at + 10_000_000)
    again = case.backend.read(external, late)
    assert again is not None
    assert again.remarks == ()


def test_what_a_person_closed_is_not_closed_in_another_way(case: Case) -> None:
    """Won't-fix stays won't-fix when the check recovers."""
    assert isinstance(case.backend, Readable)
    external = opened(case, "prod-2")
    case.person(external)
    before = case.backend.read(external, Instant(0))
    case.backend.deliver(message(2, Operation.RESOLVE, "prod-2"), DOCUMENT, external)
    after = case.backend.read(external, Instant(0))
    assert before is not None
    assert after is not None
    assert (after.status, after.closed) == (before.status, True)


def test_a_priority_is_set_only_when_it_is_monitord_that_changed_it(case: Case) -> None:
    external = opened(case, "prod-3")
    before = case.shown(external)
    same = DOCUMENT | {"priority": "P1", "tier": "L3", "was": {"priority": "P1", "tier": "L3"}}
    case.backend.deliver(message(2, Operation.UPDATE, "prod-3"), same, external)
    assert case.shown(external) == before
    moved = same | {"was": {"priority": "P3", "tier": "L1"}}
    case.backend.deliver(message(3, Operation.UPDATE, "prod-3"), moved, external)
    assert case.shown(external) == case.expected


def test_a_ticket_that_is_gone_there_is_told(case: Case) -> None:
    assert isinstance(case.backend, Readable)
    gone = "OPS-999" if isinstance(case.server, jira.Jira) else "999"
    assert case.backend.read(gone, Instant(0)) is None
    with pytest.raises(TicketError, match=f"ticket {gone} is no longer there") as caught:
        case.backend.deliver(message(2, Operation.UPDATE, "prod-9"), DOCUMENT, gone)
    assert caught.value.permanent


@pytest.mark.parametrize("name", ["jira", "servicenow"])
def test_a_ticket_that_its_workflow_does_not_let_be_opened_again_is_told_as_such(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, make = CASES[name]
    with server() as started:
        case = make(started)
        external = opened(case, "prod-30")
        case.backend.deliver(message(2, Operation.RESOLVE, "prod-30"), DOCUMENT, external)
        if name == "jira":
            monkeypatch.setitem(jira.MOVES, started.issues[external]["status"], {})
        else:
            started.final = True
        with pytest.raises(StaysClosedError, match=f"{external} stays closed: "):
            case.backend.deliver(message(3, Operation.REOPEN, "prod-30"), DOCUMENT, external)
        follows = DOCUMENT | {"follows": external}
        made = case.backend.deliver(message(4, Operation.OPEN, "prod-30.2"), follows, "")
        assert made.external != external
        assert case.backend.find("prod-30") == external  # type: ignore[attr-defined]  # a tracker
        assert case.backend.find("prod-30.2") == made.external  # type: ignore[attr-defined]  # as above
        assert f"This follows {external}" in str(vars(started))
        assert f"It goes on in {made.external}" in str(vars(started))


QUOTED = "It is the disk.\n\n> Again: web1/site\n> [monitord prod-20]\n"


@pytest.mark.parametrize("name", ["github", "gitlab", "jira", "servicenow", "zammad"])
def test_a_persons_answer_that_quotes_ours_is_theirs_however_much_we_wrote(name: str) -> None:
    server, make = CASES[name]
    with server() as started:
        case = make(started)
        external = opened(case, "prod-20")
        say: dict[str, Callable[[str, str], Any]] = {
            "github": lambda text, by: started.add_comment(int(external), text, by),
            "gitlab": lambda text, by: started.add_note(int(external), text, by),
            "jira": lambda text, by: started.add_comment(external, text, by),
            "servicenow": lambda text, by: started.write_journal(external, "comments", text, by),
            "zammad": lambda text, by: started.add_article(int(external), text, by),
        }
        for _ in range(120):
            say[name]("CRITICAL\n[monitord prod-20]\n", "monitord")
        say[name](QUOTED, "anna")
        there = case.backend.read(external, Instant(0))
    assert there is not None
    assert [(remark.by, remark.text) for remark in there.remarks] == [("anna", QUOTED)]


def test_a_record_that_a_query_does_not_mean_is_not_taken_over() -> None:
    """ServiceNow ignores a condition on a field that a table has not, and answers any record."""
    with desks.Servicenow() as fake:
        fake.records["abc"] = {"sys_id": "abc", "sys_created_on": "2026-01-01 00:00:00"}
        assert build("servicenow", fake.url).find("prod-1") is None


def test_ranks_of_ones_own_are_read_as_they_were_set() -> None:
    with desks.Servicenow() as fake:
        backend = build("servicenow", fake.url, priorities={"P3": "3 3", "P1": "1 2"})
        external = backend.deliver(message(1, Operation.OPEN, "prod-1"), DOCUMENT, "").external
        there = backend.read(external, Instant(0))
        assert there is not None
        assert there.priority == "P3"


@pytest.mark.parametrize(
    ("name", "hostile"),
    [("jira", "{NoFormat}[~admin]"), ("servicenow", "[code]<b>hi</b>[/CODE]")],
)
def test_what_a_target_wrote_is_no_markup_there(name: str, hostile: str) -> None:
    server, make = CASES[name]
    with server() as started:
        case = make(started)
        said = DOCUMENT | {"summary": hostile, "comment": hostile}
        external = case.backend.deliver(message(1, Operation.OPEN, "prod-1"), said, "").external
        case.backend.deliver(message(2, Operation.COMMENT, "prod-1"), said, external)
        texts = [text for _, _, body in started.requests for text in _leaves(body)]
    mark = "{noformat}" if name == "jira" else "code]"
    for text in texts:
        inner = text.removeprefix(mark).removesuffix(mark)
        assert hostile not in inner
    assert any("admin" in text or "<b>" in text for text in texts)


def _leaves(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for name, value in body.items():
            if name not in ("summary", "short_description"):  # one line of plain text
                yield from _leaves(value)
    elif isinstance(body, str):
        yield body
