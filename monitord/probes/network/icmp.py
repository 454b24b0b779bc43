"""The `icmp` probe: the host answers pings, or, where none may be sent, a TCP port of it does.

It decides on loss and round trip. The packets are icmp_socket's business.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from time import perf_counter
from typing import ClassVar

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.ranges import Range
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec, Threshold, parse_duration
from monitord.probes.limits import severity
from monitord.probes.network.connect import (
    FAMILIES,
    LOOKING_UP,
    Connection,
    Endpoint,
    Family,
    dial,
    is_literal,
    overdue,
    patience,
)
from monitord.probes.network.icmp_socket import NoIcmpError, ping
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.verdict import Finding, verdict

_MOST = 20


class Loss(Spec):
    """How many pings may stay without an answer."""

    warning: Threshold | None = Field(
        None, description="WARNING when more percent are lost.", examples=["20%"]
    )
    critical: Threshold | None = Field(
        None,
        description="CRITICAL when more percent are lost; all lost is CRITICAL in any case.",
        examples=["60%"],
    )


class Jitter(Spec):
    """How much round trips may differ from one to the next, on average."""

    warning: Latency | None = Field(
        None, description="WARNING when they differ by more, in seconds.", examples=["20ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when they differ by more, in seconds.", examples=["50ms"]
    )


class IcmpSpec(Spec):
    """Pings to the host."""

    example: ClassVar[str] = """\
icmp:
  count: 3                       # so many pings,
  gap: 100ms                     # this long one after the other;
  wait: 1s                       # the last may take so long to be answered
  loss: {warning: 20%, critical: 60%}
  jitter: {warning: 20ms, critical: 50ms}
  warning: 100ms                 # the average round trip
  critical: 500ms
  fallback_port: 22
"""

    count: int = Field(3, ge=1, le=_MOST, description="How many pings are sent.", examples=[3])
    gap: Duration = Field(
        parse_duration("100ms"), description="The time from one ping to the next."
    )
    wait: Duration = Field(
        parse_duration("1s"), description="How long the last ping's answer may take."
    )
    loss: Loss | None = Field(
        None, description="Limits on lost pings.", examples=[{"warning": "20%", "critical": "60%"}]
    )
    jitter: Jitter | None = Field(
        None,
        description="Limits on how much round trips differ from one to the next: what voice and "
        "video suffer from.",
        examples=[{"warning": "20ms", "critical": "50ms"}],
    )
    warning: Latency | None = Field(
        None,
        description="WARNING when the average round trip takes longer, in seconds.",
        examples=["100ms"],
    )
    critical: Latency | None = Field(
        None,
        description="CRITICAL when the average round trip takes longer, in seconds.",
        examples=["500ms"],
    )
    fallback_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="A TCP port to try where monitord may send no pings; open or refused, either "
        "answer proves that the host is up.",
        examples=[22],
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")


async def probe(spec: IcmpSpec, target: Target) -> Sequence[Result]:
    """Ping and judge; see NetworkProbe for the contract."""
    try:
        try:
            return [await _ping(spec, target)]
        except NoIcmpError as error:
            if spec.fallback_port is None:
                text = f"{target.address}: {error}, or set fallback_port"
                return [Result.unknown(text, Cause.MISSING)]
            return [await _knock(spec, target, spec.fallback_port)]
    except UnreachedError as error:
        return [error.result(target.address)]


async def _ping(spec: IcmpSpec, target: Target) -> Result:
    limit = patience(target.timeout)
    started = perf_counter()
    address = target.address
    if not is_literal(address):
        try:
            async with asyncio.timeout(limit):
                address = (await resolve(address, FAMILIES[spec.family]))[0]
        except TimeoutError:
            raise overdue(LOOKING_UP, target.timeout) from None
    within = limit - (perf_counter() - started) if limit is not None else float("inf")
    pings = await ping(
        address,
        count=spec.count,
        gap=spec.gap.total_seconds(),
        wait=spec.wait.total_seconds(),
        within=max(within, 0.0),
    )
    return judge(spec, target.address, pings.trips, pings.sent, pings.refusal)


def judge(
    spec: IcmpSpec,
    address: str,
    trips: Sequence[float],
    sent: int,
    refusal: UnreachedError | None = None,
) -> Result:
    """Give the verdict on a series: `trips` are the round trips (s) of those answered.

    `refusal` is why the others could not be delivered, where somebody said so.
    """
    loss = 100.0 * (sent - len(trips)) / sent if sent else 100.0
    limits = spec.loss or Loss.model_validate({})
    lost = _measure("loss", loss, "%", limits.warning, limits.critical)
    if not trips:
        error = refusal or UnreachedError(f"no answer to {sent} pings")
        return replace(error.result(address), measurements=(lost,))
    average = sum(trips) / len(trips)
    findings = [_judge_loss(limits, loss, sent), _judge_trip(spec, average)]
    trip = _measure("rtt", round(average, 6), "s", spec.warning, spec.critical)
    good = f"{len(trips)} of {sent} pings answered in {show(average)}"
    measured: tuple[Measurement, ...] = (trip, lost)
    if spec.jitter is not None and len(trips) > 1:
        steps = [abs(later - earlier) for earlier, later in pairwise(trips)]
        jitter = sum(steps) / len(steps)
        findings.append(_judge_jitter(spec.jitter, jitter))
        bounds = spec.jitter.warning, spec.jitter.critical
        measured += (_measure("jitter", round(jitter, 6), "s", *bounds),)
    return verdict(address, findings, good, measured)


def _judge_jitter(limits: Jitter, jitter: float) -> Finding | None:
    broken = severity(jitter, limits.warning, limits.critical)
    if broken is None:
        return None
    text = f"round trips differ by {show(jitter)}, the limit is {show(broken[1].end)}"
    return broken[0], f"{text}: a queue on the way fills"


def _judge_loss(limits: Loss, loss: float, sent: int) -> Finding | None:
    for status, limit in (
        (Status.CRITICAL, limits.critical),
        (Status.WARNING, limits.warning),
    ):
        if limit is not None and limit.alerts(loss):
            return status, f"{loss:.0f} % of {sent} pings lost, the limit is {limit.text}"
    return None


def _judge_trip(spec: IcmpSpec, average: float) -> Finding | None:
    finding = judge_latency(spec, average)
    return (finding[0], f"a round trip {finding[1]}") if finding else None


def _measure(
    name: str, value: float, unit: str, warning: Range | None, critical: Range | None
) -> Measurement:
    return Measurement(
        name,
        value,
        unit,
        warning.text.rstrip("%") if warning else "",
        critical.text.rstrip("%") if critical else "",
        minimum=0.0,
    )


async def _knock(spec: IcmpSpec, target: Target, port: int) -> Result:
    """Try a TCP port where pings are not allowed to us."""
    endpoint = Endpoint.of(target.address, port, family=spec.family)
    connection = Connection()
    started = perf_counter()
    answer = "is open"
    try:
        async with asyncio.timeout(patience(target.timeout)):
            await dial(connection, endpoint)
    except TimeoutError:
        raise overdue(connection.phase, target.timeout) from None
    except UnreachedError as error:
        if not isinstance(error.__cause__, ConnectionRefusedError):
            raise
        answer = "refuses"
    finally:
        connection.drop()
    elapsed = perf_counter() - started
    trip = _measure("rtt", round(elapsed, 6), "s", spec.warning, spec.critical)
    good = f"up, TCP port {port} {answer} after {show(elapsed)} (no ICMP socket here)"
    return verdict(target.address, [_judge_trip(spec, elapsed)], good, (trip,))


KIND = NetworkProbe("icmp", IcmpSpec, probe)
