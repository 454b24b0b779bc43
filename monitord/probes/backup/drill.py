"""Judges a restore drill: a backup that cannot be restored is CRITICAL, whatever its job said.

The newest snapshot was brought into a scratch folder (or database) of its own; this decides whether
what came back is what was expected, and keeps when, how long and what as the proof. Pure: the
restoring is backup.sh's work, under the executor.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import starmap
from typing import Annotated, Any, ClassVar, Self
from zlib import crc32

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from monitord.clock import after, as_datetime
from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Size, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.backup.answer import Answer, newest, read
from monitord.probes.backup.source import AbsolutePath, BackupSource, SecretOnly, script
from monitord.probes.limits import show_age, show_bytes
from monitord.probes.verdict import Finding, verdict

_SHA256 = re.compile(r"[0-9a-f]{64}")
_STEPPED = timedelta(hours=1)  # a proof from further in our future is no proof: a clock is wrong


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"{path!r} is not a path inside the backup (no leading /, no ..)")
    return path


def _sha256(text: str) -> str:
    if text and not _SHA256.fullmatch(text.lower()):
        raise ValueError(f"{text!r} is not a SHA-256 (64 hexadecimal digits; see sha256sum)")
    return text.lower()


def _or_its_path(schema: dict[str, Any]) -> None:
    """Publish the short form, which is the path alone, beside the long one."""
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "minLength": 1}, whole]


class Expectation(Spec):
    """One thing that must have come back: a file by its path, or a table of a database by name."""

    model_config = ConfigDict(json_schema_extra=_or_its_path)

    path: Annotated[str, Field(min_length=1), AfterValidator(_inside)] = Field(
        description="The file in the backup (below `inside`), or the table: schema.table."
    )
    min_size: Size = Field(default=1, description="A file holds at least this much.")
    sha256: Annotated[str, AfterValidator(_sha256)] = Field(
        default="", description="What a file's content must hash to."
    )
    rows: Annotated[int, Field(ge=0)] = Field(
        default=1, description="A table has at least so many rows."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"path": value} if isinstance(value, str) else value


class ScratchDatabase(Spec):
    """The server that a dump is restored into: a database of its own, dropped afterwards."""

    host: str = Field(default="", description="A name, an address or the folder of its socket.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=5432, description="Its port.")
    user: str = Field(default="", description="A role that may create databases.")
    password: SecretOnly = Field(default="", description="Its password by reference.")
    password_file: AbsolutePath = Field(
        default="", description="A .pgpass file on the host, instead of a password."
    )


class DrillSpec(BackupSource):
    """Which backup is restored, where to, how often, and what must come back."""

    example: ClassVar[str] = """\
drill:
  restic: {repository: /srv/restic, password_file: /etc/restic-password}
  scratch: /var/scratch          # a filesystem with room; a folder of its own there, removed again
  inside: srv/www                # only this (restic, borg); left out: everything
  expect:
    - index.html                 # must come back and not be empty
    - {path: logo.png, min_size: 1k}
  min_files: 100
  min_size: 10M
  newest_age: 2d                 # the newest file that came back is at most so old
  keep_free: 2G                  # or it is not even begun
  again_after: 7d
