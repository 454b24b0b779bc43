"""A clean-up takes what is listed, oldest first, and nothing else: on a real, small filesystem."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitord.actions import ACTIONS
from monitord.model.effect import Command, StepContext
from tests.world.needs import requires

pytestmark = requires("root", "hosts")
KIND = ACTIONS["cleanup"]
DAY = 86_400
MOUNT = 'mount -t tmpfs -o size=4m,nr_inodes=200 "80 %" "$0" && echo ready && exec cat'
LAYERS = """
cd "$0/.." && mkdir a b up && for layer in a b up; do
  mount -t tmpfs -o size=4m none "$layer" && mkdir "$layer/logs" && cd "$layer/logs" || exit
  echo "$layer" >"$layer.gz" && touch -d '30 days ago' "$layer.gz" && cd ../.. || exit
done
rm up/logs/up.gz && mkdir up/work && mv up/logs up/new && head -c 3500K /dev/zero >up/new/full &&
mount -t overlay -o xino=off,lowerdir=a:b,upperdir=up/new,workdir=up/work none "$0" &&
echo ready && exec cat
"""


class Disk:
    """4 MiB with 200 inodes, mounted in a namespace that ends with it."""

    def __init__(self, folder: Path, script: str = MOUNT) -> None:
        self.mount, self.manifest = folder / "full", folder / "manifest"
        self.logs = self.mount / "logs"
        self.mount.mkdir()
        argv = ["unshare", "--mount", "sh", "-c", script, str(self.mount)]
        self.keeper = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.keeper.stdout is not None
        assert self.keeper.stdout.readline() == b"ready\n"
        self.inside(self.logs).mkdir(exist_ok=True)

    def inside(self, path: Path) -> Path:
        """Give the path by which we reach what is mounted there."""
        return Path(f"/proc/{self.keeper.pid}/root{path}")

    def put(self, name: str, *, kib: int = 100, days: float = 30.0, folder: str = "") -> Path:
        path = self.inside(self.logs / folder / name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * kib * 1024)
        then = time.time() - days * DAY
        os.utime(path, (then, then))
        return path

    def names(self) -> list[str]:
        return sorted(path.name for path in self.inside(self.logs).iterdir())

    def clean(self, *, path: str = "", **written: Any) -> tuple[int, str]:
        """Do it; give the exit code and what was said. `path` goes before the search path."""
        rule = {"folder": str(self.logs), "names": ["*.gz"], "older": "1d"}
        asked = {
            "filesystem": str(self.mount),
            "manifest": str(self.manifest),
            "disposable": [rule],
            **written,
        }
        effect = KIND.render(KIND.spec.model_validate(asked), StepContext("db1", ""))
        assert isinstance(effect, Command)
        argv = ["nsenter", f"--mount=/proc/{self.keeper.pid}/ns/mnt", *effect.argv]
        env = {"PATH": f"{path}{os.environ['PATH']}", "LC_ALL": "C"}
        given = f"monitord_step=7\n{effect.stdin}"
        done = subprocess.run(
            argv, input=given, capture_output=True, text=True, env=env, check=False, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def listed(self) -> list[str]:
        """Give the lines of the manifest."""
        return (self.manifest / "cleanup-7.txt").read_text().splitlines()[1:]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path)
    yield disk
    disk.keeper.communicate()


def test_the_oldest_go_until_there_is_room_and_each_is_listed(disk: Disk) -> None:
    for number in range(9):
        disk.put(f"{number}.gz", kib=400, days=30 - number)
    disk.put("now.gz", kib=100, days=0)
    disk.put("kept.log", kib=100)
    code, said = disk.clean(until="80")
    assert code == 0, said
    assert disk.names() == [*(f"{number}.gz" for number in range(2, 9)), "kept.log", "now.gz"]
    assert [line.split()[-1] for line in disk.listed()] == [
        f"{disk.logs}/0.gz", f"{disk.logs}/1.gz",
    ]  # fmt: skip
    assert f"{disk.mount} was 93 %, is 74 %; 2 files named in" in said


def test_inodes_count_like_space(disk: Disk) -> None:
    for number in range(190):
        disk.put(f"s{number:03}.gz", kib=0, days=200 - number)
    code, said = disk.clean(until="80")
    assert code == 0, said
    left = [name for name in disk.names() if name.endswith(".gz")]
    assert 155 <= len(left) <= 160
    assert left[-1] == "s189.gz", "the oldest went"


def test_files_of_one_age_are_several_files(disk: Disk) -> None:
    then = time.time() - 3 * DAY
    for number in range(150):
        path = disk.put(f"session-{number}.gz", kib=0)
        os.utime(path, (then, then))
    code, said = disk.clean(until="30")
    assert code == 0, said
    assert 0 < len(disk.names()) < 60


def test_a_file_that_is_open_stays(disk: Disk) -> None:
    for number in range(9):
        disk.put(f"{number}.gz", kib=400, days=30 - number)
    with disk.inside(disk.logs / "0.gz").open():
        assert disk.clean(until="80")[0] == 0
    assert "0.gz" in disk.names()
    assert "1.gz" not in disk.names()


def test_no_link_leads_out(disk: Disk, tmp_path: Path) -> None:
    """Neither a link among the files, nor a linked folder, nor one on the way to the folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.gz").write_text("x")
    os.utime(outside / "precious.gz", (1, 1))
    disk.put("big.log", kib=3500)
    disk.inside(disk.logs / "file.gz").symlink_to(outside / "precious.gz")
    disk.inside(disk.logs / "folder").symlink_to(outside)
    disk.inside(disk.mount / "way").symlink_to(disk.logs)
    hard = disk.put("hard.gz", kib=1)
    os.link(hard, disk.inside(disk.mount / "other-name"))
    rules = [
        {"folder": f"{disk.mount}/{name}", "names": ["*.gz"], "older": "1d"}
        for name in ("logs", "way", "logs/folder")
    ] + [{"folder": str(outside), "names": ["*.gz"], "older": "1d"}]
    code, said = disk.clean(disposable=rules, until="10")
    assert code == 1
    assert "reached through a symbolic link" in said
    assert said.endswith(f"cleanup: nothing could be removed from {disk.mount}\n")
    assert disk.names() == ["big.log", "file.gz", "folder", "hard.gz"]
    assert (outside / "precious.gz").exists()


