"""The ground of all changes: what the writer knows of a row's origin, insert, compare-and-swap.

Illegal moves raise here, at the one place that writes; which changes there are stands in tx.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, update

from monitord.model.ids import StateKey
from monitord.model.incident import must_be_legal
from monitord.store import tables as t
from monitord.store.columns import Row
from monitord.store.view import RowView

_Status = TypeVar("_Status", bound=StrEnum)


def nowhere(_host: str) -> tuple[str, str]:
    """Give no customer and no site."""
    return "", ""


@dataclass(slots=True)
class Writing:
    """What the writer knows while it runs works: where rows come from, and who overtook whom.

    `place` gives (customer, site) of a host name; `number` counts works as they were submitted.
    `touched` collects the state keys that works of this transaction wrote; `overtaken` says which
    later work has already written a state that one still queued may want to write.
    """

    node: str = ""
    epoch: int = 0
    place: Callable[[str], tuple[str, str]] = nowhere
    number: int = 0
    touched: dict[StateKey, int] = field(default_factory=dict)
    overtaken: dict[StateKey, int] = field(default_factory=dict)

    def origin(self, host: str) -> dict[str, Any]:
        """Give the columns that say where a row about `host` comes from."""
        customer, site = self.place(host)
        return {"customer": customer, "site": site, "node": self.node, "epoch": self.epoch}


class RowWriter(RowView):
    """Changes to the writer's connection; the questions answer from the same transaction."""

    def __init__(self, connection: Connection, writing: Writing) -> None:
        super().__init__(connection)
        self.writing = writing

    def _origin(self, rows: t.Rows[Any], host: str = "") -> dict[str, Any]:
        origin = self.writing.origin(host)
        return {name: origin[name] for name in rows.origin}

    def _add(self, rows: t.Rows[Row], row: Row, **origin: Any) -> int:
        new = rows.codec.store_new(row) | self._origin(rows) | origin
        result = self.connection.execute(insert(rows.table), new)
        key: Any = result.inserted_primary_key  # a table numbered by the database always has one
        return int(key[0])

    def _change(
        self, rows: t.Rows[Any], number: int, expected: StrEnum, changes: Mapping[str, Any]
    ) -> bool:
        c = rows.table.c
        statement = (
            update(rows.table)
            .where(c.id == number, c.status == str(expected))
            .values(rows.codec.store_some(changes))
        )
        return self.connection.execute(statement).rowcount == 1

    def _move(
        self,
        rows: t.Rows[Any],
        number: int,
        path: tuple[_Status, _Status],
        moves: Mapping[_Status, frozenset[_Status]],
        changes: Mapping[str, Any],
    ) -> bool:
        before, after = path
        must_be_legal(moves, before, after)
        return self._change(rows, number, before, {**changes, "status": after})
