"""The `ntp` probe: a time server answers, is synchronised, and its time agrees with ours.

One SNTP question (RFC 4330) per run. Which of two clocks is wrong it cannot tell: an offset says
both. monitord's own machine must keep time by other means.
"""

import asyncio
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import ClassVar

from pydantic import Field

from monitord.clock import SystemClock, as_datetime
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Spec
from monitord.model.text import one_line
from monitord.probes.limits import show_age
from monitord.probes.network.connect import FAMILIES, WAITING, Family, overdue, patience
from monitord.probes.network.datagram import converse
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.verdict import Finding, verdict

_CLOCK = SystemClock()  # wall time is what this probe compares
_PACKET = struct.Struct("!BBbbII4sQ8sQQ")
_ERA = 2**32  # seconds: NTP's count begins anew then
_TO_1970 = 2_208_988_800  # seconds from 1900, where NTP begins to count
_CLIENT, _SERVER = 3, 4
_ALARM = 3  # leap indicator: "my clock is not set"
_MINUTE = 60
_HIGHEST = 16  # the stratum that means "unsynchronised"
_KISSES = {
    "RATE": "asked too often: lengthen `every`",
    "DENY": "it does not serve us",
    "RSTR": "it does not serve us",
    "INIT": "it has just started and knows no time yet",
    "STEP": "its clock was just stepped",
}


