"""Judges files: there or not, how old, how large, whose, and whether they hold what they should.

It decides from file facts alone; a pattern stands for the newest file that matches it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from monitord.model.facts import Facts, FileFact, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Duration, Size, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.limits import absent, show_age, show_bytes, untold
from monitord.probes.verdict import Finding, verdict

_MODE = re.compile(r"0?o?([0-7]{3,4})")
_AHEAD = 300.0  # seconds; file servers keep their own time
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _paths(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _absolute(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if not path.startswith("/") or "\0" in path:
            raise ValueError(f"{path!r} is not an absolute path (write /var/backups/db.gz)")
    if not paths:
        raise ValueError("names no file: give a path or a list of paths")
    return paths


def parse_mode(value: object) -> int:
    """Read permission bits as chmod takes them: `0640`, `640`, `1777`.

    Raises:
        ValueError: not octal digits.
    """
    match = _MODE.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a file mode (write 0640)")
    return int(match[1], 8)


def _hash(text: str) -> str:
    if text and not _SHA256.fullmatch(text.lower()):
        raise ValueError(f"{text!r} is not a SHA-256 (64 hexadecimal digits; see sha256sum)")
    return text.lower()


Paths = Annotated[
    tuple[str, ...],
    BeforeValidator(_paths),
    AfterValidator(_absolute),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
FileMode = Annotated[
    str,
    BeforeValidator(lambda value: f"{parse_mode(value):04o}"),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["0640"]}),
]


class FileSpec(Spec):
    """Which files, and what each must be; without a rule it must merely exist."""

    example: ClassVar[str] = """\
file:
  path: /var/backups/db-*.gz
  warning_age: 26h
  critical_age: 50h
  min_size: 1M
  mode: "0640"
  owner: root
"""

    path: Paths = Field(
        description="An absolute path, a pattern (its newest match is judged), or a list; each of "
        "a list is an item.",
        examples=["/var/backups/db-*.gz", ["/etc/passwd", "/etc/shadow"]],
    )
    absent: bool = Field(default=False, description="It must not exist (a lock, a crash dump).")
    warning_age: Duration | None = Field(
        default=None, description="Older than this is a warning.", examples=["26h"]
    )
    critical_age: Duration | None = Field(
        default=None, description="Older than this is critical.", examples=["50h"]
    )
    min_size: Size | None = Field(
        default=None, description="Smaller than this is critical.", examples=["1M"]
    )
    max_size: Size | None = Field(
        default=None, description="Larger than this is critical.", examples=["2G"]
    )
    mode: FileMode | None = Field(
        default=None, description="The exact permission bits.", examples=["0640"]
    )
    owner: str = Field(default="", description="Who must own it.", examples=["root"])
    sha256: Annotated[str, AfterValidator(_hash)] = Field(
        default="", description="What its content must hash to."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        rules = (self.warning_age, self.critical_age, self.min_size, self.max_size, self.mode)
        if self.absent and (self.owner or self.sha256 or any(rule is not None for rule in rules)):
            raise ValueError("absent: true leaves nothing else to ask of the file; remove the rest")
        if self.sha256 and len(self.path) > 1:
            raise ValueError("sha256 fits one file; give each file a check of its own")
        return self


def sections(spec: FileSpec) -> tuple[Section, ...]:
    """Ask for the attributes, and for the hash only where one is given."""
    return (Section("file-hash" if spec.sha256 else "file", spec.path),)


def judge(spec: FileSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result per path; a single path has no item."""
    unknown = untold(facts, *(section.name for section in sections(spec)))
    if unknown is not None:
        return [unknown]
    several = len(spec.path) > 1
    return [
        replace(_path(spec, path, facts), item=one_line(path) if several else "")
        for path in spec.path
    ]


def _path(spec: FileSpec, path: str, facts: Facts) -> Result:
    shown = one_line(path)
    unknown = untold(facts, f"file:{path}")
    if unknown is not None:
        return replace(unknown, summary=f"{shown}: {one_line(facts.errors[f'file:{path}'])}")
    told = facts.files.get(path)
    if told is None:
        return absent(f"the file {shown}")
    if spec.absent:
        finding = (Status.CRITICAL, "exists (must not)") if told.exists else None
        return verdict(_name(path, told), [finding], "is not there, as it should be")
    if not told.exists:
        return Result.critical(f"{shown}: does not exist")
    told_values = (
        Measurement("age", round(told.age, 1), "s"),
        Measurement("size", told.size, "B", minimum=0),
    )
    good = f"{show_age(told.age, 1)} old, {show_bytes(told.size)}"
    return verdict(_name(path, told), _findings(spec, told), good, told_values)


def _name(path: str, told: FileFact) -> str:
    return one_line(told.path if told.exists else path)


def _findings(spec: FileSpec, told: FileFact) -> Iterator[Finding]:
    for status, limit in (
        (Status.CRITICAL, spec.critical_age),
        (Status.WARNING, spec.warning_age),
    ):
        if limit is not None and told.age > limit.total_seconds():
            yield status, f"is {show_age(told.age)} old (limit {format_duration(limit)})"
            break
    if told.age < -_AHEAD:
        ahead = show_age(-told.age)
        yield Status.WARNING, f"was changed {ahead} in the future: a clock is wrong"
    yield from _size(spec, told)
    yield from _identity(spec, told)


def _size(spec: FileSpec, told: FileFact) -> Iterator[Finding]:
    if spec.min_size is not None and told.size < spec.min_size:
        least = show_bytes(spec.min_size)
        yield Status.CRITICAL, f"holds only {show_bytes(told.size)} (at least {least})"
    if spec.max_size is not None and told.size > spec.max_size:
        yield Status.CRITICAL, f"holds {show_bytes(told.size)} (limit {show_bytes(spec.max_size)})"


def _identity(spec: FileSpec, told: FileFact) -> Iterator[Finding]:
    if spec.mode is not None and told.mode != int(spec.mode, 8):
        yield Status.CRITICAL, f"has mode {told.mode:04o} (must be {spec.mode})"
    if spec.owner and told.owner != spec.owner:
        yield Status.CRITICAL, f"belongs to {one_line(told.owner, 40)} (must be {spec.owner})"
    if spec.sha256 and told.sha256 != spec.sha256:
        found = told.sha256[:12] or "nothing"
        yield (
            Status.CRITICAL,
            f"its content has changed (SHA-256 {found}…, not {spec.sha256[:12]}…)",
        )


def items(spec: FileSpec) -> tuple[str, ...]:
    """Give the paths; a single one has no item."""
    return tuple(map(one_line, spec.path)) if len(spec.path) > 1 else ("",)


KIND = FactProbe("file", FileSpec, sections, judge, items=items)
