"""By which way a person is told, and what comes after a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.clock import as_instant
from monitord.decisions.notifying import Again, By, Later, Never, after_failure, choose
from monitord.model.ids import IncidentId, Instant
from monitord.model.notice import Notice, NoticeKind, NoticeStatus
from monitord.model.oncall import Person, Way

NOON = as_instant(datetime(2026, 11, 22, 11, 0, tzinfo=UTC))  # 12:00 in Berlin
NIGHT = as_instant(datetime(2026, 11, 22, 22, 30, tzinfo=UTC))  # 23:30 in Berlin
MAIL = Way("email", "kim@example.com", 22 * 3600, 6 * 3600)
PUSH = Way("apprise", "json://push.example.com", min_priority="P2")
KIM = Person("kim", "kim", "Europe/Berlin", (MAIL, PUSH))


def notice(**changes: object) -> Notice:
    usual = Notice(
        1, IncidentId(7), "kim", NoticeKind.PAGE, "P2", "web1/site", "down",
        NoticeStatus.PENDING, NOON, NOON,
    )  # fmt: skip
    return replace(usual, **changes)  # type: ignore[arg-type] # each test names real fields


def test_the_first_way_is_tried_first_and_a_silent_one_is_passed_over() -> None:
    assert choose(KIM, notice(), NOON) == By(0)
    assert choose(KIM, notice(), NIGHT) == By(1)


def test_what_is_not_urgent_waits_for_the_morning() -> None:
    six = as_instant(datetime(2026, 11, 23, 5, 0, tzinfo=UTC))
    assert choose(KIM, notice(priority="P3"), NIGHT) == Later(six)


def test_a_p1_wakes_rather_than_waits() -> None:
    only_mail = replace(KIM, ways=(MAIL,))
    assert choose(only_mail, notice(priority="P1"), NIGHT) == By(0)
    over = notice(priority="P1", kind=NoticeKind.OVER)
    assert isinstance(choose(only_mail, over, NIGHT), Later)


def test_nobody_is_told_what_no_way_carries() -> None:
    said = "kim is not told: no way carries P4"
    assert choose(replace(KIM, ways=(PUSH,)), notice(priority="P4"), NOON) == Never(said)
    assert isinstance(choose(replace(KIM, ways=()), notice(), NOON), Never)


def test_the_next_way_follows_at_once_and_a_whole_round_rests() -> None:
    assert after_failure(KIM, notice(), 0, NOON) == Again(1, NOON, nobody=False)
    rested = Instant(NOON + 30_000_000)
    assert after_failure(KIM, notice(tries=1), 1, NOON) == Again(
        0, rested, nobody=True, hands_over=True
    )
    assert after_failure(KIM, notice(tries=11), 1, NOON) is None


@pytest.mark.parametrize("tries", range(11))
def test_every_failure_before_the_last_is_tried_again(tries: int) -> None:
    again = after_failure(KIM, notice(tries=tries), tries % 2, NOON)
    assert again is not None
    assert NOON <= again.due_at <= NOON + 600_000_000


@given(st.integers(0, 86_399), st.integers(0, 86_399), st.integers(0, 86_399))
def test_after_the_wait_the_way_speaks(low: int, high: int, second: int) -> None:
    lee = Person("lee", "lee", "UTC", (Way("email", "lee@example.com", low, high),))
    day = datetime(2026, 11, 22, tzinfo=UTC)
    now = as_instant(day + timedelta(seconds=second))
    found = choose(lee, notice(priority="P3"), now)
    if isinstance(found, Later):
        assert choose(lee, notice(priority="P3"), found.until) == By(0)
