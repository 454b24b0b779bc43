"""The sides of a hard status: flapping, memory, verification, vanished items, reloads, rows."""

from dataclasses import replace

import pytest

from monitord.decisions import state as rules
from monitord.decisions.reach import Reach
from monitord.decisions.state import changed, gone, judge, reset_soft, verified
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Cause, Result, Status
from monitord.model.state import Change, CheckState, StatePolicy, Transition
from tests.decisions.rows import CALM, REACH, belief, changes, last, result_of, run


def flaps(words: str) -> list[tuple[str, int]]:
    policy = StatePolicy(attempts=1, recoveries=1)
    states, transitions = run(words, policy=policy)
    sides = (Change.FLAPPING, Change.STEADY)
    assert all(0 <= state.flap_bits < 2**20 for state in states)
    return [(str(one.change), one.at // 1_000_000) for one in transitions if one.change in sides]


def test_six_changes_in_a_row_flap_and_it_is_steady_when_they_are_old() -> None:
    assert flaps("O C O C O C O" + " O" * 20) == [("flapping", 7), ("steady", 22)]


def test_five_changes_in_a_row_do_not_flap() -> None:
    assert flaps("O C O C O C" + " C" * 20) == []


@pytest.mark.parametrize("between", ["U", "P", "U U", "C! C!", "C?"])
def test_what_does_not_count_sets_no_flap_bit(between: str) -> None:
    assert flaps(f"O {between} " * 20) == []
    assert last(f"O {between} " * 20, policy=StatePolicy(1, 1)).flap_bits == 0


def test_a_change_across_an_unknown_counts_once() -> None:
    assert last("O U C", policy=StatePolicy()).flap_bits == 1
    assert last("O C U C", policy=StatePolicy()).flap_bits == 0b10


def test_a_hard_transition_says_that_flapping_begins_with_it() -> None:
    _, transitions = run("O C O C O C O", policy=StatePolicy(attempts=1, recoveries=1))
    assert [one.flapping for one in transitions[-2:]] == [True, True]
    assert transitions[-2].change is Change.HARD


def test_flapping_that_is_switched_off_ends() -> None:
    state = last("O C O C O C O", policy=StatePolicy())
    assert state.flapping
    assert changes("O", state=state, policy=StatePolicy(flapping=False)) == [
        ("steady", "OK", "OK", 1)
    ]


def test_a_probes_memory_is_replaced_only_when_one_is_given() -> None:
    state = last("O")
    for word in ("O", "C", "C!", "P", "U"):
        after, _ = judge(
            state,
            result_of(word[0], memory={"offset": word}),
            CALM,
            at=Instant(9),
            reach=REACH[word[1:]],
        )
        assert after.memory == {"offset": word}
        kept, _ = judge(after, result_of(word[0]), CALM, at=Instant(10), reach=REACH[word[1:]])
        assert kept.memory == {"offset": word}


def test_a_pending_result_tells_its_summary_only_before_the_first_judgement() -> None:
    assert last("P").summary == "it is P"
    assert last("O P").summary == "it is O"
    assert last("O P").last_seen == Instant(2_000_000)


@pytest.mark.parametrize("words", ["O O", "O C O O", "O C O C O O"])
def test_the_short_way_for_a_steady_ok_gives_what_the_long_way_gives(words: str) -> None:
    state = last(words, policy=StatePolicy())
    result = Result.ok("200 in 3 ms")
    at = Instant(99)
    short, none = judge(state, result, StatePolicy(), at=at, reach=Reach.UP)
    assert (short, none) == rules._counted(state, result, StatePolicy(), at, Reach.UP)


@pytest.mark.parametrize("words", ["C C C", "C C C C!", "C C C U U U", "O C", "U U U O", "O", "P"])
def test_verification_writes_hard_ok_at_once(words: str) -> None:
    before = last(words, policy=StatePolicy())
    after, change = verified(before, at=Instant(77), summary="3 OKs after 15 s")
    assert (after.status, after.hard, after.attempt) == (Status.OK, Status.OK, 0)
    assert (after.first_failed, after.cause, after.stale, after.unreachable) == (
        None,
        None,
        False,
        False,
    )
    assert (after.since, after.flap_bits, after.key) == (77, before.flap_bits, before.key)
    assert (change.change, change.before, change.after) == (
        Change.VERIFIED,
        before.hard,
        Status.OK,
    )
    assert change.first_failed == before.first_failed


def test_a_repair_sets_no_flap_bit_and_a_relapse_sets_one() -> None:
    after, _ = verified(last("O C C C"), at=Instant(5_000_000), summary="fixed")
    assert last("O", state=after).flap_bits == 0b1000  # C came three results before
    assert last("C", state=after).flap_bits == 0b1001


def vanish(words: str, times: int) -> tuple[CheckState, list[Transition]]:
    state = last(words)
    seen: list[Transition] = []
    for second in range(50, 50 + times):
        state, new = gone(state, CALM, at=Instant(second))
        seen += new
    return state, seen


def test_an_item_that_stays_away_is_hard_unknown_with_the_cause_gone() -> None:
    state, seen = vanish("O", 3)
    assert (state.hard, state.cause) == (Status.UNKNOWN, Cause.GONE)
    assert state.summary == "no longer present: var"
    assert len(seen) == 1
    assert vanish("O", 2)[1] == []


def test_an_item_that_was_bad_stays_bad_when_it_vanishes() -> None:
    state, seen = vanish("C C C", 5)
    assert (state.hard, state.stale) == (Status.CRITICAL, True)
    assert [one.change for one in seen] == [Change.STALE]


def test_a_whole_check_can_be_gone_too() -> None:
    state, _ = gone(CheckState(StateKey("web1/ups")), CALM, at=Instant(1))
    assert state.summary == "no longer present: web1/ups"


@pytest.mark.parametrize(
    ("words", "before", "after", "first_failed"),
    [
        ("O C C", "O2", "O0", None),
        ("C", "P1", "P0", None),
        ("C C C O", "C1", "C0", 1_000_000),
        ("C C C U", "C1", "C0", 1_000_000),
    ],
)
def test_a_changed_target_forgets_the_soft_count(
    words: str, before: str, after: str, first_failed: int | None
) -> None:
    state = replace(last(words), memory={"offset": 7})
    assert belief(state) == before
    reset = reset_soft(state)
    assert belief(reset) == after
    assert reset.status is reset.hard
    assert (reset.first_failed, dict(reset.memory)) == (first_failed, {})


def test_a_changed_target_behind_an_outage_is_reachable_with_its_first_ok() -> None:
    reset = reset_soft(last("O C!"))
    assert reset.unreachable
    assert changes("O", state=reset) == [("reachable", "OK", "OK", 1)]


def test_the_first_result_of_a_changed_target_is_no_change() -> None:
    reset = reset_soft(last("O O O"))
    assert last("C", state=reset, policy=StatePolicy()).flap_bits == 0


@pytest.mark.parametrize(
    ("words", "next_word", "expected"),
    [
        ("O O", "O", False),
        ("O C O O", "O", False),  # the window only moves on
        ("C C C C", "C", False),
        ("O", "C", True),
        ("O C", "C", True),
        ("O C", "O", True),
        ("C C C", "O", True),
        ("C C C O", "O", True),
        ("O C", "C!", True),
        ("O C!", "C!", False),
        ("U U U", "U", False),
        ("C C C O C?", "C", True),  # the same, but now it is compared with
        ("C C C U U U", "U", False),
        ("P", "P", False),
        ("P", "O", True),
    ],
)
def test_a_row_is_written_when_the_belief_changes(
    words: str, next_word: str, expected: bool
) -> None:
    before = last(words, policy=StatePolicy())
    after = last(next_word, state=before, policy=StatePolicy(), start=60)
    assert changed(before, after) is expected
    assert not changed(after, after)


def test_a_row_is_written_for_another_summary_of_what_is_not_ok() -> None:
    bad = last("C C C")
    assert changed(bad, replace(bad, summary="97 % used"))
    fine = last("O")
    assert not changed(fine, replace(fine, summary="201 in 4 ms", last_seen=Instant(99)))
    assert changed(fine, replace(fine, memory={"offset": 8}))
