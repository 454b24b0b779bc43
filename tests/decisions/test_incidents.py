from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.incidents import (
    NETWORK,
    Amend,
    Decision,
    Open,
    Reopen,
    Resolve,
    Suppress,
    decide,
    group_key,
    incident_key,
    is_shared,
    keys_to_look_at,
    worst,
)
from monitord.model.ids import IncidentId, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.model.result import Cause, Status
from monitord.model.state import Change, Transition
from tests.decisions.cases import SITE, at, incident

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
HOUR = timedelta(hours=1)
VAR, SRV = StateKey("web1/disk//var"), StateKey("web1/disk//srv")
RESOLVED, CLOSED = IncidentStatus.RESOLVED, IncidentStatus.CLOSED


def transition(
    before: Status, after: Status, key: str = SITE, cause: Cause | None = None, **changes: Any
) -> Transition:
    made = Transition(StateKey(key), Change.HARD, before, after, at(100), at(80), "said", cause)
    return replace(made, **changes)


def decisions(
    of: Transition,
    *live: Incident,
    severities: dict[str, Status] | None = None,
    now: float = 100,
    joins: str = "",
) -> tuple[Decision, ...]:
    by_key = {one.key: one for one in live}
    return decide(of, by_key, severities or {}, now=at(now), reopen_within=HOUR, joins=joins)


def unknown(cause: Cause, *items: str, **changes: Any) -> Incident:
    return incident(key=f"unknown/{cause}", severity=UNKNOWN, items=items, **changes)


SITE_OPEN = incident()
DISK = incident(key="web1/disk", items=(VAR,))
BOTH = incident(key="web1/disk", items=(SRV, VAR))
SITE_OVER = incident(status=RESOLVED, resolved=at(50))
LOGIN = unknown(Cause.LOGIN, SITE)
LOGINS = unknown(Cause.LOGIN, SITE, VAR)

WEB = "group/web/site"
OTHER = StateKey("web2/site")
MANY = incident(key=WEB, items=(OTHER,))
ALL = incident(key=WEB, items=(SITE, OTHER))

