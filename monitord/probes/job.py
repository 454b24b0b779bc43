"""Judges a watched job by the record of its runs: a dead-man's switch. Pure.

It decides whether the last run failed, is missing, still runs too long, or took an odd time. While
a job runs, its record keeps the exit code of the run before; a rerun heals only once it has ended.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from monitord.clock import after, as_datetime, between
from monitord.decisions import cron
from monitord.decisions.calendars import zone_of
from monitord.model.ids import Instant
from monitord.model.kinds import JobRecord, Record, RecordProbe
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration, parse_duration
from monitord.model.text import block
from monitord.probes.limits import show_age
from monitord.probes.verdict import Finding, verdict

_SPAN = re.compile(r"([0-9a-z.]*)\s*[-–]\s*([0-9a-z.]+)")
_RUN_ON = timedelta(minutes=1)  # a start that lies further in our future is a wrong clock


@dataclass(frozen=True, slots=True)
class Span:
    """How long a run takes: at least, at most."""

    least: timedelta
    most: timedelta


def parse_span(value: object) -> Span:
    """Read `5m-20m`, `-20m` or `20m` (at most).

    Raises:
        ValueError: no such span, or its ends are swapped.
    """
    if isinstance(value, Span):
        return value
    text = str(value).strip()
    match = _SPAN.fullmatch(text)
    low, high = (match[1], match[2]) if match else ("", text)
    span = Span(parse_duration(low or "0s"), parse_duration(high))
    if span.least > span.most:
        raise ValueError(f"{text!r} starts above its end (write {high}-{low})")
    return span


def show_span(span: Span) -> str:
    """Give the text that `parse_span` reads back."""
    most = format_duration(span.most)
    return f"{format_duration(span.least)}-{most}" if span.least else most


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    if words and (not words[0].strip() or any("\0" in word for word in words)):
        raise ValueError("names no program: give [/usr/local/bin/nightly, arguments]")
    return words


Argv = Annotated[tuple[str, ...], AfterValidator(_argv)]
Takes = Annotated[
    Span,
    BeforeValidator(parse_span),
    PlainSerializer(show_span, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["5m-20m", "2h"]}),
]


def _cron(line: str) -> str:
    if line:
        cron.parse(line)
    return line


def known_timezone(name: str) -> str:
    """Give the name of a time zone; ValueError where there is none of it."""
    try:
        zone_of(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone (write Europe/Berlin or UTC)") from None
    return name


class JobSpec(Spec):
    """When a job must run, how long it may take, and what runs it again."""

    example: ClassVar[str] = """\
job:
  every: 24h                    # or cron: "30 2 * * 1-5" with timezone: Europe/Berlin
  grace: 2h
  takes: 5m-20m                 # still running beyond it: CRITICAL; took longer or less: WARNING
  run: [/usr/local/bin/nightly] # what a rerun executes; nothing is ever taken from a ping
"""

    every: Duration | None = Field(
        default=None,
        description="How often it runs; counted from the last start or end.",
        examples=["24h"],
    )
    cron: Annotated[str, AfterValidator(_cron)] = Field(
        default="",
        description="Or when, as a cron line says it; counted from the last start or end.",
        examples=["30 2 * * 1-5"],
    )
    timezone: Annotated[str, AfterValidator(known_timezone)] = Field(
        default="UTC", description="The zone in which the cron line is read."
    )
    grace: Duration = Field(
        default="1h",
        validate_default=True,
        description="How much later than that it may come.",
        examples=["1h"],
    )
    takes: Takes | None = Field(
        default=None,
        description="How long a run may take. Still running beyond it is critical; having taken "
        "longer, or less than the lower end, is a warning.",
        examples=["5m-20m", "2h"],
    )
    run: Argv = Field(
        default=(),
        description="What a rerun executes; nothing is ever taken from a ping.",
        examples=[["/usr/local/bin/nightly-export", "--all"]],
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.every is None and not self.cron:
            raise ValueError("every: or cron: is missing")  # so told, another layer may fill it
        if self.every is not None and self.cron:
            raise ValueError("says both every: and cron: (write one of them)")
        if self.every is not None and self.every <= timedelta(0):
            raise ValueError("every: a job that runs every 0 s cannot be watched (write 24h)")
        return self


def judge(spec: JobSpec, record: Record, now: Instant) -> Sequence[Result]:
    """Give one result on the job's last run and the next that is due."""
    if not isinstance(record, JobRecord):
        raise TypeError(f"a job is judged by a JobRecord, not by {type(record).__name__}")
    findings = [*_running(spec, record, now), *_failed(record, now), *_missed(spec, record, now)]
    if not record.running:
        findings += _duration(spec, record)
    result = verdict("job", findings, _good(spec, record), _measurements(record, now))
    details = block(record.output)
    return [Result(result.status, result.summary, result.measurements, details=details)]


