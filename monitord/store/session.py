"""The writer's hold on its database: the lock against a second daemon, and the one connection.

It connects again whenever the last connection failed or the file under it was replaced. What is
written through it is not its business.
"""

import contextlib
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from monitord.errors import MonitordError, StoreError
from monitord.log import get_logger
from monitord.store import schema
from monitord.store.database import (
    Database,
    FileLock,
    Identity,
    create_file,
    lock_postgres,
    reason,
    writer_engine,
)
from monitord.store.tx import EPOCH_NAME
from monitord.store.tx_rows import Writing
from monitord.store.upsert import get_meta

log = get_logger(__name__)


def _claim(path: Path, *, create: bool) -> FileLock:
    if not create and not path.exists():
        raise StoreError(f"{path}: there is no such database; start the daemon once")
    try:
        if create:
            create_file(path)
        return FileLock(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be made or locked: {error}") from error


class WriterSession:
    """The database opened for writing. Making one migrates it; `create` lets it make the file.

    Raises:
        StoreError: it cannot be opened, or another monitord writes it.
        StoreTooNewError: a newer monitord wrote it.
    """

    def __init__(self, database: Database, writing: Writing, *, create: bool) -> None:
        self._database = database
        self._writing = writing
        self._identity = Identity(database)
        self._connection: Connection | None = None
        self._lock: FileLock | None = None
        if database.path is not None:
            self._lock = _claim(database.path, create=create)
        self._engine: Engine = writer_engine(database)
        try:
            self._connect(migrate=True)
        except BaseException:
            self._release()
            raise

    def open(self) -> Connection:
        """Give a connection to the database that stands at our place now."""
        if self._connection is not None and not self._identity.check():
            self.drop()
            raise StoreError(f"{self._database}: the file was removed or replaced while in use")
        if self._connection is None:
            return self._connect(migrate=False)
        return self._connection

    def _connect(self, *, migrate: bool) -> Connection:
        try:
            connection = self._connection = self._engine.connect()
            if self._database.path is None:
                lock_postgres(connection, self._database)
            if migrate:
                schema.upgrade(connection, self._database)
            with connection.begin():
                schema.must_fit(connection, self._database)
                self._writing.epoch = int(get_meta(connection, EPOCH_NAME) or 0)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self.drop()
            raise StoreError(f"{self._database} cannot be opened: {reason(error)}") from error
        except MonitordError:
            self.drop()
            raise
        self._identity.remember()
        return connection

    def drop(self) -> None:
        """Forget the connection: the next `open` makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):  # it is broken; that is why it goes
                connection.invalidate()
                connection.close()

    def close(self) -> None:
        """Move the log into the database file, close, and let the next daemon in."""
        if self._connection is not None and self._database.path is not None:
            try:
                # By the driver: SQLAlchemy would begin a transaction, which forbids a checkpoint.
                checkpoint = self._connection.connection.cursor()
                checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                checkpoint.close()
            except (SQLAlchemyError, sqlite3.Error) as error:
                # Nothing is lost: the log is read again at the next start.
                log.warning("store not checkpointed", reason=reason(error))
        self._release()

    def _release(self) -> None:
        self.drop()
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
