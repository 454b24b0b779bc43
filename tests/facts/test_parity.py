"""Both ways of asking one machine give the same facts."""

from __future__ import annotations

import getpass
import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from monitord.model.facts import Section
from monitord.transports.facts_local import gather
from tests.facts.conftest import Ask
from tests.world.until import until

MEBI = 1 << 20
USER = getpass.getuser()


def near(one: float, other: float, slack: float) -> bool:
    return abs(one - other) <= slack


def test_the_same_mounts_with_the_same_sizes(ask: Ask) -> None:
    far, here = ask(Section("disk")).disks, gather("me", (Section("disk"),)).disks
    assert far is not None
    assert here is not None
    names = [(d.mount, d.device, d.fstype, d.size, d.read_only) for d in here]
    assert names, "this machine has a filesystem"
    assert [(d.mount, d.device, d.fstype, d.size, d.read_only) for d in far] == names
    for one, other in zip(far, here, strict=True):
        # The file counts move while other tests run.
        assert near(one.used, other.used, 512 * MEBI), one.mount
        assert near(one.available, other.available, 512 * MEBI), one.mount
        assert near(one.inodes, other.inodes, 20_000), one.mount
        assert near(one.inodes_used, other.inodes_used, 20_000), one.mount


def test_the_same_memory(ask: Ask) -> None:
    far, here = ask(Section("memory")).memory, gather("me", (Section("memory"),)).memory
    assert far is not None
    assert here is not None
    assert (far.total, far.swap_total) == (here.total, here.swap_total)
    assert near(far.available, here.available, 1024 * MEBI)


def test_the_same_load_and_cpus(ask: Ask) -> None:
    far, here = ask(Section("load")).load, gather("me", (Section("load"),)).load
    assert far is not None
    assert here is not None
    assert far.cpus == here.cpus
    assert near(far.fifteen, here.fifteen, 0.5)


def test_the_same_process_seen_from_both_sides(ask: Ask) -> None:
    with subprocess.Popen(["sleep", "77.125"]) as child:
        until(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "sleep\n")
        try:
            far = {p.pid: p for p in ask(Section("process")).processes or ()}[child.pid]
            here = {p.pid: p for p in gather("me", (Section("process"),)).processes or ()}[
                child.pid
            ]
        finally:
            child.kill()
    assert (far.name, far.command, far.user, far.state) == ("sleep", "sleep 77.125", USER, "S")
    assert (here.name, here.command, here.user, here.state) == (
        far.name,
        far.command,
        far.user,
        far.state,
    )
    assert near(far.rss, here.rss, MEBI)
    assert near(far.age, here.age, 3)


def test_kernel_threads_and_zombies_are_named_alike(ask: Ask) -> None:
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        far = {p.pid: p for p in ask(Section("process")).processes or ()}
        here = {p.pid: p for p in gather("me", (Section("process"),)).processes or ()}
        assert (far[zombie.pid].state, far[zombie.pid].command) == ("Z", "[true]")
        assert (here[zombie.pid].state, here[zombie.pid].command) == ("Z", "[true]")
    threads = [p for p in here.values() if p.command.startswith("[k")]
    for thread in threads:
        if thread.pid in far and "/" not in thread.name:  # a kworker renames itself at will
            assert far[thread.pid].command == thread.command


def test_a_name_that_the_kernel_cut_is_completed(ask: Ask, tmp_path: Path) -> None:
    program = tmp_path / "a-rather-long-program-name"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    with subprocess.Popen([program, "60"]) as child:
        until(lambda: Path(f"/proc/{child.pid}/comm").read_text().startswith("a-rather"))
        try:
            far = {p.pid: p.name for p in ask(Section("process")).processes or ()}
            here = {p.pid: p.name for p in gather("me", (Section("process"),)).processes or ()}
        finally:
            child.kill()
    assert far[child.pid] == here[child.pid] == program.name


