"""What holds of the state rules for every row of results."""

from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.flapping import percent
from monitord.decisions.reach import Reach
from monitord.decisions.state import changed, judge, verified
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Cause, Result, Status
from monitord.model.state import Change, CheckState, StatePolicy, Transition

BAD = frozenset({Status.WARNING, Status.CRITICAL, Status.UNKNOWN})
JUDGED_BAD = frozenset({Status.WARNING, Status.CRITICAL})

Event = tuple[Result, Reach]
results = st.one_of(
    st.sampled_from([Status.OK, Status.WARNING, Status.CRITICAL, Status.PENDING]).map(
        lambda status: Result(status, status.name)
    ),
    st.sampled_from([Cause.LOGIN, Cause.TIMEOUT]).map(
        lambda cause: Result.unknown("cannot tell", cause)
    ),
)
# UP twice as often: else hardly any row gets as far as hard.
reaches = st.sampled_from([Reach.UP, Reach.UP, Reach.UNSURE, Reach.DOWN])
rows = st.lists(st.tuples(results, reaches), max_size=60)
policies = st.builds(
    StatePolicy, attempts=st.integers(1, 4), recoveries=st.integers(1, 4), flapping=st.booleans()
)

Walk = list[tuple[CheckState, Event, CheckState, tuple[Transition, ...]]]


def walk(row: list[Event], policy: StatePolicy) -> Walk:
    state, seen = CheckState(StateKey("web1/site")), []
    for second, (result, reach) in enumerate(row, 1):
        after, new = judge(state, result, policy, at=Instant(second), reach=reach)
        seen.append((state, (result, reach), after, new))
        state = after
    return seen


@given(rows, policies)
def test_hard_transitions_form_a_chain(row: list[Event], policy: StatePolicy) -> None:
    hard, cause = Status.PENDING, None
    for _, _, after, new in walk(row, policy):
        moves = [one for one in new if one.change is Change.HARD]
        assert len(moves) <= 1
        for one in moves:
            assert one.before is hard
            assert one.after is not hard or (hard is Status.UNKNOWN and one.cause is not cause)
            hard, cause = one.after, one.cause
        assert after.hard is hard


@given(rows, policies)
def test_only_an_ok_makes_it_ok(row: list[Event], policy: StatePolicy) -> None:
    for before, (result, _), after, _ in walk(row, policy):
        if after.hard is Status.OK and before.hard is not Status.OK:
            assert result.status is Status.OK


@given(rows, policies)
def test_an_unknown_never_changes_a_warning_or_critical(
    row: list[Event], policy: StatePolicy
) -> None:
    for before, (result, _), after, _ in walk(row, policy):
        if result.status in (Status.UNKNOWN, Status.PENDING) and before.hard in JUDGED_BAD:
            assert after.hard is before.hard


@given(rows, policies)
def test_enough_oks_in_a_row_are_hard_ok_whatever_the_parents_do(
    row: list[Event], policy: StatePolicy
) -> None:
    run = 0
    for _, (result, _), after, _ in walk(row, policy):
        if result.status is not Status.PENDING:
            run = run + 1 if result.status is Status.OK else 0
        if run >= policy.recoveries:
            assert after.hard is after.status is Status.OK
            assert (after.attempt, after.first_failed, after.unreachable) == (0, None, False)


@given(rows, policies)
def test_it_recovers_only_after_enough_oks_in_a_row(row: list[Event], policy: StatePolicy) -> None:
    run = 0
    for before, (result, _), after, _ in walk(row, policy):
        if result.status is not Status.PENDING:
            run = run + 1 if result.status is Status.OK else 0
        if before.hard in BAD and after.hard is Status.OK:
            assert run >= policy.recoveries


@given(rows, policies)
def test_it_fails_only_after_enough_bad_results_of_its_own(
    row: list[Event], policy: StatePolicy
) -> None:
    run = 0
    for before, (result, reach), after, _ in walk(row, policy):
        if result.status is Status.OK:
            run = 0
        elif result.status in BAD and reach is not Reach.DOWN:
            run += 1
        if before.hard not in BAD and after.hard in BAD:
            assert run >= policy.attempts
            assert reach is Reach.UP
            assert after.hard is result.status


