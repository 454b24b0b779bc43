"""A watched job and monitord's own health, judged from what the core itself has recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from pydantic import ValidationError

from monitord.clock import after
from monitord.model.ids import Instant
from monitord.model.kinds import Health, JobRecord
from monitord.model.result import Result, Status
from monitord.probes import health, job

START = Instant(1_800_000_000_000_000)  # 2027-01-15 08:00 UTC
EVERY = {"every": "24h", "grace": "1h"}


def at(**hours: float) -> Instant:
    return after(START, timedelta(**hours))


def record(**given: Any) -> JobRecord:
    fields: dict[str, Any] = {
        "started": None,
        "ended": None,
        "exit_code": None,
        "output": "",
        "running": False,
        "watched_since": START,
    }
    return JobRecord(**{**fields, **given})


def told(run: JobRecord, now: Instant, **given: Any) -> Result:
    spec = job.JobSpec.model_validate({**EVERY, **given})
    (result,) = job.judge(spec, run, now)
    return result


DONE = record(started=at(hours=0), ended=at(minutes=10), exit_code=0)
WELL_DONE = "job: succeeded at 2027-01-15 08:10 UTC, took 10 min"
ON_IT = "job: runs since 2027-01-16 08:00 UTC"
FAILED = record(started=at(hours=0), ended=at(minutes=10), exit_code=3, output="disk full\n")


@pytest.mark.parametrize(
    ("run", "now", "given", "status", "summary"),
    [
        (record(), at(hours=1), {}, 0, "job: has not run yet, due by 2027-01-16 09:00 UTC"),
        (
            record(),
            at(hours=26),
            {},
            2,
            "job: has not run at all in 1 d 2 h (every 1d, 1h grace)",
        ),
        (
            DONE,
            at(hours=1),
            {},
            0,
            f"{WELL_DONE}, due again by 2027-01-16 09:10 UTC",
        ),
        (DONE, at(hours=25), {}, 0, WELL_DONE),
        (DONE, at(hours=26), {}, 2, "job: last ran 1 d 1 h ago (every 1d, 1h grace)"),
        (FAILED, at(hours=1), {}, 2, "job: failed with exit code 3 50 min ago"),
        (
            FAILED,
            at(hours=30),
            {},
            2,
            "job: failed with exit code 3 1 d 5 h ago; last ran 1 d 5 h ago (every 1d, 1h grace)",
        ),
        (DONE, at(hours=1), {"takes": "5m"}, 1, "job: took 10 min (allowed 5m)"),
        (
            DONE,
            at(hours=1),
            {"takes": "15m-1h"},
            1,
            "job: took only 10 min, too little to have done its work (15m-1h)",
        ),
        (DONE, at(hours=1), {"takes": "5m-20m"}, 0, WELL_DONE),
    ],
)
def test_a_job_at_rest(
    run: JobRecord, now: Instant, given: dict[str, Any], status: int, summary: str
) -> None:
    result = told(run, now, **given)
    assert result.status == status
    assert result.summary.startswith(summary)


def running(**given: Any) -> JobRecord:
    return record(started=at(hours=24), running=True, **given)


@pytest.mark.parametrize(
    ("run", "now", "given", "status", "summary"),
    [
        (running(), at(hours=24.5), {}, 0, ON_IT),
        (running(), at(hours=72), {}, 0, ON_IT),
        (
            running(),
            at(hours=27),
            {"takes": "2h"},
            2,
            "job: still runs after 3 h (limit 2h)",
        ),
        (
            running(ended=at(hours=1), exit_code=3),
            at(hours=24.5),
            {},
            2,
            "job: failed with exit code 3 23 h 30 min ago; it runs again now",
        ),
        (
            running(ended=at(hours=1), exit_code=0),
            at(hours=24.5),
            {},
            0,
            ON_IT,
        ),
        (
            running(),
            at(hours=20),
            {},
            1,
            "job: says that it starts 4 h from now: a clock is wrong",
        ),
    ],
)
def test_a_job_that_runs(
    run: JobRecord, now: Instant, given: dict[str, Any], status: int, summary: str
) -> None:
    """A rerun heals only once it has ended well; until then the failure stands."""
    result = told(run, now, **given)
    assert (result.status, result.summary) == (status, summary)


def test_the_end_of_its_output_stands_in_the_details() -> None:
    result = told(record(ended=at(hours=0), exit_code=1, output="a\n\x1b[31mb\n"), at(hours=1))
    assert result.details == "a\n\\x1b[31mb"


def test_it_measures_how_long_and_how_long_ago() -> None:
    measured = {m.name: m.value for m in told(DONE, at(hours=1)).measurements}
    assert measured == {"took": 600.0, "age": 3000.0}
    assert told(running(), at(hours=25)).measurements == ()


def test_a_ping_without_a_start_is_an_end() -> None:
    result = told(record(ended=at(hours=0), exit_code=0), at(hours=2))
    assert result.summary == (
        "job: succeeded at 2027-01-15 08:00 UTC, due again by 2027-01-16 09:00 UTC"
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "every: or cron: is missing"),
        ({"every": "1d", "cron": "@daily"}, "says both every: and cron:"),
        ({"cron": "0 2 * *"}, "is not a cron line"),
        ({"cron": "@daily", "timezone": "Berlin"}, "'Berlin' is not a time zone"),
        ({"every": "0s"}, "every 0 s cannot be watched"),
        ({"every": "daily"}, "'daily' is not a duration"),
        ({"every": "1d", "takes": "20m-5m"}, "starts above its end (write 5m-20m)"),
        ({"every": "1d", "takes": "long"}, "'long' is not a duration"),
        ({"every": "1d", "run": [""]}, "names no program"),
    ],
)
def test_what_a_user_cannot_mean_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        job.JobSpec.model_validate(given)
    assert sentence in str(caught.value)


BY_CRON = {"cron": "0 9 * * *", "timezone": "Europe/Berlin", "grace": "1h"}  # 08:00 UTC in winter


@pytest.mark.parametrize(
    ("run", "now", "status", "summary"),
    [
        (record(), at(hours=24), 0, "job: has not run yet, due by 2027-01-16 09:00 UTC"),
        (
            DONE,
            at(hours=24, minutes=59),
            0,
            f"{WELL_DONE}, due again by 2027-01-16 09:00 UTC",
        ),
        (
            DONE,
            at(hours=26),
            2,
            "job: last ran 1 d 1 h ago (by cron 0 9 * * * (Europe/Berlin), 1h grace)",
        ),
    ],
)
def test_a_job_by_cron_is_due_when_its_line_comes(
    run: JobRecord, now: Instant, status: int, summary: str
) -> None:
    (result,) = job.judge(job.JobSpec.model_validate(BY_CRON), run, now)
    assert (result.status, result.summary) == (status, summary)


def test_a_run_that_came_a_little_early_is_not_missed() -> None:
    early = record(started=at(hours=23, minutes=59, seconds=30), ended=at(hours=24), exit_code=0)
    (result,) = job.judge(job.JobSpec.model_validate(BY_CRON), early, at(hours=30))
    assert result.status == 0


@pytest.mark.parametrize("text", ["5m-20m", "2h", "1m30s-1d"])
def test_a_span_is_written_as_it_is_read(text: str) -> None:
    assert job.show_span(job.parse_span(text)) == text


@generated(
    st.builds(
        JobRecord,
        started=st.none() | st.integers(0, 2**53).map(Instant),
        ended=st.none() | st.integers(0, 2**53).map(Instant),
        exit_code=st.none() | st.integers(-255, 255),
        output=st.text(max_size=20),
        running=st.booleans(),
        watched_since=st.integers(0, 2**53).map(Instant),
    ),
    st.integers(0, 2**53).map(Instant),
)
def test_any_record_gives_a_verdict(run: JobRecord, now: Instant) -> None:
    result = told(run, now, takes="5m-20m")
    assert result.summary.startswith("job: ")
    if run.exit_code not in {None, 0}:
        assert result.status is Status.CRITICAL


WELL = Health(lag=0.004, queue=3, rss=90 << 20, descriptors=50, problems=())


def health_told(record: Health, **given: Any) -> Result:
    (result,) = health.judge(health.HealthSpec.model_validate(given), record, START)
    return result


@pytest.mark.parametrize(
    ("change", "given", "status", "summary"),
    [
        ({}, {}, 0, "monitord: 4.0 ms late, 3 waiting, 90 MiB"),
        ({"lag": 2.0}, {}, 1, "monitord: checks start 2 s late (limit 1 s)"),
        ({"lag": 20.0}, {}, 2, "monitord: checks start 20 s late (limit 10 s)"),
        ({"queue": 5000}, {}, 1, "monitord: 5000 results wait (limit 1000)"),
        ({"queue": 50_000}, {}, 2, "monitord: 50000 results wait (limit 10000)"),
        ({"rss": 2 << 30}, {}, 1, "monitord: holds 2.0 GiB (limit 1.0 GiB)"),
        ({"rss": 2 << 30}, {"max_rss": "4G"}, 0, "monitord: 4.0 ms late, 3 waiting, 2.0 GiB"),
        ({"descriptors": 5000}, {}, 1, "monitord: 5000 descriptors are open (limit 4096)"),
        (
            {"problems": ("the executor\nis gone", "the disk is full")},
            {},
            2,
            "monitord: the executor\\nis gone; the disk is full",
        ),
    ],
)
def test_health(change: dict[str, Any], given: dict[str, Any], status: int, summary: str) -> None:
    fields = {name: getattr(WELL, name) for name in WELL.__dataclass_fields__}
    result = health_told(Health(**{**fields, **change}), **given)
    assert (result.status, result.summary) == (status, summary)
    assert len(result.measurements) == 5


def test_a_record_of_the_other_kind_is_our_bug_and_loud() -> None:
    with pytest.raises(TypeError):
        health_told(DONE)  # type: ignore[arg-type]  # the mistake is the case
    with pytest.raises(TypeError):
        told(WELL, START)  # type: ignore[arg-type]  # the mistake is the case
