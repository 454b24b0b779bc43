"""The verdict on an HTTP answer: pure, and safe on whatever a target may have sent.

It decides in this order: whole, status, headers, body, JSON, time, certificate. What stands in the
body is judged only under a good status, so that an error page is one finding and not five.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from monitord.model.result import Measurement, Result, Status
from monitord.model.text import block, one_line
from monitord.probes.credentials import quote
from monitord.probes.network.http_body import BodyError, content
from monitord.probes.network.http_exchange import LIMIT
from monitord.probes.network.http_json import judge_values, parse_path, read_json
from monitord.probes.network.http_spec import HttpSpec, show_statuses
from monitord.probes.network.latency import judge_latency, show
from monitord.probes.network.tls import judge_expiry, measure_expiry
from monitord.probes.pattern import compile_pattern
from monitord.probes.verdict import Finding, verdict
from monitord.secrets import redact

_EVIDENCE = 1500  # characters of an answer that go with a bad result
_UNTOLD = frozenset({b"set-cookie", b"authorization", b"www-authenticate"})


class Answer(NamedTuple):  # made for each run: a third of a frozen dataclass's cost
    """What came back. Seconds; `left` is the certificate's time; `secrets` are what we sent."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    cut: str
    elapsed: float
    connect: float
    left: timedelta | None = None
    hops: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


class Expectations:
    """A spec's expectations made ready to be asked often."""

    def __init__(self, spec: HttpSpec) -> None:
        self.spec = spec
        self.thing = one_line(spec.url, 120)
        self.statuses = spec.status
        self.needle = spec.body.encode()
        self.regex = compile_pattern(spec.regex) if spec.regex else None
        self.not_regex = compile_pattern(spec.not_regex) if spec.not_regex else None
        self.paths = tuple(parse_path(entry.path) for entry in spec.json_)
        self.headers = tuple(
            (name, compile_pattern(pattern)) for name, pattern in spec.expect_headers.items()
        )
        self.reads_body = bool(spec.body or spec.regex or spec.not_regex or spec.json_)
        self.warning = spec.warning.text if spec.warning else ""
        self.critical = spec.critical.text if spec.critical else ""


def judge(expected: Expectations, answer: Answer) -> Result:
    """Give the result; a bad one carries the head of the answer as its details."""
    spec = expected.spec
    findings: list[Finding | None] = []
    measurements = _measure(expected, answer)
    if answer.status not in expected.statuses:
        text = f"answered {answer.status} in {show(answer.elapsed)}"
        findings.append((Status.CRITICAL, f"{text}, expected {show_statuses(spec.status)}"))
    else:
        if answer.cut and answer.cut != LIMIT:
            findings.append((Status.CRITICAL, answer.cut))
        if expected.headers:
            findings.extend(_judge_headers(expected, answer))
        if expected.reads_body:
            findings.extend(_judge_body(expected, answer, measurements))
    if spec.warning or spec.critical:
        findings.append(judge_latency(spec, answer.elapsed))
    if answer.left is not None:
        expires = spec.tls.expires if spec.tls else None
        findings.append(judge_expiry(expires, answer.left))
        measurements.append(measure_expiry(expires, answer.left))
    good = f"{answer.status} in {show(answer.elapsed)}, {len(answer.body)} B"
    result = verdict(expected.thing, findings, good, tuple(measurements))
    return result if result.status is Status.OK else _with_evidence(result, answer)


def _measure(expected: Expectations, answer: Answer) -> list[Measurement]:
    return [
        Measurement("time", answer.elapsed, "s", expected.warning, expected.critical, 0.0),
        Measurement("connect", answer.connect, "s"),
        Measurement("size", len(answer.body), "B"),
    ]


def _judge_headers(expected: Expectations, answer: Answer) -> list[Finding]:
    findings: list[Finding] = []
    for name, pattern in expected.headers:
        lower = name.lower().encode()
        values = [value for header, value in answer.headers if header == lower]
        if not values:
            findings.append((Status.CRITICAL, f"header {name} is missing"))
        elif not any(pattern.search(value) for value in values):
            said = quote(values[0], answer.secrets, 60)
            wanted = one_line(expected.spec.expect_headers[name], 60)
            findings.append((Status.CRITICAL, f"header {name} is {said}, expected /{wanted}/"))
    return findings


def _judge_body(
    expected: Expectations, answer: Answer, measurements: list[Measurement]
) -> list[Finding]:
    spec = expected.spec
    try:
        text, more = content(answer.body, dict(answer.headers), spec.read)
    except BodyError as error:
        return [(Status.CRITICAL, str(error))]
    read = f" in the first {spec.read} bytes" if more or answer.cut == LIMIT else ""
    findings: list[Finding] = []
    if spec.body and expected.needle not in text:
        wanted = one_line(spec.body, 60)
        findings.append(
            (Status.CRITICAL, f'the body has no "{wanted}"{read}{_begin(text, answer)}')
        )
    if expected.regex is not None and not expected.regex.search(text):
        wanted = one_line(spec.regex or "", 60)
        findings.append(
            (Status.CRITICAL, f"the body has no match of /{wanted}/{read}{_begin(text, answer)}")
        )
    if expected.not_regex is not None:
        found = expected.not_regex.search(text)
        if found:
            said = quote(_bytes(found.group()), answer.secrets, 60)
            wanted = one_line(spec.not_regex or "", 60)
            findings.append((Status.CRITICAL, f"the body matches /{wanted}/: {said}"))
    if spec.json_:
        findings.extend(_judge_json(expected, text, read, measurements))
    return findings


def _begin(text: bytes, answer: Answer) -> str:
    return f"; it begins {quote(text, answer.secrets)}" if text else "; it is empty"


def _bytes(found: Any) -> bytes:
    return found if isinstance(found, bytes) else str(found).encode()


def _judge_json(
    expected: Expectations, text: bytes, read: str, measurements: list[Measurement]
) -> list[Finding]:
    try:
        document = read_json(text)
    except ValueError as error:
        why = one_line(str(error), 80)
        return [(Status.CRITICAL, f"the body is not JSON{read}: {why}")]
    findings, numbers = judge_values(expected.spec.json_, expected.paths, document)
    measurements.extend(numbers)
    return findings


def _with_evidence(result: Result, answer: Answer) -> Result:
    lines = [f"-> {url}" for url in answer.hops]
    lines.append(f"HTTP {answer.status}")
    for name, value in answer.headers[:40]:
        shown = b"(not shown)" if name in _UNTOLD else value
        label = one_line(name.decode("latin-1"), 60)
        lines.append(f"{label}: {one_line(shown.decode('utf-8', 'replace'))}")
    body = answer.body[:_EVIDENCE].decode("utf-8", "replace")
    text = redact("\n".join(lines) + "\n\n" + body, answer.secrets)
    return Result(
        result.status, result.summary, result.measurements, details=block(text, _EVIDENCE * 2)
    )
