"""Each guard by its name: what it refuses, with which sentence, and what follows from it.

`test_without_it_a_case_of_its_name_fails` takes each guard away in turn; tests/behaviour does the
same with whole scenarios.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.guards import (
    GUARDS,
    Effects,
    GroupHealth,
    Refusal,
    Running,
    Then,
    evaluate,
    evidence,
    first_refusal,
)
from monitord.decisions.reach import Reach
from monitord.model.catalog import Limits, Login
from monitord.model.result import Status
from monitord.model.ticket import Verb
from tests.decisions.cases import LIMITS, WEB1, at, order, rung, situation, state

WAIT, NEXT, PERSON = Then.WAIT, Then.NEXT, Then.PERSON
OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


@dataclass(frozen=True)
class Case:
    """A situation that one guard minds: what it says (in part), what follows, until when."""

    guard: str
    says: str
    then: Then
    until: float | None = None
    given: dict[str, Any] = field(default_factory=dict)


def effects(**counts: int) -> dict[str, Any]:
    return {"effects": Effects(**counts)}


def repaired(times: int, ended: float) -> dict[str, Any]:
    return {"repairs": times, "last_repair": at(ended)}


def group(
    members: int, unhealthy: int, *, rule: int | None = None, repairing: int = 0
) -> dict[str, Any]:
    others = tuple(f"web{number}" for number in range(2, unhealthy + 2))
    return {"unhealthy": (GroupHealth("web", rule, members, others, others[:repairing]),)}


HALT, MAINTENANCE, TAKEN = order(Verb.HALT), order(Verb.MAINTENANCE), order(Verb.TAKE)
CASES = [
    Case("halt", "the file HALT exists", PERSON, given={"halt_file": True}),
    Case("halt", "is halted by kim: new disks", PERSON, given={"halt_order": HALT}),
    Case("halt", "restart-nginx is halted by kim", NEXT, given={"halt_runbook": HALT}),
    Case("maintenance", "by kim: new disks", WAIT, 3600, {"maintenance": MAINTENANCE}),
    Case(
        "maintenance",
        "by kim: new disks",
        WAIT,
        None,
        {"maintenance": replace(MAINTENANCE, until_ok=True)},
    ),
    Case("taken", "web1 is taken by kim: new disks", WAIT, 3600, {"taken": TAKEN}),
    Case("flapping", "web1/site is flapping", PERSON, given={"states": (state(flapping=True),)}),
    Case("unreachable", "is down: repair that first", WAIT, 115, {"reach": Reach.DOWN}),
    Case("unreachable", "not sure that", WAIT, 115, {"reach": Reach.UNSURE}),
    Case("still failing", "no longer fails", WAIT, 115, {"looked": OK}),
    Case("still failing", "no longer fails", WAIT, 115, {"states": (state(OK),)}),
    Case("still failing", "no verdict now", WAIT, 115, {"looked": UNKNOWN}),
    Case("still failing", "no verdict now", WAIT, 115, {"states": (state(UNKNOWN),)}),
    Case("still failing", "no verdict", PERSON, 115, {"states": (state(UNKNOWN, stale=True),)}),
    Case("seen once", "web1/site was seen bad only once", WAIT, 101, {"samples": 1}),
    Case("vantage", "own network: gw/ping", WAIT, 115, {"vantage": "gw/ping does not answer"}),
    Case("person", "kim ran sudo; is it meant so?", PERSON, given={"person": "kim ran sudo"}),
    Case("mode", "observe is on", NEXT, given={"observe": True}),
    Case("mode", "restart-nginx is in shadow", NEXT, given={"rung": rung(mode="shadow")}),
    Case("mode", "a person's approval", PERSON, given={"rung": rung(mode="approve")}),
    Case("budget", "1 of 1 restart-nginx for this incident", NEXT, given=effects(rung=1)),
    Case("budget", "2 of 2 repairs for this incident", PERSON, given=effects(incident=2)),
    Case("budget", "3 of 3 restart-nginx in an hour", NEXT, given=effects(runbook_hour=3)),
    Case("budget", "6 of 6 restart-nginx in a day", NEXT, given=effects(runbook_day=6)),
    Case("budget", "3 of 3 repairs on web1 in an hour", PERSON, given=effects(host_hour=3)),
    Case("budget", "6 of 6 repairs on web1 in a day", PERSON, given=effects(host_day=6)),
    Case(
        "budget", "10 of 10 repairs in the fleet in an hour", PERSON, given=effects(fleet_hour=10)
    ),
    Case("budget", "30 of 30 repairs in the fleet in a day", PERSON, given=effects(fleet_day=30)),
    Case(
        "cooldown", "acted on web1 40s ago; its cooldown is 10m", NEXT, 660, {"last_effect": at(60)}
    ),
    Case("back-off", "repaired once and did not hold: 10s", WAIT, 105, repaired(1, 95)),
    Case("back-off", "repaired 2 times and did not hold: 20s", WAIT, 105, repaired(2, 85)),
    Case("back-off", "repaired 9 times and did not hold: 5m", WAIT, 395, repaired(9, 95)),
    Case("at once", "3 of 3 repairs run in the fleet", WAIT, 115, {"running": Running(3)}),
    Case("at once", "run in group web", WAIT, 115, {"running": Running(1, (("web", 1),))}),
    Case("lock", "web1:nginx (attempt 3)", WAIT, 115, {"lock_holder": "web1:nginx (attempt 3)"}),
    Case("keep healthy", "group web of 2: web2 is not", PERSON, given=group(2, 1)),
    Case("keep healthy", "group web of 4: web2 is not", PERSON, given=group(4, 1)),
    Case("keep healthy", "group web of 5: web2, web3 are not", PERSON, given=group(5, 2)),
    Case("keep healthy", "web2, web3, web4 and 97 more are not", PERSON, given=group(500, 100)),
    Case("keep healthy", "group web of 8: web2, web3 are not", PERSON, given=group(8, 2, rule=6)),
    Case("keep healthy", "in group web of 3", PERSON, given=group(3, 0, rule=3)),
    Case("keep healthy", "web2 is not", WAIT, 115, group(2, 1, repairing=1)),
    Case(
        "targets",
        "web1 is only watched",
        PERSON,
        given={"host": replace(WEB1, login=Login("local"))},
    ),
    Case("targets", "set of targets is empty", PERSON, given={"targets": ()}),
    Case(
        "targets",
        "no exact plan can be made: {item} has no value",
        NEXT,
        given={"targets": (), "rung_problem": "{item} has no value"},
    ),
    *(
        Case("freeze", says, NEXT, given={"frozen": "Christmas", "changes": changes})
        for changes, says in {
            "change": "restart-nginx would change the host: Christmas",
            "network": "would change the network: Christmas",
            "reboot": "would reboot: Christmas",
        }.items()
    ),
    Case("breaker", "of restart-nginx is open: 3 of 9", NEXT, given={"broken": "3 of 9 helped"}),
    Case("recurring", "fixed 3 times in 1d", PERSON, given={"recurring": "fixed 3 times in 1d"}),
    Case("own host", "own host: its database", PERSON, given={"own": "its database"}),
    Case("boot", "web1 has booted just now", WAIT, 160, {"settled": at(160)}),
]


def decided(case: Case, *, without: str = "") -> tuple[str, Refusal] | None:
    guards = [guard for guard in GUARDS if guard.name != without]
    return first_refusal(evaluate(situation(**case.given), guards))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.guard}: {case.says}")
def test_it_refuses(case: Case) -> None:
    found = decided(case)
    assert found is not None
    name, refusal = found
    assert name == case.guard
    assert case.says in refusal.reason
    assert refusal.then is case.then
    assert refusal.until == (None if case.until is None else at(case.until))


@pytest.mark.parametrize("guard", [guard.name for guard in GUARDS])
def test_without_it_a_case_of_its_name_fails(guard: str) -> None:
    cases = [case for case in CASES if case.guard == guard]
    assert cases, f"no case bears the name of the guard {guard}"
    for case in cases:
        found = decided(case, without=guard)
        assert found is None or found[0] != guard
        assert found is None, f"{guard} is not what refuses in the case {case.says!r}"


def test_nothing_is_refused_where_all_is_as_it_should_be() -> None:
    assert first_refusal(evaluate(situation())) is None
    assert first_refusal(evaluate(situation(looked=CRITICAL))) is None
    assert first_refusal(evaluate(situation(looked=WARNING))) is None


BELOW = [
    effects(rung=0, incident=1, runbook_hour=2, runbook_day=5, host_hour=2, host_day=5),
    effects(fleet_hour=9, fleet_day=29),
    {"running": Running(2, (("web", 0), ("linux", 0)))},
    {"last_effect": at(100 - 600)},
    {"last_effect": None},
    {"rung": rung(mode="approve"), "approved": True},
    repaired(1, 90),
    repaired(2, 80),
    repaired(99, 100 - 300),
    group(1, 0),
    group(2, 0),
    group(5, 1),
    group(12, 1),
    group(500, 99),
    group(8, 1, rule=6),
    group(2, 1, rule=0),
    *({"frozen": "Christmas", "changes": does} for does in ("start", "rerun", "cleanup")),
    {"settled": at(100)},
    {"states": (state(OK), state(CRITICAL))},
    {"states": (state(UNKNOWN), state(WARNING))},
]


@pytest.mark.parametrize("given_", BELOW, ids=str)
def test_just_below_a_limit_it_lets_pass(given_: dict[str, Any]) -> None:
    assert first_refusal(evaluate(situation(**given_))) is None


def test_a_limit_that_is_not_set_does_not_count() -> None:
    free = rung(limits=Limits(per_incident=99, per_hour=None, per_day=None))
    given_ = situation(rung=free, effects=Effects(runbook_hour=50, runbook_day=500))
    assert first_refusal(evaluate(given_)) is None


def test_a_cooldown_of_an_effect_in_the_future_says_no_negative_time() -> None:
    """The clock was set back since."""
    found = first_refusal(evaluate(situation(last_effect=at(3000))))
    assert found is not None
    assert "acted on web1 0s ago" in found[1].reason


def test_the_last_second_of_a_cooldown_still_refuses() -> None:
    over = 100 - LIMITS.cooldown // timedelta(seconds=1)
    assert first_refusal(evaluate(situation(last_effect=at(over + 0.001)))) is not None
    assert first_refusal(evaluate(situation(last_effect=at(over)))) is None


WINNERS = {
    "a person outweighs the next rung": (
        {"rung": rung(mode="shadow"), "halt_order": HALT},
        "halt",
    ),
    "a person outweighs waiting": (
        {"lock_holder": "web1:nginx", "effects": Effects(host_day=6)},
        "budget",
    ),
    "the next rung outweighs waiting": (
        {"lock_holder": "web1:nginx", "last_effect": at(90)},
        "cooldown",
    ),
    "of equals the first in the list": (
        {"observe": True, "last_effect": at(90)},
        "mode",
    ),
    "maintenance outweighs what needs a person": (
        {"maintenance": MAINTENANCE, "halt_order": HALT},
        "maintenance",
    ),
    "a dead parent outweighs what needs a person": (
        {"reach": Reach.DOWN, "effects": Effects(host_day=6)},
        "unreachable",
    ),
    "a person outweighs a wait for the group's other repairs": (
        {"halt_file": True, **group(2, 1, repairing=1)},
        "halt",
    ),
    "who has lost the own network wakes nobody": (
        {"vantage": "gw/ping does not answer", **group(500, 499)},
        "vantage",
    ),
    "what is over needs no person": (
        {"looked": OK, "states": (state(flapping=True),)},
        "still failing",
    ),
    "of those that keep quiet the first in the list": (
        {"looked": OK, "maintenance": MAINTENANCE},
        "maintenance",
    ),
}


@pytest.mark.parametrize("name", WINNERS)
def test_of_several_refusals_one_decides(name: str) -> None:
    given_, guard = WINNERS[name]
    found = first_refusal(evaluate(situation(**given_)))
    assert found is not None
    assert found[0] == guard


def test_every_guard_is_asked_so_that_a_person_sees_all_reasons() -> None:
    verdicts = evaluate(situation(halt_file=True, observe=True, lock_holder="web1:nginx"))
    refused = [verdict.guard for verdict in verdicts if verdict.refusal]
    assert [verdict.guard for verdict in verdicts] == [guard.name for guard in GUARDS]
    assert refused == ["halt", "mode", "lock"]


LOOKS = st.sampled_from([OK, WARNING, CRITICAL, UNKNOWN, Status.PENDING])


@given(st.lists(LOOKS, max_size=6))
def test_evidence_is_bad_only_where_something_was_judged_bad(seen: list[Status]) -> None:
    found = evidence(seen)
    assert (found in (WARNING, CRITICAL)) == (WARNING in seen or CRITICAL in seen)
    assert (found is CRITICAL) == (CRITICAL in seen)
    assert (found is OK) == (bool(seen) and set(seen) == {OK})


@given(
    st.builds(
        situation,
        halt_file=st.booleans(),
        maintenance=st.sampled_from([None, MAINTENANCE]),
        reach=st.sampled_from(Reach),
        looked=st.sampled_from([None, OK, CRITICAL, UNKNOWN]),
        observe=st.booleans(),
        rung=st.sampled_from([rung(mode=mode) for mode in ("auto", "shadow", "approve")]),
        effects=st.builds(Effects, *[st.integers(0, 4)] * 8),
        running=st.builds(Running, st.integers(0, 4)),
        last_effect=st.sampled_from([None, at(0), at(99)]),
        lock_holder=st.sampled_from(["", "web1:nginx"]),
        targets=st.sampled_from([(), ("web1",)]),
    )
)
def test_it_acts_only_when_every_guard_lets_pass(given_: Any) -> None:
    verdicts = evaluate(given_)
    refused = [verdict for verdict in verdicts if verdict.refusal is not None]
    found = first_refusal(verdicts)
    assert (found is None) == (not refused)
    if found is not None:
        assert found in [(verdict.guard, verdict.refusal) for verdict in refused]
        assert found[1].reason[0].islower() or found[1].reason[0].isdigit()
