"""The `dns` probe: a server answers for a name, in time, with the records that there must be.

No such name is the zone's fault (CRITICAL). A silent server is CRITICAL where it is the host that
is looked at, else UNKNOWN: who cannot ask knows nothing of the name.
"""

import asyncio
from collections.abc import Sequence

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import show_limit
from monitord.probes.network.connect import is_literal, overdue, patience
from monitord.probes.network.dns_ask import Reply, Server, ask, plain
from monitord.probes.network.dns_spec import DnsSpec
from monitord.probes.network.dns_zone import Voice, judge_voices, voices_of
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.resolver import UnreachedError, resolve
from monitord.probes.pattern import compile_pattern
from monitord.probes.verdict import Finding, verdict

_ALONE = 60.0  # seconds: where only the caller knows the deadline
_SHOWN = 3  # records in one line
_MEANT = {
    "NXDOMAIN": "there is no such name",
    "SERVFAIL": "SERVFAIL: the zone's name servers are silent, or its DNSSEC is broken",
    "REFUSED": "REFUSED: it is not allowed to answer us, or does not serve this zone",
}


async def probe(spec: DnsSpec, target: Target) -> Sequence[Result]:
    """Ask once, and the zone's servers where told; see NetworkProbe for the contract."""
    thing = f"{one_line(spec.name, 80)} {spec.type}"
    within = patience(target.timeout) or _ALONE
    try:
        async with asyncio.timeout(within):
            server = await _server(spec, target, within)
            thing = f"{thing} by {server.address}"
            reply = await ask(server, spec.name, spec.type, validate=spec.dnssec)
            voices = await voices_of(server, spec) if spec.authorities else ()
    except UnreachedError as error:
        return [_unasked(spec, error).result(thing)]
    except TimeoutError:
        return [_unasked(spec, overdue("no answer", target.timeout)).result(thing)]
    return [judge(spec, thing, reply, voices)]


def _unasked(spec: DnsSpec, error: UnreachedError) -> UnreachedError:
    """Give the error with its cause: only the host that is looked at may be to blame."""
    return error if not spec.server else UnreachedError(str(error), error.cause or Cause.RESOLVER)


async def _server(spec: DnsSpec, target: Target, within: float) -> Server:
    address = spec.server or target.address
    if address == "system":
        address = _first_resolver()
    elif not is_literal(address):
        address = (await resolve(address))[0]
    # Half for the question itself where the zone's servers are asked after it.
    return Server(
        address, spec.port, spec.transport == "tcp", within / 2 if spec.authorities else within
    )


def _first_resolver() -> str:
    import dns.exception
    import dns.resolver

    try:
        return str(dns.resolver.Resolver().nameservers[0])
    except (dns.exception.DNSException, IndexError) as error:
        raise UnreachedError("/etc/resolv.conf names no server", Cause.RESOLVER) from error


def judge(spec: DnsSpec, thing: str, reply: Reply, voices: Sequence[Voice] = ()) -> Result:
    """Hold a reply, and what the zone's servers said, against the spec."""
    if reply.rcode == "REFUSED" and spec.server:
        return Result.unknown(f"{thing}: {_MEANT[reply.rcode]}", Cause.RESOLVER)
    findings: list[Finding | None] = []
    if reply.rcode != "NOERROR":
        findings.append((Status.CRITICAL, _MEANT.get(reply.rcode, f"answered {reply.rcode}")))
    else:
        findings.extend(_judge_records(spec, reply.records))
        if spec.dnssec and not reply.validated:
            findings.append((Status.CRITICAL, "not validated by DNSSEC (no AD flag)"))
    findings.append(judge_latency(spec, reply.elapsed))
    if voices:
        findings.extend(judge_voices(voices))
    good = f"{_list(reply.records)} in {show(reply.elapsed)}"
    if voices:
        good += f", {len(voices)} name servers agree"
    return verdict(thing, findings, good, _measure(spec, reply))


def _judge_records(spec: DnsSpec, records: tuple[str, ...]) -> list[Finding]:
    findings: list[Finding] = []
    count = len(records)
    if spec.count is not None:
        if spec.count.alerts(count):
            text = f"{count} records ({show_limit(spec.count)}): {_list(records)}"
            findings.append((Status.CRITICAL, text))
    elif not records:
        return [(Status.CRITICAL, f"the name has no record of type {spec.type}")]
    wanted = {plain(text, spec.type) for text in spec.exact}
    if wanted and wanted != set(records):
        findings.append(
            (Status.CRITICAL, f"is {_list(records)}, expected {_list(tuple(sorted(wanted)))}")
        )
    lacking = tuple(t for t in spec.contains if plain(t, spec.type) not in records)
    if lacking:
        findings.append((Status.CRITICAL, f"{_list(lacking)} is not among {_list(records)}"))
    if spec.regex and not any(compile_pattern(spec.regex).search(text) for text in records):
        text = f"no record matches /{one_line(spec.regex, 60)}/: {_list(records)}"
        findings.append((Status.CRITICAL, text))
    return findings


def _list(records: tuple[str, ...]) -> str:
    shown = ", ".join(one_line(text, 80) for text in records[:_SHOWN])
    more = len(records) - _SHOWN
    return (f"{shown} and {more} more" if more > 0 else shown) or "nothing"


def _measure(spec: DnsSpec, reply: Reply) -> tuple[Measurement, ...]:
    warning = spec.warning.text if spec.warning else ""
    critical = spec.critical.text if spec.critical else ""
    return (
        Measurement("time", round(reply.elapsed, 6), "s", warning, critical, minimum=0.0),
        Measurement("records", float(len(reply.records)), minimum=0.0),
    )


KIND = NetworkProbe("dns", DnsSpec, probe)
"""The `dns` probe: see DnsSpec."""
