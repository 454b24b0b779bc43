"""The changes to users and their credentials; part of the one tx (tx.py).

Who may ask for one, and what it means, is not decided here.
"""

from typing import Any

from sqlalchemy import update

from monitord.model.account import Credential, Kind, User
from monitord.model.ids import Instant
from monitord.store import tables as t
from monitord.store.columns import storable
from monitord.store.tx_chains import ChainTx


class AccountTx(ChainTx):
    """Changes to the writer's connection."""

    def add_user(self, user: User) -> int:
        """Insert."""
        return self._add(t.USERS, user)

    def change_user(self, name: str, **changes: Any) -> bool:
        """Change columns; False when there is no such user."""
        statement = update(t.USERS.table).where(t.USERS.table.c.name == storable(name))
        stored = t.USERS.codec.store_some(changes)
        return self.connection.execute(statement.values(**stored)).rowcount == 1

    def add_credential(self, credential: Credential) -> int:
        """Insert."""
        return self._add(t.CREDENTIALS, credential)

    def see_credential(self, number: int, at: Instant) -> None:
        """Note a use."""
        c = t.CREDENTIALS.table.c
        self.connection.execute(update(t.CREDENTIALS.table).where(c.id == number).values(seen=at))

    def end_credential(self, number: int, at: Instant, by: str) -> bool:
        """End one; False when it had ended before or never was."""
        c = t.CREDENTIALS.table.c
        statement = update(t.CREDENTIALS.table).where(c.id == number, c.ended.is_(None))
        changes = {"ended": at, "ended_by": storable(by)}
        return self.connection.execute(statement.values(**changes)).rowcount == 1

    def end_credentials(
        self, user: str, at: Instant, by: str, *, kind: Kind | None = None, but: int = 0
    ) -> int:
        """End those of a user, of one kind or all, but for the one of this number."""
        c = t.CREDENTIALS.table.c
        statement = update(t.CREDENTIALS.table).where(
            c.user == storable(user), c.ended.is_(None), c.id != but
        )
        if kind is not None:
            statement = statement.where(c.kind == str(kind))
        changes = {"ended": at, "ended_by": storable(by)}
        return self.connection.execute(statement.values(**changes)).rowcount
