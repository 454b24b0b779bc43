"""What is part of another outage, and when it stands on its own again."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.correlation import (
    Crowd,
    belongs_to,
    is_out,
    shares_cause,
    stands_alone,
)
from monitord.decisions.reach import Reach
from monitord.model.correlation import Correlate
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


crowds = st.lists(
    st.builds(
        Crowd,
        st.sampled_from(["group/web/site", "service/shop/checks", "site/ulm/hosts", "group/a/x"]),
        st.integers(5, 9),
        st.integers(9, 12),
    ),
    unique_by=lambda one: one.key,
)


@given(crowds, st.randoms())
def test_which_outage_of_many_is_chosen_does_not_hang_on_their_order(
    found: list[Crowd], luck: Random
) -> None:
    shuffled = luck.sample(found, len(found))
    assert belongs_to(found, ()) == belongs_to(shuffled, ())


@given(crowds)
def test_the_one_that_holds_most_is_chosen_and_of_equals_the_smallest(found: list[Crowd]) -> None:
    best = next((one for one in found if one.key == belongs_to(found, ())), None)
    assert best is not None or not found
    assert all((best.failing, -best.size) >= (one.failing, -one.size) for one in found if best)


@given(crowds, st.sampled_from(["site/ulm/hosts", "group/a/x"]))
def test_one_that_is_on_already_goes_before_all_others(found: list[Crowd], known: str) -> None:
    assert belongs_to(found, {known}) == known or known not in {one.key for one in found}


def test_a_group_goes_before_a_service_and_a_service_before_a_site() -> None:
    same = [Crowd(key, 6, 6) for key in ("site/ulm/hosts", "service/a/checks", "group/web/x")]
    assert belongs_to(same, ()) == "group/web/x"
    assert belongs_to(same[:2], ()) == "service/a/checks"


@given(st.integers(0, 100), st.integers(1, 100))
def test_a_whole_is_out_when_more_than_its_share_fail_and_enough(
    failing: int, members: int
) -> None:
    assert is_out(failing, members, Correlate()) == (failing >= 5 and failing * 2 > members)
