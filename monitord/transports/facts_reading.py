"""How each section of the remote script's answer is read: lines into facts, nothing judged.

Every reader takes the facts so far and gives them with its own part added. ValueError and
SectionError mean that the text makes no sense; the caller records that and goes on.
"""

import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from monitord.model.facts import ClockFact, DiskFact, Facts, FileFact, LoadFact, MemoryFact, Section
from monitord.transports.facts_changes import changes_fact
from monitord.transports.facts_kernel import kernel_facts
from monitord.transports.facts_mounts import (
    Mount,
    Space,
    can_fill,
    disk_fact,
    distinct,
    parse_mount,
)
from monitord.transports.facts_processes import processes_by_hand, processes_from_ps
from monitord.transports.facts_sections import SectionError, with_error
from monitord.transports.facts_text import failed_units, program_facts, synchronised, unit_facts

Lines = list[str]

_SPACE = re.compile(" ".join([r"([0-9]{1,20})"] * 6))


def _disk(facts: Facts, _section: Section, lines: Lines, _nonce: str) -> Facts:
    told: dict[Mount, str] = {}
    for line in filter(None, lines):
        space, bar, mount = line.partition(" | ")
        if not bar:
            raise SectionError(f"{line[:80]!r} is no line of a mount")
        told[parse_mount(mount)] = space
    disks: list[DiskFact] = []
    for place in distinct([place for place in told if can_fill(place)]):
        if told[place].startswith("error "):
            reason = told[place].removeprefix("error ")
            facts = with_error(facts, f"disk:{place.path}", reason)
        elif (disk := disk_fact(place, _space(told[place]))) is not None:
            disks.append(disk)
    return replace(facts, disks=tuple(disks))


def _space(text: str) -> Space:
    match = _SPACE.fullmatch(text)
    if match is None:
        raise SectionError(f"{text[:80]!r} are no six numbers of a filesystem")
    return Space(*map(int, match.groups()))


def _memory(facts: Facts, _section: Section, lines: Lines, _nonce: str) -> Facts:
    told = {name: int(size) * 1024 for name, size in (line.split() for line in filter(None, lines))}
    if "MemTotal:" not in told:
        raise SectionError("/proc/meminfo tells no MemTotal")
    # Kernels before 3.14 estimate nothing: then what is free or cached counts.
    guess = sum(told.get(name, 0) for name in ("MemFree:", "Buffers:", "Cached:"))
    memory = MemoryFact(
        total=told["MemTotal:"],
        available=told.get("MemAvailable:", guess),
        swap_total=told.get("SwapTotal:", 0),
        swap_free=told.get("SwapFree:", 0),
    )
    return replace(facts, memory=memory)


def _load(facts: Facts, _section: Section, lines: Lines, _nonce: str) -> Facts:
    averages, cpus = [line for line in lines if line.strip()][:2]
    one, five, fifteen = map(float, averages.split()[:3])
    return replace(facts, load=LoadFact(one, five, fifteen, max(1, _cpus(cpus.strip()))))


def _cpus(text: str) -> int:
    """Count `0-3,8` (CPU list of the kernel); a bare number is a count already unless it is `0`."""
    if text.isdecimal() and text != "0":
        return int(text)
    parts = [part.partition("-") for part in text.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in parts)


def _process(facts: Facts, _section: Section, lines: Lines, nonce: str) -> Facts:
    for n, line in enumerate(lines):
        if line == f"{nonce} commands":
            names, commands = "\n".join(lines[:n]), "\n".join(lines[n + 1 :])
            return replace(facts, processes=processes_from_ps(names, commands))
        if line.startswith(f"{nonce} by hand "):
            clock = line.removeprefix(f"{nonce} by hand ").split()
            return replace(facts, processes=processes_by_hand(lines[n + 1 :], clock))
    raise SectionError("neither ps nor /proc tells the processes")


def _unit(facts: Facts, section: Section, lines: Lines, _nonce: str) -> Facts:
    told = unit_facts("\n".join(lines), section.args)
    return replace(facts, units={**facts.units, **told})


def _failed_units(facts: Facts, _section: Section, lines: Lines, _nonce: str) -> Facts:
    return replace(facts, failed_units=failed_units("\n".join(lines)))


def _program(facts: Facts, section: Section, lines: Lines, _nonce: str) -> Facts:
    told = program_facts("\n".join(lines))
    return replace(facts, programs={**facts.programs, section.args: told})


def _clock(facts: Facts, _section: Section, lines: Lines, _nonce: str) -> Facts:
    return replace(facts, clock=ClockFact(0.0, synchronised("\n".join(lines))))


def _files(facts: Facts, section: Section, lines: Lines, _nonce: str) -> Facts:
    told = [line for line in lines if line]
    if len(told) != len(section.args):
        raise SectionError(f"{len(section.args)} files were asked and {len(told)} told")
    for path, line in zip(section.args, told, strict=True):
        if line.startswith("error "):
            facts = with_error(facts, f"file:{path}", line.removeprefix("error "))
        else:
            fact = _file(path, line)
            facts = replace(facts, files={**facts.files, path: fact})
            if fact.sha256 in _NO_HASH:
                facts = with_error(facts, f"file:{path}", _NO_HASH[fact.sha256])
    return facts


_NO_HASH: Mapping[str, str] = MappingProxyType({"failed": "could not be hashed"})


def _file(path: str, line: str) -> FileFact:
    if line == "missing":
        return FileFact(path, exists=False)
    word, now, bits, size, changed, uid, owner, found, digest = line.split(" ")
    if word != "ok":
        raise SectionError(f"{line[:80]!r} is no line of a file")
    mode = int(bits, 16)
    return FileFact(
        path=path if found == "-" else bytes.fromhex(found).decode("utf-8", "replace"),
        exists=True,
        size=int(size),
        age=float(int(now) - int(changed)),
        mode=mode & 0o7777,
        owner=uid if owner == "UNKNOWN" else owner,
        is_directory=stat.S_ISDIR(mode),
        sha256="" if digest == "-" else digest,
    )


def _changes(facts: Facts, _section: Section, lines: Lines, _nonce: str) -> Facts:
    return replace(facts, changes=changes_fact("\n".join(lines)))


def _kernel(facts: Facts, _section: Section, lines: Lines, nonce: str) -> Facts:
    """Cut at our own lines `NONCE file PATH`; only they hold the nonce."""
    told: dict[str, list[str]] = {}
    body: list[str] = []
    for line in lines:
        if line.startswith(f"{nonce} file "):
            body = told.setdefault(line.removeprefix(f"{nonce} file "), [])
        else:
            body.append(line)
    return kernel_facts(facts, ((path, "\n".join(text)) for path, text in told.items()))


def _nothing(facts: Facts, _section: Section, _lines: Lines, _nonce: str) -> Facts:
    return facts


READERS: Mapping[str, Callable[[Facts, Section, Lines, str], Facts]] = MappingProxyType(
    {
        "disk": _disk,
        "memory": _memory,
        "load": _load,
        "process": _process,
        "unit": _unit,
        "failed-units": _failed_units,
        "file": _files,
        "file-hash": _files,
        "program": _program,
        "clock": _clock,
        "boot": _nothing,
        "ping": _nothing,
        "changes": _changes,
        "kernel": _kernel,
    }
)
