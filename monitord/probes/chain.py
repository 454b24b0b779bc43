"""Judges a chain by the record of its run: what failed, what is late, what will be missed. Pure.

How a chain is written stands here; what follows from it is decided in decisions/chains.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from monitord.clock import between
from monitord.decisions.chains import ends_at, good, judge
from monitord.model.chain import BROKEN, Chain, ChainRecord, Job, RunStatus
from monitord.model.ids import CheckKey, Instant
from monitord.model.kinds import Record, RecordProbe
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec
from monitord.model.text import block
from monitord.probes.job import Argv, Takes, known_timezone
from monitord.probes.verdict import verdict

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}", re.IGNORECASE)


def _minutes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _CLOCK.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a time of day (write 21:30)")
    return int(match[1]) * 60 + int(match[2])


Clock = Annotated[
    int,
    BeforeValidator(_minutes),
    Field(json_schema_extra={"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$"}),
]


class SafeAfter(Spec):
    """A rerun is safe once this has run."""

    safe_after: Annotated[Argv, Field(min_length=1)] = Field(
        description="What takes back what a failed try left behind."
    )


def _rerun(value: object) -> object:
    if isinstance(value, str) and value not in ("safe", "never"):
        raise ValueError(f"{value!r} is no such word (write safe, never or {{safe_after: […]}})")
    return value


class LinkSpec(Spec):
    """One job of a chain."""

    run: Argv = Field(
        default=(),
        description="What starts it; `{business_date}` is the day of the run (2026-11-23). Left "
        "out, others start it, through `monitord job run` or monitord-job, and it is only watched.",
        examples=[["/b/x", "crm", "{business_date}"]],
    )
    after: tuple[str, ...] = Field(
        default=(), description="The jobs that must be done before it.", examples=[["crm"]]
    )
    takes: Takes | None = Field(
        default=None, description="How long it takes: too fast is wrong, too."
    )
    rerun: Annotated[str | SafeAfter, BeforeValidator(_rerun)] = Field(
        default="never",
        description="Whether a failed try may be repeated by itself: safe, never, or once "
        "something else has run.",
    )


class ChainSpec(Spec):
    """When the jobs run, in which order, and by when all of them must be done."""

    example: ClassVar[str] = """\
chain:
  starts: "21:30"
  done_by: "06:00"
  jobs:
    load: {run: [/b/x, load, "{business_date}"], takes: 30m-60m, rerun: safe}
    mail: {after: [load]}
"""
    rhythm: ClassVar[Mapping[str, Any]] = {
        "every": "60s",
        "attempts": 1,
        "recoveries": 1,
        "first_rung_after": "0s",
    }

    days: str = Field(default="24x7", description="The calendar of the days on which it starts.")
    starts: Clock = Field(description="When it starts, by the clock on the wall.")
    done_by: Clock = Field(
        description="By when all of it must be done: the next such time after the start."
    )
    timezone: str = Field(
        default="", description="The zone of these times; left out, that of the calendar."
    )
    jobs: Mapping[str, LinkSpec] = Field(min_length=1, description="The jobs, by their names.")

    @model_validator(mode="after")
    def _can_run(self) -> Self:
        if self.starts == self.done_by:
            raise ValueError("starts: and done_by: are the same time (a run needs time)")
        for name, job in self.jobs.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be a job's name (letters, digits and _ . -)")
            for other in job.after:
                if other not in self.jobs:
                    known = ", ".join(self.jobs)
                    raise ValueError(f"{name} comes after {other}, which is no job of it ({known})")
            if job.rerun != "never" and not job.run:
                raise ValueError(f"{name} has rerun: and no run: (say what is to be run again)")
        if self.timezone:
            known_timezone(self.timezone)
        self.ordered()
        return self

    def ordered(self) -> tuple[str, ...]:
        """Give the jobs so that each stands behind what it comes after; ValueError on a circle."""
        done: dict[str, None] = {}
        while len(done) < len(self.jobs):
            free = [
                name
                for name, job in self.jobs.items()
                if name not in done and all(other in done for other in job.after)
            ]
            if not free:
                left = ", ".join(name for name in self.jobs if name not in done)
                raise ValueError(f"{left} come after each other in a circle (remove one `after:`)")
            done.update(dict.fromkeys(free))
        return tuple(done)

    def commands(self) -> dict[str, tuple[str, ...]]:
        """Give the argvs by the names of the runbooks' parameters: run:load, before:load."""
        jobs = [_job(name, job) for name, job in self.jobs.items()]
        run = {f"run:{job.name}": job.run for job in jobs if job.run}
        return {**run, **{f"before:{job.name}": job.before for job in jobs if job.before}}

    def chain(self, key: CheckKey, zone: str) -> Chain:
        """Give it as the decisions read it; `zone` is that of its calendar."""
        jobs = {name: _job(name, self.jobs[name]) for name in self.ordered()}
        return Chain(key, self.days, self.starts, self.done_by, self.timezone or zone, jobs)


def _job(name: str, spec: LinkSpec) -> Job:
    before = spec.rerun.safe_after if isinstance(spec.rerun, SafeAfter) else ()
    return Job(
        name,
        spec.run,
        spec.after,
        spec.takes.least if spec.takes else None,
        spec.takes.most if spec.takes else None,
        "safe_after" if before else str(spec.rerun),
        before,
    )


def _judge(_spec: ChainSpec, record: Record, now: Instant) -> Sequence[Result]:
    """Give one result on the chain's run of this night."""
    if not isinstance(record, ChainRecord):
        raise TypeError(f"a chain is judged by a ChainRecord, not by {type(record).__name__}")
    chain = record.chain
    result = verdict("chain", judge(chain, record, now), good(chain, record, now))
    told: tuple[Measurement, ...] = ()
    if record.run is not None and record.run.status is RunStatus.RUNNING:
        margin = between(ends_at(chain, record, now), record.run.done_by).total_seconds()
        told = (Measurement("margin", margin, "s"),)
    output = "\n".join(link.output for link in record.links if link.status in BROKEN)
    return [Result(result.status, result.summary, told, details=block(output))]


KIND = RecordProbe("chain", ChainSpec, "chain", _judge, sees_death=True)
