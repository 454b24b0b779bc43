"""The `ntp` probe against a real chronyd, and answers that no healthy server gives."""

from __future__ import annotations

import struct
import time
from typing import Any

import pytest

from monitord.model.result import Result, Status
from monitord.probes.network.ntp import NtpSpec, judge, read
from tests.probes_network.ask import ask
from tests.probes_network.chronyd import Chronyd, free_udp_port
from tests.probes_network.clean import is_clean
from tests.world.needs import requires

TOKEN = b"12345678"
NOW = 1_800_000_000.0


def look(port: int, *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask("ntp", {"port": port, **spec}, timeout=timeout)


@requires("chronyd")
def test_a_real_server_agrees_with_the_clock_that_it_shares() -> None:
    with Chronyd() as peer:
        result = look(peer.port, offset_warning="1s", offset_critical="10s")
        assert result.status is Status.OK, result.summary
        assert result.summary.endswith(", stratum 3")
        assert [m.name for m in result.measurements] == ["offset", "stratum", "error", "time"]
        assert abs(result.measurements[0].value) < 0.5
        result = look(peer.port, stratum=2)
        assert result.status is Status.CRITICAL
        assert "stratum 3 (limit 2): it lost its better servers" in result.summary


@requires("chronyd")
def test_a_real_server_that_knows_no_time_is_critical() -> None:
    with Chronyd(stratum=0) as peer:
        result = look(peer.port)
    assert result.status is Status.CRITICAL
    assert "not synchronised (leap 3, stratum 16)" in result.summary


def test_nobody_there_is_told_at_once() -> None:
    began = time.perf_counter()
    result = look(free_udp_port(), timeout=30.0)
    assert result.summary.endswith(": nobody listens on this UDP port")
    assert time.perf_counter() - began < 10


def packet(
    *, first: int = 0x24, stratum: int = 2, reference: bytes = b"\x7f\0\0\1", offset: float = 0.0,
    dispersion: float = 0.01, token: bytes = TOKEN, at: float = NOW,
) -> bytes:  # fmt: skip
    stamp = int((at + offset + 2_208_988_800) * 2**32) % 2**64
    return struct.pack(
        "!BBbbII4sQ8sQQ", first, stratum, 6, -20, 0, int(dispersion * 65536), reference, stamp,
        token, stamp, stamp,
    )  # fmt: skip


def judged(given: bytes, **spec: Any) -> Result:
    reply = read(given, TOKEN, NOW - 0.01, NOW + 0.01)
    assert reply is not None
    return judge(NtpSpec.model_validate(spec), "ntp1:123", reply)


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({}, Status.OK, "offset "),
        ({"offset": 90.0}, Status.CRITICAL, "its time is +1 min 30 s from ours, the limit is 1 s"),
        ({"offset": -0.5}, Status.WARNING, "its time is −500 ms from ours, the limit is 100 ms"),
        ({"offset": 0.105}, Status.OK, "offset +105 ms, stratum 2"),
        ({"dispersion": 2.0}, Status.WARNING, "it may itself be wrong by 2 s (limit 500 ms)"),
        ({"stratum": 16}, Status.CRITICAL, "not synchronised (leap 0, stratum 16)"),
        ({"first": 0xE4}, Status.CRITICAL, "not synchronised (leap 3, stratum 2)"),
        ({"stratum": 0, "reference": b"RATE"}, Status.CRITICAL,
         "refuses with the kiss of death RATE: asked too often: lengthen `every`"),
        ({"stratum": 0, "reference": b"XYZZ"}, Status.CRITICAL, "kiss of death XYZZ: a code that"),
        ({"stratum": 0, "reference": b"\x1b[2J"}, Status.CRITICAL, "not synchronised"),
    ],
)  # fmt: skip
def test_verdicts(given: dict[str, Any], status: Status, told: str) -> None:
    result = judged(
        packet(**given), offset_warning="100ms", offset_critical="1s", dispersion="500ms"
    )
    assert result.status is status, result.summary
    assert result.summary.startswith("ntp1:123: ")
    assert told in result.summary
    assert is_clean(result.summary)


@pytest.mark.parametrize(
    "given",
    [b"", packet()[:47], packet(token=b"another!"), packet(first=0x23)],
    ids=["empty", "short", "not to our question", "a question itself"],
)
def test_what_is_no_answer_to_us_is_not_read(given: bytes) -> None:
    assert read(given, TOKEN, NOW, NOW) is None


def test_the_count_of_seconds_begins_anew_in_2036() -> None:
    later = 2_100_000_000.0
    reply = read(packet(at=later, offset=3.0), TOKEN, later, later)
    assert reply is not None
    assert abs(reply.offset - 3.0) < 0.001
