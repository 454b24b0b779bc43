"""The `smtp` probe: a mail server greets, offers what it should, and would take mail for somebody.

It never sends a mail: a recipient is named and taken back before any text.
"""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Result, Status
from monitord.model.text import one_line
from monitord.probes.network.mail import MailSpec, Talk, Word, hold
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.starttls import command, reply, smtp_tls
from monitord.probes.pattern import Pattern, compile_pattern

_PORTS = {"none": 25, "starttls": 25, "tls": 465}
_READY, _DONE, _LOGGED_IN, _GO_ON, _WRONG = 220, 250, 235, 334, 535
_GREYLISTED = range(450, 453)  # RFC 5321, RFC 6647: come again later


class SmtpSpec(MailSpec):
    """A mail server that takes mail for others."""

    example: ClassVar[str] = """\
smtp:
  encryption: starttls
  recipient: postmaster@example.com
  critical: 10s
"""

    banner: Pattern | None = Field(
        None, description="A pattern (RE2) that its greeting must match.", examples=["ESMTP"]
    )
    name: Word = Field("monitord.invalid", description="The name that we give ourselves in EHLO.")
    offers: tuple[str, ...] = Field(
        (),
        description="What it must offer in answer to EHLO.",
        examples=[["STARTTLS", "AUTH PLAIN", "8BITMIME"]],
    )
    sender: Word = Field("", description="The sender to name; left out: none, as of a bounce.")
    recipient: Word = Field(
        "",
        description="Somebody whose mail it must take. No mail is sent.",
        examples=["postmaster@example.com"],
    )


async def probe(spec: SmtpSpec, target: Target) -> Sequence[Result]:
    """Hold the dialogue; see NetworkProbe for the contract."""

    async def talk(talk: Talk) -> None:
        await _greeted(spec, talk)
        offered = await _introduced(spec, talk)
        if spec.encryption == "starttls":
            if not _offers(offered, "STARTTLS"):
                raise UnreachedError("does not offer STARTTLS: it has no certificate configured")
            await smtp_tls(talk.wire)
            await talk.wire.encrypt(spec.tls)
            offered = await _introduced(spec, talk)
        lacking = [wanted for wanted in spec.offers if not _offers(offered, wanted)]
        if lacking:
            talk.findings.append((Status.CRITICAL, f"does not offer {', '.join(lacking)}"))
        if spec.user:
            await _logged_in(spec, talk)
        if spec.recipient:
            await _would_take(spec, talk)
        await talk.wire.write(b"QUIT\r\n")

    return [await hold(spec, target, spec.port or _PORTS[spec.encryption], talk)]


async def _greeted(spec: SmtpSpec, talk: Talk) -> None:
    code, texts = await reply(talk.wire)
    if code != _READY:
        raise UnreachedError(f"does not serve: {code} {talk.quote(texts[-1])}")
    if spec.banner and not compile_pattern(spec.banner).search(texts[0]):
        wanted = one_line(spec.banner, 60)
        text = f"greets with {talk.quote(texts[0])}, expected /{wanted}/"
        talk.findings.append((Status.CRITICAL, text))
    talk.said.append("greets")


async def _introduced(spec: SmtpSpec, talk: Talk) -> list[str]:
    code, texts = await command(talk.wire, f"EHLO {spec.name}")
    if code != _DONE:
        raise UnreachedError(f"EHLO is refused: {code} {talk.quote(texts[-1])}")
    return [text.decode("ascii", "replace").upper() for text in texts[1:]]


def _offers(offered: list[str], wanted: str) -> bool:
    """Tell whether all words of `wanted` (`AUTH PLAIN`) stand in one of the offers."""
    words = wanted.upper().split()
    return any(
        line.split()[:1] == words[:1] and set(words) <= set(line.split()) for line in offered
    )


async def _logged_in(spec: SmtpSpec, talk: Talk) -> None:
    code, texts = await command(talk.wire, "AUTH PLAIN")
    if code == _GO_ON:
        code, texts = await command(talk.wire, talk.proof(spec.user).decode())
    if code == _LOGGED_IN:
        talk.said.append("logged in")
        return
    text = f"login of {one_line(spec.user, 60)} is refused: {code} {talk.quote(texts[-1])}"
    raise UnreachedError(text, Cause.LOGIN if code == _WRONG else None)


async def _would_take(spec: SmtpSpec, talk: Talk) -> None:
    code, texts = await command(talk.wire, f"MAIL FROM:<{spec.sender}>")
    what = f"the sender <{spec.sender}>"
    if code == _DONE:
        code, texts = await command(talk.wire, f"RCPT TO:<{spec.recipient}>")
        what = f"mail for {spec.recipient}"
    if code // 100 == 2:  # noqa: PLR2004 - RFC 5321 §4.2.1: the second hundred is success
        talk.said.append(f"takes {what}")
        await command(talk.wire, "RSET")
        return
    status = Status.WARNING if code in _GREYLISTED else Status.CRITICAL
    talk.findings.append((status, f"does not take {what}: {code} {talk.quote(texts[-1])}"))


KIND = NetworkProbe("smtp", SmtpSpec, probe)
"""The `smtp` probe: see SmtpSpec."""