def _running(spec: JobSpec, record: JobRecord, now: Instant) -> Iterator[Finding]:
    if not record.running or record.started is None:
        return
    ran = between(record.started, now)
    if ran < -_RUN_ON:
        ahead = show_age(-ran.total_seconds())
        yield Status.WARNING, f"says that it starts {ahead} from now: a clock is wrong"
    if spec.takes is not None and ran > spec.takes.most:
        limit = format_duration(spec.takes.most)
        yield Status.CRITICAL, f"still runs after {_show(ran)} (limit {limit})"


def _failed(record: JobRecord, now: Instant) -> Iterator[Finding]:
    if record.exit_code in {None, 0}:
        return
    ago = f" {_show(between(record.ended, now))} ago" if record.ended is not None else ""
    again = "; it runs again now" if record.running else ""
    yield Status.CRITICAL, f"failed with exit code {record.exit_code}{ago}{again}"


def _missed(spec: JobSpec, record: JobRecord, now: Instant) -> Iterator[Finding]:
    if record.running:
        return
    due = _due(spec, record)
    if due is None or now <= due:
        return
    rhythm = f"{_rhythm(spec)}, {format_duration(spec.grace)} grace"
    last = _last(record)
    if last is None:
        since = _show(between(record.watched_since, now))
        yield Status.CRITICAL, f"has not run at all in {since} ({rhythm})"
    else:
        yield Status.CRITICAL, f"last ran {_show(between(last, now))} ago ({rhythm})"


def _duration(spec: JobSpec, record: JobRecord) -> Iterator[Finding]:
    took = _took(record)
    if spec.takes is None or took is None:
        return
    usual = show_span(spec.takes)
    if took > spec.takes.most:
        yield Status.WARNING, f"took {_show(took)} (allowed {usual})"
    if took < spec.takes.least:
        yield Status.WARNING, f"took only {_show(took)}, too little to have done its work ({usual})"


def _good(spec: JobSpec, record: JobRecord) -> str:
    if record.running and record.started is not None:
        return f"runs since {_point(record.started)}"
    next_run = _due(spec, record)
    due = "never" if next_run is None else _point(next_run)
    if record.ended is None:
        return f"has not run yet, due by {due}"
    took = _took(record)
    lasted = f", took {_show(took)}" if took is not None else ""
    return f"succeeded at {_point(record.ended)}{lasted}, due again by {due}"


def _last(record: JobRecord) -> Instant | None:
    return max((at for at in (record.started, record.ended) if at is not None), default=None)


def _due(spec: JobSpec, record: JobRecord) -> Instant | None:
    """Give when the next run is missing; None: the cron line never comes."""
    last = _last(record)
    start = record.watched_since if last is None else last
    if spec.every is not None:
        return after(start, spec.every + spec.grace)
    # A run that came a little early, by a clock that is ahead, is that run and not one before it.
    early = start if last is None else after(start, _RUN_ON)
    fires = cron.next_fire(cron.parse(spec.cron), spec.timezone, early)
    return None if fires is None else after(fires, spec.grace)


def _rhythm(spec: JobSpec) -> str:
    if spec.every is not None:
        return f"every {format_duration(spec.every)}"
    return f"by cron {spec.cron} ({spec.timezone})"


def _took(record: JobRecord) -> timedelta | None:
    if record.started is None or record.ended is None or record.ended < record.started:
        return None
    return between(record.started, record.ended)


def _measurements(record: JobRecord, now: Instant) -> tuple[Measurement, ...]:
    told: list[Measurement] = []
    took = None if record.running else _took(record)
    if took is not None:
        told.append(Measurement("took", took.total_seconds(), "s", minimum=0))
    if record.ended is not None:
        age = max(0.0, between(record.ended, now).total_seconds())
        told.append(Measurement("age", age, "s", minimum=0))
    return tuple(told)


def _point(instant: Instant) -> str:
    return as_datetime(instant).strftime("%Y-%m-%d %H:%M UTC")


def _show(span: timedelta) -> str:
    return show_age(max(0.0, span.total_seconds()))


KIND = RecordProbe("job", JobSpec, "job", judge, sees_death=True)
