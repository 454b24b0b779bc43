"""A job's reports on their way to the core: the report, its token, and the spool on disk.

The spool holds what could not be handed over because the core was down: one small JSON file per
report, complete or absent, never half. It knows nothing of HTTP and does not judge a job; it trusts
no file (owner, kind and size are looked at) and removes none that its reader did not take.
"""

import contextlib
import errno
import hashlib
import hmac
import json
import os
import pwd
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitord.errors import MonitordError, NotFoundError
from monitord.model.ids import CheckKey, Instant

if TYPE_CHECKING:  # it brings pydantic along (50 ms), and a wrapped job waits for this module
    from monitord.model.catalog import Check

EVENTS = ("start", "success", "fail")
TAIL = 10 * 1024
"""Bytes of a job's output that travel with a report: its end."""

_LONGEST_FILE = 8 * TAIL  # escapes can make JSON six times its text
_HIGHEST_CODE = 2**31  # no system's are higher
_MOST_FILES = 10_000
_SECRET_BYTES = 32


class SpoolError(MonitordError):
    """The spool does not take or give a report; the text says why and what would mend it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a job says of itself. `key` is `host/check`, or a check's name where that is unique.

    `at` is when it happened, not when it arrived. `by` is a login name, or `ping`.
    """

    key: str
    event: str
    at: Instant
    exit_code: int | None = None
    output: str = ""
    by: str = ""


def tail(output: bytes) -> str:
    """Give the end of an output as text of at most TAIL bytes."""
    cut = output[-TAIL:]
    return cut.decode("utf-8", errors="replace")


def read_secret(
    state: Path, *, create: bool = False, name: str = "secret", mode: int = 0o640
) -> bytes:
    """Read the instance's secret (state/secret, 32 random bytes); `create` makes it when absent.

    `name` and `mode` are for a secret that is not shared with monitord-web.

    Raises:
        SpoolError: it is missing, unreadable or too short.
    """
    path = state / name
    if create and not path.exists():
        _make_secret(path, mode)
    try:
        value = path.read_bytes()
    except OSError as error:
        raise SpoolError(
            f"{path}: {error.strerror}; the core makes it at its first start"
        ) from error
    if len(value) < _SECRET_BYTES:
        raise SpoolError(f"{path} holds {len(value)} bytes, not {_SECRET_BYTES}; remove it")
    return value


def _make_secret(path: Path, mode: int) -> None:
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        fresh.touch(mode=0o600)  # before it holds anything
        fresh.write_bytes(secrets.token_bytes(_SECRET_BYTES))
        fresh.chmod(mode)
        fresh.replace(path)
    except OSError as error:
        raise SpoolError(
            f"{path} cannot be made: {error.strerror}; set `state:` to a folder of yours with room"
        ) from error


def token(secret: bytes, key: str) -> str:
    """Give the token of a job's ping URL: the first 32 hex digits of an HMAC-SHA256."""
    return hmac.new(secret, f"job:{key}".encode(), hashlib.sha256).hexdigest()[:32]


class Tokens:
    """Which job a token belongs to, found without telling by its timing how much of it was right.

    The look-up goes by a digest of the token, the comparison takes the same time for any two.
    """

    def __init__(self, secret: bytes, keys: Iterable[str]) -> None:
        self._known = {
            _digest(word): (word, key) for key, word in ((key, token(secret, key)) for key in keys)
        }

    def key(self, offered: str) -> str | None:
        """Give the job's key, or None for a token that is none of ours."""
        word, key = self._known.get(_digest(offered), ("", None))
        return key if hmac.compare_digest(word.encode(), offered.encode(errors="replace")) else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()


def watched(checks: Mapping[CheckKey, "Check"]) -> dict[str, str]:
    """Give all that reports: job checks and the links of chains (`host/chain/link`), by key.

    Each has the short name by which it may be called where only one has it: `chain/link`.
    """
    found: dict[str, str] = {}
    for key, check in checks.items():
        if check.kind == "job":
            found[key] = check.name
        elif check.kind == "chain":
            spec: Any = check.spec
            found.update((f"{key}/{link}", f"{check.name}/{link}") for link in spec.jobs)
    return found


