"""The formula of availability: which time bears which name, and what the figure is made of."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.decisions import watched
from monitord.decisions.availability import (
    Account,
    Correction,
    Piece,
    Time,
    Work,
    canonical,
    measure,
    pieces,
)
from monitord.decisions.calendars import instant_of, zone_of
from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from monitord.model.sla import Sla
from monitord.model.state import Change, CheckState, Transition
from monitord.model.ticket import Order, Verb

HOUR = 3_600_000_000
KEY = StateKey("www/vip")
OK, CRITICAL, WARNING = Status.OK, Status.CRITICAL, Status.WARNING


def at(hour: float) -> Instant:
    return Instant(round(hour * HOUR))


def run(words: str) -> tuple[Piece, ...]:
    """Read `up 0-4, down 4-5`, in hours."""
    found = []
    for word in words.split(", "):
        name, _, hours = word.partition(" ")
        start, _, end = hours.partition("-")
        found.append(Piece(at(float(start)), at(float(end)), Time(name)))
    return tuple(found)


def account(*tracks: str, **more: Any) -> Account:
    named = {f"h/c{number}": run(words) for number, words in enumerate(tracks)}
    given = Account("shop", "gold", at(0), at(10), ((at(0), at(10)),), named)
    return replace(given, **more)


def hours(of: Account) -> dict[str, float]:
    return {time.value: micros / HOUR for time, micros in measure(of).times.items() if micros}


def test_a_service_is_up_while_each_of_its_checks_is() -> None:
    of = account("up 0-10", "up 0-4, down 4-5, up 5-10")
    assert hours(of) == {"up": 9, "down": 1}
    assert measure(of).share == 0.9


def test_no_data_is_never_up() -> None:
    assert hours(account("up 0-6")) == {"up": 6, "no_data": 4}
    assert measure(account("up 0-6")).share == 0.6
    assert hours(account("up 0-10", "up 2-10")) == {"no_data": 2, "up": 8}
    assert hours(account()) == {"no_data": 10}


@pytest.mark.parametrize("name", ["stale", "unknown", "unreachable"])
def test_what_is_not_seen_bears_its_own_name_and_is_not_up(name: str) -> None:
    of = account(f"up 0-7, {name} 7-10", "up 0-10")
    assert hours(of) == {"up": 7, name: 3}
    assert measure(of).share == 0.7


def test_what_is_seen_down_is_down_whatever_else_is_not_seen() -> None:
    assert hours(account("down 0-10", "stale 0-5, unknown 5-10")) == {"down": 10}


def test_our_own_outage_is_named_and_covers_what_was_believed_meanwhile() -> None:
    of = account("up 0-10", outages=((at(2), at(5)),))
    assert hours(of) == {"up": 7, "outage": 3}
    assert measure(of).share == 0.7


def test_maintenance_takes_nothing_from_what_is_up_and_counts_unless_excused() -> None:
    words = "up 0-4, down 4-6, up 6-10"
    of = account(words, works=(Work(at(3), at(7), "switch"),))
    assert hours(of) == {"up": 8, "maintenance": 2}
    assert measure(of).share == 0.8
    of = account(words, works=(Work(at(3), at(7), "switch", excused=True),))
    assert hours(of) == {"up": 6, "excused": 4}
    assert (measure(of).share, measure(of).denominator) == (1.0, 6 * HOUR)


def test_only_agreed_time_counts() -> None:
    of = account("up 0-4, down 4-6, up 6-10", agreed=((at(0), at(5)), (at(8), at(10))))
    assert hours(of) == {"up": 6, "down": 1}
    assert measure(of).agreed == 7 * HOUR


def test_a_correction_holds_over_all_else_and_the_later_over_the_earlier() -> None:
    up = Correction(at(0), at(5), Time.UP, "logs of the shop show orders", "kim")
    down = Correction(at(4), at(6), Time.DOWN, "but not from four on", "lee")
    of = account("up 5-10", outages=((at(0), at(5)),), corrections=(up, down))
    assert hours(of) == {"up": 8, "down": 2}


def test_a_correction_of_a_check_leaves_the_others_as_they_were_seen() -> None:
    """`h/c0` was down from 2 to 6, and a person says that it was up until 5."""
    said = Correction(at(2), at(5), Time.UP, "the probe's network was cut", "kim", check="h/c0")
    of = account("up 0-2, down 2-6, up 6-10", "up 0-4, down 4-5, up 5-10", corrections=(said,))
    assert hours(of) == {"up": 8, "down": 2}


def test_what_is_excluded_of_a_check_neither_is_up_nor_keeps_the_others_from_it() -> None:
    said = Correction(at(0), at(5), Time.EXCUSED, "not in use yet", "kim", check="h/c0")
    of = account("down 0-10", "up 0-10", corrections=(said,))
    assert hours(of) == {"up": 5, "down": 5}
    alone = account("down 0-10", corrections=(said,))
    assert hours(alone) == {"excused": 5, "down": 5}
    assert measure(alone).denominator == 5 * HOUR


def test_nothing_agreed_is_no_figure() -> None:
    assert measure(account("up 0-10", agreed=())).share is None
    excused = account("up 0-10", works=(Work(at(0), at(10), "move", excused=True),))
    assert measure(excused).share is None


def test_the_seal_is_the_digest_of_all_that_the_figure_is_made_of() -> None:
    of = account("up 0-10", works=(Work(at(1), at(2), "switch"),))
    text = canonical(of)
    assert measure(of).seal == hashlib.sha256(text.encode()).hexdigest()
    assert json.loads(text)["tracks"] == {"h/c0": [{"end": at(10), "start": 0, "time": "up"}]}
    assert " " not in text.replace("switch", "")
    changed = [
        replace(of, works=()),
        replace(of, outages=((at(1), at(2)),)),
        replace(of, corrections=(Correction(at(0), at(1), Time.UP, "r", "kim"),)),
        replace(of, end=at(9)),
    ]
    assert len({measure(one).seal for one in [of, *changed]}) == 5


drawn = st.lists(st.tuples(st.sampled_from(Time), st.integers(1, 6)), max_size=5).map(
    lambda parts: ", ".join(
        f"{time} {sum(n for _, n in parts[:i])}-{sum(n for _, n in parts[: i + 1])}"
        for i, (time, _) in enumerate(parts)
    )
)
spans = st.lists(st.tuples(st.integers(-2, 12), st.integers(-2, 12)), max_size=3)


@settings(deadline=None)  # a slow machine is no mistake
@given(st.lists(drawn.filter(bool), max_size=3), spans, spans, spans)
def test_the_times_add_up_to_what_was_agreed_and_lie_apart(
    tracks: list[str],
    works: list[tuple[int, int]],
    outages: list[tuple[int, int]],
    corrections: list[tuple[int, int]],
) -> None:
    of = account(
        *tracks,
        agreed=((at(1), at(4)), (at(6), at(9))),
        works=tuple(Work(at(a), at(b), "w", excused=a % 2 == 0) for a, b in works),
        outages=tuple((at(a), at(b)) for a, b in outages),
        corrections=tuple(Correction(at(a), at(b), Time.UP, "r", "k") for a, b in corrections),
    )
    found = measure(of)
    assert sum(found.times.values()) == found.agreed == 6 * HOUR
    assert found.share is None or 0 <= found.share <= 1
    cut = list(pieces(of))
    assert all(one[1] <= other[0] for one, other in pairwise(cut))


# What the rows say


def moved(hour: float, before: Status, after: Status, **more: Any) -> Transition:
    change = more.pop("change", Change.HARD)
    return Transition(KEY, change, before, after, at(hour), more.pop("failed", None), "", **more)


WINDOW = (at(0), at(10))


def test_an_outage_lasts_from_its_first_failed_probe_until_it_is_believed_over() -> None:
    rows = [moved(4, OK, CRITICAL, failed=at(3.5)), moved(6, CRITICAL, OK)]
    found = watched.track(rows, CheckState(KEY, hard=OK, since=at(6)), WINDOW)
    assert found == run("up 0-3.5, down 3.5-6, up 6-10")


def test_a_check_that_never_changed_is_what_it_is_since_it_became_so() -> None:
    assert watched.track([], CheckState(KEY, hard=WARNING, since=at(-5)), WINDOW) == run("up 0-10")
    assert watched.track([], CheckState(KEY, hard=OK, since=at(4)), WINDOW) == run("up 4-10")
    assert watched.track([], CheckState(KEY), WINDOW) == ()
    assert watched.track([], None, WINDOW) == ()


def test_a_first_result_begins_and_a_key_that_is_gone_ends_what_is_known() -> None:
    rows = [moved(2, Status.PENDING, OK), moved(5, OK, CRITICAL)]
    assert watched.track(rows, None, WINDOW) == run("up 2-5")


def test_unreachable_stale_and_unknown_are_told_apart() -> None:
    rows = [
        moved(1, OK, OK, change=Change.UNREACHABLE, unreachable=True),
        moved(2, OK, OK, change=Change.REACHABLE),
        moved(3, OK, OK, change=Change.STALE),
        moved(4, OK, OK, change=Change.FRESH),
        moved(5, OK, Status.UNKNOWN),
    ]
    found = watched.track(rows, CheckState(KEY, hard=Status.UNKNOWN, since=at(5)), WINDOW)
    names = "up 0-1, unreachable 1-2, up 2-3, stale 3-4, up 4-5, unknown 5-10"
    assert found == run(names)


@pytest.mark.parametrize(
    ("change", "name"), [(Change.REACHABLE, "unreachable"), (Change.FRESH, "stale")]
)
def test_what_ends_in_the_window_had_begun_before_it(change: Change, name: str) -> None:
    rows = [moved(2, OK, OK, change=change)]
    found = watched.track(rows, CheckState(KEY, hard=OK, since=at(-9)), WINDOW)
    assert found == run(f"{name} 0-2, up 2-10")


def test_maintenance_ends_with_its_order_and_other_orders_are_none() -> None:
    def order(verb: Verb, starts: int, expires: int, ended: int | None = None) -> Order:
        over = None if ended is None else at(ended)
        return Order(1, verb, "*", "switch", "kim", at(0), at(starts), at(expires), ended=over)

    orders = [
        order(Verb.MAINTENANCE, -3, 4),
        order(Verb.MAINTENANCE, 5, 20, ended=6),
        order(Verb.MUTE, 1, 9),
        order(Verb.MAINTENANCE, 11, 12),
    ]
    assert watched.works(orders, WINDOW) == (
        Work(at(0), at(4), "switch"),
        Work(at(5), at(6), "switch"),
    )


def test_outages_are_cut_at_the_window() -> None:
    text = json.dumps([[at(-5), at(-4)], [at(-1), at(1)], [at(9), at(12)]])
    assert watched.outages(text, WINDOW) == ((at(0), at(1)), (at(9), at(10)))


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        ("month", "2026-10-01", "2026-11-01"),
        ("quarter", "2026-10-01", "2027-01-01"),
        ("year", "2026-01-01", "2027-01-01"),
    ],
)
def test_a_window_begins_and_ends_on_the_wall_clock(window: str, first: str, last: str) -> None:
    berlin = zone_of("Europe/Berlin")
    level = Sla("s", calendar=Calendar("c", "Europe/Berlin", ALWAYS.week), window=window)
    now = instant_of(berlin, datetime(2026, 10, 31, 23, 30))  # noqa: DTZ001 - on the wall
    assert watched.window_of(level, now) == (
        instant_of(berlin, datetime.fromisoformat(first)),
        instant_of(berlin, datetime.fromisoformat(last)),
    )
