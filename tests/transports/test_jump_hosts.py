"""Jump hosts: one connection carries many, each host's own key is compared, refusals are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitord.errors import NotReachedError
from monitord.model.catalog import Hop, SshLogin
from monitord.transports import host_keys
from monitord.transports.ssh import Ssh
from tests.world.peers import Sshd


@pytest.fixture(scope="module")
def bastion() -> Iterator[Sshd]:
    with Sshd() as running:
        yield running


@pytest.fixture(scope="module")
def inner() -> Iterator[Sshd]:
    with Sshd() as running:
        yield running


@pytest.fixture
def ssh() -> Iterator[Ssh]:
    with closing(Ssh()) as made:
        yield made


def _login(sshd: Sshd) -> SshLogin:
    return SshLogin(sshd.user, str(sshd.key), sshd.port)


def _hop(sshd: Sshd, name: str = "bastion") -> Hop:
    return Hop(name, sshd.address, _login(sshd), str(sshd.known_hosts))


def _run(ssh: Ssh, sshd: Sshd, script: str, *via: Hop, known: str = "") -> bytes:
    known = known or str(sshd.known_hosts)
    ran = ssh.run(sshd.address, _login(sshd), known, script.encode(), timeout=60, via=via)
    return ran.stdout


def _connections(ssh: Ssh) -> int:
    return sum(len(kept) for kept in ssh._kept.values())


def test_a_host_is_reached_through_a_jump_host_that_is_shared(
    ssh: Ssh, bastion: Sshd, inner: Sshd
) -> None:
    with Sshd() as other:
        assert _run(ssh, inner, "echo one", _hop(bastion)) == b"one\n"
        assert _run(ssh, other, "echo two", _hop(bastion)) == b"two\n"
        assert _connections(ssh) == 3  # both hosts, and one to the jump host


def test_two_jump_hosts_in_a_row(ssh: Ssh, bastion: Sshd, inner: Sshd) -> None:
    with Sshd() as second:
        assert _run(ssh, inner, "echo in", _hop(bastion), _hop(second, "second")) == b"in\n"
        assert _connections(ssh) == 3


def test_what_carries_others_is_kept_and_what_carries_none_is_not(
    ssh: Ssh, bastion: Sshd, inner: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(ssh, inner, "true", _hop(bastion))
    monkeypatch.setattr("monitord.transports.ssh.IDLE_FOR", -1.0)
    ssh.sweep()
    assert _connections(ssh) == 1  # the jump host's has been used until now
    ssh.sweep()
    assert _connections(ssh) == 0


def test_a_jump_host_that_was_restarted_is_connected_to_anew(ssh: Ssh, inner: Sshd) -> None:
    with Sshd() as jump:
        assert _run(ssh, inner, "echo 1", _hop(jump)) == b"1\n"
        jump.stop()
        jump.start()
        assert _run(ssh, inner, "echo 2", _hop(jump)) == b"2\n"


def test_the_hosts_own_key_is_compared_behind_a_jump_host(
    ssh: Ssh, bastion: Sshd, inner: Sshd, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(bastion.known_hosts.read_text())
    with pytest.raises(NotReachedError, match="is unknown") as caught:
        _run(ssh, inner, "true", _hop(bastion), known=str(known))
    asked = f"trust it: ssh {bastion.user}@127.0.0.1 ssh-keyscan -p {inner.port} 127.0.0.1 >>"
    assert asked in str(caught.value)


def test_a_jump_host_that_is_not_let_into_is_named(ssh: Ssh, bastion: Sshd, inner: Sshd) -> None:
    hop = Hop("bastion", bastion.address, _login(bastion), str(inner.known_hosts))
    with pytest.raises(NotReachedError, match=r"^the jump host bastion: the host key of .*unknown"):
        _run(ssh, inner, "true", hop)


def test_a_jump_host_that_passes_nothing_on_is_told_with_the_setting(ssh: Ssh, inner: Sshd) -> None:
    with (
        Sshd(extra="AllowTcpForwarding no") as strict,
        pytest.raises(NotReachedError, match=r"through bastion: .*AllowTcpForwarding") as caught,
    ):
        _run(ssh, inner, "true", _hop(strict))
    assert caught.value.cause == "login"


def test_a_host_that_is_down_behind_a_jump_host_is_told_as_that(ssh: Ssh, bastion: Sshd) -> None:
    with Sshd() as gone:
        pass
    with pytest.raises(NotReachedError, match=r"does not connect to it: Connect(ion)? ") as caught:
        _run(ssh, gone, "true", _hop(bastion))
    assert caught.value.cause == "transport"


def test_keys_are_read_through_a_jump_host(ssh: Ssh, bastion: Sshd, inner: Sshd) -> None:
    with ssh.way((_hop(bastion),), 60.0) as carrier:
        (key,) = host_keys.keys_through(carrier, inner.address, inner.port, 60.0)
    assert f"{key.kind} {key.blob}" in inner.known_hosts.read_text()
    assert key in host_keys.keys_offered(inner.address, inner.port)
