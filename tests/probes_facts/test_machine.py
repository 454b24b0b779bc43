"""Memory, load, clock and login of a host: the limits, and the line that a person reads."""

from __future__ import annotations

from typing import Any

import pytest

from monitord.model.facts import ClockFact, Facts, LoadFact, MemoryFact, Section
from monitord.model.result import Cause, Status
from monitord.transports.facts_local import gather
from tests.probes_facts.judging import GIB, judged


@pytest.mark.parametrize(
    ("memory", "status", "summary"),
    [
        (MemoryFact(8 * GIB, 4 * GIB, 0, 0), 0, "memory: 50 % available, 4.0 GiB of 8.0 GiB"),
        (
            MemoryFact(8 * GIB, int(0.6 * GIB), 0, 0),
            1,
            "memory: 7.5 % available (at least 10 %), 614 MiB of 8.0 GiB",
        ),
        (
            MemoryFact(8 * GIB, int(0.3 * GIB), 0, 0),
            2,
            "memory: 3.7 % available (at least 5 %), 307 MiB of 8.0 GiB",
        ),
        (
            MemoryFact(8 * GIB, 4 * GIB, GIB, int(0.05 * GIB)),
            2,
            "memory: 95 % of 1.0 GiB swap used (limit 90 %), 4.0 GiB of 8.0 GiB",
        ),
    ],
)
def test_memory(memory: MemoryFact, status: int, summary: str) -> None:
    (result,) = judged("memory", Facts("h", memory=memory)).values()
    assert (result.status, result.summary) == (status, summary)


def test_memory_limits_can_be_switched_off() -> None:
    facts = Facts("h", memory=MemoryFact(8 * GIB, 0, GIB, 0))
    off = dict.fromkeys(("warning", "critical", "swap_warning", "swap_critical"))
    (result,) = judged("memory", facts, off).values()
    assert result.status is Status.OK


def test_a_machine_without_memory_numbers_does_not_divide_by_zero() -> None:
    (result,) = judged("memory", Facts("h", memory=MemoryFact(0, 0, 0, 0))).values()
    assert result.status is Status.CRITICAL


@pytest.mark.parametrize(
    ("load", "given", "status", "summary"),
    [
        (LoadFact(1, 2, 3, 4), {}, 0, "load: 0.50 per CPU over 5m, 4 CPUs"),
        (LoadFact(9, 9, 3, 4), {}, 1, "load: 2.25 per CPU over 5m (limit 2), 4 CPUs"),
        (LoadFact(9, 5, 3, 1), {}, 2, "load: 5.00 per CPU over 5m (limit 4), 1 CPU"),
        (LoadFact(9, 5, 3, 0), {"average": "15m"}, 1, "load: 3.00 per CPU over 15m (limit 2)"),
    ],
)
def test_load(load: LoadFact, given: dict[str, Any], status: int, summary: str) -> None:
    (result,) = judged("load", Facts("h", load=load), given).values()
    assert result.status == status
    assert result.summary.startswith(summary)
    assert [m.name for m in result.measurements] == ["load1m", "load5m", "load15m", "per_cpu"]


@pytest.mark.parametrize(
    ("clock", "given", "status", "summary"),
    [
        (ClockFact(0.0, None), {}, 0, "clock: in step with ours"),
        (ClockFact(0.02, synchronised=True), {}, 0, "clock: 20 ms ahead of ours"),
        (ClockFact(-2.5, synchronised=True), {}, 1, "clock: 2.5 s behind ours (limit 1s)"),
        (ClockFact(90.0, synchronised=True), {}, 2, "clock: 90 s ahead of ours (limit 10s)"),
        (
            ClockFact(0.0, synchronised=False),
            {},
            1,
            "clock: nothing keeps it in step (no time daemon in sync)",
        ),
        (
            ClockFact(0.0, synchronised=False),
            {"synchronised": False},
            0,
            "clock: in step with ours",
        ),
        (
            ClockFact(90.0, None),
            {"critical": None, "warning": None},
            0,
            "clock: 90 s ahead of ours",
        ),
    ],
)
def test_clock(clock: ClockFact, given: dict[str, Any], status: int, summary: str) -> None:
    (result,) = judged("clock", Facts("h", clock=clock), given).values()
    assert (result.status, result.summary) == (status, summary)


def test_a_login_that_works_is_ok_and_mentions_a_reboot() -> None:
    (first,) = judged("ssh", Facts("h", boot_id="a", uptime=90_000.0)).values()
    assert (first.status, first.summary) == (Status.OK, "login works, up for 1 d")
    (same,) = judged("ssh", Facts("h", boot_id="a"), memory={"": first.memory}).values()
    assert "rebooted" not in same.summary
    (other,) = judged("ssh", Facts("h", boot_id="b"), memory={"": same.memory}).values()
    assert other.summary == "login works, up for 0 s, rebooted since the last look"
    assert other.status is Status.OK


@pytest.mark.parametrize("kind", ["memory", "load", "clock", "process"])
def test_what_could_not_be_told_is_unknown(kind: str) -> None:
    given = {"name": "x"} if kind == "process" else {}
    for facts in (Facts("h"), Facts("h", errors={kind: "no such tool"})):
        (result,) = judged(kind, facts, given).values()
        assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


def test_this_very_machine_can_be_judged() -> None:
    kinds = ("disk", "memory", "load", "clock")
    facts = gather("me", tuple(map(Section, kinds)))
    for kind in kinds:
        for result in judged(kind, facts).values():
            assert result.status is not Status.UNKNOWN, result.summary
