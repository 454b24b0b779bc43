"""A restore replaces a folder only by a whole, verified copy, and keeps what was there."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitord.model.effect import Command
from tests.actions.restoring import (
    NOTHING_WAS_MOVED,
    PAGES,
    command,
    names,
    restore,
    start,
    take_back,
    tree,
)
from tests.world.needs import requires
from tests.world.until import until


@pytest.fixture
def wanted(www: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "tar": str(tmp_path / "backup.tar.gz"),
        "inside": "www",
        "to": str(www),
        "expect": ["index.html", "css/a.css"],
    }


def test_a_deleted_folder_comes_back(www: Path, wanted: dict[str, Any]) -> None:
    shutil.rmtree(www)
    assert restore(**wanted) == (0, f"restore: {www} restored\n")
    assert tree(www) == PAGES
    assert (www / "css").stat().st_mode & 0o777 == 0o750
    assert names(www) == ["www"]


def test_a_damaged_folder_is_kept_beside(www: Path, wanted: dict[str, Any]) -> None:
    (www / "index.html").write_text("defaced")
    (www / "extra").write_text("x")
    old = www.parent / ".monitord-old-7-of-www"
    assert restore(**wanted) == (0, f"restore: {www} restored; the old copy is {old}\n")
    assert tree(www) == PAGES
    assert tree(old) == {**PAGES, "index.html": "defaced", "extra": "x"}
    assert names(www) == [".monitord-old-7-of-www", "www"]


@requires("root")
def test_a_folder_keeps_its_owner_where_the_backup_tells_none(
    www: Path, wanted: dict[str, Any], tmp_path: Path
) -> None:
    """The archive of a folder's files, made with a glob, has no entry of the folder itself."""
    archive = tmp_path / "files.tar"
    subprocess.run(["tar", "-cf", archive, "-C", www, "index.html", "css"], check=True)
    os.chown(www, 33, 34)
    www.chmod(0o2750)
    assert restore(**{**wanted, "tar": str(archive), "inside": ""})[0] == 0
    told = www.stat()
    assert (told.st_uid, told.st_gid, told.st_mode & 0o7777) == (33, 34, 0o2750)
    assert tree(www) == {name: text for name, text in PAGES.items() if name != "empty"}


def test_a_restore_is_taken_back_once(www: Path, wanted: dict[str, Any]) -> None:
    """The old copy takes its place again; an older one of an earlier restore is never reached."""
    (www / "index.html").write_text("older")
    assert restore(3, **wanted)[0] == 0
    (www / "index.html").write_text("before")
    assert restore(7, **wanted)[0] == 0
    code, output = take_back(7, 7, 8, wanted)
    undone = www.parent / ".monitord-undone-8-of-www"
    assert (code, output) == (
        0, f"restore: {www} is again what it was; what was restored is {undone}\n",
    )  # fmt: skip
    assert (www / "index.html").read_text() == "before"
    assert tree(undone) == PAGES
    code, output = take_back(7, 7, 9, wanted)
    assert (code, output) == (1, f"restore: this restore of {www} was taken back already\n")
    assert (www / "index.html").read_text() == "before"


def test_a_restore_that_swapped_nothing_is_not_taken_back_to_an_older_copy(
    www: Path, wanted: dict[str, Any], tmp_path: Path
) -> None:
    """What an earlier attempt moved aside was broken then, and is old by now."""
    (www / "index.html").write_text("broken in March")
    assert restore(3, **wanted)[0] == 0
    (www / "index.html").write_text("served today")
    (tmp_path / "backup.tar.gz").write_text("damaged")
    assert restore(7, **wanted)[0] == 1
    code, output = take_back(7, 7, 8, wanted)
    assert (code, output) == (1, f"{NOTHING_WAS_MOVED.format(www)}\n")
    assert (www / "index.html").read_text() == "served today"


def test_a_restore_done_twice_is_taken_back_to_what_was_before_both(
    www: Path, wanted: dict[str, Any]
) -> None:
    (www / "index.html").write_text("before")
    for step in (7, 9):
        assert restore(step, **wanted)[0] == 0
    assert take_back(7, 9, 10, wanted)[0] == 0
    assert (www / "index.html").read_text() == "before"


def test_a_restore_is_not_taken_back_under_a_later_one(www: Path, wanted: dict[str, Any]) -> None:
    for step in (7, 12):
        assert restore(step, **wanted)[0] == 0
    (www / "index.html").write_text("served today")
    code, output = take_back(7, 7, 13, wanted)
    told = f"restore: {www} was restored once more since, by step 12; it stays\n"
    assert (code, output) == (1, told)
    assert (www / "index.html").read_text() == "served today"


