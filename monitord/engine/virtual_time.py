"""A plain asyncio loop on virtual time: hours of monitoring run in a second, exactly repeatable.

Time moves only when nothing is ready and no external operation (a write in another thread) is
outstanding. A watchdog on real time names what is stuck. Nothing else of the product knows it.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from monitord.errors import MonitordError
from monitord.model.ids import Instant

T = TypeVar("T")
_STUCK_AFTER = 30.0  # real seconds without any progress


class StuckError(MonitordError):
    """Virtual time cannot move on: an external operation never came back."""


class Door:
    """Counts operations that were handed to a thread, process or socket and are not back yet."""

    def __init__(self) -> None:
        self.outstanding = 0
        self.total = 0

    def entered(self) -> None:
        """One operation went out."""
        self.outstanding += 1
        self.total += 1

    def left(self) -> None:
        """One operation came back, in the loop's thread."""
        self.outstanding -= 1


class _Selector(selectors.DefaultSelector):
    """Where the loop would sleep, time jumps instead."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._door.outstanding > 0:
            ready = super().select(_STUCK_AFTER)
            if not ready:
                raise StuckError(
                    f"{self._door.outstanding} external operations did not come back"
                    f" within {_STUCK_AFTER:.0f} s of real time"
                )
            return ready
        if timeout is None:
            raise StuckError("nothing is due, and nothing is outstanding: a deadlock")
        self.time += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` is virtual seconds since its start."""

    def __init__(self, door: Door) -> None:
        self._virtual = _Selector(door)
        super().__init__(self._virtual)

    def time(self) -> float:
        """Give virtual seconds."""
        return self._virtual.time


class VirtualClock:
    """The clock of a VirtualLoop: wall time begins at `start` and can be stepped by a test."""

    def __init__(self, loop: VirtualLoop, start: Instant) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> Instant:
        """Give the virtual wall time."""
        return Instant(self._start + round(self._loop.time() * 1_000_000))

    def monotonic(self) -> float:
        """Give the loop's virtual seconds."""
        return self._loop.time()

    def step(self, seconds: float) -> None:
        """Step the wall clock, as an administrator or a bad time server does."""
        self._start = Instant(self._start + round(seconds * 1_000_000))


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Run a coroutine to its end on a virtual loop and close the loop."""
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
