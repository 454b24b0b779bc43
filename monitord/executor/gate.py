"""Places: at most so many works at once, over all hosts and on one; and blocking work in them.

It knows no host and no step; who waits too long is turned away, and a thread that outlives its time
keeps its place until it ends.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from monitord.errors import NotReachedError, TransportError
from monitord.executor.threads import in_thread
from monitord.model.result import Cause

T = TypeVar("T")
_LATE = 1.0  # seconds more than the work's own deadline before it is given up


class Gate:
    """At most `total` at once, at most `each` per key; who waits too long is turned away."""

    def __init__(self, total: int, each: int) -> None:
        self._total = asyncio.Semaphore(total)
        self._each: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(each)
        )

    @asynccontextmanager
    async def place(self, key: str, within: float) -> AsyncIterator[None]:
        """Hold a place for the block.

        Raises:
            NotReachedError: none came free `within` seconds.
        """
        await self.enter(key, within)
        try:
            yield
        finally:
            self.leave(key)

    async def enter(self, key: str, within: float) -> None:
        """Take a place; `leave` gives it back."""
        try:
            async with asyncio.timeout(within):
                await self._each[key].acquire()
                try:
                    await self._total.acquire()
                except BaseException:
                    self._each[key].release()
                    raise
        except TimeoutError:
            text = f"{key}: earlier work has not ended, and there was no place within {within:g} s"
            raise NotReachedError(text, cause=Cause.TIMEOUT) from None

    def leave(self, key: str) -> None:
        """Give a place back."""
        self._total.release()
        self._each[key].release()


async def blocking(gate: Gate, key: str, work: Callable[[], T], seconds: float) -> T:
    """Run blocking work; a thread that outlives its time keeps its place until it ends.

    Raises:
        NotReachedError: no place came free, or no thread could be started.
        TransportError: the work has not ended in time.
    """
    await gate.enter(key, seconds)
    try:
        job = in_thread(work)
    except NotReachedError:
        gate.leave(key)
        raise
    job.add_done_callback(lambda _: gate.leave(key))
    done, _ = await asyncio.wait([job], timeout=seconds + _LATE)
    if not done:
        text = f"{key}: no answer within {seconds:g} s"
        raise TransportError(text, cause=Cause.TIMEOUT)
    return job.result()
