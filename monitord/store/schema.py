"""The schema's version: brings a database up to this monitord's, and refuses a newer one.

Forward only. A SQLite database that holds rows is copied (VACUUM INTO) before it is migrated; of a
PostgreSQL one the administrator keeps the backups. What the tables mean stands in `tables`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from monitord.errors import StoreError, StoreTooNewError
from monitord.store.database import MODE, Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0014"
"""The newest revision in migrations/versions (a test holds them equal)."""

SCRIPTS = Path(__file__).parent / "migrations"
"""Where alembic finds the steps: inside the package, so that the wheel carries them."""


def version(connection: Connection) -> str:
    """Give the revision that the database has; empty when it holds no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(found or "")


def must_fit(connection: Connection, database: Database) -> None:
    """Check that the rows are of this monitord's schema.

    Raises:
        StoreTooNewError: a newer monitord wrote them.
        StoreError: they are older, or there are none: the daemon has not been started yet.
    """
    found = version(connection)
    _refuse_newer(found, database, HEAD)
    if found != HEAD:
        state = f"has schema {found}" if found else "is empty"
        raise StoreError(f"{database} {state}, not {HEAD}; start the daemon once, it migrates")


def _refuse_newer(found: str, database: Database, head: str) -> None:
    if found > head:  # revisions are numbers of four digits, so text order is their order
        raise StoreTooNewError(
            f"{database} has schema {found}, this monitord knows up to {head}: install the newer "
            f"monitord again, or go back to the copy made before that upgrade"
        )


def upgrade(
    connection: Connection, database: Database, *, head: str = HEAD, scripts: Path = SCRIPTS
) -> None:
    """Migrate to `head` by the steps in `scripts`; nothing happens where it stands there already.

    Raises:
        StoreTooNewError: the database is newer than this monitord.
    """
    with connection.begin():
        found = version(connection)
    _refuse_newer(found, database, head)
    if found == head:
        return
    if found and database.path is not None:
        name = f"{database.path.name}.{found}-before-{head}"
        copy(connection, database.path.with_name(name))
    with connection.begin():
        _migrate(connection, scripts)


def copy(connection: Connection, target: Path) -> None:
    """Write a consistent copy of a SQLite database to `target`, whole or not at all."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
    part.chmod(MODE)
    driver = connection.connection.cursor()
    try:
        driver.execute("VACUUM INTO ?", (str(part),))  # outside any transaction, as it demands
    finally:
        driver.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _migrate(connection: Connection, scripts: Path) -> None:
    from alembic import command

    command.upgrade(alembic(connection, scripts), "head")


def alembic(connection: Connection, scripts: Path = SCRIPTS) -> "Config":
    """Give alembic's configuration for this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
