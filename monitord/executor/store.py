"""The executor's look into the store: read-only, one at a time, opened when first needed.

It never writes; the core alone does.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from monitord.errors import NotReachedError, StoreError
from monitord.executor.threads import in_thread
from monitord.store import open_reader
from monitord.store.contract import View

T = TypeVar("T")


class Rows:
    """A reader of the store; `place` gives its path or database URL at the first look."""

    def __init__(self, place: Callable[[], str]) -> None:
        self._place = place
        self._one = asyncio.Lock()
        self._reader: Any = None

    async def read(self, work: Callable[[View], T]) -> T:
        """Run `work` on one snapshot.

        Raises:
            StoreError: the database cannot be read now.
        """
        async with self._one:
            try:
                job = in_thread(partial(self._read, work))
            except NotReachedError as error:
                raise StoreError(str(error)) from error
            return await job

    def _read(self, work: Callable[[View], T]) -> T:
        if self._reader is None:
            self._reader = open_reader(self._place())
        answer: T = self._reader.read_now(work)
        return answer
