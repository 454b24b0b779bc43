"""The `icmp` probe: real packets in network namespaces, with and without the right to send them."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.result import Cause, Status
from monitord.probes.network.icmp import IcmpSpec, judge
from monitord.probes.network.icmp_socket import checksum
from tests.probes_network.ask import ask, run
from tests.probes_network.clean import is_clean
from tests.world.needs import requires

Namespace = Callable[..., Any]
INPUT = (
    "nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; "
    "add rule inet t c RULE';"
)


@requires("root")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_answers(address: str) -> None:
    result = ask("icmp", {"gap": "5ms"}, address)
    assert result.status is Status.OK
    assert result.summary.startswith(f"{address}: 3 of 3 pings answered in ")
    assert [(m.name, m.unit) for m in result.measurements] == [("rtt", "s"), ("loss", "%")]


@requires("root")
def test_many_at_once_are_kept_apart_on_one_socket_that_closes_itself() -> None:
    async def many() -> tuple[set[Status], int]:
        spec = {"count": 2, "gap": "1ms"}
        results = await asyncio.gather(
            *(run("icmp", spec, f"127.0.{i % 8}.{1 + i // 8}", 5.0) for i in range(1000))
        )
        return {result.status for result in results}, icmp_sockets()

    assert uvloop.run(many()) == ({Status.OK}, 0)


@requires("root")
def test_a_cancelled_ping_closes_the_socket() -> None:
    async def cancelled() -> int:
        task = asyncio.ensure_future(run("icmp", {"wait": "20s"}, "192.0.2.1", 0.0))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return icmp_sockets()

    assert uvloop.run(cancelled()) == 0


def icmp_sockets() -> int:
    names = [str(entry.resolve()) for entry in Path("/proc/self/fd").iterdir()]
    inodes = {name.rpartition("[")[2].rstrip("]") for name in names if "socket:" in name}
    tables = [Path("/proc/net", name).read_text() for name in ("raw", "raw6", "icmp", "icmp6")]
    lines = [line.split() for table in tables for line in table.splitlines()[1:]]
    return sum(fields[9] in inodes for fields in lines)


def test_lost_pings_are_judged_by_the_limits(namespace: Namespace) -> None:
    half = INPUT.replace("RULE", "icmp type echo-request numgen inc mod 2 0 drop")
    spec = {"count": 4, "gap": "5ms", "wait": "100ms"}
    well, warned, bad = namespace(
        half,
        [
            ["icmp", spec, "127.0.0.1", 2.0],
            ["icmp", spec | {"loss": {"warning": "20%", "critical": "80%"}}, "127.0.0.1", 2.0],
            ["icmp", spec | {"loss": {"critical": 40}}, "127.0.0.1", 2.0],
        ],
    )
    assert well[0] == "OK"
    assert well[1].startswith("127.0.0.1: 2 of 4 pings answered in ")
    assert warned[:2] == ("WARNING", "127.0.0.1: 50 % of 4 pings lost, the limit is 20%")
    assert bad[0] == "CRITICAL"


def test_a_firewall_here_is_our_own_fault(namespace: Namespace) -> None:
    """Nothing was sent, so nothing is known of the target."""
    drop = INPUT.replace("input", "output").replace("RULE", "icmp type echo-request drop")
    (result,) = namespace(drop, [["icmp", {"gap": "5ms"}, "127.0.0.1", 2.0]])
    assert result[:3] == (
        "UNKNOWN",
        "127.0.0.1: not tried: this machine's own firewall forbids it",
        Cause.PROBE,
    )


def test_a_dropped_ping_is_told_as_no_answer(namespace: Namespace) -> None:
    drop = INPUT.replace("RULE", "meta l4proto { icmp, ipv6-icmp } drop")
    spec = {"gap": "5ms", "wait": "100ms"}
    (gone, gone6, cut) = namespace(
        drop,
        [
            ["icmp", spec, "127.0.0.1", 2.0],
            ["icmp", spec, "::1", 2.0],
            ["icmp", {"wait": "10s"}, "127.0.0.1", 0.3],
        ],
    )
    assert gone[1] == "127.0.0.1: no answer to 3 pings"
    assert gone6[1] == "::1: no answer to 3 pings"
    assert cut[1].startswith("127.0.0.1: no answer to ")


def test_what_a_router_says_ends_the_wait(namespace: Namespace) -> None:
    rules = (
        "nft 'add table inet t; add chain inet t i { type filter hook input priority 0; }; "
        "add rule inet t i icmp type echo-request reject with icmp host-unreachable; "
        "add rule inet t i icmpv6 type echo-request reject with icmpv6 addr-unreachable';"
        "ip route add unreachable 10.1.0.0/16;"
    )
    spec = {"gap": "5ms", "wait": "30s"}
    said, said6, local = namespace(
        rules,
        [
            ["icmp", spec, "127.0.0.1", 9.0],
            ["icmp", spec, "::1", 9.0],
            ["icmp", spec, "10.1.2.3", 9.0],
        ],
    )
    assert said[:2] == ("CRITICAL", "127.0.0.1: unreachable (code 1), says 127.0.0.1")
    assert said6[:2] == ("CRITICAL", "::1: unreachable (code 3), says ::1")
    assert local[:2] == ("CRITICAL", "10.1.2.3: no route to the host")


NOBODY = "sysctl -qw net.ipv4.ping_group_range='1 0';"


def test_without_the_right_to_ping_it_says_how_to_get_it(namespace: Namespace) -> None:
    (result,) = namespace(NOBODY, [["icmp", {}, "127.0.0.1", 2.0]], without="net_raw")
    assert (result[0], result[2]) == ("UNKNOWN", Cause.MISSING)
    assert "set net.ipv4.ping_group_range or give CAP_NET_RAW, or set fallback_port" in result[1]


def test_the_sysctl_alone_is_enough(namespace: Namespace) -> None:
    allow = "sysctl -qw net.ipv4.ping_group_range='0 0';"
    spec = {"gap": "5ms"}
    results = namespace(
        allow,
        [["icmp", spec, "127.0.0.1", 2.0], ["icmp", spec, "::1", 2.0]],
        without="net_raw",
    )
    assert [row[0] for row in results] == ["OK", "OK"]


def test_a_tcp_port_stands_in_open_or_refused(namespace: Namespace) -> None:
    server = "import socket, time; s = socket.create_server(('127.0.0.1', 99)); "
    listen = f'{sys.executable} -c "{server}print(flush=True); time.sleep(30)" > /run/ready.$$ &'
    wait = "while ! [ -s /run/ready.$$ ]; do :; done;"
    drop = INPUT.replace("RULE", "tcp dport 97 drop")
    spec = [{"fallback_port": port} for port in (99, 98, 97)]
    opened, refused, silent = namespace(
        "mount -t tmpfs none /run; " + NOBODY + listen + wait + drop,
        [["icmp", one, "127.0.0.1", 0.4] for one in spec],
        without="net_raw",
    )
    assert opened[0] == refused[0] == "OK"
    assert "up, TCP port 99 is open after " in opened[1]
    assert "up, TCP port 98 refuses after " in refused[1]
    assert refused[1].endswith("(no ICMP socket here)")
    assert silent[:2] == ("CRITICAL", "127.0.0.1: no connection within 400 ms")


@given(st.lists(st.floats(0, 10), max_size=20), st.integers(0, 20))
def test_every_series_gets_a_verdict(trips: list[float], lost: int) -> None:
    spec = IcmpSpec.model_validate({"loss": {"warning": 20, "critical": 60}, "critical": "1s"})
    result = judge(spec, "h", trips, len(trips) + lost)
    assert (result.status is Status.CRITICAL) >= (not trips)
    assert is_clean(result.summary)
    json.dumps([m.value for m in result.measurements], allow_nan=False)


@given(st.binary(min_size=62, max_size=62))
def test_the_checksum_makes_the_packet_s_sum_zero(rest: bytes) -> None:
    """RFC 1071: over a packet that holds its own checksum, the sum is all ones."""
    packet = rest[:2] + struct.pack("!H", checksum(rest[:2] + b"\0\0" + rest[2:])) + rest[2:]
    assert checksum(packet) in (0, 0xFFFF)


def test_round_trips_that_differ_are_told() -> None:
    spec = IcmpSpec.model_validate({"jitter": {"warning": "20ms", "critical": "50ms"}})
    calm = judge(spec, "h", [0.010, 0.012, 0.011], 3)
    assert calm.status is Status.OK
    assert [m.name for m in calm.measurements] == ["rtt", "loss", "jitter"]
    shaken = judge(spec, "h", [0.010, 0.090, 0.020], 3)
    assert shaken.status is Status.CRITICAL
    assert "round trips differ by 75 ms, the limit is 50 ms: a queue on the way" in shaken.summary
