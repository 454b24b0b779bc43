"""States reach the store, also through hours in which it takes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest

from monitord.engine.recorder import Recorder
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.errors import StoreError
from monitord.inbound_spool import checked
from monitord.metrics import Counters
from monitord.model.ids import CheckKey, StateKey
from monitord.model.inbound import Told
from monitord.model.result import Status
from monitord.model.state import Change, CheckState, Transition
from monitord.store import TEMPORARY, OpenStore, open_store
from monitord.store.contract import Tx
from tests.engine.conftest import at

T = TypeVar("T")
A, B = StateKey("web1/a"), StateKey("web1/b")


@dataclass
class FullDisk:
    """A store on a disk that may be full; `batches` has what was written when."""

    store: OpenStore
    full: bool = False
    batches: list[float] = field(default_factory=list)

    def write(self, work: Callable[[Tx], T], *, urgent: bool = True) -> Awaitable[T]:
        if self.full:
            refused: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            refused.set_exception(StoreError("the disk is full"))
            return refused
        self.batches.append(asyncio.get_running_loop().time())
        return self.store.write(work, urgent=urgent)


@dataclass
class Desk:
    """A recorder at work."""

    loop: VirtualLoop
    disk: FullDisk
    counters: Counters = field(default_factory=Counters)
    committed: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.disk, self.counters, self.committed.extend)  # type: ignore[arg-type]  # it only writes

    def put(self, key: StateKey, status: Status, *changes: Change) -> None:
        state = replace(CheckState(key), status=status, hard=status, summary=f"{status.name}")
        made = [
            Transition(key, change, Status.OK, status, at(self.loop.time()), None, "said")
            for change in changes
        ]
        self.recorder.put(state, made)

    async def stored(self) -> dict[str, str]:
        states = await self.disk.store.read(lambda view: view.states())
        return {state.key: state.status.name for state in states}

    async def transitions(self) -> list[tuple[str, str]]:
        found = await self.disk.store.read(lambda view: view.transitions("", at(0)))
        return [(one.key, one.after.name) for one in found]


Story = Callable[[Desk], Coroutine[Any, Any, None]]


@pytest.fixture
def tell() -> Callable[[Story], Desk]:
    """Let a story pass on virtual time."""

    def play(story: Story) -> Desk:
        door = Door()
        loop = VirtualLoop(door)
        asyncio.set_event_loop(loop)

        async def main() -> Desk:
            desk = Desk(loop, FullDisk(open_store(TEMPORARY, durable=False, door=door)))
            await story(desk)
            await desk.disk.store.close()
            return desk

        try:
            return run(main(), loop)
        finally:
            asyncio.set_event_loop(None)

    return play


def test_a_transition_is_committed_at_once_with_its_state(tell: Callable[[Story], Desk]) -> None:
    async def story(desk: Desk) -> None:
        desk.put(A, Status.CRITICAL, Change.HARD)
        await desk.recorder.flush()
        assert await desk.stored() == {A: "CRITICAL"}
        assert await desk.transitions() == [(A, "CRITICAL")]

    desk = tell(story)
    assert desk.disk.batches == [0.0]
    assert [one.key for one in desk.committed] == [A]


def test_what_is_not_urgent_waits_for_others(tell: Callable[[Story], Desk]) -> None:
    async def story(desk: Desk) -> None:
        for _ in range(5):
            desk.put(A, Status.WARNING)
            desk.put(B, Status.WARNING)
            await asyncio.sleep(0.015)
        await asyncio.sleep(1)
        assert await desk.stored() == {A: "WARNING", B: "WARNING"}

    desk = tell(story)
    assert desk.disk.batches == [pytest.approx(0.1)]
    assert desk.committed == []


def test_a_transition_takes_along_what_waits(tell: Callable[[Story], Desk]) -> None:
    async def story(desk: Desk) -> None:
        desk.put(A, Status.WARNING)
        await asyncio.sleep(0.02)
        desk.put(B, Status.CRITICAL, Change.HARD)
        await asyncio.sleep(1)
        assert await desk.stored() == {A: "WARNING", B: "CRITICAL"}

    assert tell(story).disk.batches == [pytest.approx(0.02)]


def test_while_the_store_refuses_every_transition_is_kept_and_of_each_state_the_newest(
    tell: Callable[[Story], Desk],
) -> None:
    async def story(desk: Desk) -> None:
        desk.disk.full = True
        for status in (Status.WARNING, Status.CRITICAL, Status.OK, Status.CRITICAL):
            desk.put(A, status, Change.HARD)
            desk.put(B, status)
            await asyncio.sleep(600)
        assert not desk.counters.store_up
        assert desk.committed == []
        desk.disk.full = False
        await asyncio.sleep(2)
        assert desk.counters.store_up
        assert await desk.stored() == {A: "CRITICAL", B: "CRITICAL"}
        words = ["WARNING", "CRITICAL", "OK", "CRITICAL"]
        assert await desk.transitions() == [(A, word) for word in words]
        assert [one.after.name for one in desk.committed] == words

    desk = tell(story)
    assert len(desk.disk.batches) == 1
    assert desk.counters.store_errors >= 2000  # asked again each second, for forty minutes


def test_what_came_while_a_refused_write_was_under_way_is_newer(
    tell: Callable[[Story], Desk],
) -> None:
    async def story(desk: Desk) -> None:
        desk.disk.full = True
        desk.put(A, Status.WARNING, Change.HARD)
        await asyncio.sleep(0)
        desk.put(A, Status.CRITICAL, Change.HARD)
        await asyncio.sleep(0.5)
        desk.disk.full = False
        await asyncio.sleep(2)
        assert await desk.stored() == {A: "CRITICAL"}
        assert await desk.transitions() == [(A, "WARNING"), (A, "CRITICAL")]

    tell(story)


def test_an_erased_state_goes_with_its_last_transition(tell: Callable[[Story], Desk]) -> None:
    async def story(desk: Desk) -> None:
        desk.put(A, Status.CRITICAL, Change.HARD)
        await desk.recorder.flush()
        last = Transition(A, Change.HARD, Status.CRITICAL, Status.OK, at(9), None, "it is gone")
        desk.recorder.erase(A, [last])
        await desk.recorder.flush()
        assert await desk.stored() == {}
        assert await desk.transitions() == [(A, "CRITICAL"), (A, "OK")]

    tell(story)


def test_a_flush_does_not_wait_for_a_full_disk(tell: Callable[[Story], Desk]) -> None:
    async def story(desk: Desk) -> None:
        desk.disk.full = True
        desk.put(A, Status.CRITICAL, Change.HARD)
        before = desk.loop.time()
        assert not await desk.recorder.flush()
        assert desk.loop.time() - before <= 1.0
        desk.disk.full = False
        assert await desk.recorder.flush()
        assert await desk.stored() == {A: "CRITICAL"}

    tell(story)


def test_a_flush_is_done_with_its_own_commit_though_more_comes(
    tell: Callable[[Story], Desk],
) -> None:
    async def story(desk: Desk) -> None:
        async def others() -> None:
            while True:
                desk.put(B, Status.OK)
                await asyncio.sleep(0.05)

        busy = asyncio.get_running_loop().create_task(others())
        await asyncio.sleep(1)
        desk.put(A, Status.CRITICAL)
        before = desk.loop.time()
        assert await desk.recorder.flush()
        assert (await desk.stored())[A] == "CRITICAL"
        assert desk.loop.time() - before <= 0.2
        busy.cancel()
        await desk.recorder.flush()

    tell(story)


def test_what_waits_is_stored_in_the_commit_of_the_states_that_end_it(
    tell: Callable[[Story], Desk],
) -> None:
    report = Told("web1", ("a",), Status.CRITICAL, "it burns", at(3), "/srv", alert="x")
    place = ("/srv", "x")

    async def waits(desk: Desk) -> list[dict[str, Any]]:
        return [dict(r.report) for r in await desk.disk.store.read(lambda view: view.waiting())]

    async def story(desk: Desk) -> None:
        desk.disk.full = True
        desk.recorder.told(CheckKey(A), {place: report})
        await asyncio.sleep(5)
        desk.disk.full = False
        await asyncio.sleep(2)
        (found,) = await waits(desk)
        assert checked([found], now=at(9)) == [report]
        before = len(desk.disk.batches)
        desk.put(A, Status.CRITICAL, Change.HARD)
        desk.recorder.told(CheckKey(A), {place: None})
        await desk.recorder.flush()
        assert (await waits(desk), await desk.stored()) == ([], {A: "CRITICAL"})
        assert len(desk.disk.batches) == before + 1

    tell(story)
