"""How results make a status hard, and what parents and UNKNOWN do to that (notation: rows.py)."""

from dataclasses import replace

import pytest

from monitord.decisions.reach import Reach
from monitord.decisions.state import judge
from monitord.model.ids import Instant
from monitord.model.result import Cause, Result, Status
from monitord.model.state import Change, StatePolicy, Transition
from tests.decisions.rows import CALM, belief, changes, last, run


@pytest.mark.parametrize(
    ("results", "beliefs"),
    [
        ("O O O", "O0 O0 O0"),  # the first OK is hard at once
        ("C C C C", "P1 P2 C0 C0"),  # the first bad one is soft
        ("P P O", "P0 P0 O0"),  # PENDING judges nothing
        ("C P C P C", "P1 P1 P2 P2 C0"),
        ("C O", "P1 O0"),
        ("O C C C", "O0 O1 O2 C0"),
        ("O C C O C C C", "O0 O1 O2 O0 O1 O2 C0"),  # a soft recovery begins a new run
        ("O W C W", "O0 O1 O2 W0"),  # bad statuses count together, the newest becomes hard
        ("O U C U", "O0 O1 O2 U0"),
        ("O U C C", "O0 O1 O2 C0"),
        ("C C C O O", "P1 P2 C0 C1 O0"),  # two OKs in a row recover
        ("C C C O C O O", "P1 P2 C0 C1 C0 C1 O0"),
        ("C C C W C", "P1 P2 C0 W0 C0"),  # between bad statuses it is hard at once
        ("C C C O W", "P1 P2 C0 C1 W0"),
        ("U U U C", "P1 P2 U0 C0"),
        ("U U U W O O", "P1 P2 U0 W0 W1 O0"),
        ("C C C U U U U", "P1 P2 C0 C1 C2 C3s C3s"),  # UNKNOWN never changes what is bad
        ("C C C U U U C", "P1 P2 C0 C1 C2 C3s C0"),
        ("C C C U U U W", "P1 P2 C0 C1 C2 C3s W0"),
        ("C C C U U U O O", "P1 P2 C0 C1 C2 C3s C1 O0"),
        ("C C C O U O O", "P1 P2 C0 C1 C1 C1 O0"),  # UNKNOWN is no recovery and breaks one
        ("U U U O U O O", "P1 P2 U0 U1 U0 U1 O0"),
    ],
)
def test_results_move_the_hard_status_like_this(results: str, beliefs: str) -> None:
    assert " ".join(belief(state) for state in run(results)[0]) == beliefs


@pytest.mark.parametrize(
    ("results", "beliefs"),
    [
        ("O C! C! C! C!", "O0 O0u O0u O0u O0u"),  # a parent's outage counts nowhere
        ("O C C! C! O", "O0 O1 O1u O1u O0"),
        ("O C C C!", "O0 O1 O2 O2u"),
        ("O C C C! C C C", "O0 O1 O2 O2u O1 O2 C0"),  # what failed before the outage is forgotten
        ("O C C C C! C! O O", "O0 O1 O2 C0 C0u C0u C1 O0"),
        ("O C C C O C! O O", "O0 O1 O2 C0 C1 C1u C1 O0"),
        ("O C C C W! W", "O0 O1 O2 C0 C0u W0"),
        ("C! O", "P0u O0"),
        ("O O! O!", "O0 O0 O0"),  # an OK is always believed
        ("O C! O!", "O0 O0u O0"),
        ("O C? C? C? C? C", "O0 O1 O2 O2 O2 C0"),  # in doubt it never becomes hard
        ("O C? C? C! C? C", "O0 O1 O2 O2u O2u O1"),  # doubt after an outage prolongs it
        ("C C C W? W? W", "P1 P2 C0 C0 C0 W0"),
        ("C C C U? U? U? U", "P1 P2 C0 C1 C2 C2 C3s"),
        ("C C C O C? O O", "P1 P2 C0 C1 C0 C1 O0"),
    ],
)
def test_a_parents_trouble_excuses_or_delays(results: str, beliefs: str) -> None:
    assert " ".join(belief(state) for state in run(results)[0]) == beliefs


@pytest.mark.parametrize(
    ("policy", "results", "beliefs"),
    [
        (StatePolicy(attempts=1, recoveries=1), "C O W U O", "C0 O0 W0 W1s O0"),
        (StatePolicy(attempts=1, recoveries=1), "O C? C? C", "O0 O0 O0 C0"),
        (StatePolicy(attempts=1, recoveries=3), "C O O O", "C0 C1 C2 O0"),
        (StatePolicy(attempts=2, recoveries=1), "O C C O", "O0 O1 C0 O0"),
        (StatePolicy(attempts=5, recoveries=2), "C C C C C", "P1 P2 P3 P4 C0"),
    ],
)
def test_the_policy_sets_how_many_results_make_it_hard(
    policy: StatePolicy, results: str, beliefs: str
) -> None:
    assert " ".join(belief(state) for state in run(results, policy=policy)[0]) == beliefs


def test_fewer_attempts_after_a_reload_count_from_the_next_result() -> None:
    soft = last("O C C C C", policy=replace(CALM, attempts=9))
    assert belief(soft) == "O4"
    assert belief(last("C", state=soft, policy=replace(CALM, attempts=2))) == "C0"
    assert belief(last("C?", state=soft, policy=replace(CALM, attempts=2))) == "O1"


