"""Chains: days and clocks, what may begin, what is late, and what will be missed."""

from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from monitord.clock import as_datetime, as_instant
from monitord.decisions import chains
from monitord.model.calendar import ALWAYS, WHOLE_DAY, Calendar
from monitord.model.chain import (
    LINK_MOVES,
    Chain,
    ChainRecord,
    ChainRun,
    Job,
    Link,
    LinkStatus,
    RunStatus,
)
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status

BERLIN = ZoneInfo("Europe/Berlin")
KEY = CheckKey("batch1/nightly")
WORKDAYS = Calendar("w", "Europe/Berlin", (WHOLE_DAY,) * 5 + ((), ()), holidays=("DE",))
S = LinkStatus


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def at(text: str) -> Instant:
    return as_instant(datetime.fromisoformat(text).replace(tzinfo=BERLIN))


def chain(starts: str = "21:30", done_by: str = "06:00") -> Chain:
    jobs = (
        Job("crm", ("/x",), (), minutes(5), minutes(20), "safe"),
        Job("load", ("/x",), ("crm",), minutes(30), minutes(60), "safe_after", ("/back",)),
        Job("mail", ("/x",), ("load",), None, minutes(10), "never"),
    )
    clock = [int(h) * 60 + int(m) for h, m in (one.split(":") for one in (starts, done_by))]
    named = {job.name: job for job in jobs}
    return Chain(KEY, "w", clock[0], clock[1], "Europe/Berlin", named)


def record(**links: Link | LinkStatus) -> ChainRecord:
    run = ChainRun(
        1,
        KEY,
        "2026-11-23",
        RunStatus.RUNNING,
        at("2026-11-23T21:30"),
        at("2026-11-24T06:00"),
        None,
    )
    rows = tuple(
        one if isinstance(one, Link) else Link(0, 1, KEY, name, one) for name, one in links.items()
    )
    return ChainRecord(chain(), run, rows)


def ran(name: str, status: LinkStatus, start: str, end: str = "", code: int | None = 0) -> Link:
    over = at(end) if end else None
    return Link(0, 1, KEY, name, status, started=at(start), ended=over, exit_code=code)


def judged(known: ChainRecord, now: str) -> list[tuple[Status, str]]:
    return chains.judge(chain(), known, at(now))


@pytest.mark.parametrize(
    ("since", "dates"),
    [
        ("2026-11-20T12:00", ["2026-11-20", "2026-11-23", "2026-11-24"]),  # over a weekend
        ("2026-12-24T22:00", ["2026-12-28", "2026-12-29"]),  # Christmas on a Friday
        ("2026-11-23T21:30", ["2026-11-24"]),  # what has begun has begun
    ],
)
def test_a_chain_starts_on_the_days_of_its_calendar(since: str, dates: list[str]) -> None:
    found = islice(chains.nights(chain(), WORKDAYS, at(since)), len(dates))
    assert [night.date for night in found] == dates


@pytest.mark.parametrize(
    ("day", "starts", "first"),
    [
        ("2026-03-29", "02:30", "2026-03-29T01:00:00+00:00"),  # no such time: right after the gap
        ("2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),  # twice: the first of them
    ],
)
def test_a_night_on_which_the_clock_changes_has_one_start(
    day: str, starts: str, first: str
) -> None:
    since = at(f"{day}T00:00")
    one, two = islice(chains.nights(chain(starts, "07:00"), ALWAYS, since), 2)
    assert as_datetime(one.starts) == datetime.fromisoformat(first)
    assert one.date == day
    assert two.date > day


def test_the_goal_is_the_next_such_time_after_the_start() -> None:
    since = at("2026-11-23T00:00")
    over_night = next(chains.nights(chain(), ALWAYS, since))
    same_day = next(chains.nights(chain("01:00", "06:00"), ALWAYS, since))
    assert over_night.done_by == at("2026-11-24T06:00")
    assert same_day.done_by == at("2026-11-23T06:00")


def test_of_several_nights_that_passed_only_the_newest_is_run() -> None:
    since, now = at("2026-11-20T21:30"), at("2026-11-25T08:00")
    missed, night = chains.following(chain(), WORKDAYS, since, now)
    assert [one.date for one in missed] == ["2026-11-23"]
    assert night is not None
    assert night.date == "2026-11-24"


def test_what_stands_behind_a_failed_link_waits() -> None:
    links = record(crm=S.DONE, load=S.FAILED, mail=S.WAITING).links
    assert chains.ready(chain(), links) == []
    skipped = record(crm=S.DONE, load=S.SKIPPED, mail=S.WAITING).links
    assert [job.name for job in chains.ready(chain(), skipped)] == ["mail"]


@pytest.mark.parametrize(
    ("links", "says"),
    [
        ({"crm": S.DONE, "load": S.WAITING}, "no link has failed"),
        ({"crm": S.FAILED, "mail": S.FAILED}, "a person decides which first"),
        ({"crm": S.INTERRUPTED}, "nobody knows how crm ended"),
        ({"mail": S.FAILED}, "mail never runs again by itself"),
    ],
)
def test_what_may_not_run_again_says_why(links: dict[str, LinkStatus], says: str) -> None:
    answer = chains.may_rerun(chain(), record(**links).links)
    assert isinstance(answer, str)
    assert says in answer


@pytest.mark.parametrize(
    ("known", "now", "status", "says"),
    [
        (
            record(crm=S.DONE, load=ran("load", S.FAILED, "2026-11-23T22:00", code=3),
                   mail=S.WAITING),
            "2026-11-23T23:00", Status.CRITICAL,
            "load failed with exit code 3; mail waits for it",
        ),
        (
            record(crm=ran("crm", S.RUNNING, "2026-11-23T21:30")),
            "2026-11-23T21:55", Status.CRITICAL, "crm still runs after 25 min (limit 20 min)",
        ),
        (
            record(crm=ran("crm", S.DONE, "2026-11-23T21:30", "2026-11-23T21:31")),
            "2026-11-23T21:55", Status.WARNING,
            "crm took only 1 min, too little to have done its work (at least 5 min)",
        ),
        (
            record(crm=ran("crm", S.DONE, "2026-11-24T04:50", "2026-11-24T05:00"),
                   load=S.WAITING, mail=S.WAITING),
            "2026-11-24T05:30", Status.WARNING, "will miss 06:00 by 25 min: load waits, mail waits",
        ),
        (
            record(crm=S.DONE, load=ran("load", S.RUNNING, "2026-11-24T05:30"), mail=S.WAITING),
            "2026-11-24T06:00", Status.CRITICAL, "not done by 06:00: load runs, mail waits",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_numbers(
    known: ChainRecord, now: str, status: Status, says: str
) -> None:
    assert (status, says) in judged(known, now)


def test_what_was_measured_counts_more_than_what_was_said() -> None:
    slow = record(crm=S.DONE, load=ran("load", S.RUNNING, "2026-11-24T04:00"), mail=S.WAITING)
    assert judged(slow, "2026-11-24T04:30") == []
    known = ChainRecord(slow.chain, slow.run, slow.links, {"load": 3 * 3600.0, "mail": 60.0})
    (found,) = judged(known, "2026-11-24T04:30")
    assert found == (Status.WARNING, "will miss 06:00 by 1 h 01 min: load runs, mail waits")


def test_no_status_of_a_link_is_without_its_moves() -> None:
    assert set(LINK_MOVES) == set(LinkStatus)
