"""Interfaces and the kernel's network tables: what is wrong, and what it probably comes from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.facts import Facts, Section
from monitord.model.result import Status
from monitord.probes.host import interfaces, sockets
from monitord.transports.facts_local import gather
from tests.probes_facts.judging import judged

DEV = "Inter-| Receive\n face |bytes\n  eth0: {got} 9 {errs} {drop} 0 0 0 0 0 9 0 0 0 0 0 0"
UP = {"operstate": "up", "speed": "1000", "duplex": "full", "flags": "0x1003"}
MEGABIT = 125_000


def wire(up: float = 100, got: int = 0, errs: int = 0, drop: int = 0, **more: str) -> Facts:
    files = {f"/sys/class/net/eth0/{name}": text for name, text in {**UP, **more}.items()}
    dev = DEV.format(got=got, errs=errs, drop=drop)
    return Facts("h", "b", up, kernel={**files, "/proc/net/dev": dev, "/proc/uptime": f"{up} 1"})


@pytest.mark.parametrize(
    ("after", "status", "words"),
    [
        ({}, 0, "eth0: up"),
        ({"operstate": "down"}, 2, "is down: no signal: the cable"),
        ({"operstate": "down", "flags": "0x1002"}, 2, "is down: somebody set it down"),
        ({"speed": "100"}, 1, "100 Mbit/s where it had 1000: a bad cable"),
        ({"duplex": "half"}, 1, "half duplex"),
        ({"errs": 500}, 2, "50 faulty packets a second (limit 10 a second): cable"),
        ({"drop": 500}, 1, "50 packets dropped a second"),
        ({"got": 9000 * MEGABIT}, 1, "90 % of 1000 Mbit/s in use (limit 80 %)"),
    ],
)
def test_an_interface(after: dict[str, Any], status: int, words: str) -> None:
    memory = {"eth0": judged("interfaces", wire())["eth0"].memory}
    result = judged("interfaces", wire(110, **after), memory=memory)["eth0"]
    assert result.status == status
    assert words in result.summary


def test_one_that_was_never_up_may_stay_down_unless_it_is_named() -> None:
    down = wire(operstate="down")
    assert judged("interfaces", down)["eth0"].status is Status.OK
    named = judged("interfaces", down, {"interfaces": ["eth0", "eth1"]})
    assert {item: result.status for item, result in named.items()} == {
        "eth0": Status.CRITICAL,
        "eth1": Status.CRITICAL,
    }


def test_counters_that_began_anew_are_no_traffic() -> None:
    memory = {"eth0": judged("interfaces", wire(got=1 << 40))["eth0"].memory}
    result = judged("interfaces", wire(110, got=5), memory=memory)["eth0"]
    assert [measured.name for measured in result.measurements] == ["up"]


NET = {
    "/proc/net/sockstat": "sockets: used 16\nTCP: inuse 4 orphan 0 tw 2 alloc 1 mem 10",
    "/proc/net/netstat": "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 1 0",
    "/proc/sys/net/ipv4/tcp_mem": "10\t20\t100",
    "/proc/sys/net/netfilter/nf_conntrack_count": "10",
    "/proc/sys/net/netfilter/nf_conntrack_max": "1000",
}


@pytest.mark.parametrize(
    ("name", "text", "status", "words"),
    [
        ("netfilter/nf_conntrack_count", "960", 2, "96 % of 1000 tracked connections in use"),
        ("ipv4/tcp_mem", "1 2 11", 1, "90.9 % of the memory for TCP in use (limit 80 %)"),
        ("ipv4/tcp_mem", "garbage", 0, "no table is nearly full"),
        ("", "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 1 90", 2, "9 connections a second"),
    ],
)
def test_sockets(name: str, text: str, status: int, words: str) -> None:
    path = f"/proc/sys/net/{name}" if name else "/proc/net/netstat"
    (one,) = judged("sockets", Facts("h", "b", 100, kernel=NET)).values()
    assert one.status is Status.OK
    after = Facts("h", "b", 110, kernel={**NET, path: text})
    (result,) = judged("sockets", after, memory={"": one.memory}).values()
    assert result.status == status
    assert words in result.summary


def test_this_machine_tells_both() -> None:
    facts = gather("me", (Section("kernel", ("network", "sockets")),))
    assert judged("interfaces", facts, {"interfaces": ["lo"]})["lo"].status is Status.OK
    assert judged("sockets", facts)[""].status is not Status.UNKNOWN


@given(st.text(max_size=200))
def test_no_text_breaks_a_parser(text: str) -> None:
    for lines in (text, f"eth0: {text}", f"TcpExt: a b\nTcpExt: {text}", f"TCP: {text}"):
        interfaces.parse(lines)
        sockets.used(lines)
        sockets.counters(lines)
