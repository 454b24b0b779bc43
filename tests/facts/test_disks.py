"""Filesystems as they are: small real ones, odd mount points, binds, and a server that is gone."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitord.model.facts import DiskFact, Facts, Section
from monitord.transports.facts_local import gather
from monitord.transports.facts_mounts import can_fill, distinct, parse_mount
from tests.facts.conftest import Ask
from tests.world.needs import requires

DISK = Section("disk")
Mounter = Callable[..., Path]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounter]:
    """Mount something below the test's own folder; unmounted afterwards, newest first."""
    with contextlib.ExitStack() as stack:

        def mount(name: str, *options: str) -> Path:
            place = tmp_path / name
            place.mkdir(exist_ok=True)
            subprocess.run(["mount", *options, str(place)], check=True, capture_output=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(place)], check=False)
            return place

        yield mount


def both(ask: Ask) -> list[dict[str, DiskFact]]:
    return [{d.mount: d for d in facts.disks or ()} for facts in everything(ask)]


def everything(ask: Ask) -> list[Facts]:
    return [ask(DISK), gather("me", (DISK,))]


@requires("root")
def test_a_full_tmpfs_reads_full(ask: Ask, mounted: Mounter) -> None:
    place = mounted("small", "-t", "tmpfs", "-o", "size=4m,nr_inodes=64", "small")
    with contextlib.suppress(OSError):
        (place / "big").write_bytes(b"x" * (5 << 20))
    for disks in both(ask):
        told = disks[str(place)]
        assert (told.fstype, told.device, told.size) == ("tmpfs", "small", 4 << 20)
        assert (told.used, told.available) == (4 << 20, 0)
        assert (told.inodes, told.inodes_used) == (64, 2)
        assert not told.read_only


@requires("root")
def test_ext4_without_inodes_left_and_then_read_only(
    ask: Ask, mounted: Mounter, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-N", "32", str(image)], check=True)
    place = mounted("ext4", "-o", "loop", str(image))
    count = 0
    with contextlib.suppress(OSError):
        while True:
            (place / f"file{count}").touch()
            count += 1
    assert count > 0
    for disks in both(ask):
        told = disks[str(place)]
        assert told.fstype == "ext4"
        assert told.inodes == told.inodes_used > count
        assert told.available < told.size - told.used, "root's reserve is not available"
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    assert [disks[str(place)].read_only for disks in both(ask)] == [True, True]


@requires("root")
@pytest.mark.parametrize("name", ["a b", "tab\there", "new\nline", "back\\slash 7", "$(id) * [x]"])
def test_any_mount_point_is_told_as_it_is(ask: Ask, mounted: Mounter, name: str) -> None:
    place = mounted(name, "-t", "tmpfs", "-o", "size=1m", "odd name")
    for disks in both(ask):
        assert disks[str(place)].size == 1 << 20
        assert disks[str(place)].device == "odd name"


@requires("root")
def test_one_filesystem_in_two_places_counts_once(
    ask: Ask, mounted: Mounter, tmp_path: Path
) -> None:
    place = mounted("whole", "-t", "tmpfs", "-o", "size=1m", "whole")
    (place / "part").mkdir()
    bind = mounted("b", "--bind", str(place / "part"))
    for disks in both(ask):
        assert str(place) in disks
        assert str(bind) not in disks


@requires("root")
def test_a_read_only_bind_is_no_read_only_filesystem(ask: Ask, mounted: Mounter) -> None:
    place = mounted("whole", "-t", "tmpfs", "-o", "size=1m", "whole")
    subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
    for disks in both(ask):
        assert not disks[str(place)].read_only


@requires("root")
def test_what_is_mounted_over_does_not_count(ask: Ask, mounted: Mounter) -> None:
    mounted("twice", "-t", "tmpfs", "-o", "size=1m", "below")
    place = mounted("twice", "-t", "tmpfs", "-o", "size=2m", "above")
    for disks in both(ask):
        assert disks[str(place)].device == "above"
        assert disks[str(place)].size == 2 << 20


LINE = "{id} 1 {device} {root} {path} rw,relatime shared:5 master:1 - {fstype} {source} {options}"


def line(**given: str) -> str:
    told = {"id": "30", "device": "8:1", "root": "/", "path": "/", "fstype": "ext4"}
    return LINE.format(**{**told, "source": "/dev/sda1", "options": "rw", **given})


@pytest.mark.parametrize(
    ("text", "path", "source", "read_only"),
    [
        (line(), "/", "/dev/sda1", False),
        (line(path="/a\\040b\\0407\\134", source="host:/x\\011y"), "/a b 7\\", "host:/x\ty", False),
        (line(options="ro,errors=remount-ro"), "/", "/dev/sda1", True),
        (line(options="rw,errors=remount-ro"), "/", "/dev/sda1", False),
        ("27 1 254:0 / /x rw - tmpfs  rw", "/x", "", False),
    ],
)
def test_a_line_of_mountinfo(text: str, path: str, source: str, *, read_only: bool) -> None:
    mount = parse_mount(text)
    assert (mount.path, mount.source, mount.read_only) == (path, source, read_only)


@pytest.mark.parametrize("text", ["", "27 1 254:0 / / rw", "27 1 254:0 / / - ext4 /dev/vda rw"])
def test_anything_else_is_no_line_of_mountinfo(text: str) -> None:
    with pytest.raises(ValueError, match="is no mountinfo line"):
        parse_mount(text)


@pytest.mark.parametrize(
    ("fstype", "path", "fills"),
    [
        ("ext4", "/", True),
        ("nfs4", "/home", True),
        ("tmpfs", "/tmp", True),  # noqa: S108 - only a name here
        ("fuseblk", "/mnt/usb", True),
        ("overlay", "/", True),
        ("overlay", "/var/lib/docker/overlay2/x/merged", False),
        ("squashfs", "/snap/core/1", False),
        ("proc", "/proc", False),
        ("cgroup2", "/sys/fs/cgroup", False),
    ],
)
def test_what_can_fill(fstype: str, path: str, *, fills: bool) -> None:
    assert can_fill(parse_mount(line(fstype=fstype, path=path))) is fills


def test_of_one_device_the_whole_and_then_the_shortest_mount_is_kept() -> None:
    mounts = [
        parse_mount(line(path="/etc/hosts", root="/var/lib/docker/hosts")),
        parse_mount(line(path="/mnt/all")),
        parse_mount(line(path="/srv")),
        parse_mount(line(path="/home", root="/@home", device="0:33")),
        parse_mount(line(path="/", root="/@", device="0:33")),
    ]
    assert [mount.path for mount in distinct(mounts)] == ["/", "/srv"]
