"""Counts lines of logs that match a pattern: of files, over their rotations, or of a journald unit.

It decides which lines count and how many are too many. Where reading goes on is log_places.py.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.ranges import Range, parse_range
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Size, Spec, Threshold, format_duration
from monitord.model.text import block, one_line
from monitord.probes.compiled import Compiled
from monitord.probes.host import frames, journal, log_places, tally
from monitord.probes.host.log_places import Gained
from monitord.probes.limits import over, show_bytes
from monitord.probes.pattern import Pattern, compile_pattern
from monitord.probes.verdict import Finding, verdict

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\*-]{1,255}")
_SHOWN = 20  # matching lines that a ticket shows
_LONGEST = 4096  # characters of a line that are looked at
_NONE = parse_range("0")


def _paths(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _path(path: str) -> str:
    if not path.startswith("/") or "\0" in path or "\n" in path:
        raise ValueError(f"{path!r} is not an absolute path (write /var/log/app/*.log)")
    return path


def _unit(name: str) -> str:
    if name and (not _UNIT.fullmatch(name) or name.startswith("-")):
        raise ValueError(f"{name!r} is not a unit name (write nginx.service)")
    return name


def _names(given: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if not _NAME.fullmatch(name) or name == "behind":
            raise ValueError(f"{name!r} cannot name a pattern (small letters, digits, - and _)")
    if not given:
        raise ValueError("names no pattern: give patterns: {errors: {match: ERROR}}")
    return given


class LogPattern(Spec):
    """What is looked for in each line, and how often it may come."""

    match: Pattern = Field(
        description="A line counts that matches this (RE2).", examples=["ERROR|FATAL"]
    )
    ignore: Pattern | None = Field(
        default=None,
        description="A line that matches this too does not count.",
        examples=["ERROR: client went away"],
    )
    warning: Threshold | None = Field(
        default=None, description="WARNING when so many came within the span.", examples=["10"]
    )
    critical: Threshold | None = Field(
        default=None,
        description="CRITICAL when so many came; without any limit the first one is.",
        examples=["100"],
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"match": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "format": "regex"}, handler(core)]}


class LogSpec(Spec):
    """Lines that match patterns in log files or in the journal of a unit, each counted once.

    Reading begins at the end: what stands there at the first look is old. From then on nothing is
    lost by a rotation, whether it renames or copies and truncates, and nothing is told twice.
    """

    example: ClassVar[str] = """\
