"""What is asked again when a step has waited for its place: HALT and its own deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monitord import config
from monitord.clock import SystemClock
from monitord.errors import NotBegunError
from monitord.executor import hosts as places
from monitord.executor.hosts import Hosts
from monitord.executor.intents import Grant
from monitord.executor.steps import Steps, _secrets
from monitord.log import get_logger
from monitord.model.effect import Command, PlannedStep
from monitord.model.ids import Instant
from tests.executor.core import KINDS

HOUSE = "hosts: {me: {address: 127.0.0.1, login: {local: {act: true}}}}\n"


def granted(folder: Path, argv: tuple[str, ...], seconds: float) -> Grant:
    """Give a leave whose intent was written this moment."""
    (folder / "c.yaml").write_text(HOUSE)
    host = config.load(folder / "c.yaml", KINDS).hosts["me"]
    now = SystemClock().now()
    deadline = Instant(now + int(seconds * 1e6))
    step = SimpleNamespace(id=1, intended=now, deadline=deadline, epoch=1)
    planned = PlannedStep(
        "step", "command", "me", Command(argv), idempotent=False, timeout=timedelta(seconds=seconds)
    )
    intent: Any = SimpleNamespace(step=step, store="s", epoch=1)
    return Grant(intent, planned, host)


def once_more(grant: Grant) -> Callable[[], Awaitable[Grant]]:
    """Give what asks for the grant again, and gets it."""

    async def again() -> Grant:
        return grant

    return again


async def queued(
    folder: Path, seconds: float, meanwhile: Callable[[], None], *, free_after: float
) -> dict[str, Any]:
    """Run a step on a machine whose places for steps are all taken for a while."""
    (folder / "state").mkdir()
    hosts = Hosts(SystemClock())
    places_taken = [hosts._steps.place("me", 1) for _ in range(places._ACTING)]
    for place in places_taken:
        await place.__aenter__()
    steps = Steps(hosts, folder / "state", SystemClock())
    grant = granted(folder, ("touch", str(folder / "done")), seconds)
    asked = asyncio.ensure_future(steps.run(grant, lambda: None, once_more(grant)))
    await asyncio.wait([asked], timeout=free_after)
    meanwhile()
    for place in places_taken:
        await place.__aexit__(None, None, None)
    return await asked


def test_a_step_that_waited_is_done(tmp_path: Path) -> None:
    answer = asyncio.run(queued(tmp_path, 30, lambda: None, free_after=0.2))
    assert answer["outcome"] == "done"
    assert (tmp_path / "done").exists()


def test_halted_while_it_waited(tmp_path: Path) -> None:
    halt = tmp_path / "state" / "HALT"
    with pytest.raises(NotBegunError, match="halted"):
        asyncio.run(queued(tmp_path, 30, halt.touch, free_after=0.2))
    assert not (tmp_path / "done").exists()


def test_late_when_its_place_came_free(tmp_path: Path) -> None:
    with pytest.raises(NotBegunError, match="step 1 got its place after its own deadline"):
        asyncio.run(queued(tmp_path, 0.3, lambda: None, free_after=0.6))
    assert not (tmp_path / "done").exists()


def test_slow_plugins_take_no_place_of_a_step(tmp_path: Path) -> None:
    async def go() -> str:
        (tmp_path / "state").mkdir()
        hosts = Hosts(SystemClock())
        plugins = [
            asyncio.ensure_future(hosts.plugin(("sleep", "3"), 3)) for _ in range(places._AT_ONCE)
        ]
        await asyncio.sleep(0)
        grant = granted(tmp_path, ("true",), 2)
        steps = Steps(hosts, tmp_path / "state", SystemClock())
        outcome = (await steps.run(grant, lambda: None, once_more(grant)))["outcome"]
        for plugin in plugins:
            plugin.cancel()
        await asyncio.gather(*plugins, return_exceptions=True)
        return str(outcome)

    assert asyncio.run(go()) == "done"


def test_no_log_line_shows_a_secret_of_a_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "t0p-of-the-secret")
    _secrets({"TOKEN": "!secret env:TOKEN"})
    get_logger("tests").warning("it broke", said="the token t0p-of-the-secret is wrong")
    assert "t0p-of-the-secret" not in capsys.readouterr().err
