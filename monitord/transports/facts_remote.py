"""Facts about another machine: one POSIX shell script to run there, and the reading of its answer.

`script` and `parse` are pure; the transport runs what the one gives and hands the output to the
other. Feed the script to `sh` on stdin: then no other user of the host can read it while it runs.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from monitord.errors import TransportError
from monitord.model.changes import SCRIPT
from monitord.model.facts import ClockFact, Facts, Section
from monitord.model.ids import Instant
from monitord.model.result import Cause
from monitord.model.text import one_line
from monitord.transports.facts_kernel import LONGEST, shell_table
from monitord.transports.facts_mounts import NETWORK, PSEUDO
from monitord.transports.facts_processes import LONGEST_COMMAND
from monitord.transports.facts_reading import READERS
from monitord.transports.facts_sections import (
    HASH_TIMEOUT,
    LIMITS,
    MOUNT_TIMEOUT,
    TIMEOUT,
    SectionError,
    error_key,
    merged,
    with_error,
)
from monitord.transports.facts_text import UNIT_PROPERTIES

_START = re.compile(r"^monitord-facts 1 ([0-9a-f-]{36})$", re.MULTILINE)
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_ENDED = ("124", "143")
_MICROS = 1_000_000


def script(sections: tuple[Section, ...]) -> str:
    """Give the shell text that tells these sections: self-contained, reading nothing from stdin.

    Raises:
        ValueError: a section that does not exist, or an argument with a NUL byte.
    """
    asked = merged(sections)
    clock = "wall_clock" if any(section.name == "clock" for section in asked) else "nothing"
    calls = "\n".join(map(_call, asked))
    more = SCRIPT if any(section.name == "changes" for section in asked) else ""
    body = f"{_library()}{more}{clock}\n{calls}\n{clock}\nprintf '%s done\\n' \"$nonce\""
    # One compound command: the shell has read all of it before any tool could eat its stdin.
    return f"{{\n{body}\n}} </dev/null\n"


@cache
def _library() -> str:
    return shell_table() + Path(__file__).with_name("facts.sh").read_text(encoding="utf-8")


def _call(section: Section) -> str:
    header = json.dumps([section.name, section.args])  # ASCII on one line, whatever the arguments
    words = (header, str(LIMITS[section.name]), *_FUNCTIONS[section.name], *section.args)
    return f"section {' '.join(map(shlex.quote, words))}"


_FUNCTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "disk": ("disk", PSEUDO, NETWORK, str(MOUNT_TIMEOUT)),
        "memory": ("memory",),
        "load": ("load",),
        "process": ("process", str(2 * LONGEST_COMMAND)),
        "unit": ("unit", UNIT_PROPERTIES, str(TIMEOUT)),
        "failed-units": ("failed_units", str(TIMEOUT)),
        "file": ("file", "no", str(HASH_TIMEOUT)),
        "file-hash": ("file", "yes", str(HASH_TIMEOUT)),
        "program": ("program", str(TIMEOUT)),
        "clock": ("clock", str(TIMEOUT)),
        "boot": ("nothing",),
        "ping": ("nothing",),
        "changes": ("changes",),
        "kernel": ("kernel", str(LONGEST + 1)),
    }
)


def parse(host: str, output: str, *, asked_at: Instant, answered_at: Instant) -> Facts:
    """Read what `script` printed on `host`; our own wall clock before and after gives its offset.

    A section that failed, was cut off or makes no sense becomes an entry in `Facts.errors`.

    Raises:
        TransportError: this is no answer of the script (no POSIX shell), or it breaks off.
    """
    start = _START.search(output)
    if start is None:
        said = one_line(output, 120) or "nothing"
        raise TransportError(
            f"{host} answered no facts but: {said}; its login needs a POSIX sh and Linux's /proc",
            cause=Cause.TRANSPORT,
        )
    nonce = start[1]
    lines = output[start.end() :].split("\n")
    if f"{nonce} done" not in lines:
        raise TransportError(f"the answer of {host} broke off", cause=Cause.TRANSPORT)
    facts = Facts(host, *_boot(lines, nonce))
    for section, body in _sections(lines, nonce):
        facts = _read(facts, section, body, nonce)
    if facts.clock is not None:
        offset = _offset(lines, nonce, asked_at, answered_at)
        facts = replace(facts, clock=ClockFact(offset, facts.clock.synchronised))
    return facts


def _boot(lines: list[str], nonce: str) -> tuple[str, float]:
    start = f"{nonce} boot "
    told = next((line for line in lines if line.startswith(start)), start)
    boot_id, _, uptime = told.removeprefix(start).partition(" ")
    return one_line(boot_id, 64), _number(uptime)


def _sections(lines: list[str], nonce: str) -> list[tuple[Section, list[str]]]:
    """Cut the answer at our own lines; only they hold the nonce."""
    found: list[tuple[Section, list[str]]] = []
    body: list[str] | None = None
    for line in lines:
        if line.startswith(f"{nonce} begin "):
            body = []
            found.append((_asked(line.removeprefix(f"{nonce} begin ")), body))
        elif line == f"{nonce} end":
            body = None
        elif body is not None:
            body.append(line)
    return found


def _asked(header: str) -> Section:
    try:
        name, args = json.loads(header)
        if name in LIMITS and all(isinstance(arg, str) for arg in args):
            return Section(name, tuple(args))
    except (ValueError, TypeError, RecursionError):
        pass  # told below: whatever it is, our script did not write it
    raise TransportError(f"the answer is garbled: {one_line(header, 80)}", cause=Cause.TRANSPORT)


def _read(facts: Facts, section: Section, body: list[str], nonce: str) -> Facts:
    ends = [n for n, line in enumerate(body) if line.startswith(f"{nonce} exit ")]
    if not ends:
        reason = f"told more than {LIMITS[section.name]} bytes, or broke off"
        return with_error(facts, error_key(section), reason)
    told, code = body[: ends[0]], body[ends[0]].rpartition(" ")[2]
    if code != "0":
        said = [line for line in told if line.strip()] or [f"exit code {code}"]
        # Of a tool that was ended, our own sentence comes last, after what its shell may say.
        return with_error(facts, error_key(section), said[-1 if code in _ENDED else 0])
    try:
        return READERS[section.name](facts, section, told, nonce)
    except (SectionError, ValueError) as error:
        return with_error(facts, error_key(section), str(error))


def _offset(lines: list[str], nonce: str, asked: Instant, answered: Instant) -> float:
    """Give the host's clock minus ours: of all offsets that the two samples allow, the smallest.

    The first sample was taken after we asked, the last before we had the answer; a slow login can
    therefore hide a small offset, and never make one up.
    """
    samples = [
        line.rpartition(" ")[2].partition(".")
        for line in lines
        if line.startswith(f"{nonce} clock ")
    ]
    if not samples:
        return 0.0
    (first, _, first_part), (last, _, last_part) = samples[0], samples[-1]
    # busybox has no %N: then a sample may be up to a second later than it says.
    most = _number(first) + (_number(f"0.{first_part}") if first_part.isdecimal() else 1.0)
    least = _number(last) + (_number(f"0.{last_part}") if last_part.isdecimal() else 0.0)
    return min(max(0.0, least - answered / _MICROS), most - asked / _MICROS)


def _number(text: str) -> float:
    return float(text) if _DECIMAL.fullmatch(text) else 0.0
