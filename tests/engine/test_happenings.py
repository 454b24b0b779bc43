import asyncio
from collections.abc import Mapping
from typing import Any

from monitord.engine.happenings import Happenings


async def read(happenings: Happenings, into: list[Mapping[str, Any]], most: int) -> None:
    listener = happenings.subscribe()
    async for happening in listener:
        into.append(happening)
        if len(into) == most:
            break
    await listener.aclose()  # type: ignore[attr-defined]  # it is a generator


def test_everybody_who_listens_hears_everything_in_order() -> None:
    async def story() -> None:
        happenings = Happenings()
        heard: list[list[Mapping[str, Any]]] = [[], []]
        readers = [asyncio.create_task(read(happenings, into, 3)) for into in heard]
        await asyncio.sleep(0)
        for number in range(3):
            happenings.publish(number, "transition", f"number {number}", key="web1/site")
        await asyncio.wait(readers)
        for into in heard:
            assert [one["text"] for one in into] == ["number 0", "number 1", "number 2"]
            assert into[0] == {
                "at": 0,
                "kind": "transition",
                "text": "number 0",
                "key": "web1/site",
            }

    asyncio.run(story())


def test_what_happened_before_is_not_told() -> None:
    async def story() -> None:
        happenings = Happenings()
        happenings.publish(0, "opened", "before")
        heard: list[Mapping[str, Any]] = []
        reader = asyncio.create_task(read(happenings, heard, 1))
        await asyncio.sleep(0)
        happenings.publish(1, "opened", "after")
        await reader
        assert [one["text"] for one in heard] == ["after"]

    asyncio.run(story())


def test_who_does_not_read_loses_the_oldest_and_is_told_how_many() -> None:
    async def story() -> None:
        happenings = Happenings()
        heard: list[Mapping[str, Any]] = []
        reader = asyncio.create_task(read(happenings, heard, 1001))
        await asyncio.sleep(0)
        for number in range(2500):
            happenings.publish(number, "opened", str(number))
        await reader
        assert heard[0] == {"kind": "lost", "text": "1500 events were lost", "incident": None}
        assert heard[1]["text"] == "1500"
        assert heard[-1]["text"] == "2499"

    asyncio.run(story())


def test_who_goes_away_is_forgotten() -> None:
    async def story() -> None:
        happenings = Happenings()
        heard: list[Mapping[str, Any]] = []
        reader = asyncio.create_task(read(happenings, heard, 1))
        await asyncio.sleep(0)
        assert len(happenings._listeners) == 1
        happenings.publish(0, "opened", "one")
        await reader
        assert happenings._listeners == set()

    asyncio.run(story())
