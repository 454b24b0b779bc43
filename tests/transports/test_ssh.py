"""SSH: nobody is trusted by mistake, connections are shared and bounded, a hang costs its time."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from monitord.errors import TransportError
from monitord.model.catalog import SshLogin
from monitord.transports.local import Ran
from monitord.transports.ssh import CHANNELS, Ssh
from tests.world.hostile import MANNERS, hostile
from tests.world.peers import Sshd


@pytest.fixture
def ssh() -> Iterator[Ssh]:
    made = Ssh()
    yield made
    made.close()


def login(sshd: Sshd, key: str | None = None) -> SshLogin:
    return SshLogin(sshd.user, str(sshd.key) if key is None else key, sshd.port)


def run(ssh: Ssh, sshd: Sshd, script: str, *, known: str = "", seconds: float = 20) -> Ran:
    known = known or str(sshd.known_hosts)
    return ssh.run(sshd.address, login(sshd), known, script.encode(), timeout=seconds)


def test_a_script_runs_in_a_clean_shell(ssh: Ssh, sshd: Sshd) -> None:
    ran = run(ssh, sshd, "echo out; echo err >&2; env | cut -d= -f1 | sort | tr '\\n' ' '; exit 3")
    assert (ran.exit_code, ran.stderr) == (3, b"err\n")
    assert ran.stdout == b"out\nHOME LC_ALL LOGNAME PATH PWD USER "


def test_an_unknown_host_key_is_refused_with_the_way_to_trust_it(
    ssh: Ssh, sshd: Sshd, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("")
    with pytest.raises(TransportError) as caught:
        run(ssh, sshd, "true", known=str(known))
    assert caught.value.cause == "login"
    text = str(caught.value)
    assert text.startswith(
        f"the host key of [127.0.0.1]:{sshd.port} is unknown (ssh-ed25519 SHA256:"
    )
    assert text.endswith(f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {known}")
    assert known.read_text() == ""  # nothing was learnt


def test_a_missing_known_hosts_file_trusts_nobody(ssh: Ssh, sshd: Sshd, tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"is unknown .*looked in .*/absent\)"):
        run(ssh, sshd, "true", known=str(tmp_path / "absent"))


def test_a_changed_host_key_is_critical(ssh: Ssh, sshd: Sshd) -> None:
    run(ssh, sshd, "true")
    ssh.close()
    sshd.change_host_key()
    with pytest.raises(
        TransportError, match=r"^CRITICAL: the host key of .* has CHANGED"
    ) as caught:
        run(ssh, sshd, "true")
    assert caught.value.cause == "login"


def test_another_kind_of_key_than_the_known_one_is_a_change(
    ssh: Ssh, sshd: Sshd, tmp_path: Path
) -> None:
    """A server may not get round a known key by offering one of another kind."""
    known = tmp_path / "known_hosts"
    name, _, _ = sshd.known_hosts.read_text().partition(" ")
    rsa = tmp_path / "rsa"
    import paramiko

    paramiko.RSAKey.generate(2048).write_private_key_file(str(rsa))
    known.write_text(
        f"{name} ssh-rsa {paramiko.RSAKey.from_private_key_file(str(rsa)).get_base64()}\n"
    )
    with pytest.raises(TransportError) as caught:
        run(ssh, sshd, "true", known=str(known))
    assert caught.value.cause in {"login", "transport"}  # no kind in common, or CHANGED
    assert "trust" not in str(caught.value)


def test_a_key_that_the_host_does_not_take_says_which(ssh: Ssh, sshd: Sshd, tmp_path: Path) -> None:
    import paramiko

    other = tmp_path / "other"
    paramiko.RSAKey.generate(2048).write_private_key_file(str(other))
    with pytest.raises(
        TransportError, match=r"the host takes none of our keys .*/other, SHA256:"
    ) as c:
        ssh.run(
            sshd.address, login(sshd, key=str(other)), str(sshd.known_hosts), b"true", timeout=20
        )
    assert c.value.cause == "login"


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "cannot be read"), ("not a key", "cannot be read")]
)
def test_a_key_file_that_is_none_says_so(
    ssh: Ssh, sshd: Sshd, tmp_path: Path, content: str | None, sentence: str
) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
    with pytest.raises(TransportError, match=sentence) as caught:
        ssh.run(sshd.address, login(sshd, key=str(key)), str(sshd.known_hosts), b"true", timeout=20)
    assert caught.value.cause == "login"


def test_without_a_key_and_without_an_agent_it_says_so(
    ssh: Ssh, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(TransportError, match="no SSH agent holds one"):
        ssh.run(sshd.address, login(sshd, key=""), str(sshd.known_hosts), b"true", timeout=20)


def test_a_port_that_nobody_listens_on_is_a_transport_error(ssh: Ssh, sshd: Sshd) -> None:
    sshd.stop()
    with pytest.raises(TransportError, match="Connection refused") as caught:
        run(ssh, sshd, "true")
    assert caught.value.cause == "transport"


@pytest.mark.parametrize("manner", sorted(MANNERS))
def test_a_server_that_is_no_ssh_costs_its_deadline(ssh: Ssh, manner: str, tmp_path: Path) -> None:
    with hostile(manner) as target:
        began = time.monotonic()
        nobody = SshLogin("x", str(tmp_path / "key"), target.port)
        with pytest.raises(TransportError) as caught:
            ssh.run("127.0.0.1", nobody, str(tmp_path / "known"), b"true", timeout=2)
        assert time.monotonic() - began < 4
    assert caught.value.cause in {"transport", "timeout"}


def test_a_script_that_hangs_costs_its_deadline(ssh: Ssh, sshd: Sshd) -> None:
    began = time.monotonic()
    ran = run(ssh, sshd, "echo begun; exec sleep 20", seconds=3)
    assert (ran.timed_out, ran.stdout) == (True, b"begun\n")
    assert time.monotonic() - began < 5


def test_a_server_that_falls_silent_before_it_begins_costs_its_deadline(
    ssh: Ssh, sshd: Sshd
) -> None:
    """The library waits without end for the answer to a request."""
    stopped: list[psutil.Process] = []

    def stop() -> bytes:  # the channel is open then, and nothing was asked of it
        stopped.extend(psutil.Process(sshd.pid).children(recursive=True))
        for process in stopped:
            process.suspend()
        return b"true"

    with ThreadPoolExecutor(1) as pool:
        ran = pool.submit(
            ssh.run, sshd.address, login(sshd), str(sshd.known_hosts), stop, timeout=3
        )
        try:
            assert ran.result(30).timed_out
        finally:
            for process in stopped:
                process.resume()
    assert stopped


def test_a_connection_that_breaks_within_a_command_is_no_end_of_it(ssh: Ssh, sshd: Sshd) -> None:
    def cut(_heard: bytes) -> None:
        for process in psutil.Process(sshd.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # the first one takes others with it
                if process.name().startswith("sshd"):
                    process.kill()

    known = str(sshd.known_hosts)
    script = b"echo begun; exec sleep 20"
    with pytest.raises(TransportError, match="the connection broke") as caught:
        ssh.run(sshd.address, login(sshd), known, script, timeout=60, watch=cut)
    assert caught.value.cause == "transport"
    assert run(ssh, sshd, "kill -9 $$").exit_code == -1  # that is the command's own end


def test_a_command_that_says_no_more_and_goes_on_has_not_ended(ssh: Ssh, sshd: Sshd) -> None:
    assert run(ssh, sshd, "exec >&- 2>&-; sleep 20", seconds=2).timed_out


def test_a_flood_is_cut_and_ended(ssh: Ssh, sshd: Sshd) -> None:
    began = time.monotonic()
    ran = run(ssh, sshd, "exec yes", seconds=60)
    assert (len(ran.stdout), ran.truncated) == (65_536, True)
    assert time.monotonic() - began < 20


def test_a_flood_of_errors_is_cut_too(ssh: Ssh, sshd: Sshd) -> None:
    ran = run(ssh, sshd, "yes >&2 | :; echo out", seconds=10)
    assert len(ran.stderr) <= 65_536


def test_commands_share_one_connection(ssh: Ssh, sshd: Sshd) -> None:
    for _ in range(5):
        run(ssh, sshd, "true")
    assert [len(kept) for kept in ssh._kept.values()] == [1]


def test_more_channels_than_a_connection_bears_take_a_second_one(ssh: Ssh, sshd: Sshd) -> None:
    gate = threading.Barrier(CHANNELS + 4)

    def ask(_number: int) -> Ran:
        gate.wait(20)
        return run(ssh, sshd, "sleep 1; echo done")

    with ThreadPoolExecutor(CHANNELS + 4) as pool:
        answers = list(pool.map(ask, range(CHANNELS + 4)))
    assert {ran.stdout for ran in answers} == {b"done\n"}
    assert [len(kept) for kept in ssh._kept.values()] == [2]


def test_a_connection_that_died_unnoticed_is_replaced(ssh: Ssh, sshd: Sshd) -> None:
    run(ssh, sshd, "true")
    (kept,) = ssh._kept.values()
    kept[0].transport.sock.close()
    assert run(ssh, sshd, "echo again").stdout == b"again\n"


def test_another_identity_has_its_own_connection(ssh: Ssh, sshd: Sshd) -> None:
    run(ssh, sshd, "true")
    acting = SshLogin(sshd.user, str(sshd.key), sshd.port, sudo=True)
    ssh.run(sshd.address, acting, str(sshd.known_hosts), b"true", timeout=20)
    assert len(ssh._kept) == 2


def test_idle_connections_are_closed(ssh: Ssh, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    run(ssh, sshd, "true")
    ssh.sweep()
    assert len(ssh._kept) == 1
    monkeypatch.setattr("monitord.transports.ssh.IDLE_FOR", 0.0)
    ssh.sweep()
    assert ssh._kept == {}
    assert run(ssh, sshd, "echo again").stdout == b"again\n"


def test_packets_leave_at_once(ssh: Ssh, sshd: Sshd) -> None:
    """TCP_NODELAY: without it every command waits for a delayed acknowledgement."""
    run(ssh, sshd, "true")
    (kept,) = ssh._kept.values()
    sock = kept[0].transport.sock
    assert isinstance(sock, socket.socket)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
