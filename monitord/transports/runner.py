"""The words to and from runner.sh: the text that it is sent, and what its lines mean.

It quotes, so that an argv arrives byte for byte, and it reads; it starts nothing and knows neither
SSH nor processes. Secrets are in the text (it goes over standard input), never in an argv.
"""

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_TEXT = Path(__file__).with_name("runner.sh").read_bytes()
_LONGEST = 131_071  # bytes of one argument: MAX_ARG_STRLEN of Linux less the closing NUL
_MOST = 1_500_000  # bytes of all arguments; the kernel takes 2 MiB with the environment
KEEP = 32_000
"""Bytes of output kept at the beginning, and as many at the end."""
CUT = b"\n[... output cut here ...]\n"
RESTARTED = "the machine restarted"
"""How runner.sh begins the word that a step was cut short by a restart."""
GRACE = 10.0
"""Seconds that a step may take past its deadline: TERM, 5 s, KILL, and the record's last line."""
ALREADY = "already ran"
"""How runner.sh begins the one refusal that is no proof that nothing was begun."""
SHELL = ("/bin/sh",)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NUMBERS = re.compile(r"\A(monitord_step=)[0-9]+(?: monitord_[a-z]+=[0-9]+)*\n")


@dataclass(frozen=True, slots=True)
class Record:
    """Where a step's record lives: `base` (empty: the login's home), `store` whose epochs count."""

    base: str
    store: str
    step: str

    def __post_init__(self) -> None:
        for name in (self.store, self.step):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a run record (letters, digits and ._-)")


@dataclass(frozen=True, slots=True)
class Order:
    """One command for the runner, secrets resolved. `limit` is in seconds."""

    argv: tuple[str, ...]
    limit: float
    epoch: int
    stdin: str = ""
    env: Mapping[str, str] | None = None
    cwd: str = ""
    sudo: bool = False
    restarts: bool = False


class End(StrEnum):
    """What the runner said last."""

    FINISHED = "finished"  # the record holds an exit code
    REFUSED = "refused"  # nothing was done, and the text says why
    NEVER = "never"  # the step was never begun
    LOST = "lost"  # it was begun and nobody can know how it ended
    STOPPED = "stopped"  # the answer to kill
    CUT = "cut"  # the runner's own voice broke off


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a step. `how` is ended, restarted (since), deadline or killed.

    `exit_code` only when FINISHED.
    """

    end: End
    text: str = ""
    exit_code: int | None = None
    how: str = "ended"
    output: bytes = b""
    truncated: bool = False


def new_mark() -> str:
    """Give a word that no output can hold: it begins each line of the runner itself."""
    return f"@monitord-{secrets.token_hex(12)}"


def to_run(record: Record, order: Order, mark: str) -> bytes:
    """Give the text that runs a step once.

    Raises:
        ValueError: an argument holds a NUL or is longer than the kernel takes.
    """
    _must_fit(order.argv)
    vars_ = "\n".join(
        f"export {name}={_quote(value).decode('utf-8', 'surrogateescape')}"
        for name, value in (order.env or {}).items()
    )
    settings = {
        "epoch": str(order.epoch),
        "limit": str(_seconds(order.limit)),
        "sudo": "1" if order.sudo else "",
        "cwd": order.cwd,
        "vars": vars_,
        "feed": "1" if order.stdin else "",
        "input": order.stdin,
    }
    return _script("run", record, mark, settings, order.argv)


def to_adopt(record: Record, mark: str, *, late: float) -> bytes:
    """Give the text that reads a record, and waits `late` seconds at most while it is worked on."""
    settings = {"late": str(max(1, math.ceil(late))), "epoch": "0", "limit": "0"}
    return _script("adopt", record, mark, settings, ())


def to_kill(record: Record, mark: str) -> bytes:
    """Give the text that ends a step's process group."""
    return _script("kill", record, mark, {"epoch": "0", "limit": "0"}, ())


def with_deadline(argv: tuple[str, ...], limit: float) -> tuple[str, ...]:
    """Give the argv that runner.sh runs, and asks sudo for: the deadline is inside of it."""
    return ("timeout", "-k", "5", str(_seconds(limit)), *argv)


def _seconds(limit: float) -> int:
    return max(1, math.ceil(limit))


def wording(mode: str, order: Order | None = None) -> bytes:
    """Give what an order asks, without what differs each time: what a locked login compares.

    As locked.sh reads it from the text: the settings in their order there, then the argv.
    """
    names = {
        "sudo": "1" if order and order.sudo else "",
        "cwd": order.cwd if order else "",
        "feed": "1" if order and order.stdin else "",
        "input": _NUMBERS.sub(r"\1\n", order.stdin) if order else "",
        "mode": mode,
    }
    lines = [f"{name}=".encode() + _quote(value) for name, value in names.items()]
    words = map(_quote, order.argv if order else ())
    return b"\n".join((*lines, b" ".join((b"set --", *words)), b""))


def program() -> bytes:
    """Give the fixed text that follows the data of each order."""
    return _TEXT


def _script(
    mode: str, record: Record, mark: str, settings: Mapping[str, str], argv: tuple[str, ...]
) -> bytes:
    empty = dict.fromkeys(("late", "sudo", "cwd", "vars", "feed", "input"), "")
    names = {
        **empty,
        "mode": mode,
        "mark": mark,
        "base": record.base,
        "store": record.store,
        "step": record.step,
        "keep": str(KEEP),
        **settings,
    }
    lines = [f"{name}=".encode() + _quote(value) for name, value in names.items()]
    lines.append(b" ".join((b"set --", *(_quote(word) for word in argv))))
    return b"\n".join((*lines, _TEXT))


def _quote(text: str) -> bytes:
    """Give a shell word of exactly these bytes (surrogates are bytes that were not UTF-8)."""
    if "\0" in text:
        raise ValueError(f"{text[:60]!r} holds a NUL character, which no argument can carry")
    return b"'" + text.encode("utf-8", "surrogateescape").replace(b"'", b"'\\''") + b"'"


def _must_fit(argv: tuple[str, ...]) -> None:
    sizes = [len(word.encode("utf-8", "surrogateescape")) for word in argv]
    if max(sizes) > _LONGEST or sum(sizes) > _MOST:
        raise ValueError(
            f"the arguments of {argv[0][:60]!r} have {sum(sizes)} bytes, the longest {max(sizes)};"
            f" a command takes {_MOST} and {_LONGEST}"
        )


def has_started(heard: bytes, mark: str) -> bool:
    """Tell whether the runner said that the step is on its way."""
    return f"{mark} started".encode() in heard


def read(heard: bytes, mark: str) -> Ending:
    """Give what became of the step, from all that came over standard output."""
    _, found, rest = heard.partition(mark.encode() + b" ")
    while rest.startswith(b"started"):
        _, found, rest = rest.partition(mark.encode() + b" ")
    line, _, body = rest.partition(b"\n")
    word, _, text = line.decode("utf-8", "replace").partition(" ")
    if not found or word not in set(End):
        return Ending(End.CUT, heard[-500:].decode("utf-8", "replace").strip())
    if word == End.FINISHED:
        return _finished(text, body)
    return Ending(End(word), text)


def _finished(text: str, body: bytes) -> Ending:
    try:
        code, how, size = text.split(" ")
        exit_code, head, tail = int(code), body[: int(size)], body[int(size) :]
    except ValueError:
        return Ending(End.CUT, f"the run record is damaged: {text[:100]!r}")
    truncated = len(tail) > KEEP
    if truncated:
        tail = CUT + tail[-KEEP:]
    return Ending(End.FINISHED, "", exit_code, how, head + tail, truncated)
