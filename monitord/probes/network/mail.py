"""What the mail probes share: where to connect, how to encrypt, who we say that we are.

It holds one dialogue within its deadline and puts a result together; the words are each protocol's.
A password goes over TLS only, unless a check says otherwise.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from monitord.errors import SecretError
from monitord.model.kinds import Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.spec import SecretText, Spec
from monitord.probes.credentials import quote, reveal
from monitord.probes.network.connect import FAMILIES, Family, overdue, patience
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import TlsSpec, judge_expiry, measure_expiry, time_left
from monitord.probes.network.wire import Wire
from monitord.probes.verdict import Finding, verdict


def _one_word(text: str) -> str:
    if any(ord(sign) <= ord(" ") or sign in "<>" for sign in text):
        raise ValueError(f"{text!r}: a space, control character or <> is in it")
    return text


Word = Annotated[str, AfterValidator(_one_word)]


class MailSpec(Spec):
    """What every mail server can be asked."""

    port: int | None = Field(
        None, ge=1, le=65535, description="The port; left out, the usual one of `encryption`."
    )
    encryption: Literal["none", "starttls", "tls"] = Field(
        "none",
        description="Clear text, TLS once both have spoken, or TLS from the first byte.",
    )
    tls: TlsSpec = Field(
        TlsSpec(), description="What must be true of TLS.", examples=[{"ca": "/etc/ssl/our-ca.pem"}]
    )
    user: Word = Field("", description="Log in as this user.", examples=["probe@example.com"])
    password: SecretText | None = Field(
        None, description="The user's password.", examples=["!secret env:MAIL_PASSWORD"]
    )
    clear_text: bool = Field(
        default=False, description="Whether the password may be sent without TLS."
    )
    warning: Latency | None = Field(
        None, description="WARNING when all of it takes longer, in seconds.", examples=["2s"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when all of it takes longer, in seconds.", examples=["10s"]
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")

    @model_validator(mode="after")
    def _guards_the_password(self) -> "MailSpec":
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password belong together")
        if self.user and self.encryption == "none" and not self.clear_text:
            raise ValueError(
                "the password would be sent in clear text: write encryption: starttls (or tls), "
                "or clear_text: true where nobody listens"
            )
        return self


@dataclass(slots=True)
class Talk:
    """One dialogue under way: the wire, the password, and what was found so far."""

    wire: Wire
    password: str = ""
    secrets: tuple[str, ...] = ()
    findings: list[Finding | None] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def proof(self, user: str) -> bytes:
        """Give user and password as SASL's PLAIN wants them (RFC 4616)."""
        proof = b64encode(f"\0{user}\0{self.password}".encode())
        self.secrets += (proof.decode(),)  # some servers repeat what they do not understand
        return proof

    def quote(self, said: bytes) -> str:
        """Give what the server said, without the password in any form that we sent."""
        return quote(said, self.secrets)


async def hold(
    spec: MailSpec, target: Target, port: int, talk_of: Callable[[Talk], Awaitable[None]]
) -> Result:
    """Connect, let `talk_of` hold its dialogue, and judge time and certificate."""
    place = f"{target.address}:{port}"
    wire = Wire(target.address, port, FAMILIES[spec.family])
    try:
        password = "" if spec.password is None else reveal(spec.password)
    except SecretError as error:
        return Result.unknown(f"{place}: {error}", Cause.MISSING)
    talk = Talk(wire, password, (password,) if password else ())
    began = perf_counter()
    try:
        async with asyncio.timeout(patience(target.timeout)):
            await wire.connect()
            if spec.encryption == "tls":
                await wire.encrypt(spec.tls)
            await talk_of(talk)
    except UnreachedError as error:
        return error.result(place)
    except TimeoutError:
        return overdue(wire.phase, target.timeout).result(place)
    finally:
        wire.drop()
    return _judged(spec, place, talk, perf_counter() - began)


def _judged(spec: MailSpec, place: str, talk: Talk, elapsed: float) -> Result:
    chain = talk.wire.chain()
    if chain:
        left = time_left(chain[0])
        talk.findings.append(judge_expiry(spec.tls.expires, left))
        talk.measurements.append(measure_expiry(spec.tls.expires, left))
    talk.findings.append(judge_latency(spec, elapsed))
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    time = Measurement("time", round(elapsed, 6), "s", warning, critical, minimum=0.0)
    good = ", ".join([*talk.said, f"in {show(elapsed)}"])
    return verdict(place, talk.findings, good, (time, *talk.measurements))
