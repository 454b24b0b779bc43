"""The `memcached` probe: answers, memory and connections used, what it evicts and turns away.

It judges what `stats` tells and changes nothing. Source: memcached, doc/protocol.txt, "Statistics".
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.spec import Spec
from monitord.probes.credentials import quote
from monitord.probes.limits import show_bytes, show_percent
from monitord.probes.network.connect import WAITING, Connection, Endpoint, dial, overdue, patience
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.service.limits import Limits, grown, limits, number, remembering
from monitord.probes.verdict import verdict

_MOST = 65_536  # bytes of an answer
_FULL = b"ERROR Too many open connections"
_KEYS = ("bytes", "limit_maxbytes", "curr_connections", "max_connections", "evictions")


class MemcachedSpec(Spec):
    """memcached: answers in time, connections left, what it throws out for want of memory."""

    example = """
        memcached:
          connections: {warning: 80%, critical: 95%}
          evictions: {warning: 1000}
    """

    port: int = Field(11211, ge=1, le=65535, description="The port to connect to.")
    connections: Limits = Field(
        limits("80", "95"), description="Limits on connections in percent of max_connections."
    )
    memory: Limits = Field(
        Limits(), description="Limits on memory in percent of its limit; a full cache is usual."
    )
    evictions: Limits = Field(
        Limits(), description="Limits on entries thrown out since the last look, still wanted."
    )
    rejected: Limits = Field(
        limits("0"), description="Limits on connections turned away since the last look."
    )
    warning: Latency | None = Field(
        None, description="WARNING when the answer takes longer, in seconds.", examples=["100ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when the answer takes longer, in seconds.", examples=["1s"]
    )


class _Dialogue(Connection):
    def __init__(self) -> None:
        super().__init__()
        self.heard = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.phase = WAITING
        if self.transport is not None:
            self.transport.write(b"stats\r\n")

    def data_received(self, data: bytes) -> None:
        self.heard = (self.heard + data)[:_MOST]
        if self.heard.endswith((b"END\r\n", b"ERROR\r\n")) or len(self.heard) == _MOST:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.transport = None
        self._end()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def probe(spec: MemcachedSpec, target: Target) -> Sequence[Result]:
    """Ask for the statistics and judge; see NetworkProbe for the contract."""
    endpoint = Endpoint.of(target.address, spec.port)
    dialogue = _Dialogue()
    started = perf_counter()
    try:
        async with asyncio.timeout(patience(target.timeout)):
            await dial(dialogue, endpoint)
            await dialogue.done
    except UnreachedError as error:
        return [error.result(endpoint.place)]
    except TimeoutError:
        return [overdue(dialogue.phase, target.timeout).result(endpoint.place)]
    finally:
        dialogue.drop()
    elapsed = perf_counter() - started
    if dialogue.heard.startswith(_FULL):
        text = "turns us away, too many connections: a pool leaks, or -c is too low"
        return [Result.critical(f"{endpoint.place}: {text}")]
    try:
        told = _read(dialogue.heard)
    except (KeyError, ValueError):
        said = quote(dialogue.heard) if dialogue.heard else "nothing, and closed"
        text = f"{endpoint.place}: not what memcached says to `stats`: {said}"
        return [Result.unknown(text, Cause.PLUGIN)]
    return [_judge(spec, endpoint.place, told, elapsed, target)]


def _read(heard: bytes) -> Mapping[str, float]:
    words = (line.split(" ") for line in heard.decode("utf-8", "replace").split("\r\n"))
    lines = {line[1]: line[2] for line in words if len(line) == 3 and line[0] == "STAT"}  # noqa: PLR2004 - STAT name value
    told = {key: number(lines[key]) for key in _KEYS}
    # Since 1.4.
    return {**told, "rejected_connections": number(lines.get("rejected_connections", 0))}


def _judge(
    spec: MemcachedSpec, place: str, told: Mapping[str, float], elapsed: float, target: Target
) -> Result:
    used, most, connected, allowed, evicted = (told[key] for key in _KEYS)
    rejected = told["rejected_connections"]
    memory = target.memory.get("", {})
    thrown, turned = grown(memory, "evicted", evicted), grown(memory, "rejected", rejected)
    full, busy = 100 * used / max(most, 1), 100 * connected / max(allowed, 1)
    filled = f"{show_bytes(used)} of {show_bytes(most)} used ({show_percent(full)} %)"
    findings = [
        judge_latency(spec, elapsed),
        spec.connections.judge(
            f"{connected:.0f} of {allowed:.0f} connections used ({show_percent(busy)} %): "
            "a pool leaks, or -c is too low",
            busy,
            "%",
        ),
        spec.memory.judge(filled, full, "%"),
        spec.evictions.judge(
            f"{thrown:.0f} entries thrown out since the last look: -m is too low", thrown
        ),
        spec.rejected.judge(f"{turned:.0f} connections turned away since the last look", turned),
    ]
    measurements = (
        Measurement("time", round(elapsed, 6), "s"),
        spec.connections.measured("connections", busy, "%"),
        spec.memory.measured("memory", full, "%"),
        Measurement("evictions", evicted, "c"),
        Measurement("rejected", rejected, "c"),
    )
    result = verdict(place, findings, f"answered in {show(elapsed)}, {filled}", measurements)
    return remembering(result, evicted=evicted, rejected=rejected)


KIND = NetworkProbe("memcached", MemcachedSpec, probe)
