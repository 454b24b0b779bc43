"""The `http` probe: fetches a page on a fresh connection, follows redirects, has it judged.

It decides on the order of things only: request, exchange, redirect, verdict. The parts stand in
http_request, http_exchange and http_judge. Nothing is parsed or built per run that a spec settles.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from monitord.errors import SecretError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Result
from monitord.model.text import one_line
from monitord.probes.compiled import Compiled
from monitord.probes.network.connect import CONNECTING, dial, overdue, patience
from monitord.probes.network.http_exchange import READING, Exchange
from monitord.probes.network.http_judge import Answer, Expectations, judge
from monitord.probes.network.http_request import Request, first_request, redirected, wire_of
from monitord.probes.network.http_spec import HttpSpec
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import time_left

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class _Plan:
    request: Request
    expected: Expectations


def _plan(spec: HttpSpec) -> _Plan:
    return _Plan(first_request(spec), Expectations(spec))


_plan_of = Compiled(_plan)


class _Run:
    """One run: the request and exchange that it is at, and where it has been."""

    __slots__ = ("began", "exchange", "hops", "request", "secrets", "started")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.exchange: Exchange | None = None
        self.hops: tuple[str, ...] = ()
        self.secrets: tuple[str, ...] = ()
        self.started = self.began = perf_counter()

    async def fetch(self) -> Exchange:
        """Make the request and wait for its answer."""
        request = self.request
        wire, secrets = wire_of(request)
        self.secrets += secrets
        exchange = self.exchange = Exchange(
            wire, bodiless=request.method == "HEAD", limit=request.spec.read
        )
        try:
            await dial(exchange, request.endpoint)
            await exchange.done
        finally:
            exchange.drop()
        if exchange.failed:
            raise UnreachedError(exchange.failed)
        return exchange

    def where(self, thing: str) -> str:
        """Name what is looked at, and where the redirects have led."""
        return f"{thing} -> {one_line(self.hops[-1], 120)}" if self.hops else thing


async def probe(spec: HttpSpec, target: Target) -> Sequence[Result]:
    """Fetch and judge; see NetworkProbe for the contract."""
    answer = await fetch(spec, target)
    return [answer if isinstance(answer, Result) else judge(_plan_of(spec).expected, answer)]


async def fetch(spec: HttpSpec, target: Target) -> Answer | Result:
    """Give what was answered, whatever its status; a result where nothing was."""
    plan = _plan_of(spec)
    run = _Run(plan.request)
    thing = plan.expected.thing
    try:
        async with asyncio.timeout(patience(target.timeout)):
            exchange = await run.fetch()
            if exchange.status in _REDIRECTS and spec.redirects:
                exchange = await _follow(run, exchange)
    except UnreachedError as error:
        return error.result(run.where(thing))
    except SecretError as error:
        return Result.unknown(f"{thing}: {error}", Cause.MISSING)
    except TimeoutError:
        return _overdue(run, target.timeout).result(run.where(thing))
    return _answer(run, exchange)


async def _follow(run: _Run, exchange: Exchange) -> Exchange:
    """Follow redirects up to the spec's number; gives the last exchange."""
    while exchange.status in _REDIRECTS:
        location = next((value for name, value in exchange.headers if name == b"location"), None)
        if location is None:
            return exchange
        if len(run.hops) >= run.request.spec.redirects:
            raise UnreachedError(f"redirects more than {len(run.hops)} times")
        text = location.decode("utf-8", "replace")
        run.request = redirected(run.request, exchange.status, text)
        run.hops += (run.request.url,)
        run.began = perf_counter()
        exchange = await run.fetch()
    return exchange


def _overdue(run: _Run, timeout: float) -> UnreachedError:
    exchange = run.exchange
    if exchange is None:
        return overdue(CONNECTING, timeout)
    error = overdue(exchange.phase, timeout)
    if exchange.phase == READING:
        return UnreachedError(f"{error}, {exchange.size} B so far")
    return error


def _answer(run: _Run, exchange: Exchange) -> Answer:
    certificate = exchange.certificate
    return Answer(
        exchange.status,
        exchange.headers,
        b"".join(exchange.body),
        exchange.cut,
        exchange.ended - run.started,
        exchange.connected - run.began,
        time_left(certificate) if certificate else None,
        run.hops,
        run.secrets,
    )


KIND = NetworkProbe("http", HttpSpec, probe)
