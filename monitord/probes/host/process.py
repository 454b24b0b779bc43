"""Judges a host's processes: how many match, how old they are, and how much memory they hold.

It decides from the process list alone. Names and command lines are hostile text.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from monitord.model.facts import Facts, ProcessFact, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Size, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.compiled import Compiled
from monitord.probes.limits import absent, show_age, show_bytes, untold
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.verdict import Finding, verdict

_SHOWN = 5  # processes that details name


class ProcessSpec(Spec):
    """Which processes are meant (all given conditions hold), and what is expected of them."""

    example: ClassVar[str] = """\
process:
  pattern: "java .*catalina"
  user: tomcat
  min: 1
  max: 4
  max_rss: 2G
  max_age: 12h                  # a run that should have ended
  min_age: 2m                   # all younger: it was started again just now (a warning)
"""

    name: str = Field(default="", description="The exact process name.", examples=["cron"])
    pattern: Pattern | None = Field(
        default=None,
        description="Found anywhere in the command line (RE2).",
        examples=["java .*catalina"],
    )
    user: str = Field(default="", description="Who runs it.", examples=["postgres"])
    states: tuple[str, ...] = Field(
        default=(),
        description="Only in these kernel states (R, S, D, T, Z).",
        examples=[["Z"], ["D"]],
    )
    min: int = Field(default=1, ge=0, description="Fewer than this is critical.", examples=[1])
    max: int | None = Field(
        default=None, ge=0, description="More than this is critical.", examples=[50]
    )
    min_age: Duration | None = Field(
        default=None,
        description="All of them younger than this is a warning: started again just now.",
        examples=["2m"],
    )
    max_age: Duration | None = Field(
        default=None, description="One older than this is critical: it hangs.", examples=["6h"]
    )
    max_rss: Size | None = Field(
        default=None, description="One holding more memory than this is critical.", examples=["2G"]
    )

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not (self.name or self.pattern or self.user or self.states):
            raise ValueError("says no process: give name, pattern, user or states")
        if self.max is not None and self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}: swap them")
        return self


def _compiled(spec: ProcessSpec) -> Any:
    return compile_pattern(spec.pattern or "").search


_search = Compiled(_compiled)


def judge(spec: ProcessSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result on all processes that match."""
    unknown = untold(facts, "process")
    if unknown is not None or facts.processes is None:
        return [unknown or absent("process")]
    found = [process for process in facts.processes if _matches(spec, process)]
    rss = sum(process.rss for process in found)
    findings = [_count(spec, len(found)), *_each(spec, found)]
    count = len(found)
    good = "none" if not found else f"{count} running, oldest {_oldest(found)}"
    limits = f"{spec.min}:{'' if spec.max is None else spec.max}"
    told = (
        Measurement("count", count, critical=limits, minimum=0),
        Measurement("rss", rss, "B", minimum=0),
    )
    result = verdict(_thing(spec), findings, good, told)
    return [Result(result.status, result.summary, told, details=_listing(found))]


def _matches(spec: ProcessSpec, process: ProcessFact) -> bool:
    return (
        spec.name in {"", process.name}
        and spec.user in {"", process.user}
        and (not spec.states or process.state in spec.states)
        and (spec.pattern is None or _search(spec)(process.command) is not None)
    )


def _thing(spec: ProcessSpec) -> str:
    words = [
        spec.name or "processes",
        f"matching {spec.pattern}" if spec.pattern else "",
        f"of {spec.user}" if spec.user else "",
        f"in state {'/'.join(spec.states)}" if spec.states else "",
    ]
    return one_line(" ".join(word for word in words if word), 120)


def _count(spec: ProcessSpec, count: int) -> Finding | None:
    if count < spec.min:
        return Status.CRITICAL, f"{count} running (at least {spec.min})"
    if spec.max is not None and count > spec.max:
        return Status.CRITICAL, f"{count} running (limit {spec.max})"
    return None


def _each(spec: ProcessSpec, found: Sequence[ProcessFact]) -> Iterable[Finding]:
    if not found:
        return
    oldest = max(found, key=lambda process: process.age)
    biggest = max(found, key=lambda process: process.rss)
    if spec.max_age is not None and oldest.age > spec.max_age.total_seconds():
        limit = format_duration(spec.max_age)
        yield Status.CRITICAL, f"pid {oldest.pid} runs for {show_age(oldest.age)} (limit {limit})"
    if spec.max_rss is not None and biggest.rss > spec.max_rss:
        held, limit = show_bytes(biggest.rss), show_bytes(spec.max_rss)
        yield Status.CRITICAL, f"pid {biggest.pid} holds {held} (limit {limit})"
    if spec.min_age is not None and oldest.age < spec.min_age.total_seconds():
        limit = format_duration(spec.min_age)
        yield Status.WARNING, f"started {show_age(oldest.age)} ago (at least {limit})"


def _oldest(found: Sequence[ProcessFact]) -> str:
    return show_age(max(process.age for process in found), 1)


def _listing(found: Sequence[ProcessFact]) -> str:
    lines = [
        f"{process.pid} {one_line(process.user, 32)} {process.state} "
        f"{show_bytes(process.rss)} {one_line(process.command, 120)}"
        for process in found[:_SHOWN]
    ]
    more = len(found) - _SHOWN
    return "\n".join(lines + ([f"and {more} more"] if more > 0 else []))


KIND = FactProbe("process", ProcessSpec, lambda _: (Section("process"),), judge, sees_death=True)
