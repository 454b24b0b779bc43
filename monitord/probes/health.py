"""Judges monitord itself: is it late, is it full, does it say that something is wrong with it."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from monitord.model.ids import Instant
from monitord.model.kinds import Health, Record, RecordProbe
from monitord.model.ranges import Range
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Size, Spec
from monitord.model.text import block, one_line
from monitord.probes.limits import over, show_bytes
from monitord.probes.network.latency import show
from monitord.probes.verdict import Finding, verdict


class HealthSpec(Spec):
    """How late and how large monitord may grow; beyond `critical` it is critical."""

    example: ClassVar[str] = """\
health: {lag_warning: 1s, lag_critical: 10s, max_rss: 1G}
"""

    lag_warning: Duration = Field(
        default="1s", validate_default=True, description="Checks start later than due by this."
    )
    lag_critical: Duration = Field(
        default="10s", validate_default=True, description="The same.", examples=["10s"]
    )
    queue_warning: int = Field(
        default=1000, ge=1, description="Results that wait to be judged or stored."
    )
    queue_critical: int = Field(default=10_000, ge=1, description="The same.")
    max_rss: Size = Field(
        default="1G", validate_default=True, description="More memory than this is a warning."
    )
    max_descriptors: int = Field(
        default=4096, ge=1, description="More open files and sockets than this are a warning."
    )


def judge(spec: HealthSpec, record: Record, _now: Instant) -> Sequence[Result]:
    """Give one result; every problem that monitord names is critical and stands in the details."""
    if not isinstance(record, Health):
        raise TypeError(f"health is judged by a Health, not by {type(record).__name__}")
    late, worst = (_up_to(limit.total_seconds()) for limit in (spec.lag_warning, spec.lag_critical))
    findings: list[Finding | None] = [
        *((Status.CRITICAL, one_line(problem)) for problem in record.problems),
        over(f"checks start {show(record.lag)} late", record.lag, late, worst, "s"),
        over(
            f"{record.queue} results wait",
            record.queue,
            _up_to(spec.queue_warning),
            _up_to(spec.queue_critical),
        ),
        _memory(spec, record),
        over(
            f"{record.descriptors} descriptors are open",
            record.descriptors,
            _up_to(spec.max_descriptors),
            None,
        ),
    ]
    good = f"{show(record.lag)} late, {record.queue} waiting, {show_bytes(record.rss)}"
    result = verdict("monitord", findings, good, _measurements(record))
    details = block("\n".join(map(one_line, record.problems)))
    return [Result(result.status, result.summary, result.measurements, details=details)]


def _memory(spec: HealthSpec, record: Health) -> Finding | None:
    if record.rss <= spec.max_rss:
        return None
    return Status.WARNING, f"holds {show_bytes(record.rss)} (limit {show_bytes(spec.max_rss)})"


def _up_to(limit: float) -> Range:
    return Range(0.0, limit, text=f"{limit:g}")


def _measurements(record: Health) -> tuple[Measurement, ...]:
    return (
        Measurement("lag", record.lag, "s", minimum=0),
        Measurement("queue", record.queue, minimum=0),
        Measurement("rss", record.rss, "B", minimum=0),
        Measurement("descriptors", record.descriptors, minimum=0),
        Measurement("problems", len(record.problems), minimum=0),
    )


KIND = RecordProbe("health", HealthSpec, "health", judge)
