"""Uptime, open files and arrays, as the kernel's own files tell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.facts import Facts
from monitord.model.result import Cause, Status
from monitord.probes.host import raid
from tests.probes_facts.judging import judged

DAY = 86400


@pytest.mark.parametrize(
    ("up", "status", "words"),
    [
        (5 * DAY, 0, "uptime: up for 5 d"),
        (120, 1, "rebooted 2 min ago; if nobody did it: a power loss"),
        (400 * DAY, 1, "up for 400 d (limit 365d): kernel updates need a reboot"),
    ],
)
def test_uptime(up: float, status: int, words: str) -> None:
    facts = Facts("h", boot_id="b", uptime=up)
    (result,) = judged("uptime", facts, {"longest": "365d"}, {"": {"boot_id": "a"}}).values()
    assert result.status == status
    assert words in result.summary


@pytest.mark.parametrize(
    ("files", "tasks", "status", "words"),
    [
        ("900\t0\t10000", "1/90", 0, "9 % of the open files in use"),
        ("9700\t0\t10000", "1/90", 2, "97 % of the 10000 open files (limit 95 %): a program leaks"),
        ("9\t0\t10000", "1/900", 1, "90 % of the 1000 tasks (limit 80 %): a program forks"),
    ],
)
def test_handles(files: str, tasks: str, status: int, words: str) -> None:
    told = {
        "/proc/sys/fs/file-nr": files,
        "/proc/loadavg": f"0.1 0.2 0.3 {tasks} 77",
        "/proc/sys/kernel/pid_max": "32768",
        "/proc/sys/kernel/threads-max": "1000",
    }
    (result,) = judged("handles", Facts("h", kernel=told)).values()
    assert result.status == status
    assert words in result.summary


@pytest.mark.parametrize("garbage", ["", "1 2", "a b c", "1 2 0"])
def test_a_table_that_makes_no_sense_is_unknown(garbage: str) -> None:
    told = {"/proc/sys/fs/file-nr": garbage}
    (result,) = judged("handles", Facts("h", kernel=told)).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


MDSTAT = """Personalities : [raid1]
md0 : active raid1 sdb1[1]{failed} sda1[0]
      1046528 blocks super 1.2 [2/{up}] [U_]
{more}
unused devices: <none>"""


@pytest.mark.parametrize(
    ("failed", "up", "more", "status", "words"),
    [
        ("", 2, "", 0, "md0: whole"),
        ("(F)", 1, "", 2, "sdb1 failed: replace it; degraded, 1 of 2 members work"),
        ("", 2, "      [==>..]  resync = 12.6% (1/2) finish=3min", 1, "md0: resync at 12.6 %"),
        ("", 1, "      [==>..]  recovery = 12.6% (1/2)", 2, "recovery at 12.6 %"),
    ],
)
def test_raid(failed: str, up: int, more: str, status: int, words: str) -> None:
    told = {"/proc/mdstat": MDSTAT.format(failed=failed, up=up, more=more)}
    results = judged("raid", Facts("h", kernel=told))
    assert list(results) == ["md0"]
    assert results["md0"].status == status
    assert words in results["md0"].summary


def test_pools_and_arrays_that_must_be_there() -> None:
    told = {"/proc/spl/kstat/zfs/tank/state": "DEGRADED", "/proc/mdstat": "md1 : inactive sda[0]"}
    results = judged("raid", Facts("h", kernel=told), {"arrays": ["md0"]})
    assert set(results) == {"md0", "md1", "tank"}
    assert {result.status for result in results.values()} == {Status.CRITICAL}
    assert judged("raid", Facts("h"))[""].status is Status.OK


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    raid.parse(text)
    raid.parse(f"md0 : active raid1 {text}\n [{text}]")
