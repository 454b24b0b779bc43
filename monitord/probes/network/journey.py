"""The `journey` probe: a visitor's way through a site, step by step, until one goes wrong.

It decides on the order of things and on what may be shown: requests, cookies, captures and verdicts
have their own files. What a site sends back of our secrets and tokens is masked before it is told.
"""

import asyncio
import html
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from monitord.errors import SecretError
from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.compiled import Compiled
from monitord.probes.network.connect import CONNECTING, dial, overdue, patience
from monitord.probes.network.http_body import BodyError, content
from monitord.probes.network.http_exchange import Exchange
from monitord.probes.network.http_judge import Answer, Expectations, judge
from monitord.probes.network.http_request import Request, wire_of
from monitord.probes.network.http_spec import HttpSpec
from monitord.probes.network.journey_fill import Known, onward, request_of
from monitord.probes.network.journey_keep import Cookies, captured
from monitord.probes.network.journey_spec import JourneySpec, Step, slug
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.network.tls import time_left
from monitord.probes.verdict import verdict
from monitord.secrets import redact

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SHARED = ("status", "body", "regex", "not_regex", "expect_headers", "warning", "critical")
_LEFT_OUT = frozenset({"connect", "size", "tls_days"})  # of each step


class _Stop(NamedTuple):
    """One step made ready: `spec` is what the http kind would be told of it."""

    step: Step
    spec: HttpSpec
    expected: Expectations
    thing: str


def _plan(spec: JourneySpec) -> tuple[_Stop, ...]:
    return tuple(_stop(spec, number, step) for number, step in enumerate(spec.steps, 1))


def _stop(spec: JourneySpec, number: int, step: Step) -> _Stop:
    shared = {name: getattr(step, name) for name in _SHARED}
    told = HttpSpec(
        url=spec.url, json=step.json_, tls=spec.tls, read=spec.read, family=spec.family, **shared
    )
    expected = Expectations(told)
    # It says what was asked, never with what: values in a path may be a site's own tokens.
    place = one_line(step.path.partition("?")[0], 60)
    name = one_line(step.name)
    which = f"step {number} of {len(spec.steps)} ({name})"
    expected.thing = f"{one_line(spec.url, 80)}: {which}: {step.does} {place}"
    return _Stop(step, told, expected, expected.thing)


_plan_of = Compiled(_plan)


@dataclass(slots=True)
class _Run:
    """What one run has gathered: values, cookies, and the exchange that it is at."""

    spec: JourneySpec
    known: Known
    cookies: Cookies
    exchange: Exchange | None = None

    async def fetch(self, request: Request) -> Exchange:
        """Make one request with the cookies that belong to it, and keep those that it sets."""
        line = self.cookies.line(request.url)
        if line:
            request = replace(request, headers=(*request.headers, ("Cookie", line)))
        wire, _ = wire_of(request)
        exchange = Exchange(wire, bodiless=request.method == "HEAD", limit=request.spec.read)
        self.exchange = exchange
        try:
            await dial(exchange, request.endpoint)
            await exchange.done
        finally:
            exchange.drop()
        if exchange.failed:
            # What a broken server says may be what it was just told.
            raise UnreachedError(redact(exchange.failed, self.masked()))
        self.cookies.hear(request.url, exchange.headers)
        return exchange

    def masked(self) -> tuple[str, ...]:
        """Give what must not be shown, in each form in which a page may say it."""
        values = (*self.known.secrets, *self.known.values.values(), *self.cookies.values().values())
        return tuple(_forms(values))


def _forms(values: Iterable[str]) -> Iterable[str]:
    for value in set(values):
        yield value
        yield value.lower()  # as hosts and codings are told
        yield quote(value, safe="")
        yield quote_plus(value)
        yield json.dumps(value)[1:-1]
        yield json.dumps(value, ensure_ascii=False)[1:-1]
        yield html.escape(value)
        yield html.escape(value, quote=False)
        yield b64encode(value.encode()).decode()


async def probe(spec: JourneySpec, target: Target) -> Sequence[Result]:
    """Go the way until a step goes wrong; see NetworkProbe for the contract."""
    run = _Run(spec, Known({}, []), Cookies())
    stops = _plan_of(spec)
    done: list[Result] = []
    began = perf_counter()
    try:
        async with asyncio.timeout(patience(target.timeout)):
            for stop in stops:
                result = await _reached(run, stop)
                done.append(result)
                if result.status >= Status.CRITICAL:
                    break
    except TimeoutError:
        phase = run.exchange.phase if run.exchange else CONNECTING
        done.append(overdue(phase, target.timeout).result(stops[len(done)].thing))
    return [_told(spec, done, perf_counter() - began, run)]


