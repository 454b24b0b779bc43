"""The one thread that writes: takes works from a queue, runs them in transactions, commits.

Urgent works run at once, ahead of the queued ones, which share a commit every `wait` seconds. Each
work has a savepoint of its own. A failing database fails the waiting callers and never this thread:
it connects again for the next work. What the works do is not its business.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from monitord.errors import StoreError, StoreTooNewError
from monitord.log import get_logger
from monitord.model.ids import StateKey
from monitord.store.database import reason
from monitord.store.tx import RowTx
from monitord.store.tx_rows import Writing

log = get_logger(__name__)

Finish = Callable[[Any, Exception | None], None]

# These name a mistake in one statement: the database is well, the others of the group go on.
_MISTAKES = (IntegrityError, ProgrammingError, DataError)
_STARVED = (
    0.5  # seconds that urgent works may hold the queued ones up: then those go first for once
)


@dataclass(slots=True)
class _Work:
    """One function to run; `finish(value, error)` is called once, after the commit."""

    run: Callable[[RowTx], Any]
    finish: Finish
    urgent: bool
    number: int
    queued: float
    value: Any = None
    error: Exception | None = None


class Session(Protocol):
    """The writer's way to its database: `open` gives a connection that is fit to be written to."""

    def open(self) -> Connection:
        """Connect, or give the connection that is open and still leads to the same database.

        Raises:
            StoreError: there is none that may be written to.
        """
        ...

    def drop(self) -> None:
        """Forget the connection after a failure."""
        ...

    def close(self) -> None:
        """Checkpoint and close for good."""
        ...


class Writer:
    """The queue and its thread. `trouble` says why the last commit failed; else empty."""

    def __init__(self, name: str, session: Session, writing: Writing, *, wait: float) -> None:
        self.trouble = ""
        self._name = name
        self._session = session
        self._writing = writing
        self._wait = wait
        self._urgent: deque[_Work] = deque()
        self._queued: deque[_Work] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._count = 0
        self._thread = threading.Thread(target=self._live, name="monitord-store", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Tell how many works wait."""
        return len(self._urgent) + len(self._queued)

    def submit(self, run: Callable[[RowTx], Any], finish: Finish, *, urgent: bool) -> None:
        """Queue a work; `finish` is called in the writer's thread.

        Raises:
            StoreError: the store is closed.
        """
        with self._changed:
            if self._closing:
                raise StoreError(f"{self._name}: the store is closed")
            self._count += 1
            work = _Work(run, finish, urgent, self._count, time.monotonic())
            (self._urgent if urgent else self._queued).append(work)
            # The thread sleeps with a time limit while works are queued: only news wakes it.
            if urgent or len(self._queued) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Take nothing more, commit what is queued, end the thread; blocks until then."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    # --- in the thread

    def _live(self) -> None:
        while group := self._next():
            done = self._commit(group)
            for work in done:
                work.finish(work.value, work.error)
        self._session.close()

    def _next(self) -> list[_Work]:
        """Wait for works that are to share a transaction; none: it is closed and all is done."""
        with self._changed:
            while True:
                late = self._lateness()
                if self._urgent and late < _STARVED:
                    return _drain(self._urgent)
                if self._queued and (late >= 0 or self._closing):
                    return _drain(self._queued)
                if self._closing and not self._urgent:
                    return []
                self._changed.wait(-late if self._queued else None)

    def _lateness(self) -> float:
        """Give seconds since the oldest queued work was to be committed; below 0: not yet."""
        if not self._queued:
            return -1.0
        return time.monotonic() - self._queued[0].queued - self._wait

    def _commit(self, group: list[_Work]) -> list[_Work]:
        """Run and commit as many works as may share this transaction; gives those that are done."""
        done: list[_Work] = []
        touched: dict[StateKey, int] = {}
        epoch = self._writing.epoch
        try:
            connection = self._session.open()
            with connection.begin():
                for work in group:
                    if done and not work.urgent and self._urgent:
                        break  # an intent does not wait for the rest of the queue
                    done.append(work)
                    self._run(connection, work, touched)
        except Exception as error:  # noqa: BLE001 - whatever failed, the callers hear of it and the thread lives on
            done = done or group
            self._writing.epoch = epoch
            self._fail(done, error)
            touched.clear()
        else:
            self._note("")
        self._put_back(group[len(done) :])
        self._remember(touched)
        return done

    def _run(self, connection: Connection, work: _Work, touched: dict[StateKey, int]) -> None:
        """Run one work under its savepoint; a failing database fails the whole transaction."""
        writing, epoch = self._writing, self._writing.epoch
        writing.number, writing.touched = work.number, {}
        connection.exec_driver_sql("SAVEPOINT work")
        try:
            work.value = work.run(RowTx(connection, writing))
        except Exception as error:
            if isinstance(error, DBAPIError) and not _is_mistake(error):
                raise
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
            writing.epoch = epoch
            work.error = error
        else:
            touched.update(writing.touched)
        connection.exec_driver_sql("RELEASE SAVEPOINT work")

    def _fail(self, group: list[_Work], error: Exception) -> None:
        if not isinstance(error, StoreError | StoreTooNewError):
            self._session.drop()
        text = f"{self._name}: cannot be written now ({reason(error)}); nothing was changed"
        self._note(text)
        for work in group:
            work.value = None
            work.error = StoreError(text)
            work.error.__cause__ = error

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            log.error("store cannot be written", reason=trouble)
        if self.trouble and not trouble:
            log.info("store is written again")
        self.trouble = trouble

    def _remember(self, touched: dict[StateKey, int]) -> None:
        """Keep which states a work wrote that some queued work, older than it, may still write."""
        oldest = self._queued[0].number if self._queued else self._count + 1
        known = self._writing.overtaken | touched
        self._writing.overtaken = {key: n for key, n in known.items() if n > oldest}

    def _put_back(self, group: list[_Work]) -> None:
        with self._changed:
            for work in reversed(group):
                (self._urgent if work.urgent else self._queued).appendleft(work)


def _drain(queue: deque[_Work]) -> list[_Work]:
    works = list(queue)
    queue.clear()
    return works


def _is_mistake(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return isinstance(error, _MISTAKES) or code == sqlite3.SQLITE_ERROR