log:
  files: /var/log/app/*.log
  patterns:
    fatal: FATAL|OutOfMemoryError
    errors: {match: ERROR, ignore: "client went away", warning: 10, critical: 100}
  within: 10m
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "60s", "attempts": 1, "recoveries": 1, "timeout": "1m"
    }  # fmt: skip

    files: Annotated[
        tuple[Annotated[str, AfterValidator(_path)], ...],
        BeforeValidator(_paths),
        WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
    ] = Field(
        default=(),
        description="Files by path or by pattern (`*`, `?`, `[…]`); at most 50. Of a pattern, "
        "rotated names (`.1`, `-20270131`, `.gz`) are left out.",
        examples=["/var/log/app/*.log"],
    )
    unit: Annotated[str, AfterValidator(_unit)] = Field(
        default="",
        description="Instead of files, what journald has of this unit.",
        examples=["nginx.service"],
    )
    patterns: Annotated[dict[str, LogPattern], AfterValidator(_names)] = Field(
        description="What is looked for, by a name of yours; a text alone is its `match`.",
        examples=[{"fatal": "FATAL"}],
    )
    within: Duration = Field(
        default="10m",
        validate_default=True,
        description="The span that is counted over; it stays bad that long after the last line.",
    )
    absent: Literal["unknown", "critical", "ok"] = Field(
        default="unknown", description="What it is when there is no such file."
    )
    at_once: Annotated[Size, Field(ge=4096, le=512 << 10)] = Field(
        default=256 << 10,
        description="Bytes that one look reads at most; the next one goes on there.",
    )
    behind: Size = Field(
        default=16 << 20, description="More than this left to read is a warning.", examples=["64M"]
    )
    show: bool = Field(
        default=True, description="Whether matching lines are shown; no where they hold secrets."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.files) == bool(self.unit):
            raise ValueError("needs either files: /var/log/app/*.log or unit: nginx.service")
        return self

    @property
    def thing(self) -> str:
        """Give what is read, in few words."""
        return one_line(self.unit or ", ".join(self.files), 100)


def ask(spec: LogSpec, _target: Target) -> HostScript:
    """Give the script that reads on; where it does is in `since`."""
    if spec.unit:
        return journal.ask(f"journal --unit={shlex.quote(spec.unit)}")
    calls = "\n".join(f"watch {shlex.quote(path)}" for path in spec.files)
    return frames.script("pieces", "seek", "log", calls=calls, budget=spec.at_once)


def since(target: Target) -> str:
    """Give where the last look ended: a cursor, or the places in files."""
    return journal.since(target) or log_places.since(target.memory.get("", {}))


def judge(spec: LogSpec, output: PluginOutput, target: Target, now: Instant) -> Sequence[Result]:
    """Give one result; places and counts are its memory. See ScriptProbe for the contract."""
    answer = frames.read(output, spec.thing)
    if isinstance(answer, Result):
        return [answer]
    before = target.memory.get("", {})
    gained = _journal(spec, answer, target) if spec.unit else _files(spec, answer, before)
    if isinstance(gained, Result):
        return [gained]
    found = {name: _matching(one, gained.texts) for name, one in spec.patterns.items()}
    fresh = {name: len(lines) for name, lines in found.items()}
    span = spec.within.total_seconds()
    hits = tally.counted(before.get("hits"), fresh, now=now / 1_000_000, span=span)
    counts = {name: tally.total(pairs) for name, pairs in hits.items()}
    last = _last(spec, before.get("last"), found, counts)
    result = _verdict(spec, gained, counts, last)
    lines = [line for matches in found.values() for line in matches[-_SHOWN:]] if spec.show else []
    memory = {**gained.memory, "hits": hits, "last": last}
    return [replace(result, details=block("\n".join(lines)), memory=memory)]


def _journal(spec: LogSpec, answer: frames.Answer, target: Target) -> Gained | Result:
    told = journal.entries(answer, target, spec.thing)
    if isinstance(told, Result):
        return told
    good = "read from now on" if told.first else "nothing bad"
    left = (Status.WARNING, "more comes than one look can read: make `every` shorter")
    return Gained(
        ("\n".join(told.messages),), {"cursor": told.cursor}, good, left if told.more else None
    )


def _files(spec: LogSpec, answer: frames.Answer, before: Mapping[str, Any]) -> Gained:
    gained = log_places.gained(answer, before, spec.absent)
    if gained.behind <= spec.behind:
        return gained
    text = (
        f"{show_bytes(gained.behind)} are not read yet (limit {show_bytes(spec.behind)}): more is "
        "written than read, raise at_once or make `every` shorter"
    )
    return replace(gained, finding=gained.finding or (Status.WARNING, text))


def _matching(pattern: LogPattern, texts: Sequence[str]) -> list[str]:
    """Give the lines that count. A text without any match costs one search, not one a line."""
    match, ignore, anywhere = _COMPILED(pattern)
    found = []
    for text in texts:
        if anywhere is not None and not anywhere.search(text):
            continue
        for whole in text.split("\n"):
            line = whole[:_LONGEST]
            if match.search(line) and not (ignore and ignore.search(line)):
                found.append(line)
    return found


def _compiled(pattern: LogPattern) -> tuple[Any, Any, Any]:
    ignore = compile_pattern(pattern.ignore) if pattern.ignore else None
    ends = "\\A" in pattern.match or "\\z" in pattern.match  # these mean the whole text's ends
    anywhere = None if ends else compile_pattern(f"(?m:{pattern.match})")
    return compile_pattern(pattern.match), ignore, anywhere


_COMPILED = Compiled(_compiled)


def _last(
    spec: LogSpec, kept: Any, found: Mapping[str, Sequence[str]], counts: Mapping[str, int]
) -> dict[str, str]:
    """Give the last line of each pattern that still counts: it says why when no new one came."""
    before = kept if isinstance(kept, Mapping) else {}
    told = {name: found[name][-1] if found[name] else before.get(name, "") for name in found}
    return {
        name: one_line(str(text), 160)
        for name, text in told.items()
        if spec.show and text and counts[name]
    }


def _verdict(
    spec: LogSpec, gained: Gained, counts: Mapping[str, int], last: Mapping[str, str]
) -> Result:
    findings = [_finding(spec, name, counts[name], last.get(name, "")) for name in counts]
    told = [_measured(one, name, counts[name]) for name, one in spec.patterns.items()]
    told.append(Measurement("behind", gained.behind, "B", str(spec.behind), minimum=0))
    found = [one for one in (*findings, gained.finding) if one is not None]
    if gained.blind and not found:
        return Result.unknown(f"{spec.thing}: {gained.blind}", gained.cause)
    if gained.blind:
        found.append((Status.WARNING, gained.blind))
    return verdict(spec.thing, found, gained.good, tuple(told))


def _limits(pattern: LogPattern) -> tuple[Range | None, Range | None]:
    if pattern.warning is None and pattern.critical is None:
        return None, _NONE
    return pattern.warning, pattern.critical


def _finding(spec: LogSpec, name: str, count: int, last: str) -> Finding | None:
    span = format_duration(spec.within)
    finding = over(f"{count} × {name} in {span}", count, *_limits(spec.patterns[name]))
    return (finding[0], f"{finding[1]}: {last}") if finding and last else finding


def _measured(pattern: LogPattern, name: str, count: int) -> Measurement:
    warning, critical = (limit.text if limit else "" for limit in _limits(pattern))
    return Measurement(name, count, "", warning, critical, minimum=0)


KIND = ScriptProbe("log", LogSpec, ask, judge, since=since)