def test_where_nothing_was_before_the_restored_copy_stays(
    www: Path, wanted: dict[str, Any]
) -> None:
    shutil.rmtree(www)
    assert restore(**wanted)[0] == 0
    code, output = take_back(7, 7, 8, wanted)
    assert (code, output) == (1, f"{NOTHING_WAS_MOVED.format(www)}\n")
    assert tree(www) == PAGES


def test_doing_it_again_is_harmless(www: Path, wanted: dict[str, Any]) -> None:
    for _ in range(2):
        code, _ = restore(**wanted)
        assert code == 0
    assert tree(www) == PAGES
    assert names(www) == [".monitord-old-7-of-www", ".monitord-old-7-of-www-2", "www"]


def test_what_an_interrupted_run_left_is_removed_and_only_that(
    www: Path, wanted: dict[str, Any]
) -> None:
    kept = [".monitord-new-3-of-other", ".monitord-new-x-of-www", ".monitord-new-3-of-x-of-www"]
    for name in (*kept, ".monitord-new-3-of-www"):
        (www.parent / name).mkdir()
    shutil.rmtree(www)
    assert restore(**wanted)[0] == 0
    assert names(www) == sorted([*kept, "www"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"expect": ["missing.html"]}, "missing.html is missing or empty in the backup"),
        ({"expect": ["empty"]}, "empty is missing or empty in the backup"),
        ({"inside": "srv/www"}, "the backup has no folder srv/www"),
        ({"inside": "www/index.html"}, "the backup has no folder www/index.html"),
        ({"tar": "/nowhere.tar"}, "tar could not read the backup /nowhere.tar; {www} is as it was"),
        ({"tar": "/etc/passwd", "look": True}, "tar cannot read the backup /etc/passwd"),
        ({"tar": "/etc/passwd"}, "tar could not read the backup /etc/passwd; {www} is as it was"),
    ],
)
def test_a_backup_that_is_not_whole_changes_nothing(
    www: Path, wanted: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    (www / "index.html").write_text("still served")
    code, output = restore(**{**wanted, **change})
    assert code == 1
    assert output.endswith(f"restore: {sentence.format(www=www)}\n")
    assert (www / "index.html").read_text() == "still served"
    assert names(www) == ["www"]


def test_a_backup_that_was_cut_short_changes_nothing(www: Path, wanted: dict[str, Any]) -> None:
    backup = Path(wanted["tar"])
    backup.write_bytes(backup.read_bytes()[:-20])
    assert restore(**wanted)[0] == 1
    assert tree(www) == PAGES
    assert names(www) == ["www"]


def test_an_empty_backup_changes_nothing(www: Path, wanted: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    subprocess.run(["tar", "-cf", wanted["tar"], "-C", str(tmp_path), "none"], check=True)
    code, output = restore(**{**wanted, "inside": "none", "expect": []})
    assert (code, output) == (1, "restore: the backup's folder none is empty\n")
    assert tree(www) == PAGES


def test_a_link_in_the_place_of_the_folder_is_not_replaced(
    www: Path, wanted: dict[str, Any], tmp_path: Path
) -> None:
    link = tmp_path / "current"
    link.symlink_to(www)
    code, output = restore(**{**wanted, "to": str(link)})
    assert (code, output) == (
        1,
        f"restore: {link} is a symbolic link; name the folder that it points to\n",
    )


@requires("root", "hosts")
@pytest.mark.parametrize("name", ["uploads", "new uploads"])
@pytest.mark.parametrize("asked", [{}, {"look": True}, {"back": True}])
def test_a_folder_with_a_mount_below_is_refused(
    www: Path, wanted: dict[str, Any], asked: dict[str, Any], name: str
) -> None:
    """A rename would carry the live volume into the old copy."""
    (www / name).mkdir()
    effect = command(**wanted, **asked)
    mounted = 'mount -t tmpfs none "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, str(www / name), *effect.argv],
        input=f"monitord_step=7\n{effect.stdin}",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = f"something is mounted on or below {www}: it would move with the old copy"
    assert (done.returncode, done.stderr) == (1, f"restore: {said}\n")
    assert names(www) == ["www"]


def test_a_link_that_is_put_in_place_of_the_new_folder_is_not_followed(
    www: Path, wanted: dict[str, Any], tmp_path: Path
) -> None:
    """Who owns the folder beside may do so while root unpacks."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "etc").mkdir()
    mkdir = tmp_path / "bin" / "mkdir"
    swapped = f'for new do :; done; rmdir "$new" && ln -s {tmp_path}/etc "$new"'
    mkdir.write_text(f'#!/bin/sh\n/bin/mkdir "$@" && {swapped}\n')
    mkdir.chmod(0o755)
    effect = command(**wanted)
    path = f"PATH={tmp_path}/bin:{os.environ['PATH']}"
    script = start(7, Command(("env", path, *effect.argv), stdin=effect.stdin))
    output, _ = script.communicate(timeout=60)
    assert script.returncode == 1, output
    assert (tree(tmp_path / "etc"), tree(www)) == ({}, PAGES)
    assert names(www) == ["www"]


OVERLAY = """
mount -t tmpfs -o size=1m none "$0/up" && mkdir "$0/up/new" "$0/up/work" &&
mount -t overlay -o lowerdir="$0/srv",upperdir="$0/up/new",workdir="$0/up/work" none "$0/srv" &&
"$@"; code=$?; ls "$0/srv/www"; exit $code
"""


@requires("root", "hosts")
@pytest.mark.parametrize("tools", ["", "perl", "perl python3"])
def test_a_folder_that_cannot_be_renamed_is_not_moved_file_by_file(
    www: Path, wanted: dict[str, Any], tmp_path: Path, tools: str
) -> None:
    """On an overlay mv would copy a lower folder, and its disk may be full before the end."""
    for name in ("one", "two"):
        (www / name).write_bytes(b"x" * 700_000)
    (tmp_path / "up").mkdir()
    hidden = "".join(f"mount --bind /dev/null $(command -v {tool}); " for tool in tools.split())
    effect = command(**wanted)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hidden + OVERLAY, str(tmp_path), *effect.argv],
        input=f"monitord_step=7\n{effect.stdin}",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert f"{www} cannot be moved aside; it stays as it was" in done.stderr
    assert done.stdout.split() == ["css", "empty", "index.html", "one", "two"]


def test_a_folder_that_came_back_meanwhile_is_not_mixed_with(
    www: Path, wanted: dict[str, Any], tmp_path: Path
) -> None:
    """A service that makes its folder anew between the two renames: the old one is not lost."""
    fake = tmp_path / "bin"
    fake.mkdir()
    for tool in filter(shutil.which, ("mv", "perl", "python3")):
        anew = f"[ -e {www} ] || {{ mkdir {www}; echo x > {www}/new; }}"
        (fake / tool).write_text(f'#!/bin/sh\n{shutil.which(tool)} "$@" || exit\n{anew}\n')
        (fake / tool).chmod(0o755)
    effect = command(**wanted)
    script = start(7, Command(("env", f"PATH={fake}:{os.environ['PATH']}", *effect.argv),
                              stdin=effect.stdin))  # fmt: skip
    output, _ = script.communicate(timeout=60)
    assert script.returncode == 1
    assert f"something made {www} anew meanwhile" in output
    assert tree(www.parent / ".monitord-old-7-of-www") == PAGES


def test_an_end_before_the_swap_leaves_all_as_it_was(
    www: Path, wanted: dict[str, Any], tmp_path: Path
) -> None:
    """The tar waits on a pipe that nobody fills; then the deadline's SIGTERM comes."""
    pipe = tmp_path / "slow.tar"
    os.mkfifo(pipe)
    effect = command(**{**wanted, "tar": str(pipe)})
    script = start(7, Command(("setsid", *effect.argv), stdin=effect.stdin))
    until(lambda: ".monitord-new-7-of-www" in names(www))
    os.killpg(script.pid, signal.SIGTERM)
    output, _ = script.communicate(timeout=20)
    assert script.returncode != 0
    assert "is as it was" in output
    assert tree(www) == PAGES
    assert names(www) == ["www"]


@pytest.mark.parametrize("name", ["a b", "it's", "-rf", "$(touch canary)", "*", "ü\n", ".hidden"])
def test_any_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "srv" / name
    folder.mkdir(parents=True)
    (folder / "x").write_text("saved")
    tar = tmp_path / f"{name}.tar"
    subprocess.run(["tar", "-cf", str(tar), "-C", str(folder), "."], check=True)
    (folder / "x").write_text("lost")
    code, output = restore(tar=str(tar), to=str(folder), expect=["x"])
    assert code == 0, output
    assert tree(folder) == {"x": "saved"}
    assert names(folder) == sorted([f".monitord-old-7-of-{name}", name])
    assert not Path("canary").exists()


def test_without_the_backups_own_folder_the_copy_can_be_entered_by_all(tmp_path: Path) -> None:
    """The runner's own umask is 077; a web server must get in."""
    (tmp_path / "x").write_text("saved")
    subprocess.run(["tar", "-cf", str(tmp_path / "b.tar"), "-C", str(tmp_path), "x"], check=True)
    assert restore(tar=str(tmp_path / "b.tar"), to=str(tmp_path / "www"))[0] == 0
    assert (tmp_path / "www").stat().st_mode & 0o777 == 0o755
