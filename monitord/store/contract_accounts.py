"""The part of the store's contract about users and credentials (contract.py has the whole)."""

from typing import Any, Protocol

from monitord.model.account import Credential, Kind, User
from monitord.model.ids import Instant


class AccountView(Protocol):
    """Questions about users and what proves that somebody is one."""

    def user(self, name: str) -> User | None: ...
    def users(self) -> list[User]: ...
    def credential(self, digest: str) -> Credential | None: ...
    def credentials(self, user: str = "") -> list[Credential]:
        """Give those that nobody has ended, of one user or all."""
        ...


class AccountTx(AccountView, Protocol):
    """Changes to them."""

    def add_user(self, user: User) -> int:
        """Store a new user; a second of the name is refused by the database (IntegrityError)."""
        ...

    def change_user(self, name: str, **changes: Any) -> bool: ...
    def add_credential(self, credential: Credential) -> int: ...
    def see_credential(self, number: int, at: Instant) -> None:
        """Note a use."""
        ...

    def end_credential(self, number: int, at: Instant, by: str) -> bool: ...
    def end_credentials(
        self, user: str, at: Instant, by: str, *, kind: Kind | None = None, but: int = 0
    ) -> int:
        """End those of a user, of one kind or all, but for the one of this number."""
        ...