"""

    scratch: AbsolutePath = Field(
        default="",
        description="A folder on the filesystem that has room; what is restored into a folder of "
        "its own there is removed again. Not for pg_dump.",
        examples=["/var/scratch"],
    )
    database: ScratchDatabase | None = Field(
        default=None, description="For pg_dump: restore into this server, and count the rows."
    )
    inside: Annotated[str, AfterValidator(_inside)] = Field(
        default="",
        description="Only this folder of the snapshot (restic, borg).",
        examples=["srv/www"],
    )
    expect: tuple[Expectation, ...] = Field(
        default=(), description="What must come back.", examples=[["index.html"]]
    )
    min_files: Annotated[int, Field(ge=0)] = Field(default=1, description="So many files at least.")
    min_size: Size = Field(default=1, description="So much in all at least.", examples=["1G"])
    newest_age: Duration | None = Field(
        default=None,
        description="The newest file that came back may be so old: what is backed up anew each "
        "night may be last year's.",
        examples=["2d"],
    )
    keep_free: Size = Field(
        default="1G", validate_default=True, description="What must stay free in scratch."
    )
    again_after: Duration = Field(
        default="7d",
        validate_default=True,
        description="A proof holds so long; until then each look remembers it.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.pg_dump:
            if self.scratch or self.inside:
                raise ValueError("pg_dump: takes database:, neither scratch: nor inside:")
            if self.database and not self.expect:
                raise ValueError("database: needs expect: tables, or an empty one would do")
        elif not self.scratch:
            raise ValueError("scratch: is missing: a folder on a filesystem that has room")
        elif self.database:
            raise ValueError("database: fits pg_dump only")
        if self.tar and self.inside:
            raise ValueError("inside: fits restic and borg; a tar archive comes back whole")
        return self


def ask(spec: DrillSpec, target: Target) -> HostScript:
    """Give the script that restores, tells what came back, and cleans up."""
    name = _name(spec, target)
    settings: dict[str, str | int] = {
        "scratch": spec.scratch,
        "name": name,
        "inside": spec.inside.strip("/"),
        "keep_free": spec.keep_free,
        "database": f"monitord_drill_{name}" if spec.database else "",
    }
    calls = tuple(starmap(_call(spec), enumerate(spec.expect)))
    asked = script(spec, "drill", target.timeout, settings, calls)
    return HostScript(asked.text, {**asked.env, **_env(spec.database)})


def _name(spec: DrillSpec, target: Target) -> str:
    """Name the drill by what it does, so that no two on one host share a folder."""
    return f"{crc32((target.host + spec.model_dump_json()).encode()):08x}"


def _call(spec: DrillSpec) -> Any:
    def files(number: int, one: Expectation) -> tuple[str, ...]:
        return ("expect", str(number), one.sha256, one.path)

    def tables(number: int, one: Expectation) -> tuple[str, ...]:
        name = ".".join('"' + part.replace('"', '""') + '"' for part in one.path.split("."))
        bounded = f"select 1 from {name} limit {max(1, one.rows)}"  # noqa: S608 - quoted above
        return ("rows", str(number), f"select count(*) from ({bounded}) as found")  # noqa: S608 - as above

    return tables if spec.pg_dump else files


def _env(database: ScratchDatabase | None) -> dict[str, Any]:
    if database is None:
        return {}
    given = {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGUSER": database.user,
        "PGPASSWORD": database.password,
        "PGPASSFILE": database.password_file,
    }
    return {name: value for name, value in given.items() if value}


def judge(spec: DrillSpec, output: PluginOutput, target: Target, now: Instant) -> Sequence[Result]:
    """Give one result; a good one is remembered with its proof, a bad one ends the last proof."""
    result = _judged(spec, output, target, now)
    if result.status is Status.CRITICAL:
        return [replace(result, memory={"drill": ""})]
    return [result]


def _judged(spec: DrillSpec, output: PluginOutput, target: Target, now: Instant) -> Result:
    subject = f"{spec.kind} {one_line(spec.where, 120)}"
    answer = read(output, subject)
    if isinstance(answer, Result):
        return answer
    try:
        last = newest(answer)
        if isinstance(last, str):
            return Result.critical(f"{subject}: {last}")
        if "took" not in answer.words:
            return Result.unknown(f"{subject}: the drill broke off", Cause.TIMEOUT)
        findings = [*_came_back(spec, answer), *_expected(spec, answer)]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        text = f"{subject}: {spec.kind} told what cannot be understood: {one_line(str(error))}"
        return Result.unknown(text, Cause.PLUGIN)
    told = f"{last.name} of {as_datetime(Instant(int((_now(answer) - last.age) * 1e6))):%Y-%m-%d}"
    good = f"{told} restored {as_datetime(now):%Y-%m-%d %H:%M UTC} in {_lasted(answer)}: "
    good += _proof(spec, answer)
    result = verdict(subject, [(s, f"{told}: {text}") for s, text in findings], good, _told(answer))
    if result.status is not Status.OK:
        return result
    memory = {"at": now, "summary": result.summary, "drill": _name(spec, target)}
    return replace(result, memory=memory)


def recall(spec: DrillSpec, target: Target, now: Instant) -> Sequence[Result] | None:
    """Give the last proof while it holds: of this very drill, and good."""
    known: Mapping[str, Any] = target.memory.get("", {})
    if known.get("drill") != _name(spec, target):
        return None
    at = Instant(int(known["at"]))
    if now >= after(at, spec.again_after) or now < after(at, -_STEPPED):
        return None
    return [Result.ok(str(known["summary"]))]


def _came_back(spec: DrillSpec, answer: Answer) -> Iterator[Finding]:
    if spec.pg_dump:
        return
    files, size, latest = map(int, answer.word("restored"))
    if files < spec.min_files:
        yield Status.CRITICAL, f"only {files} files came back (at least {spec.min_files})"
    if size < spec.min_size:
        least = show_bytes(spec.min_size)
        yield Status.CRITICAL, f"only {show_bytes(size)} came back (at least {least})"
    if spec.newest_age is not None and _now(answer) - latest > spec.newest_age.total_seconds():
        age, limit = show_age(_now(answer) - latest), format_duration(spec.newest_age)
        yield Status.CRITICAL, f"its newest file is {age} old (limit {limit})"


def _expected(spec: DrillSpec, answer: Answer) -> Iterator[Finding]:
    if spec.pg_dump and spec.database is None:
        tables = set(answer.frames["tables"].text.split("\n"))
        for one in spec.expect:
            if one.path not in tables:
                yield Status.CRITICAL, f"the dump makes no table {one_line(one.path, 80)}"
        return
    for number, one in enumerate(spec.expect):
        name = "rows" if spec.pg_dump else "expect"
        told = next(rest for n, *rest in answer.words[name] if n == str(number))
        wrong = _rows(one, told) if spec.pg_dump else _file(one, told)
        if wrong:
            yield Status.CRITICAL, f"{one_line(one.path, 80)} {wrong}"


def _rows(one: Expectation, told: Sequence[str]) -> str:
    if not told[0].isdecimal():
        return "is no table of the restored database"
    return "" if int(told[0]) >= one.rows else f"has {told[0]} rows (at least {one.rows})"


def _file(one: Expectation, told: Sequence[str]) -> str:
    if told == ["missing"]:
        return "did not come back"
    size, _, found = told
    if int(size) < one.min_size:
        return f"holds {show_bytes(int(size))} (at least {show_bytes(one.min_size)})"
    if one.sha256 and found != one.sha256:
        return f"has other content (SHA-256 {one_line(found, 12)[:12]}…, not {one.sha256[:12]}…)"
    return ""


def _now(answer: Answer) -> int:
    return answer.number("now")


def _lasted(answer: Answer) -> str:
    return show_age(answer.number("took"))


def _proof(spec: DrillSpec, answer: Answer) -> str:
    right = f", {len(spec.expect)} as expected" if spec.expect else ""
    if spec.pg_dump:
        return ("rows counted" if spec.database else "read to its end") + right
    files, size, _ = map(int, answer.word("restored"))
    return f"{files} files, {show_bytes(size)}{right}"


def _told(answer: Answer) -> tuple[Measurement, ...]:
    told = [Measurement("took", answer.number("took"), "s", minimum=0)]
    if "restored" in answer.words:
        files, size, _ = map(int, answer.word("restored"))
        told += [Measurement("files", files, minimum=0), Measurement("size", size, "B", minimum=0)]
    return tuple(told)


KIND = ScriptProbe("drill", DrillSpec, ask, judge, recall)
