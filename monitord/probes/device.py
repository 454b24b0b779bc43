"""Judges what a network device answers to one command: by pattern, by count, item by item.

Pure: the executor logs in, types the command and brings the answer. A device that refuses the
command is UNKNOWN with its own words; nobody knows then how it is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from monitord.model.facts import PluginOutput
from monitord.model.kinds import DeviceProbe
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Spec, Threshold
from monitord.model.text import block, one_line
from monitord.probes.limits import over
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.verdict import Finding, verdict

_LONGEST = 400  # characters of a command: a longer line would wrap in the device's terminal
_DETAILS = 8192


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable() or "?" in text or len(text) > _LONGEST:
        raise ValueError(f"{text[:80]!r} is not one command (printable, without ?, not so long)")
    return text.strip()


def _names_an_item(text: str) -> str:
    if text and "item" not in compile_pattern(text).groupindex:
        raise ValueError(f"{text!r} has no group named item (write (?P<item>…) in it)")
    return text


class DeviceSpec(Spec):
    """What a network device is asked, and what of its answer is bad."""

    example: ClassVar[str] = """\
device:
  show: show bgp summary
  items: '^(?P<item>[0-9a-f]+[.:][0-9a-f.:]+) .* (?P<value>[0-9]+|[A-Z][A-Za-z ()]*?) +[0-9]+ '
  ok: '^[0-9]+$'                 # a number of routes; "Idle (Admin)", "Active" are CRITICAL
  expect: [10.0.0.2, 10.0.0.3]   # CRITICAL when the device does not list them
"""

    show: Annotated[str, AfterValidator(_one_line)] = Field(
        description="The command, written out; one that only looks.",
        examples=["show bgp summary"],
    )
    ok: Pattern = Field(
        default="",
        description="What is good. With `items`, the value of each line must match it; without, "
        "some line of the answer.",
        examples=["^[0-9]+$"],
    )
    bad: Pattern = Field(
        default="", description="What must not be matched, where `ok` must be.", examples=["down"]
    )
    items: Annotated[Pattern, AfterValidator(_names_an_item)] = Field(
        default="",
        description="Each line that matches is an item, named by its group `item`; its group "
        "`value` (left out: the line) is what `ok` and `bad` look at.",
        examples=["^(?P<item>[0-9a-f.:]+) .* (?P<value>[0-9]+|[A-Z][a-z]+.*) +[0-9]+ "],
    )
    expect: tuple[str, ...] = Field(
        default=(), description="Items that must be there.", examples=[["10.0.0.2"]]
    )
    count: Pattern = Field(
        default="", description="Count the lines that match; `warning` and `critical` limit it."
    )
    warning: Threshold | None = Field(default=None, description="How many lines are too many, few.")
    critical: Threshold | None = Field(default=None, description="The same, for CRITICAL.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        limited = self.warning is not None or self.critical is not None
        if limited != bool(self.count):
            raise ValueError("count: takes warning: or critical:, and those need count:")
        if self.expect and not self.items:
            raise ValueError("expect: needs items: (which line tells of which item)")
        if self.items and self.count:
            raise ValueError("items: and count: are two checks (write two)")
        if not (self.ok or self.bad or self.items or self.count):
            raise ValueError("says nothing of what is good (add ok:, bad:, items: or count:)")
        return self


def judge(spec: DeviceSpec, output: PluginOutput) -> Sequence[Result]:
    """Give one result, or one for each item."""
    if output.exit_code != 0:
        said = one_line(output.stdout, 200)
        return [Result.unknown(f"{spec.show}: the device says: {said}", Cause.PLUGIN)]
    lines = output.stdout.splitlines()
    if spec.items:
        return _items(spec, lines)
    findings: list[Finding | None] = []
    told: tuple[Measurement, ...] = ()
    good = "as expected"
    if spec.count:
        pattern = compile_pattern(spec.count)
        number = sum(1 for line in lines if pattern.search(line))
        good = f"{number} lines match"
        findings.append(over(f"{number} lines match", number, spec.warning, spec.critical))
        told = (Measurement("lines", number, minimum=0),)
    findings += _wrong(spec, lines)
    result = verdict(spec.show, findings, good, told)
    return [_with_answer(result, output.stdout)]


def _wrong(spec: DeviceSpec, texts: Sequence[str]) -> Iterator[Finding]:
    if spec.ok and not any(map(compile_pattern(spec.ok).search, texts)):
        yield Status.CRITICAL, f"nothing matches {spec.ok!r}"
    if spec.bad:
        bad = next(filter(compile_pattern(spec.bad).search, texts), None)
        if bad is not None:
            yield Status.CRITICAL, one_line(bad, 160)


def _items(spec: DeviceSpec, lines: Sequence[str]) -> Sequence[Result]:
    pattern = compile_pattern(spec.items)
    found = [match for line in lines if (match := pattern.search(line))]
    names = Counter(one_line(match["item"] or "", 100) for match in found)
    results = [_item(spec, match) for match in found]
    # A name twice (in two tables of one answer) is one item: the worst that is said of it holds.
    worst: dict[str, Result] = {}
    for result in results:
        known = worst.get(result.item)
        if known is None or result.status > known.status:
            worst[result.item] = result
    for name in spec.expect:
        if name not in names:
            text = f"{name}: the device does not list it ({spec.show})"
            worst[name] = Result.critical(text, item=name)
    if not worst:
        return [Result.unknown(f"{spec.show}: no line is an item", Cause.MISSING)]
    return list(worst.values())


def _item(spec: DeviceSpec, match: Any) -> Result:
    name = one_line(match["item"] or "", 100)
    group = "value" if "value" in match.re.groupindex else 0
    value = one_line(match[group] or "", 160)
    wrong = [sentence for _, sentence in _wrong(spec, [match[group] or ""])]
    status = Status.CRITICAL if wrong else Status.OK
    details = block(match.string, _DETAILS) if wrong else ""
    return Result(status, f"{name}: {value}", item=name, details=details)


def _with_answer(result: Result, answer: str) -> Result:
    if result.status is Status.OK:
        return result
    return Result(
        result.status, result.summary, result.measurements, details=block(answer, _DETAILS)
    )


KIND = DeviceProbe("device", DeviceSpec, lambda spec: spec.show, judge)