@given(rows, policies)
def test_bad_results_in_a_row_with_all_parents_up_are_hard(
    row: list[Event], policy: StatePolicy
) -> None:
    run = 0
    for _, (result, reach), after, _ in walk(row, policy):
        if result.status is not Status.PENDING:
            run = run + 1 if result.status in BAD and reach is Reach.UP else 0
        if run >= policy.attempts:
            assert after.hard in BAD


@given(rows, policies)
def test_a_bad_result_counts_nowhere_while_a_parent_is_down(
    row: list[Event], policy: StatePolicy
) -> None:
    for before, (result, reach), after, new in walk(row, policy):
        if result.status in BAD and reach is Reach.DOWN:
            assert after.unreachable
            assert {one.change for one in new} <= {Change.UNREACHABLE}
            for name in ("hard", "attempt", "since", "first_failed", "flap_bits", "flapping"):
                assert getattr(after, name) == getattr(before, name)


@given(rows, policies)
def test_a_bad_result_never_becomes_hard_while_a_parent_is_in_doubt(
    row: list[Event], policy: StatePolicy
) -> None:
    for before, (result, reach), after, _ in walk(row, policy):
        if result.status in BAD and reach is Reach.UNSURE:
            assert after.hard is before.hard
            assert after.flap_bits == before.flap_bits


@given(rows, policies)
def test_each_side_begins_and_ends_in_turn(row: list[Event], policy: StatePolicy) -> None:
    pairs = {
        Change.UNREACHABLE: Change.REACHABLE,
        Change.FLAPPING: Change.STEADY,
        Change.STALE: Change.FRESH,
    }
    seen = [one.change for _, _, _, new in walk(row, policy) for one in new]
    for begins, ends in pairs.items():
        sides = [change for change in seen if change in (begins, ends)]
        assert sides == [begins, ends] * (len(sides) // 2) + [begins] * (len(sides) % 2)


@given(rows, policies)
def test_the_counters_stay_within_their_bounds(row: list[Event], policy: StatePolicy) -> None:
    for _, _, state, _ in walk(row, policy):
        assert 0 <= state.attempt <= max(policy.attempts, policy.recoveries)
        assert 0 <= state.flap_bits < 2**20
        assert 0.0 <= percent(state.flap_bits) <= 99.0
        assert (state.first_failed is not None) >= (state.hard in BAD)
        if state.status is state.hard is Status.OK:
            assert (state.attempt, state.first_failed, state.cause) == (0, None, None)


@given(rows, policies)
def test_a_row_that_need_not_be_written_says_the_same(
    row: list[Event], policy: StatePolicy
) -> None:
    for before, _, after, new in walk(row, policy):
        if not changed(before, after):
            assert not new
            assert after.flap_bits in (before.flap_bits, before.flap_bits << 1 & 2**20 - 1)
            assert (after.hard, after.attempt, after.since) == (
                before.hard,
                before.attempt,
                before.since,
            )


@given(rows, policies)
def test_the_same_results_give_the_same_beliefs(row: list[Event], policy: StatePolicy) -> None:
    assert walk(row, policy) == walk(row, policy)


@given(rows, policies, rows)
def test_verification_ends_every_outage_and_all_goes_on(
    row: list[Event], policy: StatePolicy, more: list[Event]
) -> None:
    seen = walk(row, policy)
    state = seen[-1][2] if seen else CheckState(StateKey("web1/site"))
    fixed, one = verified(state, at=Instant(99), summary="3 OKs")
    assert (fixed.hard, one.after, one.before) == (Status.OK, Status.OK, state.hard)
    for second, (result, reach) in enumerate(more, 100):
        fixed, _ = judge(fixed, result, policy, at=Instant(second), reach=reach)
        assert fixed.hard is not Status.PENDING
