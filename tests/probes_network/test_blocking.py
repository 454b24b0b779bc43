"""Libraries that can only wait get threads, but never more than a bounded number of them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from monitord.errors import BusyError
from monitord.probes.blocking import Threads


def test_a_wait_that_was_given_up_still_holds_its_thread() -> None:
    async def story() -> None:
        threads = Threads(most=1)
        go_on = threading.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await threads.run(go_on.wait)
        with pytest.raises(BusyError, match="1 probes still wait"):
            await threads.run(int)
        go_on.set()
        while True:
            try:
                assert await threads.run(lambda: 7) == 7
            except BusyError:
                await asyncio.sleep(0.001)
            else:
                return

    asyncio.run(story())
