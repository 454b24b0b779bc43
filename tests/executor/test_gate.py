"""A machine that can start no thread: the work is refused as never begun, and no place is lost."""

import asyncio
import threading
from pathlib import Path

import pytest

from monitord.errors import NotReachedError, StoreError
from monitord.executor.gate import Gate, blocking
from monitord.executor.store import Rows


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the kernel refuse every new thread until `undo`."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    return monkeypatch


def test_a_host_is_looked_at_again_once_threads_can_be_started(
    no_threads: pytest.MonkeyPatch,
) -> None:
    async def both() -> str:
        gate = Gate(1, 1)
        with pytest.raises(NotReachedError, match="no thread could be started"):
            await blocking(gate, "web1", lambda: "facts", 1)
        no_threads.undo()
        return await blocking(gate, "web1", lambda: "facts", 1)

    assert asyncio.run(both()) == "facts"


@pytest.mark.usefixtures("no_threads")
def test_the_store_cannot_be_read_then(tmp_path: Path) -> None:
    rows = Rows(lambda: str(tmp_path / "state.db"))
    with pytest.raises(StoreError, match="no thread could be started"):
        asyncio.run(rows.read(lambda view: view.meta("identity")))
