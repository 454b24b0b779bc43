"""The writer's queue: who goes first, what fails alone, and what comes back to which loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop
from sqlalchemy.exc import IntegrityError

from monitord.errors import StoreError
from monitord.model.result import Status
from monitord.store import TEMPORARY, OpenStore, open_store
from monitord.store.contract import Tx
from tests.store import rows
from tests.store.rows import SITE


@contextmanager
def held(store: OpenStore) -> Iterator[None]:
    """Keep the writer busy while the block queues works; they run when it ends."""
    running, go_on = threading.Event(), threading.Event()

    def wait(_tx: Tx) -> None:
        running.set()
        go_on.wait(30)

    thread = threading.Thread(target=store.write_now, args=(wait,))
    thread.start()
    running.wait(30)
    try:
        yield
    finally:
        go_on.set()
        thread.join()


def put(status: Status, log: list[str], name: str) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        log.append(name)
        tx.put_states([rows.state(hard=status)])

    return work


def test_a_work_that_raises_rolls_back_only_itself(store: OpenStore) -> None:
    def bad(tx: Tx) -> None:
        tx.put_states([rows.state("b/b")])
        tx.next_epoch()
        raise ValueError("not this one")

    def twice(tx: Tx) -> None:
        tx.add_incident(rows.incident("c/c"))
        tx.add_incident(rows.incident("c/c"))

    async def main() -> list[object]:
        with held(store):
            works: list[asyncio.Future[object]] = [
                store.write(lambda tx: tx.put_states([rows.state("a/a")])),
                store.write(bad),
                store.write(twice),
                store.write(lambda tx: tx.next_epoch()),
            ]
        return list(await asyncio.gather(*works, return_exceptions=True))

    first, second, third, fourth = asyncio.run(main())
    assert first is None
    assert isinstance(second, ValueError)
    assert isinstance(third, IntegrityError)
    assert fourth == 1
    assert [one.key for one in store.read_now(lambda view: view.states())] == ["a/a"]
    assert store.read_now(lambda view: view.live_incident("c/c")) is None
    assert store.trouble == ""


def test_urgent_works_overtake_and_an_older_state_does_not_come_back(store: OpenStore) -> None:
    log: list[str] = []

    async def main() -> None:
        with held(store):
            works = [
                store.write(put(Status.WARNING, log, "soft"), urgent=False),
                store.write(put(Status.CRITICAL, log, "hard"), urgent=True),
            ]
        await asyncio.gather(*works)

    asyncio.run(main())
    assert log == ["hard", "soft"]
    state = store.read_now(lambda view: view.state(SITE))
    assert state is not None
    assert state.hard is Status.CRITICAL


def test_a_state_queued_after_the_urgent_one_is_written(store: OpenStore) -> None:
    log: list[str] = []

    async def main() -> None:
        with held(store):
            works = [
                store.write(put(Status.WARNING, log, "old"), urgent=False),
                store.write(put(Status.CRITICAL, log, "urgent"), urgent=True),
                store.write(put(Status.OK, log, "new"), urgent=False),
            ]
        await asyncio.gather(*works)

    asyncio.run(main())
    assert log == ["urgent", "old", "new"]
    state = store.read_now(lambda view: view.state(SITE))
    assert state is not None
    assert state.hard is Status.OK


def test_a_forgotten_state_is_not_brought_back_by_an_older_work(store: OpenStore) -> None:
    async def main() -> None:
        with held(store):
            works = [
                store.write(put(Status.OK, [], ""), urgent=False),
                store.write(lambda tx: tx.forget_states([SITE])),
            ]
        await asyncio.gather(*works)

    asyncio.run(main())
    assert store.read_now(lambda view: view.states()) == []


def test_an_overtaking_work_that_fails_overtakes_nothing(store: OpenStore) -> None:
    def bad(tx: Tx) -> None:
        tx.put_states([rows.state(hard=Status.CRITICAL)])
        raise ValueError("no")

    async def main() -> None:
        with held(store):
            works = [store.write(put(Status.OK, [], ""), urgent=False), store.write(bad)]
        await asyncio.gather(*works, return_exceptions=True)

    asyncio.run(main())
    state = store.read_now(lambda view: view.state(SITE))
    assert state is not None
    assert state.hard is Status.OK


class Counter:
    """A door that counts what is outside, and checks that only the loop's thread passes it."""

    def __init__(self) -> None:
        self.outside = 0
        self.passed = 0
        self.thread = threading.get_ident()

    def entered(self) -> None:
        """One more is outside."""
        assert threading.get_ident() == self.thread
        self.outside += 1
        self.passed += 1

    def left(self) -> None:
        """One is back."""
        assert threading.get_ident() == self.thread
        self.outside -= 1


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_every_operation_passes_the_door_both_ways(run: Callable[..., None]) -> None:
    door = Counter()
    store = open_store(TEMPORARY, durable=False, door=door)

    async def main() -> None:
        works = [store.write(lambda tx: tx.next_epoch()) for _ in range(3)]
        assert door.outside == 3
        reading = store.read(lambda view: view.states())
        failing = store.write(lambda tx: tx.meta(1 / 0))  # type: ignore[arg-type] # it raises before
        assert await asyncio.gather(*works) == [1, 2, 3]
        assert await reading == []
        with pytest.raises(ZeroDivisionError):
            await failing
        assert door.outside == 0
        await store.close()

    run(main())
    assert (door.outside, door.passed) == (0, 6)


def test_a_cancelled_caller_does_not_take_its_work_back(store: OpenStore) -> None:
    async def main() -> None:
        with held(store):
            waiting = store.write(lambda tx: tx.put_states([rows.state()]))
            waiting.cancel()
        await store.write(lambda tx: tx.next_epoch())

    asyncio.run(main())
    assert store.read_now(lambda view: view.state(SITE)) is not None


def test_a_loop_that_is_gone_harms_nobody(store: OpenStore) -> None:
    async def main() -> None:
        store.write(lambda tx: tx.put_states([rows.state()]), urgent=False)

    with held(store):
        asyncio.run(main())
    store.write_now(lambda tx: tx.next_epoch())
    assert store.read_now(lambda view: view.state(SITE)) is not None


def test_closing_commits_what_is_queued_and_then_refuses(place: str) -> None:
    store = open_store(place)

    async def main() -> None:
        work = store.write(lambda tx: tx.put_states([rows.state()]), urgent=False)
        await store.close()
        await work
        with pytest.raises(StoreError, match="the store is closed"):
            await store.write(lambda tx: tx.next_epoch())
        with pytest.raises(StoreError, match="the store is closed"):
            await store.read(lambda view: view.states())

    asyncio.run(main())
    again = open_store(place)
    assert again.read_now(lambda view: view.state(SITE)) is not None
    assert again.write_now(lambda tx: tx.next_epoch()) == 1
    again.close_now()


def test_works_that_can_wait_share_one_commit(place: str) -> None:
    store = open_store(place)

    def transaction(tx: Tx) -> object:
        return tx.connection.get_transaction()  # type: ignore[attr-defined] # below the contract

    async def main() -> list[object]:
        works = [store.write(transaction, urgent=False) for _ in range(20)]
        return list(await asyncio.gather(*works))

    assert len(set(asyncio.run(main()))) == 1
    store.close_now()


def test_a_temporary_store_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    one, two = (open_store(TEMPORARY, durable=False) for _ in range(2))
    one.write_now(lambda tx: tx.put_states([rows.state()]))
    assert two.read_now(lambda view: view.states()) == []
    one.close_now()
    two.close_now()
    two.close_now()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="pass durable=False"):
        open_store(TEMPORARY)
