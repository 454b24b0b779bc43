"""The clocks of service levels: what counts, what does not, when they call."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.decisions import sla as levels
from monitord.decisions.calendars import instant_of, open_time_between, zone_of
from monitord.decisions.sla import BROKEN, Course, Promise, SlaClock
from monitord.model.calendar import ALWAYS, Calendar, Span
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import Instant
from monitord.model.sla import DEFAULT, Pause, Sla, Target

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OFFICE = Calendar("office", "Europe/Berlin", (*((Span(9 * 3600, 17 * 3600),),) * 5, (), ()))
GOLD = Sla(
    "gold",
    {"P1": Target(HOUR / 4, 4 * HOUR), "P3": Target(HOUR, 8 * HOUR, OFFICE), "P5": Target()},
)


def at(text: str) -> Instant:
    """Give an instant of Berlin's wall clock; the day is a Friday unless it is said."""
    day, _, time = text.rpartition(" ")
    return instant_of(
        zone_of("Europe/Berlin"), datetime.fromisoformat(f"{day or '2026-07-03'}T{time}")
    )


def both(course: Course, now: Instant, sla: Sla = GOLD) -> tuple[SlaClock, SlaClock]:
    respond, resolve = levels.clocks(sla, course, now=now)
    assert (respond.promise, resolve.promise) == (Promise.RESPOND, Promise.RESOLVE)
    return respond, resolve


def test_both_clocks_run_from_the_first_failed_probe() -> None:
    respond, resolve = both(Course("P1", at("10:00")), at("10:10"))
    assert (respond.elapsed, respond.remaining) == (10 * MINUTE, 5 * MINUTE)
    assert (respond.due, resolve.due) == (at("10:15"), at("14:00"))
    assert respond.breaks_at == respond.due
    assert not respond.breached


def test_a_promise_is_broken_once_its_time_is_used_up() -> None:
    assert not both(Course("P1", at("10:00")), Instant(at("10:15") - 1))[0].breached
    respond, _ = both(Course("P1", at("10:00")), at("10:15"))
    assert respond.breached
    assert respond.breaks_at is None
    late, _ = both(Course("P1", at("10:00"), responded=at("10:20")), at("12:00"))
    assert late.breached
    assert late.remaining == -5 * MINUTE


def test_who_answers_in_time_stops_only_the_first_clock() -> None:
    respond, resolve = both(Course("P1", at("10:00"), responded=at("10:14")), at("13:00"))
    assert (respond.stopped, respond.breached, respond.breaks_at) == (at("10:14"), False, None)
    assert resolve.elapsed == 3 * HOUR
    assert [alarm.clock.promise for alarm in levels.alarms([respond, resolve])] == [
        Promise.RESOLVE
    ] * 3


def test_an_outage_that_ends_by_itself_answers_too() -> None:
    respond, resolve = both(Course("P1", at("10:00"), resolved=at("10:05")), at("13:00"))
    assert (respond.elapsed, resolve.elapsed) == (5 * MINUTE, 5 * MINUTE)
    assert not levels.alarms([respond, resolve])


def test_a_clock_counts_only_while_its_calendar_is_open() -> None:
    """Friday 16:30: half an hour is left of the week, and the weekend is not counted."""
    respond, resolve = both(Course("P3", at("16:30")), at("2026-07-05 12:00"))
    assert respond.due == at("2026-07-06 09:30")
    assert resolve.due == at("2026-07-06 16:30")
    assert resolve.elapsed == HOUR / 2


def test_a_pause_does_not_count_and_moves_what_is_due() -> None:
    pauses = (
        Pause(at("11:00"), at("12:00"), "vendor has it"),
        Pause(at("11:30"), at("12:30"), "power cut of the site"),
        Pause(at("08:00"), at("09:00"), "before it began"),
    )
    _, resolve = both(Course("P1", at("10:00"), pauses=pauses), at("13:00"))
    assert resolve.elapsed == 1.5 * HOUR
    assert resolve.due == at("15:30")
    assert resolve.paused == ""


def test_while_a_pause_lasts_nothing_is_forecast_and_nothing_new_calls() -> None:
    course = Course("P1", at("10:00"), pauses=(Pause(at("12:30"), None, "vendor has it"),))
    _, resolve = both(course, at("16:00"))
    assert (resolve.paused, resolve.elapsed) == ("vendor has it", 2.5 * HOUR)
    assert resolve.breaks_at is None
    assert resolve.due == at("17:30")  # if it went on now
    assert resolve.calls == ((0.5, at("12:00")),)


def test_a_priority_without_promises_has_no_clocks() -> None:
    assert levels.clocks(GOLD, Course("P5", at("10:00")), now=at("11:00")) == ()
    assert levels.clocks(GOLD, Course("P4", at("10:00")), now=at("11:00")) == ()


def test_a_calendar_that_never_opens_breaks_nothing() -> None:
    sla = Sla("never", {"P1": Target(HOUR, HOUR, Calendar("never"))})
    respond, _ = both(Course("P1", at("10:00")), at("23:00"), sla)
    assert (respond.due, respond.breached, respond.calls) == (None, False, ())


