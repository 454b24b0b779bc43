"""One question to one DNS server, by dnspython: over UDP with a second try, over TCP when cut.

It tells an answer from silence and from nonsense, and nothing about what the answer is worth.
"""

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from monitord.model.text import one_line
from monitord.probes.network.connect import explain
from monitord.probes.network.latency import show
from monitord.probes.network.resolver import UnreachedError

if TYPE_CHECKING:
    from dns.message import Message

_TRIES = 3  # UDP loses packets: one lost is no outage
_SHARE = 0.9  # of the deadline: what is left names the silent one


@dataclass(frozen=True, slots=True)
class Reply:
    """What one server said: its return code by name, the records as texts, sorted. Seconds."""

    rcode: str
    records: tuple[str, ...]
    validated: bool
    elapsed: float
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """Whom to ask, and for how many seconds at most."""

    address: str
    port: int
    tcp: bool
    patience: float


async def ask(server: Server, name: str, kind: str, *, validate: bool = False) -> Reply:
    """Ask for the records of `kind` at `name`.

    Raises:
        UnreachedError: silence, a refusal of the connection, or no DNS.
    """
    import dns.exception  # loaded only where a check asks for it: see `library` of the spec
    import dns.flags
    import dns.message

    question = dns.message.make_query(name, kind, want_dnssec=validate, use_edns=0, payload=1232)
    if validate:
        question.flags |= dns.flags.AD
    began = perf_counter()
    try:
        answer = await _asked(question, server)
    except (dns.exception.Timeout, TimeoutError):
        raise UnreachedError(f"no answer within {show(perf_counter() - began)}") from None
    except EOFError:
        raise UnreachedError("closed the connection without an answer") from None
    except OSError as error:
        raise explain(error) from error
    except (dns.exception.DNSException, ValueError) as error:
        reason = one_line(str(error) or type(error).__name__, 80)
        raise UnreachedError(f"answered with what is no DNS: {reason}") from error
    return _reply(answer, kind, perf_counter() - began)


async def _asked(question: "Message", server: Server) -> "Message":
    import dns.asyncquery
    import dns.exception

    where, port = server.address, server.port
    if server.tcp:
        return await dns.asyncquery.tcp(question, where, server.patience * _SHARE, port)
    each = server.patience * _SHARE / _TRIES
    for _ in range(_TRIES - 1):
        try:
            return await _once(question, server, each)
        except (dns.exception.Timeout, TimeoutError):
            continue
    return await _once(question, server, each)


async def _once(question: "Message", server: Server, within: float) -> "Message":
    import dns.asyncquery

    # A limit of ours around the library's: its own counts anew when it goes over to TCP.
    async with asyncio.timeout(within):
        answer, _ = await dns.asyncquery.udp_with_fallback(
            question, server.address, within, server.port, ignore_unexpected=True
        )
    return answer


def _reply(answer: "Message", kind: str, elapsed: float) -> Reply:
    import dns.flags
    import dns.rcode
    import dns.rdatatype

    wanted = dns.rdatatype.from_text(kind)
    records = [
        (_shown(kind, rdata), getattr(rdata, "serial", None))
        for rrset in answer.answer
        if rrset.rdtype == wanted
        for rdata in rrset
    ]
    serial = next((number for _, number in records if kind == "SOA"), None)
    texts = tuple(sorted({text for text, _ in records}))
    validated = bool(answer.flags & dns.flags.AD)
    return Reply(dns.rcode.to_text(answer.rcode()), texts, validated, elapsed, serial)


def _shown(kind: str, rdata: object) -> str:
    strings = getattr(rdata, "strings", None)
    if kind == "TXT" and strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return plain(str(rdata), kind)


def plain(text: str, kind: str) -> str:
    """Give a record as it is compared: names without case and last dot, TXT as it is."""
    return text if kind == "TXT" else text.strip().lower().removesuffix(".")
