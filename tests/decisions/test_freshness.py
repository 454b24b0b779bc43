from dataclasses import replace
from datetime import timedelta

import pytest

from monitord.clock import after
from monitord.decisions.freshness import stale
from monitord.model.ids import EPOCH, Instant
from monitord.model.result import Status
from monitord.model.state import Change, StatePolicy
from tests.decisions.rows import FRESH, last

POLICY = StatePolicy(fresh_for=timedelta(minutes=5))
SEEN = Instant(1_000_000)


def at(**since_seen: int) -> Instant:
    return after(SEEN, timedelta(**since_seen))


@pytest.mark.parametrize("words", ["O", "C", "W"])
def test_a_state_without_results_for_fresh_for_is_stale(words: str) -> None:
    state = last(words)
    assert stale(state, POLICY, now=at(minutes=5)) is None
    found = stale(state, POLICY, now=at(minutes=5, seconds=1))
    assert found is not None
    older, transition = found
    assert older == replace(state, stale=True)
    assert (transition.change, transition.before, transition.after) == (
        Change.STALE,
        state.hard,
        state.hard,
    )
    assert transition.summary == f"no result for 5m1s; the last was: it is {words}"


def test_a_stale_state_becomes_stale_only_once() -> None:
    assert stale(replace(last("O"), stale=True), POLICY, now=at(hours=1)) is None


def test_a_state_read_back_after_a_restart_has_its_time() -> None:
    state, restart = last("O"), at(hours=9)
    soon = at(hours=9, minutes=4)
    assert stale(state, POLICY, now=soon, watching_since=restart) is None
    late = at(hours=9, minutes=6)
    assert stale(state, POLICY, now=late, watching_since=restart) is not None


def test_a_first_result_that_never_comes_makes_a_pending_state_stale() -> None:
    waiting = replace(FRESH, since=SEEN)
    assert stale(waiting, POLICY, now=at(minutes=4)) is None
    found = stale(waiting, POLICY, now=at(minutes=6))
    assert found is not None
    assert found[0].hard is Status.PENDING
    assert found[1].summary == "no result for 6m; the last was: none"


def test_a_state_without_any_beginning_is_never_stale() -> None:
    assert FRESH.since == FRESH.last_seen == EPOCH
    assert stale(FRESH, POLICY, now=at(days=9)) is None


def test_a_clock_that_stepped_back_makes_nothing_stale() -> None:
    assert stale(last("O"), POLICY, now=EPOCH) is None
