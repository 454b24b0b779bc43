"""A rename (`was:`): states get new keys, and what is remembered of the old name goes with them.

Whether a rename is one is decided by the configuration; attempts, their plans and steps, and the
timeline keep the name that was true when they were written: the executor renders a running attempt
from the configuration of its day, under the names of that day.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from monitord.model.ids import StateKey, split_state_key
from monitord.store import tables as t


def rename_states(connection: Connection, names: Mapping[StateKey, StateKey]) -> None:
    """Rename states and their history; a state that stands at a new key gives way."""
    _states(connection, names)
    _keys(connection, t.TRANSITIONS.table, names)
    checks = {split_state_key(old)[0]: split_state_key(new)[0] for old, new in names.items()}
    keyed = (t.INCIDENTS, t.TICKETS, t.JOBS, t.CHAIN_RUNS, t.CHAIN_LINKS, t.WAITING)
    for rows in keyed:
        _keys(connection, rows.table, checks)
    _items(connection, names)


def _states(connection: Connection, names: Mapping[StateKey, StateKey]) -> None:
    # Read all, delete all, insert all: two names may have changed places.
    table = t.STATES.table
    found = [
        dict(row)
        for old in names
        for row in connection.execute(select(table).where(table.c.key == old)).mappings()
    ]
    for row in found:
        row["key"] = names[row["key"]]
    for key in {*names, *(row["key"] for row in found)}:
        connection.execute(delete(table).where(table.c.key == key))
    if found:
        connection.execute(insert(table), found)


def _keys(connection: Connection, table: Table, names: Mapping[Any, Any]) -> None:
    # By way of a key that nothing can have, again because two names may change places.
    for old in names:
        connection.execute(update(table).where(table.c.key == old).values(key=f"/{old}"))
    for old, new in names.items():
        connection.execute(update(table).where(table.c.key == f"/{old}").values(key=new))


def _items(connection: Connection, names: Mapping[StateKey, StateKey]) -> None:
    c = t.INCIDENTS.table.c
    for number, text in connection.execute(
        select(c.id, c["items"]).where(c["items"] != "[]")
    ).all():
        items = [names.get(StateKey(item), item) for item in json.loads(text)]
        changed = json.dumps(items, separators=(",", ":"))
        if changed != text:
            connection.execute(
                update(t.INCIDENTS.table).where(c.id == number).values(items=changed)
            )
