"""What happens, from the one follower of the core to everybody who reads it from outside.

Each reader has a bounded queue: one that is too slow loses the oldest and is told how many. It
holds up nobody, and knows nobody's rights.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_KEPT = 500


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

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Begin to read: what is published from now on."""
        reader = Reader(self._kept)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def publish(self, event: Mapping[str, Any]) -> None:
        """Give an event to each reader."""
        if self._readers:
            self._tell(json.dumps(event, ensure_ascii=False))

    def broken(self) -> None:
        """Say that the core was not heard for a while, so that nobody knows what was missed."""
        self._tell(_lost("the core was not heard; what happened meanwhile is not told here", None))

    def _tell(self, event: str) -> None:
        for reader in self._readers:
            reader.put(event)


def _lost(text: str, count: int | None) -> str:
    return json.dumps({"kind": "lost", "text": text, "incident": None, "count": count})
