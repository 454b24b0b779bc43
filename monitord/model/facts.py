"""What a transport learns about a host: one dataclass, whether psutil or a shell script told it.

Sizes are bytes, times seconds unless a name says otherwise. Nothing here judges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, order=True)
class Section:
    """One part of the facts that a probe wants: a name, and arguments where it takes any.

    Names: disk, memory, load, process, unit (args: unit names), failed-units, file and file-hash
    (args: paths or patterns; the second adds SHA-256), program (args: one supervisorctl argv
    prefix), clock, boot, ping, kernel (args: groups of its files), changes (args: seconds to look
    back, then monitord's own users; `.` stands for whoever asks).
    """

    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskFact:
    """One mounted filesystem that can fill. Inode counts are 0 where it has none (btrfs, vfat)."""

    mount: str
    device: str
    fstype: str
    size: int
    used: int
    available: int
    inodes: int
    inodes_used: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class MemoryFact:
    """Memory in bytes; `available` is the kernel's own estimate (MemAvailable)."""

    total: int
    available: int
    swap_total: int
    swap_free: int


@dataclass(frozen=True, slots=True)
class LoadFact:
    """Run-queue averages and the number of CPUs they share."""

    one: float
    five: float
    fifteen: float
    cpus: int


@dataclass(frozen=True, slots=True)
class ProcessFact:
    """One process. `state` is the kernel's letter; `age` seconds since its start."""

    pid: int
    name: str
    command: str
    user: str
    state: str
    rss: int
    age: float


@dataclass(frozen=True, slots=True)
class UnitFact:
    """One systemd unit as `systemctl show` tells it; `load` is not-found where there is none."""

    name: str
    load: str
    active: str
    sub: str
    enabled: str
    result: str
    main_pid: int
    restarts: int


@dataclass(frozen=True, slots=True)
class FileFact:
    """One path; `exists` false leaves the rest at zero. `mode` is octal permission bits.

    Facts map the asked path or pattern to it; `path` is what a pattern's newest match is called.
    """

    path: str
    exists: bool
    size: int = 0
    age: float = 0.0
    mode: int = 0
    owner: str = ""
    is_directory: bool = False
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ProgramFact:
    """One program of a supervisord: `state` is its word (RUNNING, FATAL, BACKOFF, …)."""

    name: str
    state: str
    description: str


@dataclass(frozen=True, slots=True)
class ClockFact:
    """`offset`: host's wall clock minus ours, seconds; `synchronised` None where nobody says."""

    offset: float
    synchronised: bool | None


@dataclass(frozen=True, slots=True)
class ChangeFact:
    """One thing that was done to a host, `ago` seconds before it was asked, by its own clock.

    `kind` is login, session (somebody types), sudo, package, file, crontab, unit or reboot; `who`
    is `-` where the host does not tell. Text is masked and on one line.
    """

    ago: float
    kind: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class ChangesFact:
    """What was done to a host, oldest first; `unread` are sentences about what it did not tell."""

    rows: tuple[ChangeFact, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """One sample of one host. Only the sections asked for are filled; the rest stays None or empty.

    `errors` maps a section's name to why it could not be told (a tool is missing); a part of a
    section has its own key: `disk:/mnt`, `file:/path`, `kernel:/proc/path`, `program:argv words`.
    `kernel` maps the path of each file of the kernel that was read to its text.
    """

    host: str
    boot_id: str = ""
    uptime: float = 0.0
    disks: tuple[DiskFact, ...] | None = None
    memory: MemoryFact | None = None
    load: LoadFact | None = None
    processes: tuple[ProcessFact, ...] | None = None
    units: Mapping[str, UnitFact] = field(default_factory=lambda: _NOTHING)
    failed_units: tuple[str, ...] | None = None
    files: Mapping[str, FileFact] = field(default_factory=lambda: _NOTHING)
    programs: Mapping[tuple[str, ...], tuple[ProgramFact, ...]] = field(
        default_factory=lambda: _NOTHING
    )
    clock: ClockFact | None = None
    changes: ChangesFact | None = None
    kernel: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    errors: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class PluginOutput:
    """What a plugin left: exit code (negative: killed by a signal), bounded output.

    `flooded` is the number of bytes after which it was stopped for writing more, or 0.
    """

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool = False
    truncated: bool = False
    flooded: int = 0
