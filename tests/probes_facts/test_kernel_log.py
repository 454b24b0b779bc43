"""What kernels write when memory, disks and tasks fail: recorded lines, by journal and by dmesg."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Status
from tests.probes_facts.looking import Watch, answer, shell

OOM = "Memory cgroup out of memory: Killed process 4242 (java) total-vm:8123456kB, anon-rss:1kB"


def ring(*lines: str, boot: str = "abcdef12", at: float = 100.0) -> PluginOutput:
    told = "".join(f"[{at + number:12.6f}] {line}\n" for number, line in enumerate(lines))
    return answer(f"source ring:{boot}", f"begin ring\n{told}", "end ring")


def begun() -> Watch:
    watched = Watch("kernel", {})
    assert watched.judged(ring("Linux version 6.1"))[""].summary == "kernel: read from now on"
    return watched


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [(OOM, "CRITICAL", "1 × killed for want of memory in 1h: java (pid 4242)"),
     ("Out of memory: Killed process 7 (my sql) total-vm:1kB", "CRITICAL", "my sql (pid 7)"),
     ("Killed process 7, UID 33, (php-fpm) total-vm:1kB", "CRITICAL", "php-fpm (pid 7)"),
     ("blk_update_request: I/O error, dev sdb, sector 12345 op 0x0:(READ)", "CRITICAL",
      "1 × errors of a disk in 1h: sdb (it, its cable or its controller is dying)"),
     ("critical medium error, dev sda, sector 1", "CRITICAL", "sda"),
     ("Buffer I/O error on dev dm-0, logical block 0, async page read", "CRITICAL", "dm-0"),
     ("ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen", "CRITICAL", "ata1.00"),
     ("nvme0: controller is down; will reset: CSTS=0xffffffff", "CRITICAL", "nvme0"),
     ("EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls:", "CRITICAL",
      "1 × errors of a filesystem in 1h: sda1"),
     ("EXT4-fs (sda1): Remounting filesystem read-only", "CRITICAL", "sda1"),
     ("XFS (vdb): Metadata corruption detected at xfs_agf_read_verify", "CRITICAL", "vdb"),
     ("BTRFS error (device sdc1): bdev /dev/sdc1 errs: wr 1", "CRITICAL", "sdc1"),
     ("INFO: task nfsd:77 blocked for more than 120 seconds.", "CRITICAL", "nfsd"),
     ("watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:99]", "CRITICAL",
      "kworker/3"),
     ("rcu: INFO: rcu_sched self-detected stall on CPU", "CRITICAL", "rcu_sched"),
     ("mce: [Hardware Error]: Machine check events logged", "CRITICAL", "Machine check"),
     ("EDAC MC0: 1 UE memory read error on CPU_SrcID#0", "CRITICAL", "MC0"),
     ("EDAC MC0: 3 CE memory read error on CPU_SrcID#0", "WARNING", "MC0"),
     ("BUG: unable to handle page fault for address: 00000000deadbeef", "CRITICAL", "page fault"),
     ("Kernel panic - not syncing: Fatal exception", "CRITICAL", "Fatal exception"),
     ("nf_conntrack: nf_conntrack: table full, dropping packet", "CRITICAL", "packets dropped"),
     ("NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out", "WARNING", "eth0"),
     ("CPU1: Core temperature above threshold, cpu clock throttled", "WARNING", "CPU1"),
     ("I/O error, dev fd0, sector 0 op 0x0:(READ)", "OK", "no complaint in 1h"),
     ("eth0: link becomes ready", "OK", "no complaint in 1h")],
)  # fmt: skip
def test_a_message_of_the_kernel(line: str, status: str, said: str) -> None:
    result = begun().judged(ring(line, at=200))[""]
    assert result.status.name == status
    assert said in result.summary


def test_who_was_killed_is_named_as_long_as_it_counts() -> None:
    watched = begun()
    other = OOM.replace("4242 (java)", "99 (ruby)")
    watched.judged(ring(OOM, other, at=200))
    watched.now += 1800
    again = watched.judged(ring())[""]
    assert again.status is Status.CRITICAL
    assert "2 × killed for want of memory in 1h: ruby (pid 99), java (pid 4242)" in again.summary
    watched.now += 1860
    assert watched.judged(ring())[""].status is Status.OK


def entries(*messages: object) -> PluginOutput:
    lines = [
        json.dumps({"__CURSOR": f"s=1;i={number}", "MESSAGE": message})
        for number, message in enumerate(messages)
    ]
    newest = 'begin newest\n{"__CURSOR":"s=1;i=0"}\n'
    told = "begin entries\n" + "".join(f"{line}\n" for line in lines)
    return answer("source journal", newest, "end newest", told, "end entries")


def test_the_journal_tells_of_the_kernel_by_cursor() -> None:
    watched = Watch("kernel", {})
    assert watched.judged(entries())[""].summary == "kernel: read from now on"
    assert watched.memory[""]["cursor"] == "s=1;i=0"
    result = watched.judged(entries("fine", [*OOM.encode()]))[""]
    assert "java (pid 4242)" in result.summary
    assert watched.memory[""]["cursor"] == "s=1;i=1"


def test_what_the_script_reads_of_a_ring_comes_once(tmp_path: Path) -> None:
    """A stand-in for dmesg, in front of the real awk: only what is later than the last look."""
    (tmp_path / "journalctl").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "dmesg").write_text(f"#!/bin/sh\ncat {tmp_path}/ring\n")
    for name in ("journalctl", "dmesg"):
        (tmp_path / name).chmod(0o755)
    written = tmp_path / "ring"
    written.write_text(f"[    1.000000] {OOM}\n")
    watched = Watch("kernel", {}, shell("dash", path=f"{tmp_path}:{os.environ['PATH']}"))
    assert watched.look().status is Status.OK, "what stood there at the first look is old"
    with written.open("a") as file:
        file.write(f"[   10.500000] usb 1-1: new device\n[70555.075988] {OOM}\n")
    assert watched.look().status is Status.CRITICAL
    assert watched.look(3700).status is Status.OK
    assert watched.look().status is Status.OK


def test_a_new_boot_is_read_from_its_beginning() -> None:
    watched = begun()
    assert watched.judged(ring(OOM, boot="12345678", at=0.5))[""].status is Status.CRITICAL
    assert watched.memory[""]["ring"] == "ring:12345678:0.500000"


def test_no_right_to_read_it_names_the_cure() -> None:
    refused = "dmesg: read kernel buffer failed: Operation not permitted\n"
    output = PluginOutput(0, ring().stdout, refused)
    result = Watch("kernel", {}).judged(output)[""]
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
    assert "usermod -aG systemd-journal USER" in result.summary
