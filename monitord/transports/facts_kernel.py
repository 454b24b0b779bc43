"""Which of the kernel's own files are read, by named groups, and how: nothing outside this list.

Their texts go to the probes as they are, the same whether this machine or a remote shell read them;
what they mean the probes know. None of these files can block, and none is written.
"""

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from monitord.model.facts import Facts, Section
from monitord.transports.facts_sections import valid_text, with_error

LONGEST = 1 << 18
"""Bytes of one file; a longer one is told as an error, for half a list would read as a loss."""

_NET = "/sys/class/net/*"

WHOLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cpu": ("/proc/stat",),
        "disks": ("/proc/diskstats",),
        "memory": ("/proc/vmstat",),
        "network": ("/proc/net/dev",),
        "sockets": (
            "/proc/net/netstat",
            "/proc/sys/net/netfilter/nf_conntrack_count",
            "/proc/sys/net/netfilter/nf_conntrack_max",
            "/proc/sys/net/ipv4/tcp_mem",
            "/proc/sys/net/ipv4/tcp_max_orphans",
        ),
        "limits": (
            "/proc/sys/fs/file-nr",
            "/proc/sys/kernel/pid_max",
            "/proc/sys/kernel/threads-max",
        ),
        "raid": ("/proc/mdstat",),
    }
)
"""Files that can be long, by group: a tool reads each.

Those of /proc/sys are here, too: a shell reads byte by byte, and most of them tell one byte only.
"""

SMALL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "uptime": ("/proc/uptime",),
        "disks": ("/sys/block/*/ro",),
        "pressure": ("/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io"),
        "network": tuple(
            f"{_NET}/{name}" for name in ("operstate", "flags", "speed", "duplex", "mtu")
        ),
        "sockets": (
            "/proc/net/sockstat",
            "/proc/net/sockstat6",
        ),
        "limits": ("/proc/loadavg",),
        "raid": ("/proc/spl/kstat/zfs/*/state",),
    }
)
"""Files of a few lines, by group: the shell itself reads them, for there can be hundreds."""

GROUPS = tuple(dict.fromkeys((*SMALL, *WHOLE)))


def shell_table() -> str:
    """Give the shell function that says which files a group means: the same list, for facts.sh."""
    cases = []
    for group in GROUPS:
        calls = [f"whole {' '.join(WHOLE[group])}"] if group in WHOLE else []
        calls += [f"small {' '.join(SMALL[group])}"] if group in SMALL else []
        cases.append(f"    {group}) {'; '.join(calls)} ;;\n")
    known = f"kernel_groups='{' '.join(GROUPS)}'\n"
    return f"{known}kernel_files() {{\n  case $1 in\n{''.join(cases)}  esac\n}}\n"


def add_kernel(facts: Facts, section: Section) -> Facts:
    """Read the groups `section.args` of this machine, and `uptime` before them.

    Raises:
        ValueError: no such group.
    """
    told: dict[str, str] = {}
    for group in ("uptime", *section.args):
        if group not in GROUPS:
            raise ValueError(f"there is no group {group!r} of kernel files")
        for pattern in (*WHOLE.get(group, ()), *SMALL.get(group, ())):
            paths = sorted(glob.iglob(pattern))  # noqa: PTH207 - absolute patterns, as the shell's
            told |= {path: _text(path) for path in paths if os.access(path, os.R_OK)}
    return kernel_facts(facts, told.items())


def kernel_facts(facts: Facts, told: Iterable[tuple[str, str]]) -> Facts:
    """Add texts by path, without the line ends at their end; each too long one is an error."""
    texts = dict(facts.kernel)
    for path, text in told:
        if len(text.encode("utf-8", "replace")) > LONGEST:
            facts = with_error(facts, f"kernel:{path}", f"is longer than {LONGEST} bytes")
        else:
            texts[path] = text.rstrip("\n")
    return replace(facts, kernel=texts)


def _text(path: str) -> str:
    # Some exist and refuse to be read: the speed of a link that is down. To a shell it is empty.
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return valid_text(file.read(LONGEST + 1).decode("utf-8", "surrogateescape"))
    except OSError:
        return ""
