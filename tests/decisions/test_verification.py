from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.verification import (
    Again,
    Fixed,
    GaveUp,
    deadline,
    first_look,
    interval,
    look,
)
from monitord.model.catalog import VerifyPolicy
from monitord.model.result import Status
from tests.decisions.cases import VERIFY, at

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
BEGAN = at(100)
HALF_A_MINUTE = timedelta(seconds=30)


def seconds(settle: float, oks: int, within: float) -> VerifyPolicy:
    return VerifyPolicy(timedelta(seconds=settle), oks, timedelta(seconds=within))


@pytest.mark.parametrize(
    ("policy", "every", "gap"),
    [
        (seconds(15, 3, 120), 30, 26.25),  # (120 - 15) / 4
        (seconds(15, 3, 120), 10, 10),  # never more seldom than the check itself
        (seconds(0, 1, 1), 60, 1),  # and never more often than each second
        (seconds(5, 9, 6), 60, 1),
        (seconds(600, 3, 3600), 12 * 3600, 750),
    ],
)
def test_looks_come_often_enough_to_be_done_in_time(
    policy: VerifyPolicy, every: float, gap: float
) -> None:
    assert interval(policy, timedelta(seconds=every)).total_seconds() == gap


def test_the_first_look_waits_for_the_settle_time_and_the_last_is_within() -> None:
    assert first_look(VERIFY, began=BEGAN) == at(115)
    assert deadline(VERIFY, began=BEGAN) == at(220)


CASES = {
    "the first OK is not enough": (0, [OK], 115, Again(1, at(141.25))),
    "nor the second": (1, [OK], 141.25, Again(2, at(167.5))),
    "the third is": (2, [OK], 167.5, Fixed(3)),
    "a bad look begins anew": (2, [CRITICAL], 167.5, Again(0, at(193.75))),
    "a WARNING is no OK": (2, [WARNING], 167.5, Again(0, at(193.75))),
    "UNKNOWN is never an OK": (2, [UNKNOWN], 167.5, Again(0, at(193.75))),
    "one bad item spoils the look": (2, [OK, CRITICAL], 167.5, Again(0, at(193.75))),
    "nothing seen is no OK": (2, [], 167.5, Again(0, at(193.75))),
    "the last look comes at the deadline": (1, [OK], 200, Again(2, at(220))),
    "the third OK counts even at the deadline": (2, [OK], 220, Fixed(3)),
    "after the deadline it gives up": (
        0,
        [OK],
        220,
        GaveUp("1 of 3 OKs in a row when the time was over"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_look(name: str) -> None:
    oks, statuses, now, expected = CASES[name]
    found = look(VERIFY, HALF_A_MINUTE, began=BEGAN, oks=oks, statuses=statuses, now=at(now))
    assert found == expected


def play(policy: VerifyPolicy, seen: list[Status]) -> Iterator[Fixed | Again | GaveUp]:
    """Look as often as it asks; what was seen last is seen for ever."""
    now, oks = first_look(policy, began=BEGAN), 0
    for number in range(1000):
        status = seen[min(number, len(seen) - 1)]
        verdict = look(policy, HALF_A_MINUTE, began=BEGAN, oks=oks, statuses=[status], now=now)
        yield verdict
        if not isinstance(verdict, Again):
            return
        assert verdict.at > now
        now, oks = verdict.at, verdict.oks


# The configuration refuses what cannot hold: looks are at least a second apart.
POLICIES = st.builds(seconds, st.integers(0, 60), st.integers(1, 5), st.integers(65, 600))
STATUSES = st.lists(st.sampled_from([OK, WARNING, CRITICAL, UNKNOWN]), min_size=1, max_size=30)


@given(POLICIES, STATUSES)
def test_fixed_means_so_many_oks_in_a_row(policy: VerifyPolicy, seen: list[Status]) -> None:
    verdicts = list(play(policy, seen))
    looked = [seen[min(number, len(seen) - 1)] for number in range(len(verdicts))]
    match verdicts[-1]:
        case Fixed(oks):
            assert oks == policy.oks
            assert looked[-oks:] == [OK] * oks
        case GaveUp():
            runs = "".join("x" if status is OK else " " for status in looked).split()
            assert all(len(run) < policy.oks for run in runs)


@given(POLICIES)
def test_what_is_well_from_the_first_look_on_is_proven_in_time(policy: VerifyPolicy) -> None:
    *_, last = play(policy, [OK])
    assert last == Fixed(policy.oks)


@given(POLICIES)
def test_what_stays_bad_is_given_up(policy: VerifyPolicy) -> None:
    *_, last = play(policy, [CRITICAL])
    assert isinstance(last, GaveUp)
