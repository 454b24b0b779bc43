"""The `tls` probe against openssl s_server, real mail servers behind STARTTLS, and hostile ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from monitord.probes.network.starttls import STARTS
from tests.probes_network.ask import ask
from tests.probes_network.authority import Server
from tests.probes_network.clean import is_clean
from tests.probes_network.conftest import Speaking
from tests.probes_network.sockets import connected_to
from tests.world.hostile import MANNERS, hostile

NAME = "www.shop.test"


def look(port: int, *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask("tls", {"port": port, "server_name": NAME, **spec}, timeout=timeout)


@pytest.fixture(scope="module")
def server() -> Any:
    with Server() as peer:
        yield peer


def test_a_good_chain_tells_days_issuer_and_version(server: Server) -> None:
    result = look(server.port, ca=str(server.made.root), names=["a.shop.test"], issuer="Middle")
    assert result.status is Status.OK
    assert result.summary == (f"127.0.0.1:{server.port}: 89 days left, by Test Middle, TLSv1.3")
    (days,) = result.measurements
    assert (days.name, days.warning, days.critical) == ("tls_days", "21:", "7:")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"ca": ""}, "(shop.test by Test Middle, ends 20"),
        ({"server_name": "shop.else"}, "certificate refused: Hostname mismatch"),
        ({"names": ["shop.test"]}, "not for shop.test, only for *.shop.test, 127.0.0.1"),
        ({"issuer": "Let's Encrypt"}, 'issued by Test Middle, expected "Let\'s Encrypt"'),
        ({"cipher_bits": 256, "expires": {"critical": "100d"}}, "ends in 90.0 days (limit 100d)"),
    ],
)
def test_what_is_wrong_is_told(server: Server, spec: dict[str, Any], told: str) -> None:
    result = look(server.port, **{"ca": str(server.made.root), **spec})
    assert result.status is Status.CRITICAL
    assert told in result.summary, result.summary


@pytest.mark.parametrize(
    ("dates", "status", "told"),
    [
        ({"leaf": 10}, Status.WARNING, "certificate of shop.test ends in 10.0 days (limit 21d)"),
        ({"leaf": -2}, Status.CRITICAL, "the certificate of shop.test ended 2.0 days ago"),
        ({"middle": 3}, Status.CRITICAL,
         "the certificate of Test Middle ends in 3.0 days (limit 7d), issued by Test Root"),
    ],
)  # fmt: skip
def test_each_certificate_of_the_chain_has_an_end(
    dates: dict[str, float], status: Status, told: str
) -> None:
    with Server(**dates) as peer:
        result = look(peer.port, ca=str(peer.made.root))
    assert result.status is status
    assert told in result.summary, result.summary


def test_an_old_protocol_is_told() -> None:
    with Server("-tls1_2") as peer:
        assert look(peer.port, ca=str(peer.made.root)).status is Status.OK
        result = look(peer.port, ca=str(peer.made.root), protocol="TLSv1.3")
    assert result.summary.endswith("speaks TLSv1.2, at least TLSv1.3 is good")


def test_a_missing_authority_file_is_ours(server: Server, tmp_path: Path) -> None:
    result = look(server.port, ca=str(tmp_path / "none.pem"))
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


@pytest.mark.parametrize("starttls", [None, *STARTS])
@pytest.mark.parametrize("manner", ["silent", "drip", "garbage", "closes_at_once", "endless_body"])
def test_hostile_servers_cost_the_deadline(manner: str, starttls: str | None) -> None:
    assert manner in MANNERS
    with hostile(manner) as target:
        result = look(target.port, timeout=0.1, starttls=starttls)
        assert connected_to(target.port) == 0
    assert result.status is Status.CRITICAL
    assert is_clean(result.summary)


@pytest.mark.parametrize(
    ("starttls", "said", "told"),
    [
        ("smtp", b"554 no\x1b service\r\n", 'does not serve: 554 "no\\x1b service"'),
        ("imap", b"* BYE busy\r\n", 'is no IMAP server that serves: said "* BYE busy"'),
        ("pop3", b"+OK hi\r\n-ERR no\r\n", 'STLS is refused: said "-ERR no"'),
        ("postgresql", b"N", "TLS is refused: it has no TLS (ssl = off)"),
        ("ldap", b"0\x0c\x02\x01\x01\x78\x07\x0a\x01\x02", "StartTLS is refused"),
        ("ftp", b"220 hi\r\n502 no such\r\n", 'AUTH TLS is refused: 502 "no such"'),
        ("smtp", b"220 hi\r\n250 x\r\n220 go\r\n250 injected\r\n", "speaks before TLS could begin"),
    ],
)
def test_without_starttls_there_is_none(
    speaker: Speaking, starttls: str, said: bytes, told: str
) -> None:
    result = look(speaker(said, listens=False).port, starttls=starttls)
    assert result.status is Status.CRITICAL
    assert told in result.summary, result.summary