def test_a_folder_that_becomes_a_link_meanwhile_is_left_alone(disk: Disk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.gz").write_text("precious")
    disk.put("a.gz", kib=3500, folder="app")
    fake = tmp_path / "bin"
    fake.mkdir()
    # Between the list and the removal somebody puts a link in the folder's place.
    (fake / "tr").write_text(
        f"#!/bin/sh\n[ ! -d {disk.logs}/app ] || [ -L {disk.logs}/app ] || "
        f"{{ mv {disk.logs}/app {disk.logs}/was; ln -s {outside} {disk.logs}/app; }}\n"
        'exec /usr/bin/tr "$@"\n'
    )
    (fake / "tr").chmod(0o755)
    code, said = disk.clean(path=f"{fake}:", until="10")
    assert code == 1
    assert "left alone (a link came into its path)" in said
    assert (outside / "a.gz").read_text() == "precious"
    assert disk.names() == ["app", "was"]


@pytest.mark.parametrize("name", ["jail", "a jail"])
def test_what_is_bound_below_a_listed_folder_is_not_reached(disk: Disk, name: str) -> None:
    """A bind mount of the same filesystem is one filesystem for find, and other data for people."""
    disk.put("precious.gz", folder="../srv")
    disk.put("big.log", kib=3500)
    (disk.inside(disk.logs) / name).mkdir()
    bind = ["mount", "--bind", str(disk.mount / "srv"), str(disk.logs / name)]
    namespace = f"--mount=/proc/{disk.keeper.pid}/ns/mnt"
    subprocess.run(["nsenter", namespace, *bind], check=True)
    _, said = disk.clean(until="50")
    assert "is left alone: another folder of" in said
    assert disk.inside(disk.mount / "srv" / "precious.gz").exists()


def test_any_name_is_only_a_name(disk: Disk) -> None:
    names = ["a b.gz", "-rf.gz", "two\nlines.gz", "$(id).gz", "ü'\".gz"]
    for name in names:
        disk.put(name, kib=700)
    code, said = disk.clean(until="1")
    assert (code, disk.names()) == (0, []), said
    assert len(disk.listed()) == len(names), "each is told in one line"


def test_a_quarantine_keeps_what_goes_and_is_elsewhere(disk: Disk, tmp_path: Path) -> None:
    disk.put("a.gz", kib=3500)
    code, said = disk.clean(quarantine=str(disk.logs))
    assert (code, disk.names()) == (1, ["a.gz"])
    assert "moving there frees nothing" in said
    (tmp_path / "q").mkdir()
    code, said = disk.clean(quarantine=f"{tmp_path}/q")
    assert (code, disk.names()) == (0, []), said
    (kept,) = (tmp_path / "q/monitord-7").iterdir()
    assert kept.stat().st_size == 3500 * 1024
    assert disk.listed()[-1].endswith(f"a.gz -> {kept}")


def test_a_quarantine_keeps_files_apart_that_share_an_inode_number(tmp_path: Path) -> None:
    """The layers of an overlay count each on its own."""
    disk = Disk(tmp_path, LAYERS)
    names = ["a.gz", "b.gz"]
    (tmp_path / "q").mkdir()
    inodes = {disk.inside(disk.mount / "logs" / name).stat().st_ino for name in names}
    code, said = disk.clean(quarantine=f"{tmp_path}/q", until="1")
    disk.keeper.communicate()
    assert (len(inodes), code) == (1, 0), said
    kept = sorted(path.read_text() for path in (tmp_path / "q/monitord-7").iterdir())
    assert kept == ["a\n", "b\n"]


def test_looking_changes_nothing_and_says_what_would_go(disk: Disk) -> None:
    disk.put("a.gz", kib=3500)
    code, said = disk.clean(look=True)
    assert (code, disk.names()) == (0, ["a.gz"])
    assert f"1 files of 3.5MB may go from {disk.mount} (86 % used)" in said.replace("MiB", "MB")
    assert not disk.manifest.exists()


def test_where_nothing_may_go_the_holder_of_a_deleted_file_is_named(disk: Disk) -> None:
    held = disk.put("a.log", kib=3500)
    with held.open():
        held.unlink()
        code, said = disk.clean(look=True)
    assert code == 1
    assert f"nothing on the list may go from {disk.mount} (86 % used); pid {os.getpid()} (" in said
    assert said.rstrip().endswith(f"holds {disk.logs}/a.log (deleted)")


def test_a_folder_that_is_no_mount_is_refused(disk: Disk) -> None:
    code, said = disk.clean(filesystem=str(disk.logs))
    assert code == 1
    assert "is not where a filesystem is mounted" in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"folder": "/etc/app"}, "nothing of '/etc/app' as a whole is disposable"),
        ({"folder": "/var"}, "nothing of '/var' as a whole is disposable"),
        ({"folder": "/var/../etc"}, "is not the absolute path of a folder below /"),
        ({"names": ["../*"]}, "is not a pattern of one name"),
        ({"older": "5m"}, "what is younger than 1h may still be wanted"),
    ],
)
def test_what_is_not_disposable_is_refused(change: dict[str, Any], sentence: str) -> None:
    rule = {"folder": "/var/log", "names": ["*.gz"], "older": "1d", **change}
    with pytest.raises(ValueError, match=sentence):
        KIND.render(
            KIND.spec.model_validate({"filesystem": "/var", "disposable": [rule]}),
            StepContext("db1", ""),
        )
