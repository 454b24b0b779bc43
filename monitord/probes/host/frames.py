"""Makes the scripts that look at a host, and reads their answers, or says why there is none.

All of an answer is hostile text: only lines that begin with the run's own word are ours (look.sh).
Pure but for the scripts' texts, which are read once; it judges nothing of a host.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from monitord.model.facts import PluginOutput
from monitord.model.kinds import HostScript
from monitord.model.result import Cause, Result
from monitord.model.text import one_line

_START = re.compile(r"^monitord-look 1 ([0-9a-f-]{36})$", re.MULTILINE)
_CAUSES = {"login": Cause.LOGIN, "missing": Cause.MISSING}
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of ours (its first word, and the rest), and what the host said below it."""

    word: str
    rest: str
    body: str

    @property
    def args(self) -> list[str]:
        """Give the rest as words."""
        return self.rest.split(" ") if self.rest else []


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its frames in their order, the host's time (s), the last complaint."""

    frames: tuple[Frame, ...]
    now: int
    complaint: str

    def of(self, word: str) -> Iterator[Frame]:
        """Give the frames that begin with a word."""
        return (frame for frame in self.frames if frame.word == word)

    def said(self, name: str) -> str:
        """Give what a tool said that `ask` ran under this name; empty where it was not run."""
        return next((one.body for one in self.of("begin") if one.rest == name), "")

    def code(self, name: str) -> int | None:
        """Give how that tool ended; None where it was not run."""
        ends = (one.args for one in self.of("end"))
        return next((number(args[-1]) for args in ends if args[:1] == [name]), None)


def number(text: str) -> int:
    """Read a number that the script wrote; 0 for what is none."""
    return int(text) if _NUMBER.fullmatch(text) else 0


def script(*parts: str, calls: str = "", **values: str | int) -> HostScript:
    """Give a script of these .sh files beside this one; they find `values` as variables.

    `calls` are lines of shell, each word quoted by whoever made them, for the function `asked`.
    """
    lines = [f"{name}={shlex.quote(str(value))}" for name, value in values.items()]
    lines += [_text(name) for name in ("look", *parts)]
    return HostScript("\n".join((*lines, f"asked() {{\n{calls or ':'}\n}}", "look </dev/null", "")))


@cache
def _text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sh").read_text(encoding="utf-8")


def read(output: PluginOutput, thing: str) -> Answer | Result:
    """Read an answer, or say UNKNOWN: of `thing`, and why there is none."""
    start = _START.search(output.stdout)
    if start is None:
        if output.timed_out:
            return Result.unknown(f"{thing}: no answer in time", Cause.TIMEOUT)
        heard = one_line(output.stdout or output.stderr, 120) or "nothing"
        return Result.unknown(f"{thing}: the host answered only: {heard}", Cause.TRANSPORT)
    frames = tuple(_frames(output.stdout[start.end() :], start[1]))
    for frame in frames:
        if frame.word == "stop":
            cause, _, why = frame.rest.partition(" ")
            return Result.unknown(f"{thing}: {one_line(why)}", _CAUSES.get(cause, Cause.PLUGIN))
    if not frames or frames[-1].word != "done":
        text = "told more than can be read" if output.truncated else "no end in time"
        return Result.unknown(f"{thing}: {text}", Cause.TIMEOUT)
    now = next((number(frame.rest) for frame in frames if frame.word == "now"), 0)
    lines = [line for line in output.stderr.splitlines() if line.strip()]
    return Answer(frames, now, one_line(lines[-1], 200) if lines else "")


def _frames(text: str, nonce: str) -> Iterator[Frame]:
    for part in text.split(f"\n{nonce} ")[1:]:
        head, _, body = part.partition("\n")
        word, _, rest = head.partition(" ")
        yield Frame(word, rest, body)
