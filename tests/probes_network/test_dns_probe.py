"""The `dns` probe against a real bind9, healthy and broken, and servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from tests.probes_network.ask import ask
from tests.probes_network.clean import is_clean
from tests.probes_network.named import Named
from tests.world.hostile import hostile
from tests.world.needs import need, requires
from tests.world.process import free_port

pytestmark = requires("named", "dnspython")


@pytest.fixture(scope="module")
def named() -> Iterator[Named]:
    need("named")
    with Named() as peer:
        yield peer


def look(port: int, name: str = "www.shop.test", *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask("dns", {"name": name, "port": port, **spec}, timeout=timeout)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_records_of_a_name(named: Named, transport: str) -> None:
    result = look(named.port, transport=transport, exact=["192.0.2.81", "192.0.2.80"])
    assert result.status is Status.OK
    assert result.summary.startswith("www.shop.test A by 127.0.0.1: 192.0.2.80, 192.0.2.81 in "), (
        result.summary
    )
    assert [(m.name, m.unit) for m in result.measurements] == [("time", "s"), ("records", "")]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("MX", {"exact": "10 mail.shop.test"}), ("TXT", {"regex": "^v=spf1 .* -all$"}),
     ("NS", {"contains": "NS1.shop.test.", "count": "2:"}), ("SOA", {"contains": []})],
)  # fmt: skip
def test_any_type(named: Named, kind: str, expected: dict[str, Any]) -> None:
    assert look(named.port, "shop.test", type=kind, **expected).status is Status.OK


@pytest.mark.parametrize(
    ("name", "spec", "told"),
    [
        ("nix.shop.test", {}, "there is no such name"),
        ("www.shop.test", {"type": "AAAA"}, "the name has no record of type AAAA"),
        ("www.shop.test", {"exact": ["192.0.2.80"]},
         "is 192.0.2.80, 192.0.2.81, expected 192.0.2.80"),
        ("www.shop.test", {"contains": ["192.0.2.9"]},
         "192.0.2.9 is not among 192.0.2.80, 192.0.2.81"),
        ("www.shop.test", {"count": "3:"},
         "2 records (at least 3): 192.0.2.80, 192.0.2.81"),
        ("shop.test", {"type": "TXT", "regex": "dkim"},
         "no record matches /dkim/: v=spf1 mx -all"),
        ("www.shop.test", {"dnssec": True}, "not validated by DNSSEC (no AD flag)"),
        ("www.else.test", {},
         "REFUSED: it is not allowed to answer us, or does not serve this zone"),
        ("www.shop.test", {"critical": "0.000001"}, "took"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(named: Named, name: str, spec: dict[str, Any], told: str) -> None:
    result = look(named.port, name, **spec)
    kind = spec.get("type", "A")
    assert result.status is Status.CRITICAL
    assert result.summary.startswith(f"{name} {kind} by 127.0.0.1: {told}"), result.summary


def test_all_authorities_agree(named: Named) -> None:
    result = look(named.port, authorities=True)
    assert result.status is Status.OK
    assert result.summary.endswith(", 2 name servers agree")


def test_an_authority_that_says_nothing_is_named(named: Named) -> None:
    result = look(named.port, "lost.test", type="SOA", authorities=True, timeout=1.0)
    assert result.status is Status.CRITICAL
    assert "gone.lost.test (127.0.0.3): no answer within" in result.summary


def test_authorities_that_differ_are_told() -> None:
    with Named(other_serial=2) as peer:
        result = look(peer.port, authorities=True)
    assert result.status is Status.CRITICAL
    assert "serials differ: ns1.shop.test (127.0.0.1) has 1, ns2" in result.summary
    with Named(other="www IN A 192.0.2.82") as peer:
        result = look(peer.port, authorities=True)
    assert result.summary.endswith("give different records at one serial")


@pytest.mark.parametrize(
    ("server", "status", "cause"),
    [("", Status.CRITICAL, None), ("127.0.0.1", Status.UNKNOWN, Cause.RESOLVER)],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_silence_is_the_fault_of_whom_is_looked_at(
    transport: str, server: str, status: Status, cause: Cause | None
) -> None:
    result = look(free_port(), timeout=0.3, server=server, transport=transport)
    assert (result.status, result.cause) == (status, cause)


@pytest.mark.parametrize("manner", ["silent", "drip", "endless_body", "garbage", "closes_at_once"])
def test_hostile_servers_cost_the_deadline(manner: str) -> None:
    with hostile(manner) as target:
        result = look(target.port, timeout=0.4, transport="tcp")
    assert result.status is Status.CRITICAL
    assert is_clean(result.summary)


@contextmanager
def says(answer: bytes) -> Iterator[int]:
    """A UDP server that answers everything with the same bytes after the question's id."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def run() -> None:
            while True:
                data, sender = server.recvfrom(2000)
                if data == b"end":
                    return
                server.sendto(data[:2] + answer, sender)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.sendto(b"end", server.getsockname())
        thread.join(5)


def test_an_answer_that_is_no_dns_is_told() -> None:
    with says(b"\xff\x1b[2J") as port:
        result = look(port, timeout=0.5)
    assert result.status is Status.CRITICAL
    assert "answered with what is no DNS" in result.summary
    assert is_clean(result.summary)
