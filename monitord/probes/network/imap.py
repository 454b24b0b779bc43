"""The `imap` probe: a server greets, lets a user in, and a mailbox is neither full nor stale.

It opens a mailbox to look only (EXAMINE): no mail is marked, moved or read.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field, model_validator

from monitord.clock import SystemClock, as_datetime
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Threshold, format_duration
from monitord.model.text import one_line
from monitord.probes.limits import over, show_age
from monitord.probes.network.mail import MailSpec, Talk, Word, hold
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.starttls import imap_tls
from monitord.probes.verdict import Finding

_CLOCK = SystemClock()  # the age of a mail is wall time
_PORTS = {"none": 143, "starttls": 143, "tls": 993}
_MOST = 500  # lines of one answer
_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS")
_DATE = re.compile(rb'INTERNALDATE "([ 0-9]\d-[A-Za-z]{3}-\d{4} [0-9:]{8} [+-]\d{4})"')


class ImapSpec(MailSpec):
    """A server of mailboxes, and how full or old one of them may be."""

    example: ClassVar[str] = """\
imap:
  encryption: tls
  user: orders@example.com
  password: !secret env:ORDERS_PASSWORD
  messages_critical: 100
  oldest_critical: 2h
"""

    mailbox: Word = Field("INBOX", description="The mailbox to look at, of the user who logs in.")
    messages_warning: Threshold | None = Field(
        None, description="WARNING when the number of its mails is outside this.", examples=[50]
    )
    messages_critical: Threshold | None = Field(
        None, description="CRITICAL when the number of its mails is outside this.", examples=[100]
    )
    oldest_warning: Duration | None = Field(
        None, description="WARNING when a mail lies there for longer.", examples=["30m"]
    )
    oldest_critical: Duration | None = Field(
        None, description="CRITICAL when a mail lies there for longer.", examples=["2h"]
    )
    newest_warning: Duration | None = Field(
        None, description="WARNING when no mail has come for longer.", examples=["1d"]
    )
    newest_critical: Duration | None = Field(
        None, description="CRITICAL when no mail has come for longer.", examples=["3d"]
    )

    @model_validator(mode="after")
    def _needs_a_user(self) -> "ImapSpec":
        limits = (
            self.messages_warning, self.messages_critical, self.oldest_warning,
            self.oldest_critical, self.newest_warning, self.newest_critical,
        )  # fmt: skip
        if not self.user and any(limit is not None for limit in limits):
            raise ValueError("limits on a mailbox need user and password")
        return self


async def probe(spec: ImapSpec, target: Target) -> Sequence[Result]:
    """Hold the dialogue; see NetworkProbe for the contract."""

    async def talk(talk: Talk) -> None:
        greeting = await talk.wire.line()
        if not greeting.upper().startswith(b"* OK"):
            raise UnreachedError(f"is no IMAP server that serves: said {talk.quote(greeting)}")
        talk.said.append("greets")
        if spec.encryption == "starttls":
            await imap_tls(talk.wire)
            await talk.wire.encrypt(spec.tls)
        if spec.user:
            await _logged_in(spec, talk)
            await _looked(spec, talk)
        await talk.wire.write(b"z LOGOUT\r\n")

    return [await hold(spec, target, spec.port or _PORTS[spec.encryption], talk)]


async def _answer(talk: Talk, tag: bytes) -> tuple[list[bytes], bytes]:
    """Read up to the answer to the command `tag`: the lines before it, and its own words."""
    lines: list[bytes] = []
    for _ in range(_MOST):
        line = await talk.wire.line()
        if line.startswith((tag + b" ", b"+")):
            return lines, line.removeprefix(tag + b" ")
        lines.append(line)
    raise UnreachedError(f"an answer of more than {_MOST} lines")


async def _ask(talk: Talk, tag: str, words: str, what: str) -> list[bytes]:
    await talk.wire.write(f"{tag} {words}\r\n".encode())
    lines, end = await _answer(talk, tag.encode())
    if not end.upper().startswith(b"OK"):
        raise UnreachedError(f"{what}: {talk.quote(end)}")
    return lines


async def _logged_in(spec: ImapSpec, talk: Talk) -> None:
    await talk.wire.write(b"l AUTHENTICATE PLAIN\r\n")
    _, end = await _answer(talk, b"l")
    if end.startswith(b"+"):
        await talk.wire.write(talk.proof(spec.user) + b"\r\n")
        _, end = await _answer(talk, b"l")
    if end.upper().startswith(b"OK"):
        talk.said.append("logged in")
        return
    # RFC 5530: UNAVAILABLE is the server's trouble; all else is about who we say that we are.
    ours = b"[UNAVAILABLE]" not in end.upper()
    text = f"login of {one_line(spec.user, 60)} is refused: {talk.quote(end)}"
    raise UnreachedError(text, Cause.LOGIN if ours else None)


async def _looked(spec: ImapSpec, talk: Talk) -> None:
    name = spec.mailbox.replace("\\", "\\\\").replace('"', '\\"')
    lines = await _ask(talk, "e", f'EXAMINE "{name}"', f"mailbox {spec.mailbox} cannot be opened")
    counts = [match for line in lines if (match := _EXISTS.fullmatch(line.strip()))]
    count = int(counts[-1][1]) if counts else 0
    talk.said.append(f"{count} mails in {spec.mailbox}")
    talk.measurements.append(Measurement("messages", float(count), minimum=0.0))
    sentence = f"{count} mails in {spec.mailbox}"
    talk.findings.append(over(sentence, count, spec.messages_warning, spec.messages_critical))
    if not count:
        return
    for which, name, limits, sentence in (
        ("1", "oldest", (spec.oldest_warning, spec.oldest_critical), "the oldest mail lies there"),
        ("*", "newest", (spec.newest_warning, spec.newest_critical), "no mail has come"),
    ):
        if any(limits):
            age = await _age(talk, which)
            talk.measurements.append(Measurement(name, round(age, 1), "s", minimum=0.0))
            talk.findings.append(_judge_age(sentence, age, *limits))


async def _age(talk: Talk, which: str) -> float:
    lines = await _ask(talk, "f", f"FETCH {which} INTERNALDATE", "a mail's date is not told")
    found = [match for line in lines if (match := _DATE.search(line))]
    try:
        came = datetime.strptime(found[0][1].decode().strip(), "%d-%b-%Y %H:%M:%S %z")
    except (IndexError, ValueError):
        raise UnreachedError("a mail's date cannot be read") from None
    return max(0.0, (as_datetime(_CLOCK.now()) - came).total_seconds())


def _judge_age(
    sentence: str, age: float, warning: timedelta | None, critical: timedelta | None
) -> Finding | None:
    for status, limit in ((Status.CRITICAL, critical), (Status.WARNING, warning)):
        if limit is not None and age > limit.total_seconds():
            return status, f"{sentence} for {show_age(age)} (limit {format_duration(limit)})"
    return None


KIND = NetworkProbe("imap", ImapSpec, probe)
"""The `imap` probe: see ImapSpec."""
