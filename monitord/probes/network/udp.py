"""The `udp` probe: a service answers one packet with what it should.

UDP has no connection: silence may be a dead service, a firewall or a question that it ignores, so
only an answer proves that it lives. A refusal by ICMP is told as such.
"""

import asyncio
import binascii
from collections.abc import Sequence
from time import perf_counter
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from monitord.errors import SecretError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import SecretText, Spec
from monitord.model.text import one_line
from monitord.probes.credentials import quote, reveal
from monitord.probes.network.connect import FAMILIES, WAITING, Family, overdue, patience
from monitord.probes.network.datagram import converse
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.verdict import Finding, verdict
from monitord.secrets import SecretRef


def _hex(text: str) -> str:
    try:
        binascii.unhexlify("".join(text.split()))
    except ValueError:
        raise ValueError(f"{text!r} is not hexadecimal (write ff ff 00 1a)") from None
    return text


class UdpSpec(Spec):
    """A UDP port: what is sent there, and what must come back."""

    example: ClassVar[str] = """\
udp:
  port: 27015
  send_hex: ff ff ff ff 54
  expect: I
"""

    port: int = Field(ge=1, le=65535, description="The port to send to.", examples=[514])
    send: SecretText | None = Field(
        None, description="A text to send. Write line ends as \\r\\n in double quotes."
    )
    send_hex: Annotated[str, AfterValidator(_hex)] = Field(
        "", description="Bytes to send in place of a text.", examples=["ff ff ff ff 54"]
    )
    expect: str = Field("", description="A text that the answer must contain.", examples=["pong"])
    regex: Pattern | None = Field(
        None, description="A pattern (RE2) that the answer must match.", examples=["^ok"]
    )
    warning: Latency | None = Field(
        None, description="WARNING when it takes longer, in seconds.", examples=["200ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when it takes longer, in seconds.", examples=["2s"]
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")

    @model_validator(mode="after")
    def _fits(self) -> "UdpSpec":
        if (self.send is None) == (not self.send_hex):
            raise ValueError("udp needs either send or send_hex: only an answer proves a service")
        if self.expect and self.regex:
            raise ValueError("expect and regex exclude each other; keep regex")
        return self


async def probe(spec: UdpSpec, target: Target) -> Sequence[Result]:
    """Send and listen; see NetworkProbe for the contract."""
    place = f"{target.address}:{spec.port}/udp"
    try:
        sent = reveal(spec.send).encode() if spec.send is not None else _bytes(spec)
    except SecretError as error:
        return [Result.unknown(f"{place}: {error}", Cause.MISSING)]
    secrets = (sent.decode(),) if isinstance(spec.send, SecretRef) else ()
    try:
        async with asyncio.timeout(patience(target.timeout)):
            said, elapsed = await converse(
                target.address, spec.port, sent, _heard, FAMILIES[spec.family], target.timeout
            )
    except UnreachedError as error:
        return [error.result(place)]
    except TimeoutError:
        silent = overdue(WAITING, target.timeout).result(place)
        return [silent]
    return [judge(spec, place, said, elapsed, secrets)]


def _bytes(spec: UdpSpec) -> bytes:
    return binascii.unhexlify("".join(spec.send_hex.split()))


def _heard(said: bytes, sent: float) -> tuple[bytes, float]:
    return said, perf_counter() - sent


def judge(
    spec: UdpSpec, place: str, said: bytes, elapsed: float, secrets: Sequence[str] = ()
) -> Result:
    """Hold an answer against the spec."""
    findings: list[Finding | None] = [judge_latency(spec, elapsed)]
    pattern = compile_pattern(spec.regex) if spec.regex else None
    good = pattern.search(said) is not None if pattern else spec.expect.encode() in said
    if not good:
        wanted = f"/{spec.regex}/" if spec.regex else f'"{spec.expect}"'
        text = f"said {quote(said, secrets)}, expected {one_line(wanted)}"
        findings.append((Status.CRITICAL, text))
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    time = Measurement("time", round(elapsed, 6), "s", warning, critical, minimum=0.0)
    return verdict(place, findings, f"answered in {show(elapsed)}", (time,))


KIND = NetworkProbe("udp", UdpSpec, probe)
"""The `udp` probe: see UdpSpec."""
