"""Whether all name servers of a zone answer, and say the same.

It finds the zone and its servers by the server that a check names, asks each at once, and compares
serials and records. One that is silent or differs is CRITICAL: some of the users get its answer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from monitord.model.result import Status
from monitord.model.text import one_line
from monitord.probes.network.dns_ask import Reply, Server, ask
from monitord.probes.network.dns_spec import DnsSpec
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.verdict import Finding

_MOST = 13  # name servers of one zone: as many as the root has


@dataclass(frozen=True, slots=True)
class Voice:
    """One name server: what it said of the name and of its zone, or why it said nothing."""

    name: str
    reply: Reply | None
    serial: int | None
    trouble: str = ""


async def voices_of(server: Server, spec: DnsSpec) -> Sequence[Voice]:
    """Ask all name servers of the zone that holds the name.

    Raises:
        UnreachedError: the zone or its servers cannot be found.
    """
    zone, names = await _zone(server, spec.name)
    addresses = await asyncio.gather(*(_address(server, name) for name in names))
    pairs = zip(names, addresses, strict=True)
    return await asyncio.gather(*(_voice(server, n, a, spec, zone) for n, a in pairs))


async def _zone(server: Server, name: str) -> tuple[str, tuple[str, ...]]:
    labels = name.removesuffix(".").split(".")
    for start in range(len(labels)):
        zone = ".".join(labels[start:])
        reply = await ask(server, zone, "NS")
        if reply.records:
            return zone, reply.records[:_MOST]
    raise UnreachedError(f"no zone with name servers holds {one_line(name, 80)}")


async def _address(server: Server, name: str) -> str:
    for kind in ("A", "AAAA"):
        reply = await ask(server, name, kind)
        if reply.records:
            return reply.records[0]
    return ""


async def _voice(server: Server, name: str, address: str, spec: DnsSpec, zone: str) -> Voice:
    shown = f"{one_line(name, 60)} ({address})"
    if not address:
        return Voice(one_line(name, 60), None, None, "has no address")
    at = Server(address, server.port, server.tcp, server.patience / 3)
    try:
        reply = await ask(at, spec.name, spec.type)
        soa = await ask(at, zone, "SOA")
    except UnreachedError as error:
        return Voice(shown, None, None, str(error))
    return Voice(shown, reply, soa.serial)


def judge_voices(voices: Sequence[Voice]) -> list[Finding]:
    """Give what is wrong: silent ones, then serials that differ, then answers that differ."""
    findings = [(Status.CRITICAL, f"{v.name}: {v.trouble}") for v in voices if v.trouble]
    spoke = [voice for voice in voices if voice.reply is not None]
    mute = [voice for voice in spoke if voice.serial is None]
    findings += [(Status.CRITICAL, f"{v.name} does not serve the zone") for v in mute]
    spoke = [voice for voice in spoke if voice.serial is not None]
    if len({voice.serial for voice in spoke}) > 1:
        said = ", ".join(f"{voice.name} has {voice.serial}" for voice in spoke[:4])
        findings.append((Status.CRITICAL, f"serials differ: {said}: a transfer is not done"))
    elif len({(v.reply.rcode, v.reply.records) for v in spoke if v.reply}) > 1:
        names = ", ".join(voice.name for voice in spoke[:4])
        findings.append((Status.CRITICAL, f"{names} give different records at one serial"))
    return findings
