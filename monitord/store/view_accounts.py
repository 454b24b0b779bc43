"""The questions about users and their credentials; part of the one view (view.py).

What a row proves is decided in decisions/accounts.py.
"""

from monitord.model.account import Credential, User
from monitord.store import tables as t
from monitord.store.columns import storable
from monitord.store.view_people import PeopleView


class AccountView(PeopleView):
    """Questions to one transaction's connection."""

    def user(self, name: str) -> User | None:
        """Give one."""
        return self._one(t.USERS, t.USERS.select().where(t.USERS.table.c.name == storable(name)))

    def users(self) -> list[User]:
        """Give all, by name."""
        return self._all(t.USERS, t.USERS.select().order_by(t.USERS.table.c.name))

    def credential(self, digest: str) -> Credential | None:
        """Give the one with this digest."""
        c = t.CREDENTIALS.table.c
        return self._one(t.CREDENTIALS, t.CREDENTIALS.select().where(c.digest == digest))

    def credentials(self, user: str = "") -> list[Credential]:
        """Give those that nobody has ended, of one user or all, by id."""
        c = t.CREDENTIALS.table.c
        query = t.CREDENTIALS.select().where(c.ended.is_(None))
        if user:
            query = query.where(c.user == storable(user))
        return self._all(t.CREDENTIALS, query.order_by(c.id))
