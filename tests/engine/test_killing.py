"""`halt --now` reaches every step that it can, whatever one of them does."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from monitord.engine import killing
from monitord.errors import RefusedByExecutorError
from monitord.model.ids import StepId


class Hosts:
    """Step 1 never answers, step 2 refuses, step 3 is killed."""

    def __init__(self) -> None:
        self.killed: list[int] = []

    async def kill(self, step: StepId) -> None:
        if step == 1:
            await asyncio.Event().wait()
        if step == 2:
            raise RefusedByExecutorError("it runs as root")
        self.killed.append(step)


def test_one_step_that_cannot_be_killed_keeps_no_other_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(killing, "_PATIENCE", 0.05)
    steps = [SimpleNamespace(id=n, target=f"web{n}", kind="command") for n in (1, 2, 3)]

    async def read(_work: object) -> list[SimpleNamespace]:
        return steps

    hosts = Hosts()
    instance: Any = SimpleNamespace(store=SimpleNamespace(read=read), executor=hosts)
    told = asyncio.run(killing.kill_running(instance, by="kim"))
    assert hosts.killed == [3]
    assert told == [
        "step 1 on web1: command: NOT killed: no answer in 0 s (its own deadline ends it)",
        "step 2 on web2: command: NOT killed: it runs as root (its own deadline ends it)",
        "step 3 on web3: command",
    ]
