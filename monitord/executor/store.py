"""The executor's look into the store: read-only, in one thread, opened when first needed.

It never writes; the core alone does.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from monitord.store import open_reader
from monitord.store.contract import View

T = TypeVar("T")


class Rows:
    """A reader of the store; `place` gives its path or database URL at the first look."""

    def __init__(self, place: Callable[[], str]) -> None:
        self._place = place
        self._thread = ThreadPoolExecutor(1, "rows")
        self._reader: Any = None

    async def read(self, work: Callable[[View], T]) -> T:
        """Run `work` on one snapshot.

        Raises:
            StoreError: the database cannot be read now.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._read, work)

    def _read(self, work: Callable[[View], T]) -> T:
        if self._reader is None:
            self._reader = open_reader(self._place())
        answer: T = self._reader.read_now(work)
        return answer
