"""Which of a host's mounts are filesystems that can fill: from /proc/self/mountinfo and statvfs.

Local and remote facts share this reading, so both list the same mounts. One filesystem mounted in
several places (binds, subvolumes) counts once. Thresholds and excludes are the probe's business.
"""

import re
from dataclasses import dataclass

from monitord.model.facts import DiskFact

PSEUDO = (
    "autofs binder binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs "
    "fuse.gvfsd-fuse fuse.lxcfs fuse.portal fusectl hugetlbfs mqueue nsfs proc "
    "pstore ramfs resctrl rootfs rpc_pipefs securityfs selinuxfs sockfs squashfs sysfs tracefs"
)
"""Filesystem types that cannot fill up, or are full by nature (squashfs); never looked at."""

NETWORK = (
    "9p afs ceph cifs fuse.ceph fuse.glusterfs fuse.sshfs glusterfs lustre ncpfs nfs nfs4 smb3"
)
"""Types whose server may be gone: asked under a time limit, for statvfs would hang with them."""

_LINE = re.compile(r"\S+ \S+ (\S+) (\S+) (\S+) \S+ (?:\S+ )*?- (\S+) (\S*) (\S+)")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. `root` is the part of the filesystem that is mounted, `/` for all."""

    device: str
    root: str
    path: str
    fstype: str
    source: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Space:
    """What statvfs tells: block size in bytes, then blocks and inodes (total, free, available)."""

    block: int
    blocks: int
    free: int
    available: int
    inodes: int
    inodes_free: int


def parse_mount(line: str) -> Mount:
    """Read one mountinfo line (proc_pid_mountinfo(5)).

    `read_only` is the superblock's flag: a read-only bind of a writable filesystem is no fault,
    and a sandboxed reader sees such binds everywhere.

    Raises:
        ValueError: not such a line.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"{line[:80]!r} is no mountinfo line")
    device, root, path, fstype, source, options = match.groups()
    read_only = "ro" in options.split(",")
    return Mount(device, _plain(root), _plain(path), fstype, _plain(source), read_only)


def can_fill(mount: Mount) -> bool:
    """Tell whether to look at it at all: an overlay only as the root of a container."""
    if mount.fstype in PSEUDO.split():
        return False
    return mount.fstype != "overlay" or mount.path == "/"


def distinct(mounts: list[Mount]) -> list[Mount]:
    """Drop what is mounted over, then keep one mount of each filesystem: whole, then shortest."""
    on_top = {mount.path: mount for mount in mounts}
    best: dict[str, Mount] = {}
    for mount in on_top.values():
        kept = best.get(mount.device)
        if kept is None or _rank(mount) < _rank(kept):
            best[mount.device] = mount
    return sorted(best.values(), key=lambda mount: mount.path)


def disk_fact(mount: Mount, space: Space) -> DiskFact | None:
    """Join both halves; None for a filesystem without any blocks, which cannot fill."""
    if space.blocks <= 0 or space.block <= 0:
        return None
    return DiskFact(
        mount=mount.path,
        device=mount.source,
        fstype=mount.fstype,
        size=space.blocks * space.block,
        used=max(0, space.blocks - space.free) * space.block,
        available=max(0, space.available) * space.block,
        inodes=max(0, space.inodes),
        inodes_used=max(0, space.inodes - space.inodes_free),
        read_only=mount.read_only,
    )


def _rank(mount: Mount) -> tuple[bool, int, str]:
    return (mount.root != "/", len(mount.path), mount.path)


def _plain(field: str) -> str:
    """Undo the kernel's octal escapes (blank, tab, newline, backslash)."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)
