"""What happens, from the one follower of the core to everybody who reads it from outside.

Each reader has a bounded queue: one that is too slow loses the oldest and is told how many. It
holds up nobody, and knows nobody's rights.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_KEPT = 500
_LONGEST_PLACE = 15  # digits


class Reader:
    """The events of one reader that it has not read yet."""

    def __init__(self, kept: int) -> None:
        self._queue: deque[str] = deque(maxlen=kept)
        self._lost = 0
        self._arrived = asyncio.Event()

    def put(self, event: str) -> None:
        """Keep one for it; the oldest goes where there is no room."""
        self._lost += len(self._queue) == self._queue.maxlen
        self._queue.append(event)
        self._arrived.set()

    def skip(self) -> None:
        """Leave out what has come and was not read: whoever looks anew has seen it."""
        self._queue.clear()
        self._lost = 0

    async def events(self, quiet: float) -> AsyncIterator[str]:
        """Give each event as JSON, and `alive` after so many quiet seconds; without end."""
        yield json.dumps({"kind": "alive"})
        while True:
            try:
                async with asyncio.timeout(quiet):
                    await self._arrived.wait()
            except TimeoutError:
                yield json.dumps({"kind": "alive"})
                continue
            self._arrived.clear()
            if self._lost:
                lost, self._lost = self._lost, 0
                yield _lost(f"{lost} events were lost", lost)
            while self._queue:
                yield self._queue.popleft()


class Feed:
    """Everybody who reads. Called on the event loop only."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._readers: set[Reader] = set()
        self._begun = secrets.token_hex(4)
        self._number = 0
        self._newest: deque[str] = deque(maxlen=kept)

    @property
    def mark(self) -> str:
        """Give the place in the stream: a page takes it before it asks for what it shows."""
        return f"{self._begun}.{self._number}"

    @contextmanager
    def reader(self, mark: str = "") -> Iterator[Reader]:
        """Begin to read: what is published from now on, and before it what came after the mark.

        Where that is not known any more (or the mark is another process's) it is told as lost.
        """
        reader = Reader(self._kept)
        if mark:
            for event in self._since(mark):
                reader.put(event)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def publish(self, event: Mapping[str, Any]) -> None:
        """Give an event to each reader."""
        self._tell(json.dumps(event, ensure_ascii=False))

    def broken(self) -> None:
        """Say that the core was not heard for a while, so that nobody knows what was missed."""
        self._tell(_lost("the core was not heard; what happened meanwhile is not told here", None))

    def _tell(self, event: str) -> None:
        self._number += 1
        self._newest.append(event)
        for reader in self._readers:
            reader.put(event)

    def _since(self, mark: str) -> list[str]:
        begun, _, place = mark.partition(".")
        if begun == self._begun and place.isdecimal() and len(place) <= _LONGEST_PLACE:
            missed = self._number - int(place)
            if 0 <= missed <= len(self._newest):
                return list(self._newest)[len(self._newest) - missed :]
        return [_lost("what happened since the page was made is not known any more", None)]


def _lost(text: str, count: int | None) -> str:
    return json.dumps({"kind": "lost", "text": text, "incident": None, "count": count})