def job_key(checks: Mapping[CheckKey, "Check"], name: str) -> str:
    """Give the key of a job from its key, or from its short name where only one host has it.

    Raises:
        NotFoundError: no such job, or several; the text lists the nearest.
    """
    jobs = watched(checks)
    if name in jobs:
        return name
    named = sorted(key for key, short in jobs.items() if short == name)
    if len(named) == 1:
        return named[0]
    if named:
        raise NotFoundError(f"{name!r} is a job on several hosts; name one: {', '.join(named)}")
    words = {*jobs, *jobs.values()}
    near = get_close_matches(name, sorted(words), n=3) or sorted(jobs)[:3]
    known = f"the nearest are {', '.join(near)}" if near else "no job is configured"
    raise NotFoundError(f"no job is called {name!r}; {known}")


def spool(folder: Path, report: Report) -> Path:
    """Write a report to be taken later; it is on the disk when this returns.

    Raises:
        SpoolError: the folder is missing, full of reports, or not ours to write.
    """
    return keep(folder, report.at, json.dumps(asdict(report), ensure_ascii=True), "json")


def keep(folder: Path, at: Instant, text: str, ending: str) -> Path:
    """Write a file into the spool under a name of its own, whole or not at all; as `spool`."""
    name = f"{at:020d}-{os.getpid()}-{secrets.token_hex(4)}.{ending}"
    path, draft = folder / name, folder / f".{name}"
    try:
        if sum(1 for _ in os.scandir(folder)) > _MOST_FILES:
            raise SpoolError(f"{folder} holds {_MOST_FILES} reports; start the core")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        raise SpoolError(
            f"cannot spool a report in {folder}: {error.strerror}; {_spool_cure(error)}"
        ) from error
    return path


def _spool_cure(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the core makes the folder at its first start; name its state with --state"
    if error.errno == errno.ENOSPC:
        return "make room there"
    return "join group monitord"


def spooled(folder: Path, *, now: Instant, limit: int = 1000) -> list[tuple[Path, Report]]:
    """Give waiting reports, oldest first; the caller removes each file once its report is stored.

    `by` becomes the name of the file's owner, unless it says `ping`. A file that is not a report
    is renamed to `*.bad`, so that it is met once and can be looked at.
    """
    found: list[tuple[Path, Report]] = []
    if not folder.is_dir():
        return found
    for path in sorted(folder.glob("[0-9]*.json"))[:limit]:
        try:
            found.append((path, _read(path, now)))
        except (OSError, ValueError):
            # Where it cannot be renamed (gone, or a foreign folder) it is simply met again.
            with contextlib.suppress(OSError):
                path.rename(path.with_suffix(".bad"))
    return found


def _read(path: Path, now: Instant) -> Report:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST_FILE:
            raise ValueError(f"{path} is not a report")
        fields = json.loads(file.read(_LONGEST_FILE))
    if not isinstance(fields, dict):
        raise ValueError(f"{path} is not a report")  # noqa: TRY004 - one error type for a bad file
    by = "ping" if fields.get("by") == "ping" else _owner(status.st_uid)
    return checked(fields, by=by, now=now)


def checked(fields: Mapping[str, object], *, by: str, now: Instant) -> Report:
    """Make a report of JSON fields from outside, in the name of `by`.

    Raises:
        ValueError: a field has the wrong type or value; the text names it.
    """
    key, event, at = fields.get("key"), fields.get("event"), fields.get("at")
    code, output = fields.get("exit_code"), fields.get("output", "")
    if not isinstance(key, str) or not key:
        raise ValueError("key: a job's name is missing")
    if not isinstance(event, str) or event not in EVENTS:
        raise ValueError(f"event: {event!r} is none of {', '.join(EVENTS)}")
    if not isinstance(at, int) or isinstance(at, bool) or at < 0:
        raise ValueError(f"at: {at!r} is not µs since the epoch")
    if isinstance(code, bool) or not isinstance(code, int | None):
        raise ValueError(f"exit_code: {code!r} is not a number")  # noqa: TRY004 - as below
    if code is not None and abs(code) > _HIGHEST_CODE:
        raise ValueError(f"exit_code: {code} is no exit code")
    if not isinstance(output, str):
        raise ValueError("output: not a text")  # noqa: TRY004 - one error type for a bad report
    # A report from the future would hide the true ones that come after it.
    when = Instant(min(at, now))
    return Report(key, event, when, code, tail(output.encode(errors="replace")), by)


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}"
