"""The flap vectors of Icinga and Nagios, every step of every case; docs list where we differ."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from monitord.decisions.flapping import is_flapping, percent, push
from monitord.decisions.reach import Reach
from monitord.decisions.state import judge
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Result, Status
from monitord.model.state import Change, CheckState, StatePolicy
from tests.world.vectors import vector

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "states.md"

# In these steps (counted from 1) Icinga says flapping and we do not: its first result counts as a
# change from UNKNOWN, ours compares the second with the first.
LATER = {
    "host_flapping": {6},
    "host_flapping_recover": {10},
    "host_flapping_docs_example": {11, 12, 13, 14},
    "host_flapping_notification": {6},
    "service_flapping_notification": {6},
    "service_flapping_problem_notifications": {6},
    "service_flapping_ok_into_bad": {6},
    "hysteresis_between_low_and_high": {6},
}

NAGIOS = {  # our value, then Nagios's by its code and by its documentation
    "never changes": (0.0, 0.0, 0.0),
    "changes at every check": (99.0, 100.0, 100.0),
    "one change, newest": (5.9, 6.25, 6.0),
    "one change, oldest": (4.0, 3.75, 4.0),
    "one change, middle": (5.0, 5.0658, 5.0526),
    "six newest changes": (33.9, 35.5263, 34.4211),
    "six oldest changes": (25.5, 24.4737, 25.5789),
    "seven changes spread (positions 3,4,5,9,12,16,19)": (34.1, 34.2763, 34.4211),
    "four newest changes": (23.0, 24.2105, 23.3684),
    "different problem states count": (28.5, 29.9342, 28.9474),
    "full cycle every 4 checks": (50.0, 50.6579, 50.5263),
    "single blip in the middle": (9.9, 10.0, 10.0),
}


def icinga_cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = vector("flap/icinga2_flapping.json")["cases"]
    assert len(cases) == 12
    assert sum(len(case["steps"]) for case in cases) == 286
    return cases


def with_icingas_bits(case: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Give each step and the bits by Icinga's rule: an ignored state takes a place as 0."""
    last, bits = case["initial_last_state"], 0
    for step in case["steps"]:
        ignored = step["result"] in case.get("ignore_states", [])
        bits = push(bits, changed=not ignored and step["result"] != last)
        last = last if ignored else step["result"]
        yield step, bits


def test_the_formula_and_hysteresis_hold_at_every_step_of_icinga() -> None:
    for case in icinga_cases():
        flapping = False
        low, high = case["threshold_low"], case["threshold_high"]
        for number, (step, bits) in enumerate(with_icingas_bits(case), 1):
            flapping = is_flapping(flapping, percent(bits), low=low, high=high)
            where = (case["name"], number)
            assert percent(bits) == step["flapping_value"], where
            assert flapping is step["flapping"], where


def judged(case: dict[str, Any]) -> Iterator[tuple[dict[str, Any], CheckState, set[Change]]]:
    policy = StatePolicy(
        attempts=3,
        recoveries=1,
        flap_low=case["threshold_low"],
        flap_high=case["threshold_high"],
    )
    state = CheckState(StateKey("web1/site"))
    for number, step in enumerate(case["steps"], 1):
        result = Result(Status[step["result"]], "as the vector says")
        state, changes = judge(state, result, policy, at=Instant(number), reach=Reach.UP)
        yield step, state, {change.change for change in changes}


def test_a_state_that_flaps_for_icinga_flaps_for_us_but_for_the_steps_that_are_listed() -> None:
    later: dict[str, set[int]] = {}
    for case in icinga_cases():
        for number, (step, state, _) in enumerate(judged(case), 1):
            assert not state.flapping or step["flapping"], (case["name"], number)
            if state.flapping is not step["flapping"]:
                later.setdefault(case["name"], set()).add(number)
    assert later == LATER


def test_our_value_is_icingas_without_its_first_change() -> None:
    for case in icinga_cases():
        if case.get("ignore_states"):
            continue  # there the place of an UNKNOWN differs too: the next test
        for number, (step, state, _) in enumerate(judged(case), 1):
            first = percent(1 << number - 1) if number <= 20 else 0.0
            where = (case["name"], number)
            assert round(percent(state.flap_bits) + first, 1) == step["flapping_value"], where


def test_an_unknown_takes_no_place_in_the_window() -> None:
    (case,) = (case for case in icinga_cases() if case.get("ignore_states"))
    for _, state, changes in judged(case):
        assert state.flap_bits == 0
        assert not changes - {Change.HARD}


def test_flapping_that_icingas_own_tests_assert_begins_once_and_ends_once() -> None:
    for case in icinga_cases():
        if "FlappingEnd" not in " ".join(case["source_asserts"]):
            continue
        seen = [change for _, _, changes in judged(case) for change in sorted(changes)]
        assert seen.count(Change.FLAPPING) == 1, case["name"]
        assert seen.count(Change.STEADY) == 1, case["name"]


def test_a_state_that_turns_bad_while_flapping_is_hard_critical_when_it_is_steady_again() -> None:
    """Icinga's known defect #5713 is not ours: the HARD transition comes, flapping or not."""
    for name in ("service_flapping_problem_notifications", "service_flapping_ok_into_bad"):
        (case,) = (case for case in icinga_cases() if case["name"] == name)
        hard_at = steady_at = 0
        for number, (step, state, changes) in enumerate(judged(case), 1):
            if Change.STEADY in changes:
                steady_at = number
                assert state.hard is Status.CRITICAL
            if Change.HARD in changes and step["result"] == "CRITICAL":
                hard_at = number
        assert 0 < hard_at < steady_at


def test_the_formula_facts_that_nagios_shares() -> None:
    cases = vector("flap/nagios_formula.json")["cases"]
    assert len(cases) == 12
    ours = {}
    for case in cases:
        states, bits = case["states_oldest_first"], 0
        for before, after in pairwise(states):
            bits = push(bits, changed=before != after)
        assert bits.bit_count() == case["changes"], case["name"]
        ours[case["name"]] = (
            percent(bits),
            case["percent_code_weights"],
            case["percent_doc_weights"],
        )
    assert ours == NAGIOS
    assert vector("flap/nagios_formula.json")["facts"]["possible_changes"] == 20


def test_the_page_lists_each_difference() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for case, steps in LATER.items():
        assert f"| {case} | {', '.join(map(str, sorted(steps)))} |" in text
    for case, values in NAGIOS.items():
        assert f"| {case} | {' | '.join(map(str, values))} |" in text
