import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from monitord.engine import virtual_time
from monitord.engine.steady import SteadyClock
from monitord.engine.virtual_time import Door, StuckError, VirtualClock, VirtualLoop, run
from tests.engine.conftest import at

T = TypeVar("T")


def play(story: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    asyncio.set_event_loop(loop)
    try:
        return run(story, loop)
    finally:
        asyncio.set_event_loop(None)


def test_hours_pass_at_once_and_in_order() -> None:
    loop, woken = VirtualLoop(Door()), list[tuple[float, str]]()

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((loop.time(), name))

    async def story() -> None:
        await asyncio.gather(sleeper("a", 7200), sleeper("b", 60), sleeper("c", 3600.5))

    play(story(), loop)
    assert woken == [(60, "b"), (3600.5, "c"), (7200, "a")]


def test_time_stands_still_while_something_is_outside() -> None:
    door = Door()
    loop = VirtualLoop(door)
    release = threading.Event()
    seen: list[float] = []

    async def outside() -> None:
        with ThreadPoolExecutor(1) as pool:
            door.entered()
            await loop.run_in_executor(pool, release.wait, 20)
            seen.append(loop.time())
            door.left()

    async def story() -> None:
        task = asyncio.create_task(outside())
        await asyncio.sleep(0)
        threading.Timer(0.05, release.set).start()
        await asyncio.sleep(3600)
        await task

    play(story(), loop)
    assert seen == [0.0]
    assert (door.outstanding, door.total) == (0, 1)


def test_what_never_comes_back_is_an_error_and_no_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(virtual_time, "_STUCK_AFTER", 0.05)
    door = Door()
    loop = VirtualLoop(door)

    async def story() -> None:
        door.entered()
        await asyncio.sleep(1)

    try:
        with pytest.raises(StuckError, match="1 external operations did not come back"):
            loop.run_until_complete(story())
    finally:
        door.left()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def test_the_wall_clock_can_be_stepped_and_the_monotonic_one_cannot() -> None:
    loop = VirtualLoop(Door())
    clock = VirtualClock(loop, at(0))

    async def story() -> None:
        await asyncio.sleep(100)
        clock.step(3600)
        assert (clock.now(), clock.monotonic()) == (at(3700), 100)
        clock.step(-7200)
        assert (clock.now(), clock.monotonic()) == (at(-3500), 100)

    play(story(), loop)


def test_the_steady_clock_follows_a_step_only_when_told_to() -> None:
    loop = VirtualLoop(Door())
    machine = VirtualClock(loop, at(0))
    steady = SteadyClock(machine)

    async def story() -> None:
        await asyncio.sleep(10)
        machine.step(3600)
        await asyncio.sleep(0.5)
        assert steady.now() == at(10.5)
        assert steady.behind() == 3_600_000_000
        assert steady.monotonic() == 10.5
        steady.follow()
        assert (steady.now(), steady.behind()) == (at(3610.5), 0)
        machine.step(-3600)
        assert steady.now() == at(3610.5)
        assert steady.behind() == -3_600_000_000

    play(story(), loop)
