"""Who may ask, and what a broken peer costs."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.executor.core import Core

Start = Callable[..., Core]
ASK = """\
use Socket;
$SIG{PIPE} = "IGNORE";
socket(my $peer, AF_UNIX, SOCK_STREAM, 0) or die;
connect($peer, sockaddr_un($ARGV[0])) or do { print "no way in"; exit };
syswrite($peer, pack("N/a*", '{"id":1,"do":"hello"}'));
print "answered " if sysread($peer, my $answer, 1000);
print $answer;
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to be somebody else")


def as_user(uid: int, path: Path) -> str:
    """Say hello as another user of this machine, in Perl (every Debian has it); tell the answer."""
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    argv = [*become, "perl", "-e", ASK, str(path)]
    done = subprocess.run(argv, capture_output=True, check=True, text=True, timeout=30)
    return done.stdout


def enter(started: Core) -> Path:
    """Let everybody come as far as the socket; give its path."""
    path = started.state / "executor.sock"
    for folder in path.parents:
        if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(0o755)
    return path


@needs_root
def test_another_user_is_turned_away_even_when_the_file_lets_him_in(core: Start) -> None:
    path = enter(core())
    assert as_user(4713, path) == "no way in"
    path.chmod(0o666)
    assert as_user(4713, path) == ""
    assert as_user(0, path).startswith("answered ")


@needs_root
def test_the_group_of_the_socket_may_ask(core: Start) -> None:
    path = enter(core())
    os.chown(path, -1, 4713)
    assert as_user(4713, path).startswith("answered ")


@pytest.mark.parametrize(
    "sent",
    [b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x03abc", b"GET / HTTP/1.1\r\n\r\n", b"\0"],
)
def test_a_broken_peer_ends_its_own_connection_only(core: Start, sent: bytes) -> None:
    started = core()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as peer:
        peer.connect(str(started.state / "executor.sock"))
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)
        peer.settimeout(10)
        assert peer.recv(100) == b""
    assert started.ask("hello")["catalog"] == started.catalog.hash


def test_a_hanging_plugin_delays_nobody(core: Start) -> None:
    host = """\
here:
    address: 127.0.0.1
    login: local
    checks:
      hangs: {nagios: {command: [sh, -c, "sleep 300"]}}
      floods: {nagios: {command: [yes]}}
      well: {nagios: {command: [sh, -c, "echo OK"]}}"""
    started = core(hosts=host)
    hanging = [started.send("plugin", check="here/hangs", timeout=3) for _ in range(5)]
    flooding = started.send("plugin", check="here/floods", timeout=30)
    began = time.monotonic()
    assert started.ask("plugin", check="here/well", timeout=10)["stdout"] == "OK\n"
    assert time.monotonic() - began < 2.5
    flood = started.answer(flooding)
    assert (flood["truncated"], len(flood["stdout"])) == (True, 65_536)
    for number in hanging:
        assert started.answer(number)["timed_out"]


def test_a_second_executor_does_not_take_the_socket(core: Start) -> None:
    started = core()
    second = subprocess.run(
        [*started.argv(), str(started.config), str(started.state)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode != 0
    assert "another executor is running there" in second.stderr
    assert started.ask("hello")["catalog"] == started.catalog.hash


def test_an_executor_with_a_broken_configuration_waits_for_a_good_one(core: Start) -> None:
    started = core()
    good = started.config.read_text()
    started.config.write_text("hosts: [")
    started.kill()
    started.start()
    assert started.ask("hello")["catalog"] == ""
    started.config.write_text(good)
    assert started.ask("load", hash=started.catalog.hash) == {"hash": started.catalog.hash}