def test_each_change_of_a_hard_status_is_one_transition() -> None:
    assert changes("O C C C C W W O O O U U U") == [
        ("hard", "PENDING", "OK", 1),
        ("hard", "OK", "CRITICAL", 4),
        ("hard", "CRITICAL", "WARNING", 6),
        ("hard", "WARNING", "OK", 9),
        ("hard", "OK", "UNKNOWN", 13),
    ]


def test_an_outage_of_a_parent_begins_once_and_ends_once() -> None:
    assert changes("O C! C! C? O C C C C! C! C") == [
        ("hard", "PENDING", "OK", 1),
        ("unreachable", "OK", "OK", 2),
        ("reachable", "OK", "OK", 5),
        ("hard", "OK", "CRITICAL", 8),
        ("unreachable", "CRITICAL", "CRITICAL", 9),
        ("reachable", "CRITICAL", "CRITICAL", 11),
    ]


def test_a_hard_change_comes_before_the_sides_that_change_with_it() -> None:
    state = last("O O C!")
    assert changes("O", state=replace(state, hard=Status.CRITICAL), policy=StatePolicy(1, 1)) == [
        ("hard", "CRITICAL", "OK", 1),
        ("reachable", "OK", "OK", 1),
    ]


def test_unknowns_over_a_bad_status_make_its_evidence_stale_until_something_judges() -> None:
    assert changes("C C C U U U U C U U U O")[1:] == [
        ("stale", "CRITICAL", "CRITICAL", 6),
        ("fresh", "CRITICAL", "CRITICAL", 8),
        ("stale", "CRITICAL", "CRITICAL", 11),
        ("fresh", "CRITICAL", "CRITICAL", 12),
    ]


def test_a_stale_ok_is_fresh_again_when_a_result_judges_or_unknown_is_hard() -> None:
    stale = replace(last("O"), stale=True)
    assert changes("O", state=stale) == [("fresh", "OK", "OK", 1)]
    assert changes("C", state=stale) == [("fresh", "OK", "OK", 1)]
    assert changes("U U U", state=stale) == [
        ("hard", "OK", "UNKNOWN", 3),
        ("fresh", "UNKNOWN", "UNKNOWN", 3),
    ]


def test_the_first_failed_probe_is_kept_for_the_whole_outage_and_told_at_its_end() -> None:
    states, transitions = run("O C C C U W O O")
    assert [state.first_failed for state in states] == [None, *[Instant(2_000_000)] * 6, None]
    assert [one.first_failed for one in transitions] == [None, *[Instant(2_000_000)] * 3]


def test_what_failed_in_a_parents_outage_does_not_start_the_clock() -> None:
    assert last("O C! C! C").first_failed == Instant(4_000_000)
    assert last("O C C! C").first_failed == Instant(4_000_000)


def test_a_hard_status_is_dated_from_the_result_that_made_it_hard() -> None:
    assert [state.since // 1_000_000 for state in run("O O C C C C O O")[0]] == [
        *[1] * 4,
        *[5] * 3,
        8,
    ]


def test_the_summary_is_the_newest_results_even_while_unreachable() -> None:
    assert last("O C C C W!").summary == "it is W"
    assert last("O C C C W!").status is Status.WARNING


def unknown(cause: Cause) -> Result:
    return Result.unknown("cannot tell", cause)


def test_another_cause_of_unknown_is_a_transition_after_as_many_results() -> None:
    """Those of one cause are one incident: the item must be able to leave it for the right one."""
    state = last("U U U")
    causes: list[Cause | None] = []
    seen: list[Transition] = []
    for cause in (Cause.LOGIN, Cause.TIMEOUT, Cause.LOGIN, Cause.LOGIN, Cause.LOGIN, Cause.LOGIN):
        state, new = judge(state, unknown(cause), CALM, at=Instant(9), reach=Reach.UP)
        causes.append(state.cause)
        seen += new
    assert causes == [Cause.TIMEOUT] * 4 + [Cause.LOGIN] * 2
    assert [(one.change, one.before, one.after, one.cause) for one in seen] == [
        (Change.HARD, Status.UNKNOWN, Status.UNKNOWN, Cause.LOGIN)
    ]


def test_a_cause_goes_with_its_unknown() -> None:
    assert last("O U").cause is Cause.TIMEOUT
    assert last("O U C").cause is None
    assert last("U U U O").cause is Cause.TIMEOUT  # recovering: it is still hard UNKNOWN
    assert last("U U U O O").cause is None
    assert last("C C C U").cause is Cause.TIMEOUT
    assert last("U U U C!").cause is Cause.TIMEOUT


def test_a_transition_carries_what_the_result_showed_beyond_its_summary() -> None:
    bad = replace(Result.critical("503"), details="HTTP/1.1 503 Busy")
    _, (changed,) = judge(
        last("O"), bad, StatePolicy(attempts=1), at=Instant(9_000_000), reach=Reach.UP
    )
    assert (changed.change, changed.details) == (Change.HARD, "HTTP/1.1 503 Busy")
