"""How a connection in clear text is asked to go on in TLS, for each protocol that can.

It says the words up to TLS and refuses to go on without it. The handshake is the wire's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from monitord.probes.credentials import quote
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.wire import Wire

Protocol = Literal["smtp", "imap", "pop3", "ldap", "postgresql", "ftp", "xmpp"]

PORTS: Mapping[str, int] = {
    "smtp": 25, "imap": 143, "pop3": 110, "ldap": 389, "postgresql": 5432, "ftp": 21, "xmpp": 5222,
}  # fmt: skip

_NAME = "monitord.invalid"  # what we call ourselves: RFC 2606, it can be nobody else's
_MOST = 100  # lines of one answer
# RFC 4511 §4.14: an extended request with the name 1.3.6.1.4.1.1466.20037.
_LDAP = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
_LDAP_DONE = b"\x0a\x01\x00"  # the result code, an ENUMERATED: success
_PG = bytes.fromhex("0000000804d2162f")  # SSLRequest of PostgreSQL's protocol 3


async def reply(wire: Wire) -> tuple[int, list[bytes]]:
    """Read an answer of SMTP or FTP: `250-more`, `250 last`; give its code and texts.

    Raises:
        UnreachedError: it is none.
    """
    texts: list[bytes] = []
    for _ in range(_MOST):
        line = await wire.line()
        if not line[:3].isdigit():
            if texts:  # FTP: lines within an answer may be of any form
                continue
            raise UnreachedError(f"said {quote(line)}, which is no answer of this protocol")
        texts.append(line[4:])
        if line[3:4] != b"-":
            return int(line[:3]), texts
    raise UnreachedError(f"an answer of more than {_MOST} lines")


async def command(wire: Wire, words: str) -> tuple[int, list[bytes]]:
    """Send a line of SMTP or FTP and read its answer."""
    await wire.write(words.encode() + b"\r\n")
    return await reply(wire)


def _expect(said: bytes, begin: bytes, what: str) -> None:
    if not said.upper().startswith(begin):
        raise UnreachedError(f"{what}: said {quote(said)}")


async def _smtp(wire: Wire) -> None:
    code, texts = await reply(wire)
    if code != 220:  # noqa: PLR2004 - RFC 5321: service ready
        raise UnreachedError(f"does not serve: {code} {quote(texts[-1])}")
    await command(wire, f"EHLO {_NAME}")
    await smtp_tls(wire)


async def smtp_tls(wire: Wire) -> None:
    """Ask a mail server that has greeted to go on in TLS."""
    code, texts = await command(wire, "STARTTLS")
    if code != 220:  # noqa: PLR2004 - RFC 3207: ready to start TLS
        raise UnreachedError(f"STARTTLS is refused: {code} {quote(texts[-1])}")


async def _imap(wire: Wire) -> None:
    _expect(await wire.line(), b"* OK", "is no IMAP server that serves")
    await imap_tls(wire)


async def imap_tls(wire: Wire) -> None:
    """Ask an IMAP server that has greeted to go on in TLS."""
    await wire.write(b"t1 STARTTLS\r\n")
    for _ in range(_MOST):
        line = await wire.line()
        if line.startswith(b"t1 "):
            _expect(line, b"T1 OK", "STARTTLS is refused")
            return
    raise UnreachedError("STARTTLS has no answer")


async def _pop3(wire: Wire) -> None:
    _expect(await wire.line(), b"+OK", "is no POP3 server that serves")
    await pop3_tls(wire)


async def pop3_tls(wire: Wire) -> None:
    """Ask a POP3 server that has greeted to go on in TLS."""
    await wire.write(b"STLS\r\n")
    _expect(await wire.line(), b"+OK", "STLS is refused")


async def _ldap(wire: Wire) -> None:
    await wire.write(_LDAP)
    said = await wire.some()
    if not said.startswith(b"\x30") or _LDAP_DONE not in said[:32]:
        raise UnreachedError(f"StartTLS is refused: said {quote(said)}")


async def _postgresql(wire: Wire) -> None:
    await wire.write(_PG)
    said = await wire.some()
    if said != b"S":
        why = "it has no TLS (ssl = off)" if said == b"N" else f"said {quote(said)}"
        raise UnreachedError(f"TLS is refused: {why}")


async def _ftp(wire: Wire) -> None:
    await reply(wire)
    code, texts = await command(wire, "AUTH TLS")
    if code != 234:  # noqa: PLR2004 - RFC 4217: go on
        raise UnreachedError(f"AUTH TLS is refused: {code} {quote(texts[-1])}")


async def _xmpp(wire: Wire) -> None:
    open_ = (
        f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        f"to='{wire.host}' version='1.0'>"
    )
    await wire.write(open_.encode())
    said = b""
    while b"</stream:features>" not in said:
        said += await wire.some()
        if len(said) > _XMPP_LONGEST:
            raise UnreachedError(f"names no features: {quote(said)}")
    await wire.write(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    answer = await wire.some()
    if b"<proceed" not in answer:
        raise UnreachedError(f"STARTTLS is refused: said {quote(answer)}")


_XMPP_LONGEST = 65536

STARTS: Mapping[str, Callable[[Wire], Awaitable[None]]] = {
    "smtp": _smtp, "imap": _imap, "pop3": _pop3, "ldap": _ldap, "postgresql": _postgresql,
    "ftp": _ftp, "xmpp": _xmpp,
}  # fmt: skip
"""What is said before TLS, by protocol."""
