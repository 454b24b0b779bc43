"""What systemd hears of us, over a real socket of its kind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

from monitord.sdnotify import keep_watchdog, notify, watchdog_every


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return sock


def test_states_arrive_as_lines_of_one_datagram(manager: socket.socket) -> None:
    with manager:
        assert notify("READY=1", "STATUS=two\nlines")
        assert manager.recv(4096) == b"READY=1\nSTATUS=two lines"


def test_an_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"monitord-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify("READY=1")
        assert sock.recv(100) == b"READY=1"


def test_without_a_service_manager_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "every"),
    [
        ("30000000", "", 15.0),
        ("30000000", "me", 15.0),
        ("30000000", "1", None),
        ("", "", None),
        ("soon", "", None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time_and_only_where_it_is_ours(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str, every: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "me" else pid)
    assert watchdog_every() == every


def test_a_turning_loop_feeds_the_watchdog_again_and_again(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)

    async def turn() -> list[bytes]:
        manager.settimeout(0)
        feeding = asyncio.ensure_future(keep_watchdog())
        loop = asyncio.get_running_loop()
        heard = [await asyncio.wait_for(loop.sock_recv(manager, 100), 5) for _ in range(3)]
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        return heard

    with manager:
        assert asyncio.run(turn()) == [b"WATCHDOG=1"] * 3