async def _reached(run: _Run, stop: _Stop) -> Result:
    """Give the result of one step."""
    run.exchange = None
    began = perf_counter()
    try:
        request = request_of(stop.step, stop.spec, run.spec.url, run.known)
        exchange = await run.fetch(request)
        hops = 0
        while exchange.status in _REDIRECTS and stop.step.redirects:
            where = dict(exchange.headers).get(b"location")
            if where is None:
                break
            hops += 1
            if hops > stop.step.redirects:
                raise UnreachedError(f"redirects more than {hops - 1} times")  # noqa: TRY301 - one place words all of them
            text = where.decode("utf-8", "replace")
            request = onward(request, exchange.status, text, run.spec.sites)
            exchange = await run.fetch(request)
        return _judged(run, stop, exchange, perf_counter() - began)
    except SecretError as error:
        return Result.unknown(f"{stop.thing}: {error}", Cause.MISSING)
    except (UnreachedError, BodyError) as error:
        # A site may have put what it knows into a host's name, or whatever else is quoted.
        said = redact(str(error), run.masked())
        return UnreachedError(said, getattr(error, "cause", None)).result(stop.thing)


def _judged(run: _Run, stop: _Stop, exchange: Exchange, took: float) -> Result:
    raw = b"".join(exchange.body)
    text, _ = content(raw, dict(exchange.headers), stop.spec.read)
    left = time_left(exchange.certificate) if exchange.certificate else None
    answer = Answer(exchange.status, exchange.headers, raw, exchange.cut, took, 0.0, left)
    result = judge(stop.expected, answer)
    if result.status is Status.CRITICAL:
        return _unsaid(run, stop, answer._replace(body=text), result)
    for name, where in stop.step.capture.items():
        run.known.values[name] = captured(name, where, exchange.headers, text, run.cookies)
    return result


def _unsaid(run: _Run, stop: _Stop, answer: Answer, result: Result) -> Result:
    """Give a bad result whose words come from the answer without our secrets in it.

    The answer's body is unpacked and in UTF-8; the headers that tell otherwise are left out.
    """
    masked = run.masked()

    def clean(said: bytes) -> bytes:
        return redact(said.decode("utf-8", "replace"), masked).encode()

    headers = tuple(
        (clean(name), clean(value.partition(b";")[0] if name == b"content-type" else value))
        for name, value in answer.headers
        if name != b"content-encoding"
    )
    seen = answer._replace(headers=headers, body=clean(answer.body), secrets=masked)
    again = judge(stop.expected, seen)
    if again.status is result.status:
        return replace(again, measurements=result.measurements)
    said = f"{stop.thing}: is not as expected; what it says holds our secrets and is not shown"
    return replace(result, summary=said, details="")


def _told(spec: JourneySpec, done: Sequence[Result], took: float, run: _Run) -> Result:
    limits = (spec.warning, spec.critical)
    warning, critical = (limit.text if limit else "" for limit in limits)
    measured = [Measurement("time", took, "s", warning, critical, 0.0)]
    for number, (step, result) in enumerate(zip(spec.steps, done, strict=False)):
        for one in result.measurements:
            if one.name == "tls_days" and number == 0:
                measured.append(one)
            elif one.name not in _LEFT_OUT:
                measured.append(replace(one, name=f"{slug(step.name)}.{one.name}"))
    worst = max(done, key=lambda result: result.status)
    numbers = tuple(measured)
    if worst.status < Status.CRITICAL:
        late = judge_latency(spec, took)
        if late is not None and late[0] > worst.status:
            return verdict(one_line(spec.url, 120), [late], "", numbers)
    if worst.status is Status.OK:
        good = f"{len(done)} steps in {show(took)}"
        return verdict(one_line(spec.url, 120), (), good, numbers)
    # Its sentences are ours and its quotations are clean: this is the net below.
    secrets = tuple(_forms(run.known.secrets))
    summary, details = redact(worst.summary, secrets), redact(worst.details, secrets)
    return replace(worst, summary=summary, details=details, measurements=numbers)


KIND = NetworkProbe("journey", JourneySpec, probe)
"""The `journey` probe: see JourneySpec."""
