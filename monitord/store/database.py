"""Where the rows are: a SQLite file or a PostgreSQL database, and how each is connected to.

It sets what both engines need so that a commit is durable, a reader cannot write, and only one
monitord writes. What is asked or written, and when, is not its business.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from monitord.errors import StoreError

MODE = 0o640
"""The core writes the database, its group reads it, nobody else."""

_BUSY = 1.0  # seconds that a locked database is waited for before the callers get their StoreError
_ADVISORY = 0x6D6F6E69746F7264  # "monitord" as the number of PostgreSQL's advisory lock
_BROKEN = "move the file aside and start anew, or put back a copy (*-before-* beside it)"
_OPCODES = 5000  # SQLite's virtual machine steps between two looks at a reader's deadline


@dataclass(frozen=True, slots=True)
class Database:
    """Which database. `path` is the file of a SQLite one, None for PostgreSQL.

    Not `durable`: nothing is flushed to the disk, for tests and `monitord test`.
    """

    url: URL
    path: Path | None
    durable: bool = True

    def __str__(self) -> str:
        """Give the name that is safe to print: the file, or the URL without its password."""
        open_ = self.url.difference_update_query(("password", "sslpassword"))
        return str(self.path or open_.render_as_string(hide_password=True))


def find(place: str | Path, *, durable: bool = True) -> Database:
    """Read a path or a database URL (`sqlite:///…`, `postgresql://…`).

    Raises:
        StoreError: it names no engine that monitord knows.
    """
    text = str(place)
    if "://" not in text:
        text = f"sqlite:///{text}"
    try:
        url = make_url(text)
    except ArgumentError as error:
        # Its own text repeats the URL, and with it the password.
        raise StoreError(
            "store: this is no database URL; write postgresql://NAME:PASSWORD@HOST/DATABASE, with "
            "%40 for an @ in the password"
        ) from error
    engine = url.get_backend_name()
    if engine == "postgresql":
        return Database(url.set(drivername="postgresql+psycopg"), None, durable)
    if engine != "sqlite" or not url.database:
        raise StoreError(
            f"store: {url.render_as_string()} is neither a file nor a postgresql:// URL"
        )
    return Database(url, Path(url.database).absolute(), durable)


def create_file(path: Path) -> None:
    """Make an empty file that SQLite will use, with its mode; the folder too, if need be."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, MODE)
    try:
        os.fchmod(descriptor, MODE)  # the umask may have taken the group's bit
    finally:
        os.close(descriptor)


def writer_engine(database: Database) -> Engine:
    """Make the engine of the one connection that writes and checkpoints."""
    if database.path is None:
        return create_engine(
            database.url,
            poolclass=NullPool,
            connect_args=_postgres("writer", durable=database.durable),
        )
    return _sqlite(database, "rw", "BEGIN IMMEDIATE", poolclass=NullPool)


def reader_engine(database: Database, *, limit: float, size: int) -> Engine:
    """Make the engine of read-only connections, whose statements end after `limit` seconds."""
    if database.path is None:
        arguments = _postgres("reader", limit=limit)
        return create_engine(
            database.url,
            pool_size=size,
            max_overflow=0,
            isolation_level="REPEATABLE READ",
            connect_args=arguments,
        )
    return _sqlite(database, "ro", "BEGIN", poolclass=QueuePool, pool_size=size, max_overflow=0)


def _postgres(who: str, *, durable: bool = True, limit: float = 60.0) -> dict[str, Any]:
    options = [f"-c statement_timeout={int(limit * 1000)}", "-c lock_timeout=5s"]
    if who == "reader":
        options.append("-c default_transaction_read_only=on")
    if not durable:
        options.append("-c synchronous_commit=off")
    return {
        "options": " ".join(options),
        "application_name": f"monitord-{who}",
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "tcp_user_timeout": 10_000,
    }


def _sqlite(database: Database, mode: str, begin: str, **pool: Any) -> Engine:
    # mode=rw and ro never make a file: one that has gone is an error, not an empty database.
    address = f"file:{quote(str(database.path))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address,
            uri=True,
            timeout=_BUSY,
            isolation_level=None,  # our own BEGIN, or Python's module begins when it likes
            check_same_thread=False,  # the pool hands it to one thread at a time
            cached_statements=256,
        )
        _set_up(connection, database, mode)
        return connection

    engine = create_engine("sqlite://", creator=connect, **pool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _set_up(connection: sqlite3.Connection, database: Database, mode: str) -> None:
    if mode == "ro":
        connection.execute("PRAGMA query_only = on")
        return
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute(f"PRAGMA synchronous = {'full' if database.durable else 'off'}")
    # Pages: a checkpoint flushes twice inside a commit, so it comes each 16 MB, not each 4.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA journal_size_limit = 67108864")


def limit_time(connection: Connection, seconds: float) -> Callable[[], None]:
    """Interrupt what a SQLite connection runs later than `seconds` from now; gives the undo.

    PostgreSQL has its statement_timeout, so nothing is done there.
    """
    if connection.dialect.name != "sqlite":
        return lambda: None
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    deadline = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _OPCODES)
    return lambda: driver.set_progress_handler(None, 0)


class Identity:
    """Which file a SQLite connection was opened on: a removed or replaced one must be noticed.

    SQLite itself goes on writing into the removed file, and every row would be lost.
    """

    def __init__(self, database: Database) -> None:
        self._path = database.path
        self._opened: tuple[int, int] | None = None

    def remember(self) -> None:
        """Take the file that stands there now as ours."""
        self._opened = self._look()

    def check(self) -> bool:
        """Tell whether the file is still the one that was opened."""
        return self._path is None or self._look() == self._opened

    def _look(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


class FileLock:
    """Holds `<database>.lock`, so that a second monitord does not write the same SQLite file.

    Raises:
        StoreError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        place = path.with_name(path.name + ".lock")
        self._descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise StoreError(
                f"{path}: another monitord writes this database; stop it first (fuser {place})"
            ) from error

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._descriptor)


def lock_postgres(connection: Connection, database: Database) -> None:
    """Hold the advisory lock as long as this session lives.

    Raises:
        StoreError: another session holds it.
    """
    with connection.begin():
        held = connection.exec_driver_sql(
            "SELECT pg_try_advisory_lock(%(lock)s)", {"lock": _ADVISORY}
        ).scalar()
    if not held:
        raise StoreError(f"{database}: another monitord writes this database; stop it first")


def reason(error: Exception) -> str:
    """Give the database's own first sentence, without SQLAlchemy's wrapping; a cure if there is."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(cause).strip().splitlines()
    text = lines[0] if lines else type(cause).__name__
    return f"{text}; {_BROKEN}" if is_broken(error) else text


def is_broken(error: Exception) -> bool:
    """Tell whether a SQLite file itself is damaged, so that no retry and no right would help."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # without what extends it
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
