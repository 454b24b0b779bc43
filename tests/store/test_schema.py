"""Migrations go forward only, leave a copy behind, and a newer schema is refused."""

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from monitord.errors import StoreError, StoreTooNewError
from monitord.store import open_reader, open_store, schema
from monitord.store.database import Database, find, writer_engine
from monitord.store.tables import METADATA
from tests.store import rows

NEXT_STEP = '''"""A later step."""
import sqlalchemy as sa
from alembic import op

revision = "9998"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("states", sa.Column("colour", sa.Text(), server_default="red"))
    {then}
'''


def later_steps(folder: Path, then: str = "") -> Path:
    """Give our migrations with one more step."""
    shutil.copytree(schema.SCRIPTS, folder)
    text = NEXT_STEP.format(head=schema.HEAD, then=then or "pass")
    (folder / "versions" / "9998_later.py").write_text(text)
    return folder


def made(place: str | Path) -> tuple[Database, Engine]:
    """Make a database with one state; give it closed, and an engine to it."""
    store = open_store(place)
    store.write_now(lambda tx: tx.put_states([rows.state()]))
    store.close_now()
    database = find(place)
    return database, writer_engine(database)


def test_the_migrations_make_exactly_the_tables(place: str) -> None:
    _, engine = made(place)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        # A field added to a stored dataclass needs a column: a new step in migrations/versions.
        assert compare_metadata(context, METADATA) == []
        head = ScriptDirectory.from_config(schema.alembic(connection)).get_current_head()
        assert head == schema.HEAD


def test_a_newer_database_is_refused_by_writer_and_reader(place: str) -> None:
    _, engine = made(place)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    cure = f"has schema 9999, this monitord knows up to {schema.HEAD}: install the newer"
    with pytest.raises(StoreTooNewError, match=cure):
        open_store(place)
    with closing(open_reader(place)) as reader, pytest.raises(StoreTooNewError, match=cure):
        reader.read_now(lambda view: view.states())


def test_a_migration_leaves_a_copy_of_what_was(tmp_path: Path) -> None:
    database, engine = made(tmp_path / "state.db")
    scripts = later_steps(tmp_path / "steps")
    with engine.connect() as connection:
        schema.upgrade(connection, database, head="9998", scripts=scripts)
    copy = tmp_path / f"state.db.{schema.HEAD}-before-9998"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    old, new = sqlite3.connect(copy), sqlite3.connect(tmp_path / "state.db")
    assert old.execute("SELECT key FROM states").fetchall() == [(rows.SITE,)]
    assert new.execute("SELECT key, colour FROM states").fetchall() == [(rows.SITE, "red")]
    with pytest.raises(sqlite3.OperationalError, match="colour"):
        old.execute("SELECT colour FROM states")
    old.close()
    new.close()
    with closing(open_reader(copy)) as reader:
        assert reader.read_now(lambda view: view.state(rows.SITE)) == rows.state()


def test_a_failed_migration_changes_nothing(place: str, tmp_path: Path) -> None:
    database, engine = made(place)
    scripts = later_steps(tmp_path / "steps", "raise RuntimeError('power cut')")
    with engine.connect() as connection, pytest.raises(RuntimeError, match="power cut"):
        schema.upgrade(connection, database, head="9998", scripts=scripts)
    with closing(open_reader(place)) as reader:  # it still has the schema that we know
        assert reader.read_now(lambda view: view.state(rows.SITE)) == rows.state()


def test_a_reader_says_when_there_is_nothing_to_read_yet(tmp_path: Path) -> None:
    with closing(open_reader(tmp_path / "state.db")) as reader:
        with pytest.raises(StoreError, match="cannot be read: unable to open database file"):
            reader.read_now(lambda view: view.states())
        open_store(tmp_path / "state.db").close_now()
        assert reader.read_now(lambda view: view.states()) == []


def test_a_database_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="start the daemon once"):
        open_store(tmp_path / "none.db", create=False)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be made or locked: .*File exists"):
        open_store(tmp_path / "file" / "state.db")
    (tmp_path / "state.db").write_bytes(b"this is no database, though it is long enough" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        open_store(tmp_path / "state.db")
    with pytest.raises(StoreError, match="is neither a file nor a postgresql:// URL"):
        open_store("mysql://me@there/db")


def test_the_files_are_for_the_owner_and_the_group(tmp_path: Path) -> None:
    store = open_store(tmp_path / "var" / "state.db")
    store.write_now(lambda tx: tx.put_states([rows.state()]))
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        mode = (tmp_path / "var" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o640, name
    store.close_now()


def test_only_one_monitord_writes(place: str) -> None:
    store = open_store(place)
    with pytest.raises(StoreError, match="another monitord writes this database"):
        open_store(place)
    store.close_now()
    open_store(place).close_now()
