"""What the `dns` probe makes of answers too long for a datagram, and of DNSSEC: two real bind9."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monitord.model.result import Result, Status
from tests.probes_network.ask import ask
from tests.probes_network.validating import Signing, Validating
from tests.world.needs import need, requires

pytestmark = requires("named", "dnspython")


@pytest.fixture(scope="module")
def signing() -> Iterator[Signing]:
    need("named")
    with Signing() as peer:
        yield peer


@pytest.fixture(scope="module")
def validating(signing: Signing) -> Iterator[Validating]:
    with Validating(signing) as peer:
        yield peer


def look(port: int, name: str, **spec: object) -> Result:
    return ask("dns", {"name": name, "port": port, **spec}, timeout=10)


def test_what_is_too_long_for_a_datagram_is_read_whole_over_tcp(signing: Signing) -> None:
    result = look(signing.port, "long.plain.test", type="TXT", count="40:40", regex="^039x")
    assert result.status is Status.OK, result.summary


def test_a_cut_answer_of_a_server_without_tcp_is_no_answer() -> None:
    with cut() as port:
        result = look(port, "www.plain.test")
    assert result.status is Status.CRITICAL
    assert "connection refused" in result.summary


def test_a_signed_answer_is_validated(validating: Validating) -> None:
    result = look(validating.port, "www.signed.test", dnssec=True, exact="192.0.2.80")
    assert result.status is Status.OK, result.summary


def test_an_authority_alone_validates_nothing(signing: Signing) -> None:
    result = look(signing.port, "www.signed.test", dnssec=True)
    assert result.summary.endswith("not validated by DNSSEC (no AD flag)")


@pytest.mark.parametrize(
    ("name", "told"),
    [("www.plain.test", "not validated by DNSSEC (no AD flag)"),
     ("www.expired.test", "SERVFAIL: the zone's name servers are silent, or its DNSSEC is broken"),
     ("nix.signed.test", "there is no such name")],
)  # fmt: skip
def test_what_cannot_be_trusted_is_told(validating: Validating, name: str, told: str) -> None:
    result = look(validating.port, name, dnssec=True)
    assert result.status is Status.CRITICAL
    assert told in result.summary


def test_without_dnssec_asked_for_an_unsigned_name_is_well(validating: Validating) -> None:
    assert look(validating.port, "www.plain.test").status is Status.OK


@contextmanager
def cut() -> Iterator[int]:
    """A server that says "too long, ask over TCP" (TC), and takes no TCP at its port."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as unheard,
    ):
        unheard.bind(("127.0.0.1", 0))  # not listening: whoever connects is refused
        port: int = unheard.getsockname()[1]
        server.bind(("127.0.0.1", port))

        def run() -> None:
            while (said := server.recvfrom(2000))[0] != b"end":
                question, sender = said
                server.sendto(question[:2] + b"\x83\x80" + question[4:], sender)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield port
        server.sendto(b"end", server.getsockname())
        thread.join(5)
