"""When a runbook rises, when it falls, and which mode holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions import trust
from monitord.decisions.trust import MODES, Word, breaks, falls, mode_of, not_yet, where_from
from monitord.model.catalog import Trust
from tests.decisions.cases import at, rung

BARS = Trust()


def word(mode: str, *, promoted: bool, of: str = "h") -> Word:
    return Word(mode, promoted=promoted, at=at(1), by="kim", reason="why", hash=of)


@pytest.mark.parametrize(
    ("good", "tried", "allowed"),
    [
        (19, 19, False),  # too few
        (20, 20, True),
        (19, 20, False),  # 95 %, but the true rate may be 76 %
        (29, 30, True),  # 97 %, and surely above 80 %
        (27, 30, False),  # 90 %
    ],
)
def test_a_runbook_may_rise_when_its_rate_is_met_and_surely_above_the_fall(
    good: int, tried: int, allowed: bool
) -> None:
    outcomes = [True] * good + [False] * (tried - good)
    assert (not_yet(BARS, "approve", outcomes, 0) == "") is allowed


def test_from_shadow_it_is_the_number_of_cases_that_counts() -> None:
    assert "19 times, and needs 20" in not_yet(BARS, "shadow", [], 19)
    assert not_yet(BARS, "shadow", [], 20) == ""


@pytest.mark.parametrize(
    ("good", "tried", "sentence"),
    [
        (0, 0, False),
        (0, 2, False),  # too few to say anything
        (0, 3, True),
        (1, 3, True),  # at most 79 %
        (2, 3, False),
        (3, 4, False),
        (2, 6, True),
        (16, 20, False),  # 80 %: not surely below it
        (10, 20, True),
    ],
)
def test_a_runbook_falls_when_it_is_surely_below_the_bar(
    good: int, tried: int, sentence: bool
) -> None:
    assert bool(falls(BARS, [True] * good + [False] * (tried - good))) is sentence


@given(st.integers(0, 60), st.integers(0, 60))
def test_what_may_rise_does_not_fall_by_the_same_record(good: int, bad: int) -> None:
    outcomes = [True] * good + [False] * bad
    assert not_yet(BARS, "approve", outcomes, 0) or not falls(BARS, outcomes)


@pytest.mark.parametrize(
    ("mode", "ceiling", "said", "holds"),
    [
        ("approve", "auto", None, "approve"),
        ("approve", "auto", word("auto", promoted=True), "auto"),
        ("approve", "approve", word("auto", promoted=True), "approve"),
        ("shadow", "shadow", word("auto", promoted=True), "shadow"),  # a cautious profile
        ("approve", "auto", word("auto", promoted=True, of="older"), "approve"),
        ("auto", "auto", word("approve", promoted=False), "approve"),
        ("auto", "auto", word("approve", promoted=False, of="older"), "approve"),
        ("shadow", "auto", word("approve", promoted=False), "shadow"),
    ],
)
def test_which_mode_holds(mode: str, ceiling: str, said: Word | None, holds: str) -> None:
    assert mode_of(rung(mode=mode, ceiling=ceiling), "h", said) == holds


@given(st.sampled_from(MODES), st.sampled_from(MODES), st.sampled_from(MODES), st.booleans())
def test_no_word_lifts_a_rung_over_its_ceiling_and_no_demotion_lifts_it(
    mode: str, ceiling: str, said: str, promoted: bool
) -> None:
    own = min(mode, ceiling, key=MODES.index)
    held = mode_of(rung(mode=own, ceiling=ceiling), "h", word(said, promoted=promoted))
    assert MODES.index(held) <= MODES.index(ceiling)
    assert promoted or MODES.index(held) <= MODES.index(own)


def test_people_are_told_where_a_mode_comes_from() -> None:
    assert where_from(rung(), "h", None) == "configuration and profile"
    demoted = where_from(rung(), "h", word("approve", promoted=False))
    assert demoted == "demoted to approve by kim: why"
    changed = where_from(rung(mode="approve"), "h", word("auto", promoted=True, of="older"))
    assert changed.endswith("and has been changed since)")
    capped = where_from(rung(mode="shadow", ceiling="shadow"), "h", word("auto", promoted=True))
    assert capped == "configuration and profile (promoted to auto by kim: why)"


def test_a_word_comes_back_as_it_was_stored() -> None:
    said = word("auto", promoted=True)
    assert trust.read_word(said.text()) == said
    assert trust.read_word(None) is None


def test_each_mode_has_its_neighbours() -> None:
    assert [trust.above(mode) for mode in MODES] == ["approve", "auto", ""]
    assert [trust.below(mode) for mode in MODES] == ["shadow", "shadow", "approve"]


@pytest.mark.parametrize(
    ("outcomes", "is_open"),
    [
        ("FFFF", False),
        ("FFFFF", True),
        ("FVFVF", True),
        ("FVVVF", False),
        ("VVVVVFFFFV", True),  # only the last five count
        ("FFFFFVVVVV", False),
    ],
)
def test_the_breaker_looks_at_the_last_five(outcomes: str, is_open: bool) -> None:
    ended = [(at(second), letter == "V") for second, letter in enumerate(outcomes)]
    assert bool(breaks(ended, at(0))) is is_open


def test_what_ended_too_long_ago_does_not_break() -> None:
    ended = [(at(second), False) for second in range(5)]
    assert breaks(ended, at(0))
    assert not breaks(ended, at(1))