def test_it_calls_early_and_then_when_it_breaks() -> None:
    running = both(Course("P1", at("10:00")), at("10:00"))
    told = [(alarm.at, alarm.share, alarm.clock.promise.value) for alarm in levels.alarms(running)]
    assert told == [
        (Instant(at("10:07") + 30_000_000), 0.5, "respond"),
        (at("10:12"), 0.8, "respond"),
        (at("10:15"), BROKEN, "respond"),
        (at("12:00"), 0.5, "resolve"),
        (at("13:12"), 0.8, "resolve"),
        (at("14:00"), BROKEN, "resolve"),
    ]
    soonest = levels.next_alarm(running, after=at("10:12"))
    assert soonest is not None
    assert soonest.at == at("10:15")
    assert levels.next_alarm(running, after=at("14:00")) is None


def test_the_worst_call_that_has_come_is_the_pressing_one() -> None:
    running = both(Course("P1", at("10:00")), at("13:30"))
    worst = levels.pressing(running, now=at("13:30"))
    assert worst is not None
    assert levels.sentence(worst) == "SLA gold is broken: 15m to respond are used up"
    answered = both(Course("P1", at("10:00"), responded=at("10:01")), at("13:30"))
    worst = levels.pressing(answered, now=at("13:30"))
    assert worst is not None
    assert levels.sentence(worst) == "SLA gold is in danger: 80% of 4h to resolve are used"
    assert levels.pressing(answered, now=at("11:00")) is None


@pytest.mark.parametrize("step", [timedelta(minutes=40), timedelta(minutes=-40)])
def test_what_the_wall_clock_was_set_is_no_elapsed_time(step: timedelta) -> None:
    """At 11:00 the clock is set; an hour later it shows 12:00 and that step."""
    micro = step // timedelta(microseconds=1)
    after = Instant(at("11:00") + micro)
    now = Instant(at("12:00") + micro)
    course = Course("P1", at("10:00"), steps=((after, micro),))
    _, resolve = both(course, now)
    assert resolve.elapsed == 2 * HOUR
    assert resolve.due == Instant(at("14:00") + micro)  # on the clock as it goes now


def test_steps_before_it_began_and_several_of_them_are_told_apart() -> None:
    steps = (
        (at("09:00"), 3_600_000_000),  # before it began: its times are of after that
        (at("11:30"), 1_800_000_000),  # at 11:00 half an hour forward
        (at("12:15"), -900_000_000),  # at 12:30 a quarter back
    )
    _, resolve = both(Course("P1", at("10:00"), steps=steps), at("13:15"))
    assert resolve.elapsed == 3 * HOUR  # 10:00–11:00, 11:30–12:30, 12:15–13:15


def test_the_strictest_and_the_default_level_hold() -> None:
    silver = Sla("silver")
    services = {"shop": Service("shop", sla="gold"), "web": Service("web", sla="gold")}
    services |= {"wiki": Service("wiki"), "mail": Service("mail", sla="silver")}
    catalog = Catalog(
        "h", None, {}, {}, {}, services=services, slas={"gold": GOLD, "silver": silver}
    )  # type: ignore[arg-type] # no settings are asked
    assert levels.of_services(catalog, ["shop", "web", "mail"]) == (GOLD, silver)
    assert levels.of_services(catalog, ["wiki"]) == (DEFAULT,)
    assert levels.of_services(catalog, []) == (DEFAULT,)


moments = st.integers(at("2026-06-01 00:00"), at("2026-08-01 00:00")).map(Instant)
intervals = st.tuples(moments, moments, st.booleans()).map(
    lambda drawn: Pause(min(drawn[:2]), None if drawn[2] else max(drawn[:2]), "drawn")
)


@settings(deadline=None)  # a slow machine is no mistake
@given(moments, moments, st.lists(intervals, max_size=4), st.sampled_from([ALWAYS, OFFICE]))
def test_pauses_and_what_counts_add_up(
    a: Instant, b: Instant, pauses: list[Pause], calendar: Calendar
) -> None:
    """What is due is when exactly the allowed time has been counted."""
    start, now = sorted((a, b))
    sla = Sla("drawn", {"P1": Target(None, 30 * HOUR, calendar)})
    known = [pause for pause in pauses if pause.start <= now]
    (clock,) = levels.clocks(sla, Course("P1", start, pauses=tuple(known)), now=now)
    assert timedelta(0) <= clock.elapsed <= open_time_between(calendar, start, now)
    assert clock.breached is (clock.due is not None and clock.due <= now)
    assert clock.due is not None
    later = max(now, clock.due)
    ended = tuple(Pause(p.start, p.end if p.end is not None else now, p.reason) for p in known)
    (then,) = levels.clocks(sla, Course("P1", start, pauses=ended), now=later)
    assert then.breached
    (before,) = levels.clocks(
        sla, Course("P1", start, pauses=ended, resolved=Instant(clock.due - 1)), now=later
    )
    assert before.elapsed < before.allowed or clock.due - 1 < start
    assert [share for share, _ in then.calls] == [0.5, 0.8, BROKEN]
    assert sorted(instant for _, instant in then.calls) == [instant for _, instant in then.calls]