class NtpSpec(Spec):
    """A time server, and how well it must know the time."""

    example: ClassVar[str] = """\
ntp:
  offset_warning: 100ms
  offset_critical: 1s
  stratum: 4
"""

    port: int = Field(123, ge=1, le=65535, description="The server's port.")
    offset_warning: Duration | None = Field(
        None, description="WARNING when its time and ours differ by more.", examples=["100ms"]
    )
    offset_critical: Duration | None = Field(
        None, description="CRITICAL when its time and ours differ by more.", examples=["1s"]
    )
    stratum: int = Field(
        15,
        ge=1,
        le=15,
        description="CRITICAL when it is further from a reference clock than so many steps.",
        examples=[4],
    )
    dispersion: Duration | None = Field(
        None,
        description="WARNING when it gives itself a larger error (root dispersion and half of the "
        "root delay).",
        examples=["500ms"],
    )
    warning: Latency | None = Field(
        None, description="WARNING when the answer takes longer, in seconds.", examples=["200ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when the answer takes longer, in seconds.", examples=["2s"]
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a time server said. Seconds; `kiss` is its reason where it refuses to serve."""

    leap: int
    stratum: int
    kiss: str
    error: float
    offset: float
    trip: float


def read(packet: bytes, token: bytes, sent: float, came: float) -> Reply | None:
    """Read an answer; None when it is none to the question with that `token`.

    `sent` and `came` are our wall times in seconds since 1970.
    """
    if len(packet) < _PACKET.size:
        return None
    first, stratum, _, _, delay, dispersion, reference, _, origin, received, transmitted = (
        _PACKET.unpack_from(packet)
    )
    if first & 7 != _SERVER or origin != token:
        return None
    there = _seconds(received, sent), _seconds(transmitted, sent)
    offset = (there[0] - sent + there[1] - came) / 2
    trip = max(0.0, came - sent - (there[1] - there[0]))
    code = reference.rstrip(b"\0")
    kiss = code.decode("ascii") if stratum == 0 and code.isalpha() and code.isascii() else ""
    stratum = stratum or _HIGHEST  # servers write what is unsynchronised as 0
    return Reply(first >> 6, stratum, kiss, dispersion / 65536 + delay / 131072, offset, trip)


def _seconds(stamp: int, near: float) -> float:
    """Give an NTP time as seconds since 1970, of the era that is nearest to `near`."""
    seconds = stamp / _ERA - _TO_1970
    return seconds + round((near - seconds) / _ERA) * _ERA


def judge(spec: NtpSpec, place: str, reply: Reply) -> Result:
    """Hold a server's answer against the spec; one that knows no time says no more than that."""
    if reply.kiss:
        why = _KISSES.get(reply.kiss, "a code that is not known here")
        text = f"{place}: refuses with the kiss of death {one_line(reply.kiss, 8)}: {why}"
        return Result.critical(text)
    if reply.leap == _ALARM or reply.stratum >= _HIGHEST:
        return Result.critical(
            f"{place}: not synchronised (leap {reply.leap}, stratum {reply.stratum}): "
            "it reaches none of its own servers, or has just started"
        )
    findings = [_judge_offset(spec, reply), _judge_stratum(spec, reply), _judge_error(spec, reply)]
    findings.append(judge_latency(spec, reply.trip))
    good = f"offset {_signed(reply.offset)}, stratum {reply.stratum}"
    return verdict(place, findings, good, _measure(spec, reply))


def _judge_offset(spec: NtpSpec, reply: Reply) -> Finding | None:
    # Half the round trip is what asymmetry of the way can feign at most.
    certain = max(0.0, abs(reply.offset) - reply.trip / 2)
    for status, limit in (
        (Status.CRITICAL, spec.offset_critical),
        (Status.WARNING, spec.offset_warning),
    ):
        if limit is not None and certain > limit.total_seconds():
            text = f"its time is {_signed(reply.offset)} from ours, the limit is "
            return status, text + f"{show(limit.total_seconds())}: one of the two clocks is wrong"
    return None


def _judge_stratum(spec: NtpSpec, reply: Reply) -> Finding | None:
    if reply.stratum <= spec.stratum:
        return None
    text = f"stratum {reply.stratum} (limit {spec.stratum}): it lost its better servers"
    return Status.CRITICAL, text


def _judge_error(spec: NtpSpec, reply: Reply) -> Finding | None:
    if spec.dispersion is None or reply.error <= spec.dispersion.total_seconds():
        return None
    limit = show(spec.dispersion.total_seconds())
    return Status.WARNING, f"it may itself be wrong by {show(reply.error)} (limit {limit})"


def _signed(seconds: float) -> str:
    sign = "−" if seconds < 0 else "+"
    far = abs(seconds)
    return sign + (show_age(far) if far >= _MINUTE else show(far))


def _measure(spec: NtpSpec, reply: Reply) -> tuple[Measurement, ...]:
    def bound(limit: timedelta | None) -> str:
        return "" if limit is None else f"{-limit.total_seconds():g}:{limit.total_seconds():g}"

    warning, critical = bound(spec.offset_warning), bound(spec.offset_critical)
    return (
        Measurement("offset", round(reply.offset, 6), "s", warning, critical),
        Measurement("stratum", float(reply.stratum), "", critical=str(spec.stratum)),
        Measurement("error", round(reply.error, 6), "s", minimum=0.0),
        Measurement("time", round(reply.trip, 6), "s", minimum=0.0),
    )


async def probe(spec: NtpSpec, target: Target) -> Sequence[Result]:
    """Ask once, again where a packet may have been lost; see NetworkProbe for the contract."""
    place = f"{target.address}:{spec.port}"
    # As the time that we claim to send at: it tells the server nothing, and nobody can guess it.
    token = os.urandom(8)
    packet = bytes([4 << 3 | _CLIENT]) + bytes(39) + token
    began, wall = perf_counter(), as_datetime(_CLOCK.now()).timestamp()

    def read_one(said: bytes, sent: float) -> Reply | None:
        # Elapsed time on one look at the wall: a step of our clock in between changes nothing.
        return read(said, token, wall + sent - began, wall + perf_counter() - began)

    try:
        async with asyncio.timeout(patience(target.timeout)):
            reply = await converse(
                target.address, spec.port, packet, read_one, FAMILIES[spec.family], target.timeout
            )
    except UnreachedError as error:
        return [error.result(place)]
    except TimeoutError:
        return [overdue(WAITING, target.timeout).result(place)]
    return [judge(spec, place, reply)]


KIND = NetworkProbe("ntp", NtpSpec, probe)
"""The `ntp` probe: see NtpSpec."""
