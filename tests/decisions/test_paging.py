"""Who is told next, and when: tables over the policy, and what must never happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.clock import after
from monitord.decisions.paging import Hold, Tell, decide, next_place, told, vendors, wait_of
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.policy import AFTER, PRIORITIES, TIERS, Policy, PolicyStep
from monitord.model.result import Status

NOW = Instant(1_700_000_000_000_000)
MINUTE = timedelta(minutes=1)
STEPS = (
    PolicyStep("L1", ("rotation/desk",)),
    PolicyStep("L2", ("rotation/linux", "person/kim"), MappingProxyType({"P2": 10 * MINUTE})),
    PolicyStep("L4", ("vendor/acme",)),
)
POLICY = Policy("standard", STEPS)


def incident(**changes: object) -> Incident:
    usual = Incident(
        id=IncidentId(7),
        key="web1/site",
        status=IncidentStatus.ESCALATED,
        severity=Status.CRITICAL,
        summary="no answer within 5 s",
        opened=NOW,
        first_failed=NOW,
        due_at=None,
        priority="P2",
    )
    return replace(usual, **changes)  # type: ignore[arg-type] # each test names real fields


def always(_name: str, now: Instant) -> Instant | None:
    return now


def ask(policy: Policy = POLICY, **changes: object) -> Tell | Hold:
    return decide(policy, incident(**changes), now=NOW, next_open=always)


def test_the_first_tier_is_told_first_and_the_second_after_its_wait() -> None:
    move = ask()
    assert isinstance(move, Tell)
    assert (move.step.tier, move.paged, move.next_at) == ("L1", 1, after(NOW, 10 * MINUTE))


def test_the_last_step_has_no_next() -> None:
    move = ask(paged=2, tier="L2")
    assert isinstance(move, Tell)
    assert (move.step.tier, move.next_at) == ("L4", None)
    assert ask(paged=3, tier="L4") == Hold(None, "everybody of the policy has been told")


def test_a_repeated_policy_begins_anew_at_its_first_step() -> None:
    again = replace(POLICY, repeat=1)
    move = ask(again, paged=2, tier="L2")
    assert isinstance(move, Tell)
    assert move.next_at == after(NOW, AFTER["P2"])
    move = ask(again, paged=3, tier="L4")
    assert isinstance(move, Tell)
    assert (move.step.tier, move.paged) == ("L1", 4)


@pytest.mark.parametrize(
    "status", [IncidentStatus.OPEN, IncidentStatus.REPAIRING, IncidentStatus.WAITING]
)
def test_the_desk_hears_while_automation_works_and_the_next_tier_waits_for_its_end(
    status: IncidentStatus,
) -> None:
    assert isinstance(ask(status=status), Tell)
    move = ask(status=status, paged=1)
    assert isinstance(move, Hold)
    assert move.reason == "automation still works on it"
    assert isinstance(ask(status=status, paged=1, priority="P1"), Tell)


def test_a_plan_that_waits_for_a_yes_is_not_automation_that_works() -> None:
    waiting = incident(status=IncidentStatus.WAITING, paged=1)
    assert isinstance(decide(POLICY, waiting, now=NOW, next_open=always, asking=True), Tell)


def test_an_sla_about_to_break_does_not_wait_for_automation() -> None:
    busy = incident(status=IncidentStatus.REPAIRING, paged=1)
    early = "the response breaches in 5 min"
    move = decide(POLICY, busy, now=NOW, next_open=always, early=early)
    assert isinstance(move, Tell)
    assert move.reason == early


def test_a_tier_that_an_approval_has_passed_is_not_asked_again() -> None:
    move = ask(tier="L2", paged=0)
    assert isinstance(move, Tell)
    assert (move.step.tier, move.paged) == ("L2", 2)


def test_the_last_step_is_passed_over_by_no_approval() -> None:
    alone = replace(POLICY, steps=STEPS[:1])
    move = ask(alone, tier="L3", paged=0)
    assert isinstance(move, Tell)
    assert (move.step.tier, move.paged) == ("L1", 1)


def test_an_answer_that_lapsed_after_the_last_step_tells_its_people_again_in_their_hours() -> None:
    told_all = incident(paged=3, tier="L4")
    move = decide(POLICY, told_all, now=NOW, next_open=always, lapsed=True)
    assert isinstance(move, Tell)
    assert (move.step.tier, move.paged, move.next_at) == ("L4", 3, None)
    night = replace(POLICY, hours=MappingProxyType({"P2": "office"}))
    morning = after(NOW, 8 * 60 * MINUTE)
    move = decide(night, told_all, now=NOW, next_open=lambda *_: morning, lapsed=True)
    assert move == Hold(morning, "P2 waits for office")


def test_a_priority_pages_in_its_hours_or_never() -> None:
    policy = replace(POLICY, hours=MappingProxyType({"P3": "office", "P4": "never"}))
    morning = after(NOW, 8 * 60 * MINUTE)

    def opens(name: str, now: Instant) -> Instant | None:
        assert name == "office"
        return max(now, morning)

    held = decide(policy, incident(priority="P3"), now=NOW, next_open=opens)
    assert held == Hold(morning, "P3 waits for office")
    assert isinstance(decide(policy, incident(priority="P3"), now=morning, next_open=opens), Tell)
    assert isinstance(decide(policy, incident(priority="P2"), now=NOW, next_open=opens), Tell)
    digest = decide(policy, incident(priority="P4"), now=NOW, next_open=opens)
    assert digest == Hold(None, "P4 pages nobody: it stands in the digest")


def test_everybody_of_a_step_is_told_once() -> None:
    on = {"linux": ("kim", "lee"), "desk": ()}
    assert told(STEPS[1], on.__getitem__) == ("kim", "lee")
    assert told(STEPS[0], on.__getitem__) == ()
    assert told(STEPS[2], on.__getitem__) == ()
    assert vendors(STEPS[2]) == ("acme",)


def test_what_a_step_leaves_out_waits_as_long_as_is_usual() -> None:
    assert wait_of(STEPS[1], "P2") == 10 * MINUTE
    assert wait_of(STEPS[1], "P1") == AFTER["P1"]


tiers = st.lists(st.sampled_from(TIERS), min_size=1, max_size=5).map(sorted)
waits = st.dictionaries(
    st.sampled_from(PRIORITIES), st.integers(0, 10_000).map(lambda n: timedelta(seconds=n))
)


@given(tiers, st.integers(0, 3), st.sampled_from(PRIORITIES), waits)
def test_a_policy_ends_after_all_its_rounds_and_its_clock_never_runs_backwards(
    names: list[str], repeat: int, priority: str, after_: Mapping[str, timedelta]
) -> None:
    policy = Policy("p", tuple(PolicyStep(name, ("person/kim",), after_) for name in names), repeat)
    now, now_incident, rounds = NOW, incident(priority=priority), 0
    while True:
        move = decide(policy, now_incident, now=now, next_open=always)
        assert isinstance(move, Tell)
        rounds += 1
        assert move.paged == rounds
        now_incident = replace(now_incident, paged=move.paged, tier=move.step.tier)
        if move.next_at is None:
            break
        assert move.next_at >= now
        now = move.next_at
    assert rounds == len(names) * (1 + repeat)
    assert next_place(policy, now_incident) is None
