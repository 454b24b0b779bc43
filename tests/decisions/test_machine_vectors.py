"""The soft and hard vectors of Icinga and Nagios, every step; docs list where we differ.

Our notation of their words: UP is OK, DOWN any bad status; a notification is a HARD transition.
While hard our attempt is 0, where Icinga goes back to 1 and Nagios stays at the last.
"""

from pathlib import Path
from typing import Any

from monitord.decisions.reach import Reach
from monitord.decisions.state import judge
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Result, Status
from monitord.model.state import Change, CheckState, StatePolicy
from tests.world.vectors import vector

PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "states.md"
BAD = {"DOWN", "WARNING", "CRITICAL", "UNKNOWN"}

# (case, step counted from 1): what Nagios says and what we say.
DIFFERENT = {
    ("host hard down: service result becomes hard at once (WARNING)", 1): (
        "WARNING HARD",
        "OK unreachable",
    ),
    ("host hard down: service result becomes hard at once (CRITICAL)", 1): (
        "CRITICAL HARD",
        "OK unreachable",
    ),
}


def start(case: dict[str, Any]) -> tuple[CheckState, Reach]:
    """Give the belief and reach that a case begins with."""
    initial = case["initial"]
    word, kind = initial.get("state"), initial.get("type")
    if word is None:
        word, kind = initial.get("service", initial["host"]).split("/")
    status = Status.OK if word in ("OK", "UP") else Status[word]
    down = "service" in initial and initial["host"] == "DOWN/HARD"
    soft = kind == "SOFT" and status is not Status.OK
    state = CheckState(
        StateKey("web1/site"),
        status=status,
        hard=Status.OK if soft else status,
        attempt=initial["attempt"] if soft else 0,
        first_failed=Instant(0) if soft else None,
        judged=status,
    )
    return state, Reach.DOWN if down else Reach.UP


def said(step: dict[str, Any], state: CheckState) -> tuple[str, str]:
    """Give what the vector and what we say of the state after a step, in one notation."""
    if state.unreachable:
        return f"{step['state']} {step['type']}", f"{state.hard.name} unreachable"
    attempt = f" {step['attempt']}" if step["type"] == "SOFT" else ""
    ours = state.status.name
    if step["state"] in ("UP", "DOWN"):
        ours = "UP" if state.status is Status.OK else "DOWN"
    kind = f"SOFT {state.attempt}" if state.soft else "HARD"
    return f"{step['state']} {step['type']}{attempt}", f"{ours} {kind}"


def test_soft_and_hard_go_as_in_icinga_and_nagios_but_for_what_is_listed() -> None:
    cases = vector("flap/state_machine.json")["cases"]
    assert len(cases) == 11
    assert [case["source"] for case in cases].count("icinga2") == 6
    assert sum(len(case["steps"]) for case in cases) == 49
    different = {}
    for case in cases:
        state, reach = start(case)
        policy = StatePolicy(attempts=case["max_check_attempts"], recoveries=1)
        for number, step in enumerate(case["steps"], 1):
            word = "CRITICAL" if step["result"] == "DOWN" else step["result"]
            result = Result(Status[word], "as the vector says")
            state, new = judge(state, result, policy, at=Instant(number), reach=reach)
            theirs, ours = said(step, state)
            if theirs != ours:
                different[case["name"], number] = (theirs, ours)
            hard = any(one.change is Change.HARD for one in new)
            told = told_by(step)
            assert told is None or hard is told, (case["name"], number)
            assert state.soft or state.attempt == 0
    assert different == DIFFERENT


def told_by(step: dict[str, Any]) -> bool | None:
    """Tell whether the vector's step is a change of the hard status; None: it does not say."""
    if "notification" in step:  # Icinga
        return step["notification"] is not None
    if "logged" not in step:  # a Nagios host
        return None
    # Nagios logs soft steps too, and here tells of every hard check: both together are a change.
    return bool(step["type"] == "HARD" and step["notified"] and step["logged"])


def test_the_page_lists_each_step_where_we_differ() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for (case, number), (theirs, ours) in DIFFERENT.items():
        assert f"| {case} | {number} | {theirs} | {ours} |" in text
