"""The `tls` probe: what a server shows in its handshake: chain, dates, names, protocol, cipher.

OpenSSL verifies; where it refuses, a second handshake without verification only reads what was
sent, so that the line can say which certificate it was. Nothing is sent over that connection.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from monitord.clock import SystemClock, as_datetime
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Result, Status
from monitord.model.spec import Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.network.connect import FAMILIES, Family, overdue, patience
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.starttls import PORTS, STARTS, Protocol
from monitord.probes.network.tls import Expires, TlsSpec, measure_expiry
from monitord.probes.network.tls_chain import Shown, holds, read_chain
from monitord.probes.network.wire import Wire
from monitord.probes.verdict import Finding, verdict

_CLOCK = SystemClock()  # a certificate's dates are wall time
_DAY = timedelta(days=1)
_ORDER = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_LIMITS = Expires.model_validate({"warning": "21d", "critical": "7d"})


class TlsProbeSpec(Spec):
    """A TLS server's certificate chain, and how it encrypts."""

    example: ClassVar[str] = """\
tls:
  port: 25
  starttls: smtp
  server_name: mail.example.com
  expires: {warning: 21d, critical: 7d}
  protocol: TLSv1.2
"""
    rhythm: ClassVar[dict[str, str | int]] = {"every": "12h", "retry_every": "5m", "attempts": 2}

    port: int | None = Field(
        None, ge=1, le=65535, description="The port; left out: 443, or that of `starttls`."
    )
    starttls: Protocol | None = Field(
        None, description="Begin in clear text in this protocol and ask for TLS.", examples=["smtp"]
    )
    server_name: str = Field(
        "", description="The name to ask for and to verify; left out: the host's address."
    )
    verify: bool = Field(
        default=True, description="Whether the chain must be trusted and fit the name."
    )
    ca: str = Field(
        "",
        description="A PEM file of the authorities to trust, or the self-signed certificate "
        "itself; left out: those of the system.",
        examples=["/etc/ssl/our-ca.pem"],
    )
    expires: Expires = Field(
        _LIMITS, description="How much time each certificate of the chain must have left."
    )
    names: tuple[str, ...] = Field(
        (), description="Names that the certificate must hold too.", examples=[["www.example.com"]]
    )
    issuer: str = Field(
        "", description="A text that the issuer's name must contain.", examples=["Let's Encrypt"]
    )
    protocol: Literal["TLSv1.2", "TLSv1.3"] = Field(
        "TLSv1.2", description="The oldest version of TLS that is good."
    )
    cipher_bits: int = Field(
        128, ge=0, le=256, description="The shortest key of the negotiated cipher that is good."
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")

    def handshake(self, *, verify: bool) -> TlsSpec:
        """Give the settings of one handshake."""
        return TlsSpec(verify=verify, server_name=self.server_name, ca=self.ca)


async def probe(spec: TlsProbeSpec, target: Target) -> Sequence[Result]:
    """Shake hands and judge; see NetworkProbe for the contract."""
    port = spec.port or (PORTS[spec.starttls] if spec.starttls else 443)
    place = f"{target.address}:{port}"
    wire = Wire(target.address, port, FAMILIES[spec.family])
    try:
        async with asyncio.timeout(patience(target.timeout)):
            try:
                await _shake(wire, spec, verify=spec.verify)
                refusal = ""
            except UnreachedError as error:
                if wire.refused is None:
                    raise
                refusal = str(error)
                wire.drop()
                wire = Wire(target.address, port, FAMILIES[spec.family])
                await _shake(wire, spec, verify=False)
            return [judge(spec, place, wire, refusal)]
    except UnreachedError as error:
        return [error.result(place)]
    except TimeoutError:
        return [overdue(wire.phase, target.timeout).result(place)]
    finally:
        wire.drop()


async def _shake(wire: Wire, spec: TlsProbeSpec, *, verify: bool) -> None:
    await wire.connect()
    if spec.starttls:
        await STARTS[spec.starttls](wire)
    await wire.encrypt(spec.handshake(verify=verify))


def judge(spec: TlsProbeSpec, place: str, wire: Wire, refusal: str = "") -> Result:
    """Hold what a handshake showed against the spec; `refusal` is why OpenSSL refused it."""
    try:
        chain = read_chain(wire.chain())
    except ValueError as error:
        why = one_line(str(error), 80)
        return Result.critical(f"{place}: sent a certificate that cannot be read: {why}")
    leaf = chain[0]
    version, bits = wire.encryption()
    now = as_datetime(_CLOCK.now())
    ends = [(shown, shown.ends - now) for shown in chain if shown is leaf or not shown.is_root]
    findings: list[Finding | None] = []
    if refusal:
        about = f"{leaf.subject} by {leaf.issuer}, ends {leaf.ends:%Y-%m-%d}"
        findings.append((Status.CRITICAL, f"{refusal} ({about})"))
    findings.extend(_judge_end(spec.expires, shown, left) for shown, left in ends)
    findings.extend(_judge_names(spec, leaf))
    if spec.issuer and spec.issuer not in leaf.issuer:
        wanted = one_line(spec.issuer, 60)
        findings.append((Status.CRITICAL, f'issued by {leaf.issuer}, expected "{wanted}"'))
    if _ORDER.index(version) < _ORDER.index(spec.protocol):
        findings.append((Status.CRITICAL, f"speaks {version}, at least {spec.protocol} is good"))
    if bits < spec.cipher_bits:
        findings.append((Status.CRITICAL, f"cipher of {bits} bits (at least {spec.cipher_bits})"))
    least = min(left for _, left in ends)
    good = f"{least // _DAY} days left, by {leaf.issuer}, {version}"
    return verdict(place, findings, good, (measure_expiry(spec.expires, least),))


def _judge_end(expires: Expires, shown: Shown, left: timedelta) -> Finding | None:
    who = f"the certificate of {shown.subject}"
    if left < timedelta():
        return Status.CRITICAL, f"{who} ended {-left / _DAY:.1f} days ago"
    for status, limit in ((Status.CRITICAL, expires.critical), (Status.WARNING, expires.warning)):
        if limit is not None and left < limit:
            text = f"{who} ends in {left / _DAY:.1f} days (limit {format_duration(limit)})"
            return status, f"{text}, issued by {shown.issuer}"
    return None


def _judge_names(spec: TlsProbeSpec, leaf: Shown) -> list[Finding]:
    lacking = [name for name in spec.names if not holds(leaf, name)]
    if not lacking:
        return []
    held = ", ".join(leaf.names[:4]) or "no name at all"
    return [(Status.CRITICAL, f"not for {', '.join(lacking[:4])}, only for {held}")]


KIND = NetworkProbe("tls", TlsProbeSpec, probe)
"""The `tls` probe: see TlsProbeSpec."""
