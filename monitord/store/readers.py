"""The readers: a few read-only connections, each read one snapshot with a time limit.

They never write and never checkpoint; a reader that is too slow is cut off, because an old snapshot
keeps the writer's log from being cleared. What is asked is not their business.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from monitord.errors import StoreError
from monitord.store import schema
from monitord.store.contract import View
from monitord.store.database import Database, Identity, is_broken, limit_time, reader_engine, reason
from monitord.store.view import RowView

T = TypeVar("T")


class Readers:
    """Read-only access to one database: at once, or in a thread of a small pool.

    `limit` is how long one read may take, in seconds. Nothing is opened before the first read.
    """

    def __init__(self, database: Database, *, limit: float, threads: int = 3) -> None:
        self._database = database
        self._limit = limit
        self._identity = Identity(database)
        self._engine = reader_engine(database, limit=limit, size=threads + 1)  # one for read_now
        self._lock = threading.Lock()
        self._fits = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="monitord-read")

    def read_now(self, work: Callable[[View], T]) -> T:
        """Run `work` on one snapshot, in this thread.

        Raises:
            StoreError: the database cannot be read, or took longer than the limit.
            StoreTooNewError: a newer monitord wrote it.
        """
        self._follow()
        try:
            return self._read(work)
        except SQLAlchemyError as error:
            ask = " (is the daemon running, and may you read its database?)"
            raise StoreError(
                f"{self._database} cannot be read: {reason(error)}{ask * (not is_broken(error))}"
            ) from error

    def submit(
        self, work: Callable[[View], T], finish: Callable[[T | None, Exception | None], None]
    ) -> None:
        """Run `work` in another thread, which then calls `finish(value, error)`."""

        def run() -> None:
            try:
                value = self.read_now(work)
            except Exception as error:  # noqa: BLE001 - the caller gets it, in its own loop
                finish(None, error)
            else:
                finish(value, None)

        try:
            self._pool.submit(run)
        except RuntimeError as error:
            raise StoreError(f"{self._database}: the store is closed") from error

    def close(self) -> None:
        """End the reads under way and close all connections."""
        self._pool.shutdown()
        self._engine.dispose()

    def _read(self, work: Callable[[View], T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            if not self._fits:
                schema.must_fit(connection, self._database)
                self._fits = True
            unlimit = limit_time(connection, self._limit)
            try:
                return work(RowView(connection))
            finally:
                unlimit()

    def _follow(self) -> None:
        """Leave connections to a file that was replaced: they would answer from the old rows."""
        with self._lock:
            if not self._identity.check():
                self._engine.dispose()
                self._fits = False
                self._identity.remember()
