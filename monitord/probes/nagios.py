"""Judges what a Nagios plugin left: its exit code decides, its first line is the summary.

The executor runs the argv; nothing here forks. All text is hostile and is bounded and escaped.
Source: Monitoring Plugins guidelines, "Plugin return codes" and "Plugin output".
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from monitord.model.facts import PluginOutput
from monitord.model.kinds import PluginProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Spec
from monitord.model.text import block, one_line
from monitord.probes.perfdata import PluginText, parse_output
from monitord.probes.units import to_measurement

_WORDS: Mapping[str, Status] = MappingProxyType(
    {status.name: status for status in Status if status is not Status.PENDING}
    | {str(status.value): status for status in Status if status is not Status.PENDING}
)
_CANNOT_START: Mapping[int, str] = MappingProxyType(
    {126: "is not executable", 127: "is not installed, or a library of it is missing"}
)
_LONGEST = 300
_UNPRINTABLE = re.compile(r"\0")


def parse_status(text: object) -> Status:
    """Read `ok`, `Warning`, `CRITICAL`, `unknown`, or 0 to 3.

    Raises:
        ValueError: none of these.
    """
    status = text if isinstance(text, Status) else _WORDS.get(str(text).strip().upper())
    if status is None:
        raise ValueError(f"{text!r} is no status (write ok, warning, critical or unknown)")
    return status


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0].strip():
        raise ValueError("names no program: give [/usr/lib/nagios/plugins/check_…, arguments]")
    if any(_UNPRINTABLE.search(word) for word in words):
        raise ValueError("an argument holds a NUL byte, which no command line can")
    return words


StatusWord = Annotated[
    Status,
    BeforeValidator(parse_status),
    PlainSerializer(lambda status: status.name.lower(), return_type=str),
    WithJsonSchema({"enum": ["ok", "warning", "critical", "unknown"]}),
]


class NagiosSpec(Spec):
    """Which plugin is run; `{address}` and `{host}` in an argument are filled in when loading."""

    example: ClassVar[str] = """\
nagios:
  command: [/usr/lib/nagios/plugins/check_http, -H, 192.0.2.7, --ssl]
  treat: {warning: critical}    # for a plugin that is too mild or too strict
"""

    command: Annotated[tuple[str, ...], AfterValidator(_argv)] = Field(
        description="The plugin and its arguments, one entry each; no shell reads them.",
        examples=[["/usr/lib/nagios/plugins/check_http", "-H", "{address}"]],
    )
    treat: dict[StatusWord, StatusWord] = Field(
        default_factory=dict,
        description="Read one status as another, for a plugin that is too mild or too strict.",
        examples=[{"warning": "critical"}],
    )


def command(spec: NagiosSpec, _target: Target) -> tuple[str, ...]:
    """Give the argv as configured; it was filled in once and is never expanded again."""
    return spec.command


def judge(spec: NagiosSpec, output: PluginOutput) -> Sequence[Result]:
    """Give one result, with the performance data as measurements in base units."""
    name = one_line(spec.command[0].rpartition("/")[2], 60)
    said = parse_output(output.stdout)
    summary = one_line(said.text or _first_line(output.stderr), _LONGEST)
    broken = _broken(output, name, summary)
    if broken is not None:
        return [_with_details(broken, said, output)]
    status = spec.treat.get(Status(output.exit_code), Status(output.exit_code))
    cause = Cause.PLUGIN if status is Status.UNKNOWN else None
    text = summary or f"{name} exited with {output.exit_code} and said nothing"
    result = Result(status, text, _measurements(said), cause=cause)
    return [_with_details(result, said, output)]


def _broken(output: PluginOutput, name: str, summary: str) -> Result | None:
    said = f": {summary}" if summary else ""
    if output.timed_out:
        return Result.unknown(f"{name} gave no answer within its time limit{said}", Cause.TIMEOUT)
    if output.flooded:
        text = f"{name} wrote over {output.flooded} bytes and was stopped{said}"
        return Result.unknown(text, Cause.PLUGIN)
    if output.exit_code in _CANNOT_START:
        reason = _CANNOT_START[output.exit_code]
        return Result.unknown(f"{name} {reason}{said}", Cause.PLUGIN)
    if output.exit_code < 0:
        number = -output.exit_code
        return Result.unknown(f"{name} was killed by signal {number}{said}", Cause.PLUGIN)
    if output.exit_code > Status.UNKNOWN:
        text = f"{name} exited with {output.exit_code} (a plugin gives 0 to 3){said}"
        return Result.unknown(text, Cause.PLUGIN)
    return None


def _with_details(result: Result, said: PluginText, output: PluginOutput) -> Result:
    parts = [block(said.long_text)]
    if output.stderr.strip() and said.text:
        parts.append(f"stderr: {block(output.stderr.strip(), 2000)}")
    if said.rejected:
        parts.append(f"performance data not understood: {', '.join(said.rejected)}")
    if output.truncated:
        parts.append("the output was cut off at its limit")
    details = "\n".join(part for part in parts if part)
    return Result(
        result.status, result.summary, result.measurements, cause=result.cause, details=details
    )


def _measurements(said: PluginText) -> tuple[Measurement, ...]:
    # A label that comes twice would be two values of one series: the first counts.
    told: dict[str, Measurement] = {}
    for item in said.perfdata:
        measurement = to_measurement(item)
        told.setdefault(one_line(measurement.name, 120), measurement)
    return tuple(told.values())


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


KIND = PluginProbe("nagios", NagiosSpec, command, judge)
