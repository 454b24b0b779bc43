"""CPU, pressure, swapping and disks: what grew between two looks, and the line that is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.facts import Facts
from monitord.model.result import Cause, Result, Status
from monitord.probes.host import cpu, diskstats, kernel, pressure, swapping
from tests.probes_facts.judging import judged

STAT = "cpu  {user} 0 100 {idle} {iowait} 0 0 {steal} 0 0\ncpu0 1 2 3 4 5 6 7 8 9 0"
FAILING = "overloaded, or the disk is failing (see dmesg and SMART)"
DISK = "   8       0 sda {ops} 0 800 {ms} {ops} 0 1600 0 0 {busy} {queued} 0 0 0 0 0 0"


def facts(up: float = 100, boot: str = "a", **texts: str) -> Facts:
    names = {"stat": "stat", "disks": "diskstats", "vm": "vmstat"}
    told = {f"/proc/{names[key]}": text for key, text in texts.items()}
    return Facts("h", boot_id=boot, uptime=up, kernel={**told, "/proc/uptime": f"{up:.2f} 7.0"})


def twice(kind: str, one: Facts, two: Facts, more: Mapping[str, Any] | None = None) -> Result:
    """Judge the second look by what the first one left."""
    seen = judged(kind, one, more)
    (after,) = judged(
        kind, two, more, {key: result.memory for key, result in seen.items()}
    ).values()
    return after


def stat(user: int = 0, idle: int = 0, iowait: int = 0, steal: int = 0) -> str:
    return STAT.format(user=user, idle=idle, iowait=iowait, steal=steal)


def disk(ops: int = 0, ms: int = 0, busy: int = 0, queued: int = 0) -> str:
    return DISK.format(ops=ops, ms=ms, busy=busy, queued=queued)


@pytest.mark.parametrize(
    ("after", "status", "summary"),
    [
        (stat(user=50, idle=950), 0, "cpu: 5 % at work"),
        (stat(user=955, idle=45), 1, "cpu: 95.5 % at work, most of it user (limit 90 %)"),
        (stat(user=1000), 2, "cpu: 100 % at work, most of it user (limit 98 %)"),
        (stat(idle=600, iowait=400), 1, "cpu: 40 % waiting for disks, most for sda (limit 30 %)"),
        (
            stat(idle=650, steal=350),
            2,
            "cpu: 35 % taken by the hypervisor, whose machine is too full (limit 30 %)",
        ),
    ],
)
def test_cpu(after: str, status: int, summary: str) -> None:
    one = facts(100, stat=stat(), disks=disk())
    two = facts(110, stat=after, disks=disk(busy=9000))
    result = twice("cpu", one, two)
    assert (result.status, result.summary) == (status, summary)
    names = ["used", "user", "system", "iowait", "irq", "steal"]
    assert [measured.name for measured in result.measurements] == names


@pytest.mark.parametrize(
    "two",
    [
        facts(50, boot="b", stat=stat(idle=10)),  # rebooted
        facts(100.5, stat=stat(idle=10)),  # asked again at once
        facts(110, stat=stat()),  # no tick passed
    ],
)
def test_what_is_no_span_of_time_is_not_judged(two: Facts) -> None:
    assert twice("cpu", facts(100, stat=stat()), two).status is Status.PENDING


def test_a_look_too_soon_leaves_the_older_sample() -> None:
    seen = judged("cpu", facts(100, stat=stat()))[""].memory
    (soon,) = judged("cpu", facts(100.4, stat=stat(user=9)), memory={"": seen}).values()
    assert soon.memory == seen


def test_an_iowait_that_fell_does_not_count() -> None:
    one, two = facts(100, stat=stat(iowait=500)), facts(110, stat=stat(iowait=400, idle=100))
    assert twice("cpu", one, two).status is Status.OK


@pytest.mark.parametrize("kind", ["cpu", "swapping", "pressure", "disk_io"])
def test_a_kernel_that_tells_nothing_is_unknown(kind: str) -> None:
    (result,) = judged(kind, facts()).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    (result,) = judged(kind, Facts("h", errors={"kernel": "broke off"})).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


@pytest.mark.parametrize(
    ("before", "now", "growth"),
    [
        (10, 25, 15),
        (7, 7, 0),
        ((1 << 32) - 10, 5, 15),  # 32 bits wrapped
        (5_000_000, 100, None),  # began anew: a module was loaded again
        ((1 << 40), 100, None),  # 64 bits do not wrap in our days
        (None, 3, None),
        ("9", 10, None),
    ],
)
def test_how_much_a_counter_grew(before: object, now: int, growth: int | None) -> None:
    assert kernel.delta(before, now) == growth


@pytest.mark.parametrize(
    ("after", "status", "summary"),
    [
        (disk(100, 500, 500, 500), 0, "sda: busy 5 % of the time"),
        (disk(100, 500, 9800, 500), 1, "sda: busy 98 % of the time (limit 95 %)"),
        (
            disk(100, 60_000, 5000),
            1,
            "sda: 300 ms for each operation, mostly reads (limit 100ms): " + FAILING,
        ),
        (disk(4, 60_000, 5000), 0, "sda: busy 50 % of the time"),  # too few operations to tell
    ],
)
def test_disk_io(after: str, status: int, summary: str) -> None:
    one = facts(100, disks=disk())
    shown = judged("disk_io", one, {"disks": ["sda"]})["sda"]
    assert shown.status is Status.PENDING
    (result,) = judged(
        "disk_io", facts(110, disks=after), {"disks": ["sda"]}, {"sda": shown.memory}
    ).values()
    assert (result.status, result.summary, result.item) == (status, summary, "sda")


def test_a_disk_that_is_pulled_out_is_critical_only_where_it_is_named() -> None:
    told = facts(disks=disk(5).replace("sda", "sdb"))
    assert judged("disk_io", told, {"disks": ["sda"]})["sda"].status is Status.CRITICAL
    assert list(judged("disk_io", told)) == ["sdb"]


def test_partitions_and_loop_devices_are_no_disks() -> None:
    lines = "\n".join(disk(5).replace("sda", name) for name in ("sda", "sda1", "loop0"))
    told = facts(disks=lines)
    blocks = {f"/sys/block/{name}/ro": "0" for name in ("sda", "loop0")}
    told = Facts("h", uptime=5, kernel={**told.kernel, **blocks})
    assert list(judged("disk_io", told)) == ["sda"]


PSI = "some avg10=1.00 avg60={some} avg300=0.50 total=9\n"
PSI += "full avg10=0.00 avg60={full} avg300=0 total=1"


@pytest.mark.parametrize(
    ("item", "some", "full", "status", "summary"),
    [
        ("cpu", "75.50", "0.00", 1, ("cpu: some task waited 75.5 % of the last 1m"
         " (limit 70 %): more work than CPUs; see who: top")),
        ("memory", "90.00", "5.00", 0, "memory: everything waited 5 % of the last 1m"),
        ("io", "90.00", "85.00", 2, ("io: everything waited 85 % of the last 1m"
         " (limit 80 %): programs wait for disks; see disk_io for which")),
    ],
)  # fmt: skip
def test_pressure(item: str, some: str, full: str, status: int, summary: str) -> None:
    told = {f"/proc/pressure/{item}": PSI.format(some=some, full=full)}
    (result,) = judged("pressure", Facts("h", kernel=told)).values()
    assert (result.status, result.summary, result.item) == (status, summary, item)


VM = "nr_free_pages 5\npswpin {i}\npswpout {o}\npgmajfault 7\noom_kill {k}"


@pytest.mark.parametrize(
    ("after", "status", "words"),
    [
        ({"i": 10, "o": 10, "k": 0}, 0, "swapping: 2 pages a second"),
        ({"i": 9000, "o": 0, "k": 0}, 1, "900 pages a second (900 in, 0 out) (limit 500 a second)"),
        ({"i": 0, "o": 0, "k": 2}, 2, "the kernel killed a program for want of memory"),
    ],
)
def test_swapping(after: dict[str, int], status: int, words: str) -> None:
    one, two = facts(100, vm=VM.format(i=0, o=0, k=0)), facts(110, vm=VM.format(**after))
    result = twice("swapping", one, two)
    assert result.status == status
    assert words in result.summary


def test_a_kill_is_told_for_a_while() -> None:
    """What lasts one look would never pass the attempts of a check."""
    looks = [(100, 0), (160, 1), (220, 1), (4000, 1)]
    memory: dict[str, Any] = {}
    seen = []
    for up, kills in looks:
        told = facts(up, vm=VM.format(i=0, o=0, k=kills))
        (result,) = judged("swapping", told, memory=memory).values()
        memory = {"": result.memory}
        seen.append(result.status)
    assert seen == [Status.PENDING, Status.CRITICAL, Status.CRITICAL, Status.OK]


@given(st.text(max_size=300))
def test_no_text_breaks_a_parser(text: str) -> None:
    for lines in (text, f"cpu {text}", f"8 0 sda {text}", f"some {text}", f"pswpin {text}"):
        cpu.parse(lines)
        swapping.parse(lines)
        pressure.parse(lines)
        diskstats.parse(lines)


@given(st.integers(0, (1 << 63) - 1) | st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 63) - 1))
def test_a_counter_never_grows_backwards(before: int, now: int) -> None:
    grown = kernel.delta(before, now)
    assert grown is None or grown >= 0
