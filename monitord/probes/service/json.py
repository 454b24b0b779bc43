"""The `json` probe: several fields of an HTTP API's answer, sums of two, each element an item.

It decides what a value is (a field, a difference, a share) and when it is bad. One field of one
page can be judged by `http` as well; this kind is for what that cannot say.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitord.model.kinds import NetworkProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.text import one_line
from monitord.probes.compiled import Compiled
from monitord.probes.network.http_json import (
    follow,
    is_number,
    judge_values,
    parse_path,
    same,
    shown,
)
from monitord.probes.network.http_spec import JsonExpectation
from monitord.probes.service.limits import Limits
from monitord.probes.service.page import (
    Page,
    PageSpec,
    answered,
    document,
    request_of,
    slow,
    took,
)
from monitord.probes.verdict import Finding, verdict

Path = tuple[str | int, ...]
_MOST = 1000  # items


def _path(text: str) -> str:
    parse_path(text)
    return text


PathText = Annotated[str, AfterValidator(_path)]


class JsonValue(JsonExpectation):
    """One value; with `minus` the difference of two fields, with `of` the share in percent."""

    name: str = Field(
        "", description="What it is called in messages and charts; left out: its path."
    )
    minus: PathText = Field(
        "", description="Take the number of this field off it.", examples=["queue.done"]
    )
    of: PathText = Field(
        "", description="Judge it as percent of this field.", examples=["pool.size"]
    )
    unit: str = Field("", description="Its unit: s, B, %, c (a counter).", examples=["s"])

    @model_validator(mode="after")
    def _one_sense(self) -> "JsonValue":
        if self.equals is not None and (self.minus or self.of):
            raise ValueError(
                "equals: is for one field; use warning: and critical: with minus or of"
            )
        return self


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict | JsonValue) else value


class JsonSpec(PageSpec):
    """Fields of any HTTP API's JSON answer; of a list, each element can be an item."""

    example = """
        json:
          url: https://10.1.1.11/api/queues
          auth: {bearer: !secret file:/etc/monitord/shop.token}
          each: queues
          item: name
          values:
            - {path: waiting, warning: 100, critical: 1000}
            - {path: used, of: size, name: fill, warning: 80%, critical: 95%}
            - {path: state, equals: running}
    """

    values: Annotated[tuple[JsonValue, ...], BeforeValidator(_one_or_many)] = Field(
        min_length=1,
        description="The values that are judged; paths begin at the element where each: is given.",
        examples=[[{"path": "lag", "warning": 10, "critical": 60}]],
    )
    each: PathText | None = Field(
        None,
        description="A list or mapping whose elements are items; `$` is the whole answer.",
        examples=["queues", "$"],
    )
    item: PathText = Field(
        "",
        description="Where an element's name stands; left out: its key, or its place in the list.",
        examples=["name"],
    )
    at_least: int = Field(
        1, ge=0, description="Fewer elements than this are critical.", examples=[3]
    )


class _Reader:
    """A spec's paths, parsed once."""

    def __init__(self, spec: JsonSpec) -> None:
        self.each = None if spec.each is None else parse_path(spec.each)
        self.item = parse_path(spec.item)
        self.values = tuple(
            (value, parse_path(value.path), parse_path(value.minus), parse_path(value.of))
            for value in spec.values
        )


_reader_of = Compiled(_Reader)


async def probe(spec: JsonSpec, target: Target) -> Sequence[Result]:
    """Fetch and judge; see NetworkProbe for the contract."""
    got = await document(request_of(spec), target)
    if isinstance(got, Result):
        return [got]
    at, told = got
    reader = _reader_of(spec)
    if reader.each is None:
        findings, measurements = _judge(reader, told)
        findings.append(slow(spec, at))
        return [verdict(at.thing, findings, answered(at), (took(spec, at), *measurements))]
    try:
        elements = dict(_elements(follow(told, reader.each), reader.item))
    except LookupError as error:
        text = f"{at.thing}: {one_line(str(error), 80)} is not in the answer"
        return [Result.unknown(text, Cause.PLUGIN)]
    if len(elements) < max(spec.at_least, 1):
        return [_too_few(spec, at, len(elements))]
    return [_item(reader, at, name, element) for name, element in elements.items()]


def _too_few(spec: JsonSpec, at: Page, count: int) -> Result:
    text = f"{at.thing}: {count} elements at {spec.each} (at least {spec.at_least})"
    return Result.critical(text) if count < spec.at_least else Result.ok(text)


def _elements(held: Any, item: Path) -> Iterator[tuple[str, Any]]:
    if isinstance(held, Mapping):
        pairs: list[tuple[Any, Any]] = list(held.items())
    elif isinstance(held, list):
        pairs = list(enumerate(held))
    else:
        raise LookupError("a list or mapping for each:")  # noqa: TRY004 - one more missing value
    for key, element in pairs[:_MOST]:
        name = follow(element, item) if item else key
        yield one_line(str(name), 80) or "-", element


def _item(reader: _Reader, at: Page, name: str, element: Any) -> Result:
    findings, measurements = _judge(reader, element)
    good = ", ".join(f"{one.name} {one.value:g}" for one in measurements[:3]) or "as expected"
    result = verdict(f"{name} ({at.thing})", findings, good, tuple(measurements))
    return Result(result.status, result.summary, result.measurements, item=name)


def _judge(reader: _Reader, told: Any) -> tuple[list[Finding | None], list[Measurement]]:
    findings: list[Finding | None] = []
    measurements: list[Measurement] = []
    for value, path, minus, of in reader.values:
        if not (minus or of or value.name):
            found, measured = judge_values([value], [path], told)
            findings += found
            measurements += measured
            continue
        finding, measurement = _reckoned(value, path, minus, of, told)
        findings.append(finding)
        measurements += [measurement] if measurement else []
    return findings, measurements


def _reckoned(
    value: JsonValue, path: Path, minus: Path, of: Path, told: Any
) -> tuple[Finding | None, Measurement | None]:
    name = value.name or f"{value.path}{f' − {value.minus}' if minus else ''}"
    numbers: list[float] = []
    for where, steps in ((value.path, path), (value.minus, minus), (value.of, of)):
        if not where:
            numbers.append(0.0)
            continue
        try:
            found = follow(told, steps)
        except LookupError:
            return (Status.CRITICAL, f"{where} is not in the answer"), None
        if value.equals is not None:
            bad = not same(value.equals, found)
            text = f"{name} is {shown(found)}, expected {shown(value.equals)}"
            return ((Status.CRITICAL, text) if bad else None), None
        if not is_number(found):
            return (Status.CRITICAL, f"{where} is {shown(found)}, expected a number"), None
        numbers.append(float(found))
    amount, less, whole = numbers
    amount -= less
    if not of:
        return _held(value, name, amount, value.unit, f"{name} is {amount:g}")
    if whole == 0:
        return (Status.CRITICAL, f"{value.of} is 0, so {name} is no share of it"), None
    percent = 100 * amount / whole
    return _held(value, name, percent, "%", f"{name} is {amount:g} of {whole:g}, {percent:.1f} %")


def _held(
    value: JsonValue, name: str, number: float, unit: str, sentence: str
) -> tuple[Finding | None, Measurement]:
    limits = Limits(warning=value.warning, critical=value.critical)
    return limits.judge(sentence, number, unit), limits.measured(name, number, unit)


KIND = NetworkProbe("json", JsonSpec, probe)
