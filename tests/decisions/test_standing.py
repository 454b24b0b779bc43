"""What stands around an outage on its ticket: promises, what comes, what helped, how to answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitord.decisions.standing import Around, standing
from monitord.decisions.ticket_document import document
from monitord.model.catalog import Catalog, Service, Settings
from monitord.model.ids import IncidentId
from monitord.model.incident import Attempt, AttemptStatus, Incident, IncidentStatus
from monitord.model.policy import Policy, PolicyStep, Vendor
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.sla import Sla, Target
from monitord.model.ticket import Event
from tests.decisions.cases import WEB1, at, check, incident
from tests.decisions.test_ticket_document import attempt

CHECK = check(services=("shop",))
POLICY = Policy(
    "p",
    (
        PolicyStep("L1", ("rotation/desk",)),
        PolicyStep("L2", ("person/lee",), {"P3": timedelta(minutes=15)}),
        PolicyStep("L4", ("vendor/acme",)),
    ),
)
GOLD = Sla("gold", {"P3": Target(timedelta(minutes=10), timedelta(hours=1))})
CATALOG = Catalog(
    hash="c",
    runbooks={},
    settings=Settings("here", "standard", observe=False, state="", store="", web="", policy="p"),
    hosts={"web1": WEB1},
    checks={CHECK.key: CHECK},
    services={"shop": Service("shop", impact="high", sla="gold", checks=(CHECK.key,))},
    policies={"p": POLICY},
    vendors={"acme": Vendor("acme", "C-77", "+49 1", timedelta(hours=4))},
    slas={"gold": GOLD},
)


def around(**changes: Any) -> Around:
    known = Around(at(700), CATALOG, (), (), lambda name, _at: (f"{name}-1",))
    return replace(known, **changes)


def told(
    of: Incident,
    *attempts: Attempt,
    events: tuple[Event, ...] = (),
    **changes: Any,
) -> dict[str, Any]:
    return standing(of, CHECK, attempts, events, None, around(**changes))


def escalated(**changes: Any) -> Incident:
    return incident(status=IncidentStatus.ESCALATED, items=("web1/site",), **changes)


def test_whose_service_is_hurt_and_how_its_promises_stand() -> None:
    found = told(escalated())
    assert found["service_levels"] == [{"name": "shop", "sla": "gold", "impact": "high"}]
    respond, resolve = found["clocks"]
    assert (respond["promise"], respond["broken"], respond["left"]) == ("respond", True, None)
    assert respond["due"] == "1970-01-01T00:10:40Z"
    assert (resolve["promise"], resolve["broken"], resolve["left"]) == ("resolve", False, "49m")


def test_where_nobody_wrote_a_level_there_is_no_clock() -> None:
    bare = replace(CATALOG, services={"shop": Service("shop")}, slas={})
    assert told(escalated(), catalog=bare)["clocks"] == []


def test_who_is_told_next_and_when() -> None:
    found = told(escalated(paged=1, page_at=at(900)))
    assert found["told_next"] == {
        "tier": "L2", "people": ["lee"], "vendors": [], "at": "1970-01-01T00:15:00Z",
    }  # fmt: skip
    what = "unless somebody answers, L2 is told: lee"
    assert found["coming"] == [{"at": "1970-01-01T00:15:00Z", "what": what}]
    first = told(escalated(page_at=at(800)))["told_next"]
    assert first["people"] == ["desk-1"], "of a rotation, who is on call then"


@pytest.mark.parametrize(
    "of",
    [escalated(paged=3), incident(status=IncidentStatus.RESOLVED, cause="recovered", paged=1)],
)
def test_when_all_are_told_or_it_is_over_nobody_is_next(of: Incident) -> None:
    assert told(of)["told_next"] is None


def test_while_automation_works_the_next_tier_has_no_time() -> None:
    of = incident(status=IncidentStatus.WAITING, paged=1, page_at=at(730), due_at=at(760))
    found = told(of)
    assert found["told_next"]["at"] is None
    assert found["coming"] == [{"at": "1970-01-01T00:12:40Z", "what": "I look again"}]


def test_a_plan_that_waits_is_the_next_command_and_says_when_it_expires() -> None:
    plan = attempt(5, "reboot", status=AttemptStatus.APPROVAL, due_at=at(1000))
    of = incident(status=IncidentStatus.WAITING, due_at=at(1000))
    found = document(
        of, check=CHECK, host=WEB1, attempts=[plan], steps={}, events=[], ticket=None,
        instance="here", around=around(),
    )  # fmt: skip
    assert found["next_command"] == "monitord approve 5"
    assert found["next_risk"] == "changes web1"
    what = "the approval of attempt 5 expires"
    assert found["coming"] == [{"at": "1970-01-01T00:16:40Z", "what": what}]
    commands = [one["command"].split(" --")[0] for one in found["answers"]]
    assert commands == [
        "monitord approve 5", "monitord deny 5", "monitord ack web1/site", "monitord take web1",
        "monitord incident 7 next",
    ]  # fmt: skip


def test_the_last_three_times_tell_how_they_ended_and_what_cured_them() -> None:
    past = incident(status=IncidentStatus.CLOSED)
    fixed = replace(past, id=IncidentId(6), cause="verified")
    closed = replace(past, id=IncidentId(5), cause="closed", closed_by="kim", cure="cache cleared")
    alone = replace(past, id=IncidentId(4), cause="recovered")
    former = [
        (fixed, [attempt(1, "restart-nginx", status=AttemptStatus.FIXED)]),
        (closed, []),
        (alone, []),
        (replace(alone, id=IncidentId(3)), []),
    ]
    similar = told(escalated(), former=former)["similar"]
    assert [(one["incident"], one["ended"], one["cure"], one["by"]) for one in similar] == [
        (6, "fixed by restart-nginx", "", "monitord"),
        (5, "closed", "cache cleared", "kim"),
        (4, "recovered", "", ""),
    ]


def test_a_problem_brings_its_cause_and_its_cure() -> None:
    problem = Problem(3, "web1/site", ProblemStatus.KNOWN, "again", at(1), at(2), 3, cure="ci 42")
    found = told(escalated(), problem=problem)["problem"]
    assert (found["id"], found["title"], found["cure"]) == (3, "again", "ci 42")


def test_a_vendor_stands_there_once_its_turn_has_come() -> None:
    paged = Event(IncidentId(7), at(600), "paged", "L4", data={"vendors": ["acme", "gone"]})
    (vendor,) = told(escalated(), events=(paged,))["vendors"]
    assert vendor == {
        "name": "acme",
        "contract": "C-77",
        "contact": "+49 1",
        "respond": "4h",
        "resolve": "",
        "holds": False,
    }
    assert told(escalated())["vendors"] == []
