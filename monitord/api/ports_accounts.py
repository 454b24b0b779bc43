"""What the control API asks of the engine about users; part of `monitord.api.ports.Engine`."""

from datetime import timedelta
from typing import Protocol

from monitord.model.account import Credential, Known, Role, User


class Ways(Protocol):
    """How people log in: the provider's name (empty: none), and where it ends its own session."""

    @property
    def provider(self) -> str:
        """Give the name."""
        ...

    @property
    def leave(self) -> str:
        """Give the address; empty where there is none, or nobody knows yet."""
        ...


class Logins(Protocol):
    """Logging in by a provider.

    Errors: CommandRefusedError where none is configured, ProviderDownError where it cannot be
    asked, LoginError where somebody is not let in.
    """

    def ways(self) -> Ways:
        """Give how people log in."""
        ...

    async def begin(self) -> tuple[str, str]:
        """Give where the browser goes, and the word that it alone keeps."""
        ...

    async def finish(self, word: str, state: str, code: str, *, where: str) -> tuple[str, Known]:
        """Take what came back, once; gives a session's secret."""
        ...


class Accounts(Protocol):
    """Users and what proves that somebody is one.

    Errors: LoginError where somebody cannot show who they are, NotFoundError for a user or
    credential that is none, CommandRefusedError with the reason.
    """

    @property
    def provider(self) -> Logins:
        """Give the way in by a provider."""
        ...

    async def by_provider(self, name: str, *, by: str) -> None:
        """Have a user log in by it from now on, with no password."""
        ...

    async def known(self, secret: str) -> Known:
        """Give who somebody with this session or token is."""
        ...

    async def login(self, name: str, password: str, *, where: str) -> tuple[str, Known]:
        """Begin a session; gives its secret."""
        ...

    async def logout(self, secret: str) -> bool:
        """End it; True when the user logs in by the provider."""
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
