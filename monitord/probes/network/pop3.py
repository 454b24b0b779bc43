"""The `pop3` probe: a mailbox server greets, and lets a user in where one is named.

It asks for nothing but the number of mails: none is fetched or deleted.
"""

from collections.abc import Sequence
from typing import ClassVar

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.text import one_line
from monitord.probes.network.mail import MailSpec, Talk, hold
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.starttls import pop3_tls

_PORTS = {"none": 110, "starttls": 110, "tls": 995}
_SERVERS_TROUBLE = (b"[SYS/", b"[IN-USE]")  # RFC 3206, RFC 2449


class Pop3Spec(MailSpec):
    """A server from which mail is fetched."""

    example: ClassVar[str] = """\
pop3:
  encryption: tls
  user: probe@example.com
  password: !secret env:PROBE_PASSWORD
"""


async def probe(spec: Pop3Spec, target: Target) -> Sequence[Result]:
    """Hold the dialogue; see NetworkProbe for the contract."""

    async def talk(talk: Talk) -> None:
        greeting = await talk.wire.line()
        if not greeting.startswith(b"+OK"):
            raise UnreachedError(f"is no POP3 server that serves: said {talk.quote(greeting)}")
        talk.said.append("greets")
        if spec.encryption == "starttls":
            await pop3_tls(talk.wire)
            await talk.wire.encrypt(spec.tls)
        if spec.user:
            await _logged_in(spec, talk)
        await talk.wire.write(b"QUIT\r\n")

    return [await hold(spec, target, spec.port or _PORTS[spec.encryption], talk)]


async def _logged_in(spec: Pop3Spec, talk: Talk) -> None:
    if any(sign in talk.password for sign in "\r\n"):
        raise UnreachedError("the password has a line end in it", Cause.LOGIN)
    said = await _ask(talk, f"USER {spec.user}")
    if said.startswith(b"+OK"):
        said = await _ask(talk, f"PASS {talk.password}")
    if not said.startswith(b"+OK"):
        theirs = any(word in said.upper() for word in _SERVERS_TROUBLE)
        text = f"login of {one_line(spec.user, 60)} is refused: {talk.quote(said)}"
        raise UnreachedError(text, None if theirs else Cause.LOGIN)
    talk.said.append("logged in")
    words = (await _ask(talk, "STAT")).split()
    if len(words) < 2 or not words[1].isdigit() or len(words[1]) > 10:  # noqa: PLR2004 - "+OK 3 …"
        raise UnreachedError("does not tell how many mails there are")
    talk.said.append(f"{int(words[1])} mails")
    talk.measurements.append(Measurement("messages", float(int(words[1])), minimum=0.0))


async def _ask(talk: Talk, words: str) -> bytes:
    await talk.wire.write(words.encode() + b"\r\n")
    return await talk.wire.line()


KIND = NetworkProbe("pop3", Pop3Spec, probe)
"""The `pop3` probe: see Pop3Spec."""
