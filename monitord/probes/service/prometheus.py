"""The `prometheus` probe: any PromQL as a check, or any exporter's page scraped and judged.

It decides which series are meant and which of them is worst; what a query means Prometheus says.
Sources: Prometheus, "HTTP API: instant queries", "Exposition formats".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlsplit

from prometheus_client.parser import text_string_to_metric_families
from pydantic import Field, model_validator

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.limits import severity
from monitord.probes.service.limits import Limits, number
from monitord.probes.service.page import Page, PageSpec, document, page, pages_of, senseless
from monitord.probes.verdict import Finding, verdict

_MOST = 1000  # series
_NAMED = 3  # series in one line
_REJECTED = frozenset({200, 400, 422, 503})
_EMPTY: Mapping[str, Status] = {
    "ok": Status.OK,
    "warning": Status.WARNING,
    "critical": Status.CRITICAL,
}


class Series(NamedTuple):
    """One series: its labels without the name, and its value."""

    labels: Mapping[str, str]
    value: float


class PrometheusSpec(PageSpec):
    """A PromQL query at a Prometheus server, or a metric on an exporter's own page.

    With `query`, url is the server's (`http://prometheus:9090`). With `metric`, url is the page.
    """

    example = """
        prometheus:
          url: http://10.1.1.11:9090
          query: sum by (instance) (rate(node_disk_io_time_seconds_total[5m]))
          each: [instance]
          over: {warning: 0.8, critical: 0.95}
    """

    query: str = Field(
        "", description="The PromQL; each series of its answer is judged.", examples=["up == 0"]
    )
    metric: str = Field(
        "",
        description="A sample on the exporter's page, with its ending (_total, _sum, _count).",
        examples=["node_filesystem_readonly"],
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="With metric: only series with these labels.",
        examples=[{"mountpoint": "/"}],
    )
    each: tuple[str, ...] = Field(
        (),
        description="Labels whose values make an item of each series; left out, the worst decides.",
        examples=[["instance"]],
    )
    name: str = Field("", description="What is measured, in messages.", examples=["disk busy"])
    unit: str = Field("", description="Its unit: s, B, %.", examples=["%"])
    over: Limits = Field(
        Limits(),
        description="Limits on the value; with neither, any series is well, and none is not.",
        examples=[{"warning": 0.8, "critical": 0.95}],
    )
    empty: Literal["ok", "warning", "critical", "unknown"] = Field(
        "unknown",
        description="What it means that there is no series: `ok` for a query such as `up == 0`.",
    )
    found: Literal["ok", "warning", "critical"] = Field(
        "ok", description="What it means that there is a series within the limits."
    )

    @model_validator(mode="after")
    def _either(self) -> "PrometheusSpec":
        if self.query and self.metric:
            raise ValueError("has query: and metric: (remove one: each says what is asked)")
        if not (self.query or self.metric):
            raise ValueError("needs either query: (PromQL) or metric: (a name on the page)")
        if self.query and self.labels:
            raise ValueError('labels: belongs to metric:; in a query write up{job="x"}')
        return self


def _url(spec: PrometheusSpec) -> Sequence[str]:
    if spec.metric:
        return (spec.url,)
    base = spec.url.rstrip("/")
    if not urlsplit(base).path.endswith("/api/v1/query"):
        base += "/api/v1/query"
    return (f"{base}?query={quote(spec.query, safe='')}",)


_requests = pages_of(_url)


async def probe(spec: PrometheusSpec, target: Target) -> Sequence[Result]:
    """Ask and judge; see NetworkProbe for the contract."""
    request = _requests(spec)[0]
    if spec.metric:
        return _exporter(spec, await page(request, target))
    answer = await document(request, target, _REJECTED)
    if isinstance(answer, Result):
        return [answer]
    got, told = answer
    got = got._replace(thing=one_line(spec.url, 120))
    try:
        if told["status"] != "success":
            text = f"{got.thing}: Prometheus refuses the query: {one_line(str(told['error']), 160)}"
            return [Result.unknown(text, Cause.PLUGIN)]
        return _judge(spec, got, list(_answered(told["data"])))
    except (ValueError, KeyError, TypeError, IndexError):
        return [senseless(got, "an answer of Prometheus to a query of a vector or scalar")]


def _exporter(spec: PrometheusSpec, got: Page | Result) -> Sequence[Result]:
    if isinstance(got, Result):
        return [got]
    try:
        return _judge(spec, got, list(_scraped(spec, got)))
    except ValueError as error:
        return [senseless(got, f"metrics ({one_line(str(error), 80)})")]


def _answered(data: Any) -> Iterator[Series]:
    if data["resultType"] == "scalar":
        yield Series({}, float(data["result"][1]))
        return
    for one in data["result"][:_MOST]:
        labels = {str(k): str(v) for k, v in one["metric"].items() if k != "__name__"}
        yield Series(labels, float(one["value"][1]))


def _scraped(spec: PrometheusSpec, got: Page) -> Iterator[Series]:
    # Only the metric's own lines go to the parser: a page of a megabyte would hold up the loop.
    wanted = spec.metric.encode()
    ends = (b"{", b" ", b"\t")
    lines = (
        line
        for line in got.text.splitlines()
        if line.startswith(wanted) and line[len(wanted) :].startswith(ends)
    )
    text = b"\n".join(line for line, _ in zip(lines, range(_MOST), strict=False))
    for family in text_string_to_metric_families(text.decode("utf-8", "replace") + "\n"):
        for sample in family.samples:
            if all(sample.labels.get(name) == value for name, value in spec.labels.items()):
                yield Series(sample.labels, float(sample.value))


def _judge(spec: PrometheusSpec, got: Page, series: Sequence[Series]) -> Sequence[Result]:
    what = one_line(spec.name or spec.metric or spec.query, 100)
    if not series:
        text = f"{what} ({got.thing}): no series"
        if spec.empty == "unknown":
            return [Result.unknown(f"{text}: nothing reports it", Cause.MISSING)]
        return [Result(_EMPTY[spec.empty], text)]
    if not spec.each:
        return [_worst(spec, f"{what} ({got.thing})", series)]
    items: dict[str, list[Series]] = {}
    for one in series:
        name = "/".join(one.labels.get(label, "-") for label in spec.each)
        items.setdefault(one_line(name, 80) or "-", []).append(one)
    return [_item(spec, f"{name}: {what}", name, held) for name, held in items.items()]


def _item(spec: PrometheusSpec, thing: str, name: str, held: Sequence[Series]) -> Result:
    result = _worst(spec, thing, held)
    return Result(result.status, result.summary, result.measurements, item=name, cause=result.cause)


def _worst(spec: PrometheusSpec, thing: str, series: Sequence[Series]) -> Result:
    bad = [(one, _found(spec, one)) for one in series]
    broken = sorted(
        ((finding, one) for one, finding in bad if finding is not None),
        key=lambda pair: -pair[0][0],
    )
    more = f" and {len(broken) - _NAMED} more series" if len(broken) > _NAMED else ""
    findings: list[Finding] = [finding for finding, _ in broken[:_NAMED]]
    if more:
        findings[-1] = (findings[-1][0], findings[-1][1] + more)
    worst = broken[0][1] if broken else max(series, key=lambda one: one.value)
    good = f"{_shown(worst)}{f' {spec.unit}' if spec.unit else ''}"
    if len(series) > 1:
        good = f"{len(series)} series, the highest is {good}"
    return verdict(thing, findings, good, tuple(_measured(spec, worst)))


def _found(spec: PrometheusSpec, one: Series) -> Finding | None:
    sentence = f"{_shown(one)}{_labels(spec, one.labels)}"
    if severity(one.value, spec.over.warning, spec.over.critical) is not None:
        return spec.over.judge(sentence, one.value, spec.unit)
    return None if spec.found == "ok" else (_EMPTY[spec.found], sentence)


def _shown(one: Series) -> str:
    return f"{one.value:.6g}"


def _labels(spec: PrometheusSpec, labels: Mapping[str, str]) -> str:
    rest: Iterable[str] = (f"{k}={v}" for k, v in labels.items() if k not in spec.each)
    text = one_line(", ".join(rest), 100)
    return f" at {text}" if text else ""


def _measured(spec: PrometheusSpec, one: Series) -> Iterator[Measurement]:
    try:
        yield spec.over.measured("value", number(one.value), spec.unit)
    except ValueError:  # NaN and Inf are values to Prometheus, but none that can be kept
        return


KIND = NetworkProbe("prometheus", PrometheusSpec, probe)
