"""Tells whoever listens what happened: the console, the event stream, the demo. Only after commits.

A listener that does not read loses the oldest and is told how many; it never holds up the engine.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from monitord.model.state import Transition

_MOST = 1000


class _Listener:
    """One subscriber's bounded queue."""

    def __init__(self) -> None:
        self.queue: deque[Mapping[str, Any]] = deque(maxlen=_MOST)
        self.lost = 0
        self.arrived = asyncio.Event()

    def offer(self, happening: Mapping[str, Any]) -> None:
        if len(self.queue) == _MOST:
            self.lost += 1
        self.queue.append(happening)
        self.arrived.set()


class Happenings:
    """Publishes to any number of subscribers; keeps the newest few for one that comes late."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()

    def publish(self, at: int, kind: str, text: str, **facts: Any) -> None:
        """Tell everybody now."""
        if not self._listeners:
            return
        happening = {"at": at, "kind": kind, "text": text, **facts}
        for listener in self._listeners:
            listener.offer(happening)

    async def subscribe(self) -> AsyncIterator[Mapping[str, Any]]:
        """Give everything from now on; closing the iterator ends the subscription."""
        listener = _Listener()
        self._listeners.add(listener)
        try:
            while True:
                await listener.arrived.wait()
                listener.arrived.clear()
                if listener.lost:
                    lost, listener.lost = listener.lost, 0
                    yield {"kind": "lost", "text": f"{lost} events were lost", "incident": None}
                while listener.queue:
                    yield listener.queue.popleft()
        finally:
            self._listeners.discard(listener)

    def changed(self, transitions: Iterable[Transition]) -> None:
        """Publish changes of state that are committed."""
        for each in transitions:
            way = f"{each.before.name} → {each.after.name} ({each.change})"
            self.publish(
                each.at,
                "transition",
                f"{each.key} {way} {each.summary}".rstrip(),
                incident=None,
                key=each.key,
                after=each.after.name,
                change=str(each.change),
            )
