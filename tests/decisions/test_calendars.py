"""What holds of open time whatever the calendar, and on the nights on which the clock is set."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitord.decisions.calendars import (
    HORIZON,
    add_open_time,
    hours_on,
    instant_of,
    is_open,
    next_open,
    open_periods,
    open_time_between,
    wall_time,
    zone_of,
)
from monitord.model.calendar import ALWAYS, DAY, WHOLE_DAY, Calendar, Day, Rule, Span
from monitord.model.ids import Instant

HOUR = timedelta(hours=1)
unhurried = settings(deadline=None, max_examples=40)  # each example lays out whole years
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
NIGHTS = (  # a day on which the clock is set forward, and one on which it is set back
    ("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25), HOUR),
    ("America/New_York", date(2026, 3, 8), date(2026, 11, 1), HOUR),
    ("Australia/Lord_Howe", date(2026, 10, 4), date(2026, 4, 5), HOUR / 2),
)


def at(text: str, zone: str = "UTC") -> Instant:
    return instant_of(zone_of(zone), datetime.fromisoformat(text))


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    marks = sorted(draw(st.sets(st.integers(0, 47), min_size=2, max_size=6)))
    pairs = zip(marks[::2], marks[1::2], strict=False)
    return tuple(Span(a * DAY // 48, b * DAY // 48) for a, b in pairs)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = tuple(draw(spans() | st.just(())) for _ in range(6))
    night = draw(st.sampled_from([(Span(79200, 108000),), WHOLE_DAY, (Span(9000, 10800),)]))
    off = Day(weekday=draw(st.integers(0, 6)), nth=draw(st.sampled_from([1, -1, 3])))
    other = Calendar("o", draw(st.sampled_from(ZONES)), (*((Span(0, 7200),),) * 7,))
    return Calendar(
        "drawn",
        draw(st.sampled_from(ZONES)),
        (*week, night),
        (Rule(off, off, draw(spans() | st.just(()))),),
        exclude=draw(st.sampled_from([(), (other,)])),
    )


LOW, HIGH = at("2025-12-20T00:00"), at("2026-12-31T00:00")
instants = st.integers(LOW, HIGH).map(Instant) | st.sampled_from(
    [at(f"{day}T0{hour}:30") for _, *days, _ in NIGHTS for day in days[:2] for hour in range(4)]
)
# The leanest of them is open for half an hour a week: two days of that are two years.
durations = st.integers(1, 48 * 3600 * 1_000_000).map(lambda n: timedelta(microseconds=n))


@unhurried
@given(calendars(), instants, durations)
def test_adding_open_time_and_counting_it_are_inverse(
    calendar: Calendar, start: Instant, duration: timedelta
) -> None:
    end = add_open_time(calendar, start, duration)
    assume(end is not None)  # one that is drawn may be shut for ever by what it excludes
    assert end is not None
    assert open_time_between(calendar, start, end) == duration
    assert open_time_between(calendar, start, Instant(end - 1)) < duration
    begin = add_open_time(calendar, start, -duration)
    assume(begin is not None)
    assert begin is not None
    assert open_time_between(calendar, begin, start) == duration
    assert open_time_between(calendar, Instant(begin + 1), start) < duration


@unhurried
@given(calendars(), instants, durations, durations)
def test_more_open_time_is_never_earlier(
    calendar: Calendar, start: Instant, one: timedelta, other: timedelta
) -> None:
    less, more = (add_open_time(calendar, start, each) for each in sorted((one, other)))
    assume(more is not None)
    assert less is not None
    assert more is not None
    assert start <= less <= more


@unhurried
@given(calendars(), instants, instants, instants)
def test_the_parts_of_an_interval_add_up(
    calendar: Calendar, a: Instant, b: Instant, c: Instant
) -> None:
    parts = open_time_between(calendar, a, b) + open_time_between(calendar, b, c)
    assert parts == open_time_between(calendar, a, c)
    assert open_time_between(calendar, a, b) == -open_time_between(calendar, b, a)


@unhurried
@given(calendars(), instants)
def test_what_opens_next_is_open_and_nothing_before_it(calendar: Calendar, start: Instant) -> None:
    opens = next_open(calendar, start)
    assume(opens is not None)
    assert opens is not None
    assert is_open(calendar, opens)
    assert is_open(calendar, start) is (opens == start)
    assert open_time_between(calendar, start, opens) == timedelta(0)
    assert open_time_between(calendar, opens, Instant(opens + 1)) > timedelta(0)


@unhurried
@given(calendars(), instants, instants)
def test_open_and_closed_are_all_there_is(calendar: Calendar, a: Instant, b: Instant) -> None:
    closed = Calendar("closed", week=ALWAYS.week, exclude=(calendar,))
    a, b = sorted((a, b))
    both = open_time_between(calendar, a, b) + open_time_between(closed, a, b)
    assert both == timedelta(microseconds=b - a)
    assert is_open(calendar, a) is not is_open(closed, a)
    lengths = [end - begin for begin, end in open_periods(calendar, a, b)]
    assert timedelta(microseconds=sum(lengths)) == open_time_between(calendar, a, b)


@unhurried
@given(st.sampled_from(NIGHTS), st.lists(st.integers(1, 95), min_size=1, max_size=8, unique=True))
def test_shifts_that_adjoin_on_paper_adjoin_in_the_night_of_the_change(
    night: tuple[str, date, date, timedelta], marks: list[int]
) -> None:
    """Nothing is covered twice and nothing is left out, wherever the hand-overs lie."""
    zone, forward, back, step = night
    ends = [0, *sorted(marks), 96]
    for day, length in ((forward, 24 * HOUR - step), (back, 24 * HOUR + step)):
        shifts = [
            Calendar("shift", zone, rules=(Rule(Day(on=day), Day(on=day), (Span(a, b),)),))
            for a, b in ((a * 900, b * 900) for a, b in pairwise(ends))
        ]
        low, high = (at(f"{one}T00:00", zone) for one in (day, day + timedelta(days=1)))
        covered = sorted(
            period for one in shifts for period in open_periods(one, Instant(low), Instant(high))
        )
        assert covered[0][0] == low
        assert covered[-1][1] == high
        assert all(one[1] == other[0] for one, other in pairwise(covered))
        assert timedelta(microseconds=high - low) == length


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2026-03-29T01:59", "2026-03-29T00:59"),
        ("2026-03-29T02:00", "2026-03-29T01:00"),  # does not exist: the end of the gap
        ("2026-03-29T02:59", "2026-03-29T01:00"),
        ("2026-03-29T03:00", "2026-03-29T01:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # comes twice: the first of the two
        ("2026-10-25T03:00", "2026-10-25T02:00"),
    ],
)
def test_a_time_that_is_skipped_or_doubled_is_one_instant(wall: str, utc: str) -> None:
    assert at(wall, "Europe/Berlin") == at(utc)


def test_a_midnight_that_is_skipped_leaves_no_hole() -> None:
    """In Beirut the clock goes from 24:00 to 01:00."""
    calendar = Calendar("always", "Asia/Beirut", week=ALWAYS.week)
    assert open_time_between(calendar, LOW, HIGH) == timedelta(microseconds=HIGH - LOW)


def test_the_wall_shows_what_was_asked_for() -> None:
    zone = zone_of("Europe/Berlin")
    assert wall_time(zone, at("2026-07-01T12:00", "Europe/Berlin")) == datetime(2026, 7, 1, 12)  # noqa: DTZ001 - a wall has no zone


NINE_TO_FIVE = (Span(9 * 3600, 17 * 3600),)


def rules(*words: tuple[Day, Day, tuple[Span, ...]]) -> tuple[Rule, ...]:
    return tuple(Rule(*one) for one in words)


def test_a_holiday_is_closed_unless_its_own_date_says_otherwise() -> None:
    christmas, silvester = Day(day=25, month=12), Day(on=date(2026, 12, 31))
    first = Day(day=1)
    calendar = Calendar(
        "office",
        "Europe/Berlin",
        (NINE_TO_FIVE,) * 7,
        rules(
            (silvester, silvester, ()),
            (christmas, christmas, (Span(36000, 39600),)),
            (first, first, (Span(36000, 43200),)),
        ),
        ("DE-BW",),
    )
    assert hours_on(calendar, date(2026, 1, 6)) == ()  # Epiphany, in that state
    assert hours_on(Calendar("o", week=calendar.week, holidays=("DE",)), date(2026, 1, 6))
    assert hours_on(calendar, date(2026, 12, 25)) == (Span(36000, 39600),)
    assert hours_on(calendar, date(2026, 12, 31)) == ()
    assert hours_on(calendar, date(2026, 5, 1)) == ()  # it is a first of a month, too
    assert hours_on(calendar, date(2026, 6, 1)) == (Span(36000, 43200),)


def test_a_range_over_the_end_of_a_year_or_month_is_one() -> None:
    days = rules((Day(day=24, month=12), Day(day=6, month=1), WHOLE_DAY))
    calendar = Calendar("c", rules=days)
    opened = [date(2026, 12, 23), date(2026, 12, 31), date(2027, 1, 7)]
    assert [bool(hours_on(calendar, day)) for day in opened] == [False, True, False]
    monthly = Calendar("m", rules=rules((Day(day=-2), Day(day=2), WHOLE_DAY)))
    opened = [date(2026, 2, 26), date(2026, 2, 27), date(2026, 3, 2), date(2026, 3, 3)]
    assert [bool(hours_on(monthly, day)) for day in opened] == [False, True, True, False]


def test_a_day_that_a_month_lacks_does_not_come_and_ends_a_range_with_the_month() -> None:
    fifth = Calendar("c", rules=rules((Day(weekday=4, nth=5), Day(weekday=4, nth=5), WHOLE_DAY)))
    assert next_open(fifth, at("2026-02-01T00:00")) == at("2026-05-29T00:00")
    late = Calendar("c", rules=rules((Day(day=20), Day(day=31), WHOLE_DAY)))
    assert hours_on(late, date(2026, 2, 28)) == WHOLE_DAY
    assert hours_on(late, date(2026, 3, 1)) == ()


def test_a_night_shift_belongs_to_the_day_on_which_it_starts() -> None:
    friday = Day(on=date(2026, 1, 2))
    night = Calendar("n", week=((Span(79200, 108000),),) * 7, rules=rules((friday, friday, ())))
    assert is_open(night, at("2026-01-02T05:59"))  # Thursday's goes on into the free Friday
    assert not is_open(night, at("2026-01-02T23:00"))
    assert not is_open(night, at("2026-01-03T05:00"))


def test_what_never_opens_has_no_next_time() -> None:
    never = Calendar("never", exclude=(ALWAYS,), week=ALWAYS.week)
    assert next_open(never, LOW) is None
    assert add_open_time(never, LOW, HOUR) is None
    assert add_open_time(never, LOW, -HOUR) is None
    assert add_open_time(never, LOW, timedelta(0)) == LOW
    leap = Calendar("leap", rules=rules((Day(day=29, month=2), Day(day=29, month=2), WHOLE_DAY)))
    assert next_open(leap, at("2096-03-01T00:00")) == at("2104-02-29T00:00")
    assert HORIZON > 8


def test_around_the_clock_is_every_microsecond() -> None:
    assert add_open_time(ALWAYS, LOW, 90 * HOUR) == LOW + 90 * HOUR // timedelta(microseconds=1)
    assert is_open(ALWAYS, at("2026-12-31T23:59:59.999999"))
    assert datetime.fromtimestamp(at("2026-01-01T00:00") / 1e6, UTC).year == 2026