def test_letters_beyond_ascii_stay(ask: Ask) -> None:
    with subprocess.Popen(["tail", "-f", "/dev/null", "-n", "1", "größe-日本"]) as child:
        until(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "tail\n")
        far = {p.pid: p.command for p in ask(Section("process")).processes or ()}
        here = {p.pid: p.command for p in gather("me", (Section("process"),)).processes or ()}
        child.kill()
    assert far[child.pid] == here[child.pid] == "tail -f /dev/null -n 1 größe-日本"


def test_the_same_files(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "plain file").write_bytes(b"x" * 1234)
    (tmp_path / "plain file").chmod(0o640)
    (tmp_path / "link").symlink_to("plain file")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.utime(tmp_path / "plain file", (time.time() - 3600,) * 2)
    names = ("plain file", "link", "dangling", "nowhere", "plain file/below")
    paths = (*(str(tmp_path / name) for name in names), str(tmp_path))
    far, here = ask(Section("file", paths)), gather("me", (Section("file", paths),))
    assert dict(far.errors) == dict(here.errors) == {}
    assert list(far.files) == list(here.files) == list(paths)
    for path in paths:
        one, other = far.files[path], here.files[path]
        assert near(one.age, other.age, 3)
        assert (one.path, one.exists, one.size, one.mode, one.owner, one.is_directory) == (
            other.path,
            other.exists,
            other.size,
            other.mode,
            other.owner,
            other.is_directory,
        )
    told = far.files[paths[0]]
    assert (told.exists, told.size, told.mode, told.owner) == (True, 1234, 0o640, USER)
    assert near(told.age, 3600, 3)
    assert [far.files[path].exists for path in paths] == [True, True, False, False, False, True]


def test_the_same_hash(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_bytes(b"setting = 1\n")
    for facts in (
        ask(Section("file-hash", (str(file), str(tmp_path)))),
        gather("me", (Section("file-hash", (str(file), str(tmp_path))),)),
    ):
        assert facts.files[str(file)].sha256 == hashlib.sha256(b"setting = 1\n").hexdigest()
        assert facts.files[str(tmp_path)].sha256 == ""


def test_a_pattern_means_its_newest_match(ask: Ask, tmp_path: Path) -> None:
    for age, name in ((300, "db 1.gz"), (20, "db\n2 $(id).gz"), (100, "db 3.gz"), (1, "other")):
        (tmp_path / name).write_bytes(b"x" * age)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    pattern, none = f"{tmp_path}/db*.gz", f"{tmp_path}/none-*"
    for facts in (
        ask(Section("file", (pattern, none))),
        gather("me", (Section("file", (pattern, none)),)),
    ):
        told = facts.files[pattern]
        assert (told.path, told.size) == (str(tmp_path / "db\n2 $(id).gz"), 20)
        assert not facts.files[none].exists


def test_the_boot_is_told_in_any_case(ask: Ask) -> None:
    far, here = ask(Section("ping")), gather("me", (Section("ping"),))
    assert far.boot_id == here.boot_id != ""
    assert near(far.uptime, here.uptime, 10)
    assert dict(far.errors) == {}


def test_what_a_host_lacks_is_an_error_of_its_section_only(ask: Ask) -> None:
    argv = ("/nowhere/supervisorctl", "-c", "/nowhere.conf")
    sections = (Section("program", argv), Section("memory"))
    for facts in (ask(*sections), gather("me", sections)):
        assert facts.memory is not None
        assert list(facts.errors) == ["program:/nowhere/supervisorctl -c /nowhere.conf"]


def test_units_where_there_is_no_systemd_are_an_error(ask: Ask) -> None:
    if Path("/run/systemd/system").exists():
        pytest.skip("this machine runs systemd; the test hosts prove the other half")
    sections = (Section("unit", ("cron",)), Section("failed-units"))
    for facts in (ask(*sections), gather("me", sections)):
        assert set(facts.errors) == {"unit", "failed-units"}
        assert "systemd" in facts.errors["unit"]


def test_sections_of_one_name_are_joined(ask: Ask) -> None:
    sections = (
        Section("file", ("/etc/passwd",)),
        Section("memory"),
        Section("file", ("/etc/hosts", "/etc/passwd")),
    )
    for facts in (ask(*sections), gather("me", sections)):
        assert list(facts.files) == ["/etc/passwd", "/etc/hosts"]
