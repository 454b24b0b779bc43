"""The `radius` probe: a RADIUS server answers, accepts whom it should and rejects whom it should.

It decides on the answer's code, its signature and its time. Every question bears a
Message-Authenticator; an answer that was not made with our secret is none.
Source: RFC 2865; Status-Server: RFC 5997; Blast-RADIUS: CVE-2024-3596.
"""

import asyncio
import io
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any, Literal

from pydantic import Field, model_validator

from monitord.errors import SecretError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Library, SecretText, Spec
from monitord.probes.credentials import quote, reveal
from monitord.probes.network.connect import FAMILIES, Family, patience
from monitord.probes.network.datagram import converse
from monitord.probes.network.latency import Latency, judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.verdict import Finding, verdict

_ACCEPT, _REJECT, _CHALLENGE, _STATUS = 2, 3, 11, 12
_CODES = {_ACCEPT: "accept", _REJECT: "reject", _CHALLENGE: "challenge"}
_REPLY_MESSAGE, _SIGNATURE = 18, 80
_LONGEST = 128  # octets of a password: RFC 2865 §5.2
_ATTRIBUTES = """\
ATTRIBUTE User-Name 1 string
ATTRIBUTE User-Password 2 octets
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Message-Authenticator 80 octets
"""


class RadiusSpec(Spec):
    """A RADIUS server: lives, lets in whom it should, keeps out whom it should."""

    library = Library("pyrad", "radius")
    example = """
        radius:
          secret: !secret file:/etc/monitord/radius.secret
          user: monitor
          password: !secret file:/etc/monitord/radius.password
          critical: 2s
    """

    port: int = Field(1812, ge=1, le=65535, description="The UDP port to ask.")
    secret: SecretText = Field(
        description="What the server knows us by, as one of its clients.",
        examples=["!secret file:/etc/monitord/radius.secret"],
    )
    user: str = Field(
        "", max_length=253,
        description="Who asks to be let in; left out: only whether the server lives.",
        examples=["monitor"],
    )  # fmt: skip
    password: SecretText | None = Field(
        None, description="Its password (PAP).",
        examples=["!secret file:/etc/monitord/radius.password"],
    )  # fmt: skip
    expect: Literal["accept", "reject"] = Field(
        "accept", description="What the answer must be. A locked user that is accepted is a hole."
    )
    signed: bool = Field(
        default=False,
        description="Answers must bear a Message-Authenticator too, as servers do that are safe "
        "from Blast-RADIUS.",
    )
    name: str = Field(
        "monitord", min_length=1, max_length=253, description="What we call ourselves."
    )
    warning: Latency | None = Field(
        None, description="WARNING when it takes longer, in seconds.", examples=["500ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when it takes longer, in seconds.", examples=["2s"]
    )
    family: Family = Field("any", description="Which of a name's addresses to use.")

    @model_validator(mode="after")
    def _whole(self) -> "RadiusSpec":
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password belong together; without both, it asks for life")
        if self.expect == "reject" and not self.user:
            raise ValueError("expect: reject needs the user and password that must be rejected")
        return self


@cache
def _dictionary() -> Any:
    from pyrad.dictionary import Dictionary

    return Dictionary(io.StringIO(_ATTRIBUTES))


def _question(spec: RadiusSpec, secret: str, password: str) -> Any:
    from pyrad.packet import AccessRequest, AuthPacket

    code = AccessRequest if spec.user else _STATUS
    question = AuthPacket(code=code, secret=secret.encode(), dict=_dictionary())
    question.authenticator = question.CreateAuthenticator()
    question["NAS-Identifier"] = spec.name
    if spec.user:
        question["User-Name"] = spec.user
        question["User-Password"] = question.PwCrypt(password)
    question.add_message_authenticator()
    return question


async def probe(spec: RadiusSpec, target: Target) -> Sequence[Result]:
    """Ask once and judge; see NetworkProbe for the contract."""
    place = f"{target.address}:{spec.port}/udp"
    try:
        secret = reveal(spec.secret)
        password = reveal(spec.password) if spec.password is not None else ""
        if not secret or len(password.encode()) > _LONGEST:
            text = f"secret is empty, or password longer than {_LONGEST} bytes"
            return [Result.unknown(f"{place}: {text}", Cause.MISSING)]
        question = _question(spec, secret, password)
        async with asyncio.timeout(patience(target.timeout)):
            answer, elapsed = await converse(
                target.address, spec.port, question.RequestPacket(),
                lambda said, sent: _read(question, said, sent), FAMILIES[spec.family],
                target.timeout,
            )  # fmt: skip
    except SecretError as error:
        return [Result.unknown(f"{place}: {error}", Cause.MISSING)]
    except UnreachedError as error:
        return [error.result(place)]
    except TimeoutError:
        text = (
            f"no answer within {show(target.timeout)}: it is down, a firewall drops UDP, we are "
            "none of its clients, or the secret differs"
        )
        return [Result.critical(f"{place}: {text}")]
    return [judge(spec, place, answer, elapsed, (secret, password))]


def _read(question: Any, said: bytes, sent: float) -> tuple[Any, float] | None:
    """Give the answer to our question; None: it is none, and another may come.

    Raises:
        UnreachedError: it answers our question, with another secret.
    """
    from pyrad.packet import PacketError

    try:
        answer = question.CreateReply(packet=said)
    except (PacketError, ValueError, IndexError, KeyError):
        return None
    if answer.id != question.id or answer.code not in _CODES:
        return None
    if not question.VerifyReply(answer, said):
        text = "the answer was not made with our secret: it differs here and there"
        raise UnreachedError(text, Cause.LOGIN)
    return answer, perf_counter() - sent


def judge(
    spec: RadiusSpec, place: str, answer: Any, elapsed: float, secrets: Sequence[str] = ()
) -> Result:
    """Give the verdict on an answer that was made with our secret."""
    findings: list[Finding | None] = [judge_latency(spec, elapsed)]
    said = _CODES[answer.code]
    told = b" ".join(dict.get(answer, _REPLY_MESSAGE, []))
    words = f", it says {quote(told, secrets)}" if told else ""
    if spec.user and said != spec.expect:
        cause = (
            "a user that must be kept out is let in"
            if spec.expect == "reject"
            else "the password differs, the user is locked, or the server cannot ask its users"
        )
        findings.append((Status.CRITICAL, f"{said}, expected {spec.expect}{words}: {cause}"))
    if spec.signed and _SIGNATURE not in dict.keys(answer):
        text = "the answer bears no Message-Authenticator: open to Blast-RADIUS, update the server"
        findings.append((Status.WARNING, text))
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    time = Measurement("time", round(elapsed, 6), "s", warning, critical, minimum=0.0)
    good = f"{said}ed in {show(elapsed)}" if spec.user else f"lives, answered in {show(elapsed)}"
    return verdict(place, findings, good, (time,))


KIND = NetworkProbe("radius", RadiusSpec, probe)
"""The `radius` probe: see RadiusSpec."""
