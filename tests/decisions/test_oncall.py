"""Shifts tile the time, layers and overrides lie over each other, a clock change loses nobody."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.clock import after, as_datetime
from monitord.decisions.calendars import instant_of, zone_of
from monitord.decisions.oncall import begins, gaps, on_call, shifts, turn
from monitord.model.calendar import Calendar, Span
from monitord.model.ids import Instant
from monitord.model.oncall import Every, Layer, Override, Rotation, Shift, ShiftKind

BERLIN = zone_of("Europe/Berlin")
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
CLOCK_CHANGES = (
    (datetime(2027, 3, 28), 23 * HOUR),  # noqa: DTZ001 - on the wall
    (datetime(2026, 10, 25), 25 * HOUR),  # noqa: DTZ001 - as above
)


def wall(text: str) -> Instant:
    return instant_of(BERLIN, datetime.fromisoformat(text))


def layer(
    *members: str, every: Every | None = None, start: str = "2026-11-02T08:00", **more: Any
) -> Layer:
    turns = every or Every(length=WEEK)
    return Layer(members, turns, datetime.fromisoformat(start), "Europe/Berlin", **more)


def hours(first: int, last: int, *, days: range = range(7)) -> Calendar:
    span = Span(first * 3600, last * 3600)
    week = tuple((span,) if day in days else () for day in range(7))
    return Calendar("hours", "Europe/Berlin", week)


def change(person: str, starts: str, ends: str, **more: Any) -> Override:
    made = Override(
        1, "linux", person, wall(starts), wall(ends), ShiftKind.OVERRIDE, "lee", Instant(0), "ill"
    )
    return replace(made, **more)


WEEKLY = Rotation("linux", (layer("kim", "ann"),))
WEEKS = wall("2026-11-02T08:00"), wall("2026-11-16T08:00")


def told(found: list[Shift]) -> list[tuple[str, str, str]]:
    return [
        (
            one.person,
            *(f"{as_datetime(t).astimezone(BERLIN):%m-%d %H:%M}" for t in (one.starts, one.ends)),
        )
        for one in found
    ]


layers = st.builds(
    Layer,
    st.lists(st.sampled_from("abcde"), min_size=1, max_size=5).map(tuple),
    st.one_of(
        st.builds(Every, months=st.integers(1, 5)),
        st.builds(Every, length=st.integers(1, 600).map(lambda count: count * HOUR)),
    ),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - on the wall
    st.sampled_from(["Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "UTC"]),
)
instants = st.integers(1_600_000_000, 1_900_000_000).map(lambda at: Instant(at * 1_000_000))


@given(layers, instants)
def test_a_plain_rotation_has_exactly_one_person_at_every_instant(own: Layer, at: Instant) -> None:
    (person,) = on_call(Rotation("r", (own,)), (), at)
    number = turn(own, at)
    assert begins(own, number) <= at < begins(own, number + 1)
    assert person == own.members[number % len(own.members)]


@given(layers, instants, st.integers(1, 60))
def test_shifts_tile_the_time(own: Layer, start: Instant, days: int) -> None:
    end = after(start, days * DAY)
    found = shifts(Rotation("r", (own,)), (), start, end)
    assert (found[0].starts, found[-1].ends) == (start, end)
    assert all(one.ends == other.starts for one, other in pairwise(found))
    assert all(one.starts < one.ends for one in found)


@given(layers, instants, instants, st.booleans())
def test_an_override_of_no_length_changes_nothing(
    own: Layer, start: Instant, at: Instant, beside: bool
) -> None:
    rotation, end = Rotation("linux", (own,)), after(start, 30 * DAY)
    nothing = replace(change("zoe", "2026-11-02", "2026-11-03"), starts=at, ends=at, beside=beside)
    assert shifts(rotation, [nothing], start, end) == shifts(rotation, (), start, end)
    assert on_call(rotation, [nothing], at) == on_call(rotation, (), at)


@given(st.lists(layers, min_size=1, max_size=3), st.data())
def test_who_is_on_call_is_whose_shift_it_is(stack: list[Layer], data: st.DataObject) -> None:
    """With layers in hours and overrides of any kind, the two questions agree at every instant."""
    start, end = wall("2026-10-20"), wall("2026-11-05")
    edges = st.integers(start, end).map(Instant)
    calendars = st.none() | st.builds(hours, st.integers(0, 11), st.integers(12, 30))
    covered = tuple(replace(one, hours=data.draw(calendars)) for one in stack)
    rotation = Rotation("linux", covered)
    overrides = data.draw(
        st.lists(
            st.builds(
                Override, st.integers(1, 9), st.just("linux"), st.sampled_from("xyz"), edges, edges,
                st.sampled_from(ShiftKind), st.just("lee"), st.just(start), st.just("ill"),
                st.sampled_from(["", "a", "x"]), st.booleans(), agreed=st.none() | edges,
                ended=st.none() | edges,
            ),
            max_size=4, unique_by=lambda one: one.id,
        )
    )  # fmt: skip
    at = data.draw(edges)
    found = shifts(rotation, overrides, start, after(end, DAY))
    on = {one.person for one in found if one.starts <= at < one.ends}
    assert set(on_call(rotation, overrides, at)) == on
    alone = [one for one in found if not one.beside]
    assert all(one.ends <= other.starts for one, other in pairwise(alone))
    empty = gaps(rotation, overrides, start, after(end, DAY))
    assert any(low <= at < high for low, high in empty) == (not on)


@pytest.mark.parametrize(("night", "length"), CLOCK_CHANGES)
def test_in_the_night_of_a_clock_change_nobody_is_lost(night: datetime, length: timedelta) -> None:
    for minutes in range(0, 24 * 60, 30):
        own = layer("a", "b", "c", every=Every(length=HOUR), start="2026-01-01T00:30")
        instant = after(instant_of(BERLIN, night), timedelta(minutes=minutes))
        assert len(on_call(Rotation("r", (own,)), (), instant)) == 1
    daily = Rotation("r", (layer("a", "b", every=Every(length=DAY)),))
    before, behind = (instant_of(BERLIN, night + step * HOUR) for step in (-16, 8))
    (shift,) = shifts(daily, (), before, behind)
    assert shift.ends - shift.starts == length // timedelta(microseconds=1)


def test_a_month_without_the_day_hands_over_on_its_last() -> None:
    own = layer("a", "b", "c", every=Every(months=1), start="2027-01-31T08:00")
    starts = [f"{as_datetime(begins(own, n)).astimezone(BERLIN):%m-%d %H:%M}" for n in range(4)]
    assert starts == ["01-31 08:00", "02-28 08:00", "03-31 08:00", "04-30 08:00"]


def test_a_later_layer_lies_over_the_first_in_its_hours() -> None:
    stack = Rotation("r", (layer("kim"), layer("ann", hours=hours(8, 16, days=range(1)))))
    found = shifts(stack, (), wall("2026-11-02T00:00"), wall("2026-11-03T00:00"))
    assert told(found) == [
        ("kim", "11-02 00:00", "11-02 08:00"),
        ("ann", "11-02 08:00", "11-02 16:00"),
        ("kim", "11-02 16:00", "11-03 00:00"),
    ]
    assert [one.layer for one in found] == [1, 2, 1]


def test_what_nobody_covers_is_a_gap_only_while_somebody_must_be_there() -> None:
    office = Rotation("r", (layer("kim", hours=hours(8, 16, days=range(5))),))
    friday, monday = wall("2026-11-06T12:00"), wall("2026-11-09T12:00")
    assert gaps(office, (), friday, monday) == [
        (wall("2026-11-06T16:00"), wall("2026-11-09T08:00"))
    ]
    assert gaps(replace(office, cover=hours(9, 15, days=range(5))), (), friday, monday) == []
    weekend = change("ann", "2026-11-06T16:00", "2026-11-09T07:00", rotation="r")
    assert gaps(office, [weekend], friday, monday) == [
        (wall("2026-11-09T07:00"), wall("2026-11-09T08:00"))
    ]


def test_the_newest_override_wins_and_ends_early_when_it_was_ended() -> None:
    first = change("lee", "2026-11-03T08:00", "2026-11-05T08:00", ended=wall("2026-11-04T08:00"))
    second = change("eve", "2026-11-03T20:00", "2026-11-03T22:00", id=2)
    assert told(shifts(WEEKLY, [second, first], *WEEKS))[:5] == [
        ("kim", "11-02 08:00", "11-03 08:00"),
        ("lee", "11-03 08:00", "11-03 20:00"),
        ("eve", "11-03 20:00", "11-03 22:00"),
        ("lee", "11-03 22:00", "11-04 08:00"),
        ("kim", "11-04 08:00", "11-09 08:00"),
    ]


def test_an_override_instead_of_somebody_stands_only_where_they_would_be() -> None:
    away = change("lee", "2026-11-08T08:00", "2026-11-10T08:00", instead="kim")
    assert told(shifts(WEEKLY, [away], *WEEKS)) == [
        ("kim", "11-02 08:00", "11-08 08:00"),
        ("lee", "11-08 08:00", "11-09 08:00"),
        ("ann", "11-09 08:00", "11-16 08:00"),
    ]


def test_who_is_beside_is_told_after_whose_shift_it_is() -> None:
    learner = change("aaa", "2026-11-03T08:00", "2026-11-04T08:00", beside=True)
    assert on_call(WEEKLY, [learner], wall("2026-11-03T09:00")) == ("kim", "aaa")
    assert on_call(WEEKLY, [learner], wall("2026-11-04T08:00")) == ("kim",)


def test_a_swap_counts_once_the_other_has_agreed() -> None:
    swap = change("ann", "2026-11-03T08:00", "2026-11-04T08:00", kind=ShiftKind.SWAP)
    at = wall("2026-11-03T09:00")
    assert on_call(WEEKLY, [swap], at) == ("kim",)
    assert on_call(WEEKLY, [replace(swap, agreed=Instant(1))], at) == ("ann",)


def test_an_override_of_another_rotation_is_none_of_ours() -> None:
    other = change("lee", "2026-11-03T08:00", "2026-11-04T08:00", rotation="desk")
    assert on_call(WEEKLY, [other], wall("2026-11-03T09:00")) == ("kim",)
