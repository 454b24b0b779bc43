"""The process list, read by psutil or from the text of ps, in one form.

A kernel thread and a zombie have no command line: both give `[name]`. Text is as the kernel tells
it; whoever shows it escapes it.
"""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType

import psutil

from monitord.model.facts import ProcessFact
from monitord.transports.facts_sections import SectionError, valid_text

LONGEST_COMMAND = 512
"""Characters of a command line that are kept: a pattern looks at the front of it."""

_SHORT_NAME = 15  # the kernel cuts a name here; the command line tells the rest
_LETTERS: Mapping[str, str] = MappingProxyType(
    {
        psutil.STATUS_RUNNING: "R",
        psutil.STATUS_SLEEPING: "S",
        psutil.STATUS_DISK_SLEEP: "D",
        psutil.STATUS_STOPPED: "T",
        psutil.STATUS_TRACING_STOP: "t",
        psutil.STATUS_ZOMBIE: "Z",
        psutil.STATUS_DEAD: "X",
        psutil.STATUS_WAKING: "W",
        psutil.STATUS_IDLE: "I",
        psutil.STATUS_PARKED: "P",
    }
)
_PS = re.compile(r" *([0-9]{1,9}) +(\S)\S* +(\S+) +([0-9]{1,15}) +([0-9]{1,15})(?: (.*))?")
_STAT = re.compile(
    r"([0-9]{1,9}) \((.*)\) (\S)(?: -?[0-9]+){18} ([0-9]{1,19}) [0-9]+ ([0-9]{1,15})(?: |$)"
)
_OWNER = re.compile(r"(\S+) ([0-9]+)")
_ATTRIBUTES = ["pid", "name", "cmdline", "username", "status", "memory_info", "create_time"]


def local_processes(now: float) -> tuple[ProcessFact, ...]:
    """List this machine's processes; `now` is its wall clock in seconds."""
    return tuple(_from_psutil(process.info, now) for process in psutil.process_iter(_ATTRIBUTES))


def _from_psutil(told: Mapping[str, object], now: float) -> ProcessFact:
    name = valid_text(str(told["name"] or ""))
    words = told["cmdline"]
    command = valid_text(" ".join(words)) if isinstance(words, list) else ""
    memory, born = told["memory_info"], told["create_time"]
    pid = told["pid"]
    return ProcessFact(
        pid=pid if isinstance(pid, int) else 0,
        name=name,
        command=command[:LONGEST_COMMAND].strip() or f"[{name}]",
        user=str(told["username"] or ""),
        state=_LETTERS.get(str(told["status"]), "?"),
        rss=int(getattr(memory, "rss", 0)),
        age=max(0.0, now - born) if isinstance(born, float) else 0.0,
    )


def processes_from_ps(names: str, commands: str) -> tuple[ProcessFact, ...]:
    """Read `pid state user rss etimes comm` lines and, joined by pid, `pid args` lines.

    Raises:
        SectionError: a line of `names` is none of these.
    """
    told = dict(_split_command(line) for line in commands.splitlines() if line.strip())
    return tuple(_from_ps(line, told) for line in names.splitlines() if line.strip())


def _split_command(line: str) -> tuple[str, str]:
    pid, _, command = line.strip().partition(" ")
    return pid, command.strip()


def _from_ps(line: str, commands: Mapping[str, str]) -> ProcessFact:
    match = _PS.fullmatch(line)
    if match is None:
        raise SectionError(f"{line[:80]!r} is no line of a process list")
    pid, state, user, rss, age, comm = match.groups()
    name = (comm or "").rstrip().removesuffix(" <defunct>")
    command = commands.get(pid, "")
    if state == "Z" or not command or command.startswith(f"[{name[:_SHORT_NAME]}"):
        command = f"[{name}]"
    return ProcessFact(
        pid=int(pid),
        name=_whole_name(name, command),
        command=command[:LONGEST_COMMAND].strip(),
        user=user,
        state=state,
        rss=int(rss) * 1024,
        age=float(age),
    )


def _whole_name(name: str, command: str) -> str:
    """Complete a name that the kernel cut, as psutil does: from the file that was started."""
    if len(name) < _SHORT_NAME:
        return name
    started = os.path.basename(command.partition(" ")[0])  # noqa: PTH119 - a target's text, not a path of ours
    return started if started.startswith(name) else name


def processes_by_hand(lines: list[str], clock: list[str]) -> tuple[ProcessFact, ...]:
    """Read three lines a process: `owner uid`, /proc/PID/stat, the command line.

    `clock` holds the uptime in seconds, clock ticks a second and the size of a page. Of a stat line
    the name stands between the first `(` and the last `)`; 22 is the start, 24 the resident pages
    (proc_pid_stat(5)).

    Raises:
        SectionError: the lines do not come in threes, or are none of these.
        ValueError: `clock` holds something else.
    """
    told = lines[: len(lines) - len(lines) % 3]
    if any(line for line in lines[len(told) :]):
        raise SectionError("the list of processes is garbled")
    uptime, ticks, page = (int(word) for word in clock)
    return tuple(
        _by_hand(told[n], told[n + 1], told[n + 2], uptime, max(1, ticks), page)
        for n in range(0, len(told), 3)
    )


def _by_hand(
    owner: str, stat: str, command: str, uptime: int, ticks: int, page: int
) -> ProcessFact:
    match, who = _STAT.match(stat), _OWNER.fullmatch(owner)
    if match is None or who is None:
        raise SectionError(f"{stat[:80]!r} is no status of a process")
    pid, name, state, start, pages = match.groups()
    words = command.strip()
    return ProcessFact(
        pid=int(pid),
        name=_whole_name(name, words),
        command=words[:LONGEST_COMMAND] or f"[{name}]",
        user=who[2] if who[1] == "UNKNOWN" else who[1],
        state=state,
        rss=int(pages) * page,
        age=float(max(0, uptime - int(start) // ticks)),
    )
