"""Reads what backup.sh wrote: frames, words and whose fault a failure is. Pure; it judges no limit.

All of it is hostile text: only lines that begin with the run's own word are ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Result
from monitord.model.text import one_line

_START = re.compile(r"^monitord-backup 1 ([0-9a-f-]{36})$", re.MULTILINE)
_FRACTION = re.compile(r"(\.\d{1,6})\d*")  # restic tells nanoseconds, datetime knows microseconds
_TIMED_OUT = 124
_NOT_OURS: tuple[tuple[str, str, Cause], ...] = (
    (
        "wrong password|passphrase supplied in|cannot acquire a passphrase",
        "the password is refused",
        Cause.LOGIN,
    ),
    ("permission denied|not permitted", "access is refused", Cause.LOGIN),
    ("no space left|quota exceeded", "there is no room", Cause.MISSING),
    ("cannot exec|command not found", "a tool of it is missing there", Cause.MISSING),
    (
        (
            "connection (refused|reset|timed out)|network is unreachable|no route to host"
            "|dial tcp|could not resolve|name resolution|could not connect"
        ),
        "its place does not answer",
        Cause.TRANSPORT,
    ),
    ("failed to create/acquire the lock", "it is locked", Cause.PLUGIN),
    ("no such option|unknown (flag|command)", "its tool is old", Cause.MISSING),
)
"""What a tool complains of that says nothing about the backup itself."""
_DAMAGE = re.compile(
    r"corrupt|damaged|truncated|unexpected (eof|end)|crc error|checksum|integrity"
    r"|verification failed|hash mismatch|not in gzip format|does not look like a tar",
    re.IGNORECASE,
)
"""What does say it: it decides even where other lines complain of a right or a connection."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one tool said, and its exit code (None: the answer breaks off in it)."""

    text: str
    code: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The frames by name, and what our own lines say by their first word: file, took, expect."""

    frames: Mapping[str, Frame]
    words: Mapping[str, tuple[tuple[str, ...], ...]]
    complaint: str = ""

    def word(self, name: str) -> tuple[str, ...]:
        """Give the arguments of the last line that begins with this word; empty where none does."""
        return self.words.get(name, ((),))[-1]

    def number(self, name: str) -> int:
        """Give the first argument of a word as a number; 0 where there is none."""
        told = self.word(name)
        return int(told[0]) if told and told[0].isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest snapshot: what it is called, how old it is (s), how much it holds (bytes).

    `key` tells it from all others, also where each night overwrites the same file.
    """

    key: str
    name: str
    age: float
    size: int | None = None
    files: int | None = None


def read(output: PluginOutput, subject: str) -> Answer | Result:
    """Read an answer, or say what kept it from being one: UNKNOWN for ours, CRITICAL for its own.

    A tool that failed is the backup's failure unless it says otherwise.
    """
    start = _START.search(output.stdout)
    complaint = _complaint(output.stderr)
    if start is None:
        if output.timed_out:
            return Result.unknown(f"{subject}: no answer in time", Cause.TIMEOUT)
        heard = one_line(output.stdout or output.stderr, 120) or "nothing"
        return Result.unknown(f"{subject}: the host answered only: {heard}", Cause.TRANSPORT)
    answer = _cut(output.stdout[start.end() :].split("\n"), start[1], complaint)
    if "stop" in answer.words:
        word, *said = answer.word("stop")
        text = f"{subject}: {one_line(' '.join(said))}"
        return Result.critical(text) if word == "critical" else Result.unknown(text, Cause.MISSING)
    for name, frame in answer.frames.items():
        if frame.code != 0:
            return _failed(subject, name, frame, complaint)
    if output.timed_out or output.flooded:
        return Result.unknown(f"{subject}: no end in time", Cause.TIMEOUT)
    return answer


def _failed(subject: str, name: str, frame: Frame, complaint: str) -> Result:
    if frame.code in (None, _TIMED_OUT):
        return Result.unknown(f"{subject}: its {name} took too long", Cause.TIMEOUT)
    for pattern, text, cause in _NOT_OURS if not _DAMAGE.search(complaint) else ():
        if re.search(pattern, complaint, re.IGNORECASE):
            return Result.unknown(f"{subject}: {text}: {complaint}", cause)
    doing = {"check": "is damaged", "restore": "cannot be restored"}.get(name, "cannot be read")
    return Result.critical(f"{subject}: {doing}: {complaint or f'exit code {frame.code}'}")


def _complaint(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    chosen = telling[-1:] or lines[-1:]
    ours = "|".join(pattern for pattern, _, _ in _NOT_OURS)
    known = [line for line in lines if re.search(ours, line, re.IGNORECASE)]
    damage = [line for line in lines if _DAMAGE.search(line)]
    return one_line((damage[:1] or known[:1] or chosen or [""])[0], 200)


def _cut(lines: list[str], nonce: str, complaint: str) -> Answer:
    frames: dict[str, Frame] = {}
    words: dict[str, tuple[tuple[str, ...], ...]] = {}
    name = ""
    body: list[str] = []
    for line in lines:
        if not line.startswith(f"{nonce} "):
            body.append(line)
            continue
        word, *rest = line.split(" ")[1:]
        if word == "begin" and rest:
            name, body = rest[0], []
            frames[name] = Frame("", None)
        elif word == "end" and rest[:1] == [name] and rest[-1].isdecimal():
            frames[name] = Frame("\n".join(body).strip(), int(rest[-1]))
        else:
            words[word] = (*words.get(word, ()), tuple(rest))
    return Answer(frames, words, complaint)


def newest(answer: Answer) -> Newest | str:
    """Give the newest snapshot that the host told of, or a sentence that there is none.

    Raises:
        ValueError: the tool told something else than it should (also KeyError, TypeError).
    """
    now = answer.number("now")
    if "file" in answer.words:
        changed, size, *hexed = answer.word("file")
        name = bytes.fromhex("".join(hexed)).decode("utf-8", "replace")
        return Newest(changed, one_line(name, 120), float(now - int(changed)), int(size))
    if "snapshots" in answer.frames:
        return _restic(answer, now)
    return _borg(answer, now)


def _restic(answer: Answer, now: int) -> Newest | str:
    told: list[Mapping[str, Any]] = json.loads(answer.frames["snapshots"].text) or []
    if not told:
        return "it holds no snapshot"
    at, last = max((_instant(one["time"]), str(one["id"])) for one in told)
    sizes = json.loads(answer.frames["size"].text) if "size" in answer.frames else {}
    size, files = sizes.get("total_size"), sizes.get("total_file_count")
    short = one_line(last, 8)[:8]
    return Newest(short, f"snapshot {short}", now - at, size, files)


def _borg(answer: Answer, now: int) -> Newest | str:
    told: list[Mapping[str, Any]] = json.loads(answer.frames["archives"].text)["archives"]
    if not told:
        return "it holds no archive"
    stats = told[-1]["stats"]
    name, at = one_line(str(told[-1]["name"]), 60), _instant(told[-1]["start"])
    size, files = int(stats["original_size"]), int(stats["nfiles"])
    return Newest(name, f"archive {name}", now - at, size, files)


def _instant(text: str) -> float:
    """Give seconds since 1970; the script asks for UTC where a tool names no zone."""
    at = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
