"""Insert-or-replace on both engines, and the named values in `meta` that use it.

It knows no rules: what is stored under a name is the caller's business.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from monitord.store.columns import storable
from monitord.store.tables import META

_NAMED = select(META.c.value).where(META.c.name == bindparam("name"))
_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@cache
def upsert(table: Table, dialect: str, key: str) -> Any:
    """Give the statement that inserts a row or replaces the one with the same `key` column."""
    statement = _INSERTS[dialect](table)
    new = {c.name: statement.excluded[c.name] for c in table.columns if c.name != key}
    return statement.on_conflict_do_update(index_elements=[key], set_=new)


def put_meta(connection: Connection, name: str, value: str) -> None:
    """Insert or replace a named value."""
    statement = upsert(META, connection.dialect.name, "name")
    connection.execute(statement, {"name": storable(name), "value": storable(value)})


def get_meta(connection: Connection, name: str) -> str | None:
    """Give a named value."""
    value: str | None = connection.execute(_NAMED, {"name": name}).scalar()
    return value
