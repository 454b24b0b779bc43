"""The `tcp` probe: a port takes connections, and says what it should where that is asked.

It decides on connection, greeting and time. One fresh connection per run, closed at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, ClassVar, cast

from pydantic import Field, model_validator

from monitord.errors import SecretError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import SecretText, Spec
from monitord.model.text import one_line
from monitord.probes.compiled import Compiled
from monitord.probes.credentials import quote, reveal
from monitord.probes.network.connect import (
    WAITING,
    Connection,
    Endpoint,
    Family,
    dial,
    overdue,
    patience,
)
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import Tls, judge_expiry, measure_expiry, time_left
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.verdict import Finding, verdict
from monitord.secrets import SecretRef

_LISTENED = 4096  # bytes: a greeting; each packet is searched anew, so this bounds the work


class TcpSpec(Spec):
    """A TCP port of the host, and what it must say."""

    example: ClassVar[str] = """\
tcp:
  port: 25
  regex: "^220 .*ESMTP"
  warning: 200ms
  critical: 2s
"""

    port: int = Field(ge=1, le=65535, description="The port to connect to.", examples=[5432])
    send: SecretText | None = Field(
        None,
        description="A text to send once connected. Write line ends as \\r\\n in double quotes.",
        examples=["PING\r\n"],
    )
    expect: str = Field("", description="A text that the answer must contain.", examples=["+PONG"])
    regex: Pattern | None = Field(
        None, description="A pattern (RE2) that the answer must match.", examples=["^220 .*ESMTP"]
    )
    tls: Tls = Field(
        None,
        description="Speak TLS from the first byte: `yes`, or settings.",
        examples=["yes", {"expires": {"warning": "21d", "critical": "7d"}}],
    )
    warning: Latency | None = Field(
        None, description="WARNING when it takes longer, in seconds.", examples=["200ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when it takes longer, in seconds.", examples=["2s"]
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")

    @model_validator(mode="after")
    def _one_expectation(self) -> "TcpSpec":
        if self.expect and self.regex:
            raise ValueError("expect and regex exclude each other; keep regex")
        return self


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one spec asks, made once; endpoints by address, as hosts share specs."""

    spec: TcpSpec
    listens: bool
    plain: bool
    needle: bytes
    pattern: Any
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    def endpoint(self, address: str) -> Endpoint:
        known = self.endpoints.get(address)
        if known is None:
            spec = self.spec
            known = Endpoint.of(address, spec.port, family=spec.family, tls=spec.tls)
            self.endpoints[address] = known
        return known


def _plan(spec: TcpSpec) -> _Plan:
    listens = bool(spec.expect or spec.regex)
    pattern = compile_pattern(spec.regex) if spec.regex else None
    plain = not listens and spec.send is None and spec.tls is None
    return _Plan(spec, listens, plain, spec.expect.encode(), pattern)


_plan_of = Compiled(_plan)


class _Dialogue(Connection):
    """One connection: sends, listens until the expected is heard, the end or the limit."""

    __slots__ = ("certificate", "connected", "done", "heard", "matched", "plan", "sent")

    def __init__(self, plan: _Plan, sent: bytes) -> None:
        super().__init__()
        self.plan = plan
        self.sent = sent
        self.heard = b""
        self.matched = False
        self.connected = 0.0
        self.certificate: bytes | None = None
        self.done: asyncio.Future[None] | None = None
        if plan.listens:
            self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connected = perf_counter()
        self.transport = cast("asyncio.Transport", transport)
        self.phase = WAITING
        if self.plan.spec.tls is not None:
            secure = transport.get_extra_info("ssl_object")
            self.certificate = secure.getpeercert(binary_form=True)
        if self.sent:
            self.transport.write(self.sent)

    def data_received(self, data: bytes) -> None:
        if self.done is None or self.done.done():
            return
        self.heard = (self.heard + data)[:_LISTENED]
        plan = self.plan
        if plan.pattern is not None:
            self.matched = plan.pattern.search(self.heard) is not None
        else:
            self.matched = plan.needle in self.heard
        if self.matched or len(self.heard) == _LISTENED:
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.transport = None
        if self.done is not None and not self.done.done():
            self.done.set_result(None)


async def probe(spec: TcpSpec, target: Target) -> Sequence[Result]:
    """Connect once and judge; see NetworkProbe for the contract."""
    plan = _plan_of(spec)
    endpoint = plan.endpoint(target.address)
    try:
        sent = "" if spec.send is None else reveal(spec.send)
    except SecretError as error:
        return [Result.unknown(f"{endpoint.place}: {error}", Cause.MISSING)]
    dialogue = _Dialogue(plan, sent.encode())
    secrets = (sent,) if isinstance(spec.send, SecretRef) else ()
    started = perf_counter()
    try:
        async with asyncio.timeout(patience(target.timeout)):
            await dial(dialogue, endpoint)
            if dialogue.done is not None:
                await dialogue.done
    except UnreachedError as error:
        return [error.result(endpoint.place)]
    except TimeoutError:
        if not dialogue.heard:
            return [overdue(dialogue.phase, target.timeout).result(endpoint.place)]
    finally:
        dialogue.drop()
    elapsed = (perf_counter() if plan.listens else dialogue.connected) - started
    return [_judge(plan, endpoint.place, dialogue, elapsed, secrets)]


def _judge(
    plan: _Plan, place: str, dialogue: _Dialogue, elapsed: float, secrets: tuple[str, ...]
) -> Result:
    spec = plan.spec
    findings: list[Finding | None] = [judge_latency(spec, elapsed)]
    measurements = [_measured(spec, elapsed)]
    if plan.listens and not dialogue.matched:
        findings.append((Status.CRITICAL, _unheard(spec, dialogue.heard, secrets)))
    if spec.tls is not None and dialogue.certificate is not None:
        left = time_left(dialogue.certificate)
        findings.append(judge_expiry(spec.tls.expires, left))
        measurements.append(measure_expiry(spec.tls.expires, left))
    verb = "answered" if plan.listens else "connected"
    return verdict(place, findings, f"{verb} in {show(elapsed)}", tuple(measurements))


def _measured(spec: TcpSpec, elapsed: float) -> Measurement:
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    return Measurement("time", round(elapsed, 6), "s", warning, critical, minimum=0.0)


def _unheard(spec: TcpSpec, heard: bytes, secrets: tuple[str, ...]) -> str:
    wanted = f"/{spec.regex}/" if spec.regex else f'"{spec.expect}"'
    said = f"said {quote(heard, secrets)}" if heard else "closed without a word"
    if len(heard) == _LISTENED:
        said += f" (the first {_LISTENED} bytes were read)"
    return f"{said}, expected {one_line(wanted)}"


KIND = NetworkProbe("tcp", TcpSpec, probe)
