"""What the control API asks of the engine about users; part of `monitord.api.ports.Engine`."""

from datetime import timedelta
from typing import Protocol

from monitord.model.account import Credential, Known, Role, User


class Accounts(Protocol):
    """Users and what proves that somebody is one.

    Errors: LoginError where somebody cannot show who they are, NotFoundError for a user or
    credential that is none, CommandRefusedError with the reason.
    """

    async def known(self, secret: str) -> Known:
        """Give who somebody with this session or token is."""
        ...

    async def login(self, name: str, password: str, *, where: str) -> tuple[str, Known]:
        """Begin a session; gives its secret."""
        ...

    async def logout(self, secret: str) -> None:
        """End it."""
        ...

    async def invite(self, name: str, role: Role | None, *, by: str) -> tuple[str, User]:
        """Make a user, or without a role find one; gives a link's secret."""
        ...

    async def own_link(self, name: str, password: str, *, where: str) -> str:
        """Give a link's secret to a user who knows the password that holds."""
        ...

    async def linked(self, secret: str) -> str:
        """Give whose password a link sets."""
        ...

    async def accept(self, secret: str, password: str, *, where: str) -> tuple[str, Known]:
        """Set it, once, and begin a session."""
        ...

    async def change(
        self, name: str, *, role: Role | None = None, disabled: bool | None = None, by: str
    ) -> User:
        """Give another role, or lock out and let in."""
        ...

    async def token(
        self, name: str, *, role: Role, about: str, lasts: timedelta, by: str
    ) -> tuple[str, Role]:
        """Make a token for a program; gives its secret and its role."""
        ...

    async def revoke(self, number: int, *, by: str, own: str = "") -> None:
        """End a session or token; with `own`, only one of that user."""
        ...

    async def users(self) -> list[User]:
        """Give all users, by name."""
        ...

    async def credentials(self, user: str = "") -> list[Credential]:
        """Give what still proves something, by number."""
        ...
