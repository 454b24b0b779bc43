"""Facts about the machine that the executor itself runs on: psutil, statvfs, and systemd's tools.

Blocking, with every tool under a time limit; a section that cannot be told becomes an entry in
`Facts.errors`. It judges nothing, and gives what facts_remote gives of the same machine.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import psutil

from monitord.model.facts import ClockFact, DiskFact, Facts, LoadFact, MemoryFact, Section
from monitord.transports.facts_changes import add_changes
from monitord.transports.facts_files import add_files, add_hashes
from monitord.transports.facts_kernel import add_kernel
from monitord.transports.facts_mounts import (
    NETWORK,
    Mount,
    Space,
    can_fill,
    disk_fact,
    distinct,
    parse_mount,
)
from monitord.transports.facts_processes import local_processes
from monitord.transports.facts_run import run
from monitord.transports.facts_sections import (
    MOUNT_TIMEOUT,
    SectionError,
    error_key,
    merged,
    valid_text,
    with_error,
)
from monitord.transports.facts_text import (
    UNIT_PROPERTIES,
    failed_units,
    program_facts,
    synchronised,
    unit_facts,
)

_PROC = Path("/proc")
_NOT_OURS: Mapping[str, type[OSError]] = MappingProxyType(
    {"Permission denied": PermissionError, "No such file or directory": FileNotFoundError}
)


def gather(host: str, sections: tuple[Section, ...]) -> Facts:
    """Tell what `sections` ask about this machine.

    Raises:
        ValueError: a section that does not exist, or an argument with a NUL byte.
    """
    facts = Facts(host, *_boot())
    for section in merged(sections):
        try:
            facts = _GATHER[section.name](facts, section)
        except (SectionError, OSError, psutil.Error, ValueError) as error:
            facts = with_error(facts, error_key(section), valid_text(str(error)))
    return facts


def _boot() -> tuple[str, float]:
    boot_id = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return boot_id, float((_PROC / "uptime").read_text().split()[0])


def _disk(facts: Facts, _section: Section) -> Facts:
    text = (_PROC / "self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    mounts = [parse_mount(line) for line in text.split("\n") if line]
    disks: list[DiskFact] = []
    for mount in distinct([mount for mount in mounts if can_fill(mount)]):
        try:
            told = disk_fact(mount, _space(mount))
        except (PermissionError, FileNotFoundError):
            continue  # a FUSE mount of another user, or one that was unmounted meanwhile
        except OSError as error:
            reason = valid_text(error.strerror or str(error))
            facts = with_error(facts, f"disk:{valid_text(mount.path)}", reason)
            continue
        if told is not None:
            disks.append(replace(told, mount=valid_text(told.mount)))
    return replace(facts, disks=tuple(disks))


def _space(mount: Mount) -> Space:
    if mount.fstype in NETWORK.split() or mount.fstype.startswith("fuse"):
        return _space_by_tool(mount.path)
    told = os.statvfs(mount.path)
    return Space(
        told.f_frsize, told.f_blocks, told.f_bfree, told.f_bavail, told.f_files, told.f_ffree
    )


def _space_by_tool(path: str) -> Space:
    argv = ("stat", "-f", "-c", "%S %b %f %a %c %d", "--", path)
    code, text = run(argv, timeout=MOUNT_TIMEOUT)
    if code != 0:
        reason = text.rpartition(": ")[2].strip()
        raise _NOT_OURS.get(reason, OSError)(reason)
    return Space(*map(int, text.split()))


def _memory(facts: Facts, _section: Section) -> Facts:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return replace(facts, memory=MemoryFact(memory.total, memory.available, swap.total, swap.free))


def _load(facts: Facts, _section: Section) -> Facts:
    return replace(facts, load=LoadFact(*psutil.getloadavg(), psutil.cpu_count() or 1))


def _process(facts: Facts, _section: Section) -> Facts:
    return replace(facts, processes=local_processes(time.time()))


def _booted() -> None:
    # In a chroot systemctl answers every question with success and nothing.
    if not Path("/run/systemd/system").is_dir():
        raise SectionError("systemd does not run here (there is no /run/systemd/system)")


def _unit(facts: Facts, section: Section) -> Facts:
    _booted()
    argv = ("systemctl", "show", "--no-pager", f"--property={UNIT_PROPERTIES}", "--")
    text = _told(run((*argv, *section.args)))
    return replace(facts, units={**facts.units, **unit_facts(text, section.args)})


def _failed_units(facts: Facts, _section: Section) -> Facts:
    _booted()
    argv = ("systemctl", "list-units", "--all", "--failed", "--plain", "--no-legend", "--no-pager")
    return replace(facts, failed_units=failed_units(_told(run((*argv, "--full")))))


def _program(facts: Facts, section: Section) -> Facts:
    # Exit code 3 says that a program is not running, which is what we ask.
    told = program_facts(_told(run((*section.args, "status")), codes=(0, 3)))
    return replace(facts, programs={**facts.programs, section.args: told})


def _clock(facts: Facts, _section: Section) -> Facts:
    try:
        code, text = run(("timedatectl", "show", "--property=NTPSynchronized"))
    except SectionError:
        code, text = 1, ""  # no timedatectl: nobody says whether the clock is kept
    return replace(facts, clock=ClockFact(0.0, synchronised(text) if code == 0 else None))


def _nothing(facts: Facts, _section: Section) -> Facts:
    return facts  # boot and ping: that facts arrive at all is the answer


def _told(outcome: tuple[int, str], codes: tuple[int, ...] = (0,)) -> str:
    code, text = outcome
    if code not in codes:
        first = next((line for line in text.splitlines() if line.strip()), "")
        raise SectionError(first or f"exit code {code}")
    return text


_GATHER: Mapping[str, Callable[[Facts, Section], Facts]] = MappingProxyType(
    {
        "disk": _disk,
        "memory": _memory,
        "load": _load,
        "process": _process,
        "unit": _unit,
        "failed-units": _failed_units,
        "file": add_files,
        "file-hash": add_hashes,
        "program": _program,
        "clock": _clock,
        "boot": _nothing,
        "ping": _nothing,
        "changes": add_changes,
        "kernel": add_kernel,
    }
)
