"""The `tcp` probe against a real sshd, TLS servers and servers that say exact bytes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from monitord.secrets import SecretRef
from tests.probes_network.ask import ask
from tests.probes_network.clean import is_clean
from tests.probes_network.conftest import Speaking
from tests.world.hostile import hostile, tls_web
from tests.world.needs import requires
from tests.world.peers import Sshd


def knock(port: int, address: str = "127.0.0.1", *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask("tcp", {"port": port, **spec}, address, timeout=timeout)


@requires("sshd")
def test_a_real_sshd_greets(sshd: Sshd) -> None:
    result = knock(sshd.port, regex=r"^SSH-2\.0-")
    assert result.status is Status.OK
    assert result.summary.startswith(f"127.0.0.1:{sshd.port}: answered in ")
    assert [(m.name, m.unit) for m in result.measurements] == [("time", "s")]


@pytest.mark.parametrize("plain", [False, True], ids=["uvloop", "asyncio"])
def test_an_open_port_is_ok(speaker: Speaking, plain: bool) -> None:
    result = ask("tcp", {"port": speaker(b"").port}, plain=plain)
    assert result.status is Status.OK
    assert ": connected in " in result.summary


def test_a_text_is_sent_and_its_answer_expected(speaker: Speaking) -> None:
    redis = speaker(b"+PONG\r\n", listens=False)
    assert knock(redis.port, send="PING\r\n", expect="+PONG").status is Status.OK
    result = knock(redis.port, send="PING\r\n", expect="-ERR")
    assert result.status is Status.CRITICAL
    assert result.summary.endswith(': said "+PONG", expected "-ERR"')


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", 'closed without a word, expected "welcome"'),
        (b"go away\x1b[2J", 'said "go away\\x1b[2J", expected "welcome"'),
        (b"x" * 5000, "(the first 4096 bytes were read)"),
    ],
)
def test_a_wrong_greeting_is_critical(speaker: Speaking, said: bytes, told: str) -> None:
    result = knock(speaker(said, listens=False).port, expect="welcome")
    assert result.status is Status.CRITICAL
    assert told in result.summary
    assert is_clean(result.summary)


def test_a_silent_server_has_no_answer_in_time() -> None:
    with hostile("silent") as target:
        result = knock(target.port, expect="welcome", timeout=0.3)
    assert result.summary == f"127.0.0.1:{target.port}: no answer within 300 ms"


def test_half_a_greeting_is_told(speaker: Speaking) -> None:
    with hostile("drip") as target:
        result = knock(target.port, expect="welcome", timeout=0.3)
    assert result.summary.endswith(': said "H", expected "welcome"')


def test_a_secret_that_is_sent_back_is_not_shown(
    speaker: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TCP_TOKEN", "hunter22")
    echo = speaker(b"unknown command hunter22", listens=False)
    result = knock(echo.port, send=SecretRef("env", "TCP_TOKEN"), expect="welcome")
    assert 'said "unknown command [redacted]"' in result.summary
    monkeypatch.delenv("TCP_TOKEN")
    result = knock(echo.port, send=SecretRef("env", "TCP_TOKEN"), expect="welcome")
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


def test_tls_and_the_certificate_s_end() -> None:
    with tls_web(valid_for=timedelta(days=15)) as web:
        tls = {"ca": str(web.certificate), "expires": {"warning": "21d", "critical": "7d"}}
        result = knock(web.port, tls=tls)
        untrusted = knock(web.port, tls="yes")
        late = knock(web.port, tls=tls | {"expires": {"critical": "16d"}})
    assert result.status is Status.WARNING
    assert "certificate ends in 15.0 days, the limit is 21d" in result.summary
    days = result.measurements[1]
    assert (days.name, days.warning, days.critical) == ("tls_days", "21:", "7:")
    assert late.status is untrusted.status is Status.CRITICAL
    assert untrusted.summary.endswith("certificate refused: self-signed certificate")


def test_a_server_that_speaks_before_tls_is_told(speaker: Speaking) -> None:
    ssh = speaker(b"SSH-2.0-OpenSSH\r\n", listens=False)
    result = knock(ssh.port, tls="yes")
    assert result.status is Status.CRITICAL
    assert 'speaks before TLS could begin: "SSH-2.0-OpenSSH"' in result.summary or (
        "TLS handshake failed" in result.summary
    )


def test_a_missing_authority_is_our_own_fault(speaker: Speaking) -> None:
    result = knock(speaker(b"").port, tls={"ca": "/no/such.pem"})
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert "tls.ca /no/such.pem: cannot be read" in result.summary


def test_time_limits(speaker: Speaking) -> None:
    port = speaker(b"").port
    assert knock(port, warning="@0:10").status is Status.WARNING
    assert knock(port, warning="@0:10", critical="@0:9").status is Status.CRITICAL
    assert knock(port, warning="4s", critical="5s").measurements[0].critical == "5"


def test_hosts_by_name_and_by_address(speaker: Speaking) -> None:
    port = speaker(b"").port
    assert knock(port, "localhost").status is Status.OK
    assert knock(port, "localhost", family="ipv4").status is Status.OK
    refused = knock(port, "::1")
    assert refused.summary == f"[::1]:{port}: connection refused"
    nobody = knock(port, "no-such-host.invalid")
    assert nobody.summary == f"no-such-host.invalid:{port}: no such host name"
    assert nobody.status is Status.CRITICAL


def test_what_does_not_arrive_and_what_has_no_route(namespace: Any) -> None:
    rules = (
        "nft 'add table ip t; add chain ip t c { type filter hook input priority 0; }; "
        "add rule ip t c tcp dport 81 drop';"
    )
    dropped, unrouted = namespace(
        rules, [["tcp", {"port": 81}, "127.0.0.1", 0.3], ["tcp", {"port": 81}, "10.9.9.9", 0.3]]
    )
    assert dropped[0] == "CRITICAL"
    assert dropped[1] == "127.0.0.1:81: no connection within 300 ms"
    assert unrouted[:2] == ("CRITICAL", "10.9.9.9:81: no route to its network")
