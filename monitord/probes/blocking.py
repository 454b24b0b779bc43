"""The one door to threads for probes whose library can only wait: bounded, so that none piles up.

It decides how many may wait at once. What they ask, and how long the library itself may wait, the
probe says: a thread cannot be cut off from outside, so a limit inside the library is a must.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from monitord.errors import BusyError

T = TypeVar("T")

MOST = 16  # threads: more of them busy at once would delay the checks in the loop


class Threads:
    """`most` threads for calls that block. For one event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._busy = 0
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="probe")

    async def run(self, work: Callable[[], T]) -> T:
        """Give what `work` gives. Its thread is busy until it ends, also when nobody waits.

        Raises:
            BusyError: no thread is free.
        """
        if self._busy >= self._most:
            raise BusyError(
                f"{self._busy} probes still wait in their libraries, so this one was not begun: "
                "give checks of such kinds longer intervals"
            )
        self._busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._free)
        # Shielded: a cancelled wait would count the thread as free while it still waits.
        return await asyncio.shield(future)

    def _free(self, future: asyncio.Future[T]) -> None:
        self._busy -= 1
        if not future.cancelled():
            future.exception()  # read, so that a wait given up is not reported as forgotten


_THREADS = Threads()
run = _THREADS.run
