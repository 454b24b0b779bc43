"""Opens the store and hands works to the writer and the readers, for callers with an event loop.

What a work did comes back in the loop it was handed out from. Nothing is decided here.
"""

import asyncio
import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from monitord.errors import StoreError
from monitord.store.contract import Tx, View
from monitord.store.database import Database, find
from monitord.store.readers import Readers
from monitord.store.session import WriterSession
from monitord.store.tx_rows import Writing, nowhere
from monitord.store.writer import Writer

T = TypeVar("T")

TEMPORARY = ":memory:"
"""The place of a store that nobody else opens and that is gone when it is closed."""

_WAIT = 0.1  # seconds that works which are not urgent wait to share a commit
_LIMIT = 5.0  # seconds that one read may take beside a running daemon


class Door(Protocol):
    """Counts what is outside the loop, so that virtual time can wait for it (both in the loop)."""

    def entered(self) -> None:
        """Note that an operation was handed to another thread."""
        ...

    def left(self) -> None:
        """Note that its outcome has come back."""
        ...


class OpenDoor:
    """Counts nothing: for time that passes by itself."""

    def entered(self) -> None:
        """Note nothing."""

    def left(self) -> None:
        """Note nothing."""


class OpenStore:
    """One database with its writer thread and its readers: the contract's `Store`."""

    def __init__(
        self,
        database: Database,
        writing: Writing,
        *,
        create: bool,
        door: Door,
        folder: Path | None,
    ) -> None:
        self._database = database
        self._door = door
        self._folder = folder
        session = WriterSession(database, writing, create=create)
        # Nothing that is not durable gains from waiting for others to share a flush.
        wait = _WAIT if database.durable else 0.0
        self._writer = Writer(str(database), session, writing, wait=wait)
        self._readers = Readers(database, limit=_LIMIT)

    def write(self, work: Callable[[Tx], T], *, urgent: bool = True) -> asyncio.Future[T]:
        """Queue a work to the writer (see the contract)."""
        future, finish = self._hand_out()
        try:
            self._writer.submit(work, finish, urgent=urgent)
        except StoreError as error:
            finish(None, error)
        return future

    def read(self, work: Callable[[View], T]) -> asyncio.Future[T]:
        """Run a work on a read-only connection in another thread."""
        future, finish = self._hand_out()
        try:
            self._readers.submit(work, finish)
        except StoreError as error:
            finish(None, error)
        return future

    def read_now(self, work: Callable[[View], T]) -> T:
        """The same, blocking."""
        return self._readers.read_now(work)

    def write_now(self, work: Callable[[Tx], T]) -> T:
        """Write urgently and block until the commit."""
        done = threading.Event()
        outcome: list[Any] = []

        def finish(value: Any, error: Exception | None) -> None:
            outcome[:] = [value, error]
            done.set()

        self._writer.submit(work, finish, urgent=True)
        done.wait()
        value, error = outcome
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return] # the writer hands back what `work` gave

    @property
    def queued(self) -> int:
        """Tell how many works wait for the writer."""
        return len(self._writer)

    @property
    def trouble(self) -> str:
        """Say why the last commit failed; empty while all is well."""
        return self._writer.trouble

    async def close(self) -> None:
        """Commit what is queued, checkpoint, close."""
        loop = asyncio.get_running_loop()
        self._door.entered()
        try:
            await loop.run_in_executor(None, self.close_now)
        finally:
            self._door.left()

    def close_now(self) -> None:
        """The same, blocking; closing twice is harmless."""
        self._readers.close()
        self._writer.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _hand_out(self) -> tuple[asyncio.Future[Any], Callable[[Any, Exception | None], None]]:
        """Make a future of the running loop, and what another thread calls to resolve it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._door.entered()

        def resolve(value: Any, error: Exception | None) -> None:
            self._door.left()
            if future.done():  # its caller was cancelled and waits no longer
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        def finish(value: Any, error: Exception | None) -> None:
            # A loop that is closed has nobody left who waits, and the thread must live on.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(resolve, value, error)

        return future, finish


def open_store(
    place: str | Path,
    *,
    create: bool = True,
    durable: bool = True,
    door: Door | None = None,
    node: str = "",
    locate: Callable[[str], tuple[str, str]] = nowhere,
) -> OpenStore:
    """Open a path or database URL for writing: migrate it, start the writer's thread.

    `durable=False` flushes nothing to the disk and waits for no group; with TEMPORARY as place the
    store is private and gone when closed. `door` is told of each operation outside the loop.
    `node` and `locate` (host name → customer, site) fill the rows' columns of origin.

    Raises:
        StoreError: it cannot be opened, or another monitord writes it.
        StoreTooNewError: a newer monitord wrote it.
    """
    folder: Path | None = None
    if str(place) == TEMPORARY:
        if durable:
            raise StoreError(f"store: {TEMPORARY} keeps nothing; pass durable=False")
        folder = Path(tempfile.mkdtemp(prefix="monitord-store-"))
        place = folder / "state.db"
    database = find(place, durable=durable)
    writing = Writing(node=node, place=locate)
    return OpenStore(database, writing, create=create, door=door or OpenDoor(), folder=folder)


def open_reader(place: str | Path, *, limit: float = 30.0) -> Readers:
    """Give read-only access (`read_now`) for the executor and the command line.

    `limit` is how long one read may take, in seconds. Nothing is opened before the first read.

    Raises:
        StoreError: the place names no engine that monitord knows.
    """
    return Readers(find(place), limit=limit, threads=1)