CASES: dict[str, tuple[tuple[Decision, ...], tuple[Decision, ...]]] = {
    "a first CRITICAL opens": (
        decisions(transition(OK, CRITICAL)),
        (Open(SITE, CRITICAL),),
    ),
    "so does a first WARNING": (
        decisions(transition(OK, WARNING)),
        (Open(SITE, WARNING),),
    ),
    "UNKNOWN opens by its cause": (
        decisions(transition(OK, UNKNOWN, cause=Cause.LOGIN)),
        (Open("unknown/login", UNKNOWN),),
    ),
    "UNKNOWN without a cause is our bug's": (
        decisions(transition(OK, UNKNOWN)),
        (Open("unknown/probe", UNKNOWN),),
    ),
    "one of many that fail opens the outage of all": (
        decisions(transition(OK, CRITICAL), joins=WEB),
        (Open(WEB, CRITICAL),),
    ),
    "the next one joins it": (
        decisions(transition(OK, CRITICAL), MANY, severities={OTHER: CRITICAL}, joins=WEB),
        (Amend(MANY, (SITE, OTHER), CRITICAL),),
    ),
    "one that recovers leaves it": (
        decisions(transition(CRITICAL, OK), ALL, severities={OTHER: CRITICAL}),
        (Amend(ALL, (OTHER,), CRITICAL),),
    ),
    "with the last one it is over": (
        decisions(transition(CRITICAL, OK, OTHER), MANY),
        (Resolve(MANY, "recovered"),),
    ),
    "a canary that nobody can judge is our own network's": (
        decisions(transition(OK, UNKNOWN, cause=Cause.RESOLVER), joins=NETWORK),
        (Open(NETWORK, UNKNOWN),),
    ),
    "a second item joins": (
        decisions(transition(OK, CRITICAL, SRV), DISK, severities={VAR: CRITICAL}),
        (Amend(DISK, (SRV, VAR), CRITICAL),),
    ),
    "a milder item joins without making it milder": (
        decisions(transition(OK, WARNING, SRV), DISK, severities={VAR: CRITICAL}),
        (Amend(DISK, (SRV, VAR), CRITICAL),),
    ),
    "worsening changes the severity": (
        decisions(transition(WARNING, CRITICAL), replace(SITE_OPEN, severity=WARNING)),
        (Amend(replace(SITE_OPEN, severity=WARNING), (SITE,), CRITICAL),),
    ),
    "so does getting better": (
        decisions(transition(CRITICAL, WARNING), SITE_OPEN),
        (Amend(SITE_OPEN, (SITE,), WARNING),),
    ),
    "the only item that recovers resolves": (
        decisions(transition(CRITICAL, OK), SITE_OPEN),
        (Resolve(SITE_OPEN, "recovered"),),
    ),
    "one of two that recovers leaves": (
        decisions(transition(CRITICAL, OK, VAR), BOTH, severities={SRV: WARNING}),
        (Amend(BOTH, (SRV,), WARNING),),
    ),
    "verified resolves as such": (
        decisions(transition(CRITICAL, OK, change=Change.VERIFIED), SITE_OPEN),
        (Resolve(SITE_OPEN, "verified"),),
    ),
    "what returns within the hour reopens": (
        decisions(transition(OK, CRITICAL), SITE_OVER, now=50 + 3600),
        (Reopen(SITE_OVER, CRITICAL),),
    ),
    "what returns later is new": (
        decisions(transition(OK, CRITICAL), SITE_OVER, now=50 + 3600.001),
        (Open(SITE, CRITICAL),),
    ),
    "what is UNKNOWN and then judged bad changes over": (
        decisions(transition(UNKNOWN, CRITICAL), LOGIN),
        (Resolve(LOGIN, "recovered"), Open(SITE, CRITICAL)),
    ),
    "and leaves the others there": (
        decisions(transition(UNKNOWN, CRITICAL), LOGINS, severities={VAR: UNKNOWN}),
        (Amend(LOGINS, (VAR,), UNKNOWN), Open(SITE, CRITICAL)),
    ),
    "another cause is another incident": (
        decisions(transition(UNKNOWN, UNKNOWN, cause=Cause.TIMEOUT), LOGIN),
        (Resolve(LOGIN, "recovered"), Open("unknown/timeout", UNKNOWN)),
    ),
    "UNKNOWN that recovers resolves": (
        decisions(transition(UNKNOWN, OK), LOGIN),
        (Resolve(LOGIN, "recovered"),),
    ),
    "what recovers without an incident changes nothing": (
        decisions(transition(Status.PENDING, OK)),
        (Suppress("recovered, and no incident was open"),),
    ),
    "a resolved incident is not resolved again": (
        decisions(transition(CRITICAL, OK), SITE_OVER),
        (Suppress("recovered, and no incident was open"),),
    ),
    "OK while flapping changes nothing": (
        decisions(transition(CRITICAL, OK, flapping=True), SITE_OPEN),
        (Suppress("OK while flapping: it is over when it is steady"),),
    ),
    "CRITICAL while flapping still opens": (
        decisions(transition(OK, CRITICAL, flapping=True)),
        (Open(SITE, CRITICAL),),
    ),
    "steady and OK resolves": (
        decisions(transition(OK, OK, change=Change.STEADY), SITE_OPEN),
        (Resolve(SITE_OPEN, "recovered"),),
    ),
    "steady and still bad changes nothing": (
        decisions(transition(CRITICAL, CRITICAL, change=Change.STEADY), SITE_OPEN),
        (Suppress("a steady transition opens nothing"),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_transition_does(name: str) -> None:
    found, expected = CASES[name]
    assert found == expected


SIDES = [change for change in Change if change not in {Change.HARD, Change.VERIFIED, Change.STEADY}]


@pytest.mark.parametrize("change", SIDES)
@pytest.mark.parametrize("after", [OK, CRITICAL])
def test_the_sides_of_a_state_open_and_resolve_nothing(change: Change, after: Status) -> None:
    (found,) = decisions(transition(after, after, change=change), SITE_OPEN)
    assert found == Suppress(f"a {change} transition opens nothing")


def test_the_worst_is_what_was_judged_worst() -> None:
    assert worst([]) is OK
    assert worst([None, WARNING, OK]) is WARNING
    assert worst([WARNING, UNKNOWN]) is UNKNOWN
    assert worst([UNKNOWN, CRITICAL]) is CRITICAL


@given(st.sampled_from(Cause))
def test_every_key_that_may_be_touched_is_looked_at(cause: Cause) -> None:
    of = transition(OK, UNKNOWN, cause=cause)
    looked_at = keys_to_look_at(of)
    assert incident_key(of.key, UNKNOWN, cause) in looked_at
    assert incident_key(of.key, CRITICAL, None) in looked_at


# A whole history: what is believed of three items, and the incidents that come of it.

MOVES = st.tuples(
    st.sampled_from([SITE, VAR, SRV]),
    st.sampled_from([OK, WARNING, CRITICAL, UNKNOWN]),
    st.sampled_from([Cause.LOGIN, Cause.TIMEOUT]),
    st.booleans(),
    st.integers(1, 3000),
)


class Story:
    """Applies decisions to incidents as the engine does, and knows what is believed."""

    def __init__(self) -> None:
        self.hard: dict[str, tuple[Status, Cause | None]] = {}
        self.incidents: list[Incident] = []
        self.now = 0

    def live(self) -> dict[str, Incident]:
        return {one.key: one for one in self.incidents if one.status is not CLOSED}

    def tell(self, key: StateKey, after: Status, cause: Cause, *, verified: bool) -> None:
        before, why = self.hard.get(key, (OK, None))
        new = (after, cause if after is UNKNOWN else None)
        if new == (before, why) or (after is UNKNOWN and before in (WARNING, CRITICAL)):
            return  # the state machine makes no such transition
        self.hard[key] = new
        change = Change.VERIFIED if verified and after is OK else Change.HARD
        of = transition(before, after, key, new[1], change=change)
        found = decide(
            of,
            {one: self.live()[one] for one in keys_to_look_at(of) if one in self.live()},
            {one: status for one, (status, _) in self.hard.items() if one != key},
            now=at(self.now),
            reopen_within=HOUR,
        )
        for decision in found:
            self.apply(decision, key)

    def apply(self, decision: Decision, key: str) -> None:
        match decision:
            case Open():
                old = self.live().get(decision.key)
                if old is not None:
                    assert old.status is RESOLVED
                    self.swap(old, status=CLOSED)
                number = IncidentId(len(self.incidents))
                new = incident(
                    id=number, key=decision.key, severity=decision.severity, items=(key,)
                )
                self.incidents.append(new)
            case Reopen():
                self.swap(
                    decision.incident,
                    status=IncidentStatus.OPEN,
                    severity=decision.severity,
                    items=(key,),
                )
            case Amend():
                self.swap(decision.incident, items=decision.items, severity=decision.severity)
            case Resolve():
                self.swap(decision.incident, status=RESOLVED, resolved=at(self.now))

    def swap(self, old: Incident, **changes: Any) -> None:
        assert self.incidents[old.id] == old, "decided on a row that has moved on"
        self.incidents[old.id] = replace(old, **changes)


@given(st.lists(MOVES, max_size=40))
def test_whatever_happens_each_bad_item_is_in_one_incident(
    moves: list[tuple[StateKey, Status, Cause, bool, int]],
) -> None:
    story = Story()
    for key, after, cause, verified, wait in moves:
        story.now += wait
        story.tell(key, after, cause, verified=verified)
        on = [one for one in story.incidents if one.status in OPEN_STATUSES]
        keys = [one.key for one in story.incidents if one.status is not CLOSED]
        assert len(set(keys)) == len(keys)
        for item, (status, why) in story.hard.items():
            holding = [one.key for one in on if item in one.items]
            expected = [] if status is OK else [incident_key(StateKey(item), status, why)]
            assert holding == expected
        for one in on:
            assert one.items
            assert one.severity is worst(story.hard[item][0] for item in one.items)
            own = {split_state_key(StateKey(item))[0] for item in one.items}
            assert one.key.startswith("unknown/") or own == {one.key}


def test_shared_incidents_are_told_from_those_of_a_check() -> None:
    shared = [NETWORK, "unknown/login", group_key("web", "site")]
    assert [
        key for key in (*shared, SITE, "group/site", "vantage/disk") if is_shared(key)
    ] == shared
