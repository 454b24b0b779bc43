"""What is part of another outage, and when it stands on its own again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.correlation import shares_cause, stands_alone
from monitord.decisions.reach import Reach
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from monitord.model.state import CheckState

SECOND = 1_000_000
WITHIN = timedelta(minutes=5)
instants = st.integers(0, 10_000).map(lambda second: Instant(second * SECOND))
reaches = st.sampled_from(Reach)
states = st.builds(
    CheckState,
    st.just(StateKey("web1/site")),
    status=st.sampled_from(Status),
    unreachable=st.booleans(),
    last_seen=instants,
)
items = st.lists(st.tuples(states, reaches), max_size=3)


def alone(found: list[tuple[CheckState, Reach]], now: int, ended: int | None = None) -> bool:
    over = Instant(ended * SECOND) if ended is not None else None
    joined, at = Instant(100 * SECOND), Instant(now * SECOND)
    return stands_alone(found, joined=joined, ended=over, now=at, patience=WITHIN)


def seen(second: int, status: Status = Status.CRITICAL, **more: bool) -> CheckState:
    return CheckState(
        StateKey("web1/site"), status=status, last_seen=Instant(second * SECOND), **more
    )


@given(instants, instants)
def test_only_what_began_shortly_before_a_parent_or_after_it_shares_its_cause(
    child: Instant, parent: Instant
) -> None:
    assert shares_cause(child, parent, WITHIN) == (parent - child <= 300 * SECOND)


@given(items, instants)
def test_while_its_parents_are_not_surely_up_nothing_stands_alone(
    found: list[tuple[CheckState, Reach]], now: Instant
) -> None:
    doubtful = [(state, Reach.DOWN if each is Reach.UP else each) for state, each in found]
    assert not stands_alone(doubtful, joined=Instant(0), ended=None, now=now, patience=WITHIN)


@given(items, instants)
def test_nothing_stays_quiet_for_longer_than_the_patience(
    found: list[tuple[CheckState, Reach]], ended: Instant
) -> None:
    late = Instant(ended + 300 * SECOND)
    assert stands_alone(found, joined=Instant(0), ended=ended, now=late, patience=WITHIN)


def test_what_was_seen_before_it_joined_proves_nothing() -> None:
    assert not alone([(seen(90), Reach.UP)], now=120)
    assert alone([(seen(110), Reach.UP)], now=120)


def test_after_the_others_end_it_must_be_seen_anew() -> None:
    assert not alone([(seen(190), Reach.UP)], now=210, ended=200)
    assert alone([(seen(205), Reach.UP)], now=210, ended=200)


def test_what_answers_again_gets_the_time_to_recover() -> None:
    assert not alone([(seen(205, Status.OK), Reach.UP)], now=210, ended=200)


def test_what_is_unreachable_is_not_bad_by_itself() -> None:
    assert not alone([(seen(205, unreachable=True), Reach.UP)], now=210, ended=200)
