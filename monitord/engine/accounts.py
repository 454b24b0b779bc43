"""Users of the console and their credentials: rows, each change with its line in the audit chain.

A secret is seen once, here, and kept only as a hash. What a credential proves is decided in
decisions/accounts.py, what a role may in api/access.py.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from monitord.clock import after
from monitord.decisions import accounts as decisions
from monitord.decisions import oidc
from monitord.engine import vouching
from monitord.engine.oncall import Here
from monitord.engine.provider import Provider
from monitord.errors import CommandRefusedError, LoginError, NotFoundError
from monitord.log import get_logger
from monitord.model.account import Credential, Kind, Known, Role, User
from monitord.model.ids import Instant
from monitord.model.login import LoginProvider, Vouched
from monitord.model.loopback import is_loopback
from monitord.passwords import Passwords
from monitord.store.contract import Tx, View

log = get_logger(__name__)

T = TypeVar("T")

_PREFIX = {Kind.SESSION: "mds_", Kind.TOKEN: "mdt_", Kind.LINK: "mdl_"}
_REMEMBERED = 1000
_STRANGER = "stranger_at"
_LINE_EVERY = 5  # wrong passwords in a row
_WRONG = "no such user, or another password; an admin gives a new link: monitord user link NAME"


class Accounts:
    """What people say about users, and who somebody with a secret is."""

    def __init__(self, here: Here, passwords: Passwords) -> None:
        self._here, self._passwords = here, passwords
        self.provider = Provider(here, self._vouched)
        self._rows: OrderedDict[str, tuple[Credential, User | None]] = OrderedDict()
        self._strangers: OrderedDict[str, User] = OrderedDict()
        self._changes = 0  # what was read before a change is not remembered after it

    async def known(self, secret: str) -> Known:
        """Give who somebody with this session or token is, and note that it was used.

        Raises:
            LoginError: it proves nothing (any more).
        """
        digest, now = _digest(secret), self._here.now()
        if digest not in self._rows:
            changes = self._changes
            found = await self._here.store.read(lambda view: _row(view, digest))
            if found is not None and changes == self._changes:
                self._remember(digest, found)
        else:
            found = self._rows[digest]
        credential, user = found or (None, None)
        known = decisions.known(credential, user, now) if credential else None
        if credential is None or known is None or known.kind is Kind.LINK:
            raise LoginError("you are not logged in (any more); log in again")
        if decisions.worth_noting(credential.seen, now):
            await self._here.store.write(
                lambda tx: tx.see_credential(credential.id, now), urgent=False
            )
            self._rows.pop(digest, None)
        return known

    async def login(self, name: str, password: str, *, where: str) -> tuple[str, Known]:
        """Begin a session; gives its secret. `where` is the address somebody comes from.

        Raises:
            LoginError: a wrong name or password, or too many wrong ones before.
        """
        user = await self._proven(name, password, where)
        return await self._begin(user.name, where, "password")

    async def own_link(self, name: str, password: str, *, where: str) -> str:
        """Give the secret of a link to set another password, to whoever knows the one that holds.

        Raises:
            LoginError: it is another one, or there were too many wrong ones before.
        """
        user = await self._proven(name, password, where)
        secret, _ = await self.invite(user.name, None, by=user.name)
        return secret

    async def _proven(self, name: str, password: str, where: str) -> User:
        self._passwords_from(where)
        user, familiar = await self._here.store.read(lambda view: _who(view, name, where))
        now = self._here.now()
        tried = user or self._strangers.get(name)
        waits = decisions.waits_until(tried, now, familiar=familiar) if tried else None
        if waits is not None:
            wait = timedelta(microseconds=waits - now)
            raise LoginError(f"too many wrong passwords; wait {int(wait.total_seconds()) + 1} s")
        right = await self._passwords.fits(user.password if user else "", password)
        if user is None or not right or user.disabled is not None:
            log.warning("login refused", user=name[:64], address=where)
            await self._failed(name, user, where)
            raise LoginError(_WRONG)
        return user

    def _passwords_from(self, where: str) -> None:
        """Refuse a password from elsewhere where it is to be the way in from the machine alone."""
        provider = self._here.catalog.settings.oidc
        if provider and provider.passwords == "loopback" and not is_loopback(where):
            raise LoginError(f"passwords are taken on the machine alone; use {provider.name}")

    async def logout(self, secret: str) -> bool:
        """End a session, or what else the secret is of; True of a user by the provider."""
        known = await self.known(secret)

        def work(tx: Tx, now: Instant) -> bool:
            if tx.end_credential(known.credential, now, known.name):
                text = f"{known.kind} {known.credential} ended"
                tx.add_audit(now, known.name, "logout", known.name, text)
            user = tx.user(known.name)
            return user is not None and user.subject != ""

        return await self._change(work)

    async def invite(self, name: str, role: Role | None, *, by: str) -> tuple[str, User]:
        """Make a user (with a role) or find one; gives the secret of a link to set the password.

        Older links of the user are void.
        """
        if not decisions.is_name(name):
            raise CommandRefusedError(
                f"{name!r} cannot be a user's name; use small letters, digits and . _ @ -"
            )
        if decisions.is_ours(name):
            raise CommandRefusedError(
                f"{name} is what monitord itself or root sign with; take another"
            )

        def work(tx: Tx, now: Instant) -> tuple[str, User]:
            user = tx.user(name)
            if user is not None and role is not None:
                raise CommandRefusedError(f"there is a user {name} already; `monitord user list`")
            if user is None:
                if role is None:
                    raise _no_user(name)
                user = User(0, name, role, now, by)
                tx.add_user(user)
                tx.add_audit(now, by, "user", name, f"new, {role}")
            if user.subject:
                tx.change_user(name, subject="")
                tx.end_credentials(name, now, by)
                tx.add_audit(now, by, "user", name, "no longer by the login provider")
                user = replace(user, subject="")
            tx.end_credentials(name, now, by, kind=Kind.LINK)
            secret = _give(tx, Kind.LINK, user, user.role, now, by, decisions.LINK_HOLDS)
            tx.add_audit(now, by, "user", name, "a link to set the password")
            return secret, user

        return await self._change(work)

    async def accept(self, secret: str, password: str, *, where: str) -> tuple[str, Known]:
        """Set a user's password by a link, once, and begin a session.

        Raises:
            LoginError: the link is not valid (any more).
            CommandRefusedError: the password will not do.
        """
        self._passwords_from(where)
        name = await self.linked(secret)
        bad = decisions.bad_password(name, password)
        if bad:
            raise CommandRefusedError(bad)
        hashed, digest = await self._passwords.hashed(password), _digest(secret)

        def work(tx: Tx, now: Instant) -> None:
            found = _row(tx, digest)
            if found is None or not tx.end_credential(found[0].id, now, name):
                raise LoginError("this link is not valid (any more)")
            tx.end_credentials(name, now, name, kind=Kind.SESSION)
            tx.change_user(name, password=hashed, failures=0, failed=None)
            tx.add_audit(now, name, "user", name, "the password was set")

        await self._change(work)
        return await self._begin(name, where, "link")

    async def linked(self, secret: str) -> str:
        """Give whose password a link sets; LoginError when it is not valid (any more)."""
        digest, now = _digest(secret), self._here.now()
        found = await self._here.store.read(lambda view: _row(view, digest))
        known = decisions.known(*found, now) if found else None
        if known is None or known.kind is not Kind.LINK:
            raise LoginError("this link is not valid (any more); an admin gives a new one")
        return known.name

    async def change(
        self, name: str, *, role: Role | None = None, disabled: bool | None = None, by: str
    ) -> User:
        """Give a user another role, or lock them out and in; it holds at once, everywhere."""

        def work(tx: Tx, now: Instant) -> User:
            user = tx.user(name)
            if user is None:
                raise _no_user(name)
            if by == name and (disabled or role is not None):
                raise CommandRefusedError("nobody changes their own rights; ask another admin")
            if role is not None and user.subject:
                raise CommandRefusedError(f"what {name} may is said by groups of the provider")
            if role is not None:
                tx.change_user(name, role=role)
                tx.add_audit(now, by, "user", name, f"{user.role} → {role}")
            if disabled is not None:
                tx.change_user(name, disabled=now if disabled else None, disabled_by=by)
                tx.add_audit(now, by, "user", name, "locked out" if disabled else "let in again")
            if disabled:
                tx.end_credentials(name, now, by)
            return tx.user(name) or user

        return await self._change(work)

    async def by_provider(self, name: str, *, by: str) -> None:
        """Have a user log in by the provider from now on: what they have here ends."""
        await self._change(lambda tx, now: vouching.wait_for(tx, name, by, now))

    async def token(
        self, name: str, *, role: Role, about: str, lasts: timedelta, by: str
    ) -> tuple[str, Role]:
        """Make a token of a user for a program; it may at most what its user may."""
        if not about.strip():
            raise CommandRefusedError("say what the token is for; it stands in the list")
        if not timedelta(0) < lasts <= decisions.LONGEST_TOKEN:
            days = decisions.LONGEST_TOKEN.days
            raise CommandRefusedError(f"a token lasts at most {days} days; make a new one then")

        def work(tx: Tx, now: Instant) -> tuple[str, Role]:
            user = tx.user(name)
            if user is None or user.disabled is not None:
                raise _no_user(name)
            if user.subject and lasts > oidc.LONGEST_TOKEN:
                raise CommandRefusedError(
                    f"{name} logs in by the provider, who may let them go without a word here: "
                    f"at most {oidc.LONGEST_TOKEN.days} days; make the token for another user"
                )
            given = decisions.lesser(role, user.role)
            tx.add_audit(now, by, "token", name, f"{given}: {about}")
            return _give(tx, Kind.TOKEN, user, given, now, by, lasts, about), given

        return await self._change(work)

    async def revoke(self, number: int, *, by: str, own: str = "") -> None:
        """End a session or token by its number; with `own`, only one of that user."""

        def work(tx: Tx, now: Instant) -> None:
            found = next((one for one in tx.credentials(own) if one.id == number), None)
            if found is None or not tx.end_credential(number, now, by):
                raise NotFoundError(f"there is no credential {number}; `monitord token list`")
            tx.add_audit(now, by, "token", found.user, f"{found.kind} {number} ended")

        await self._change(work)

    async def users(self) -> list[User]:
        """Give all users, by name."""
        return await self._here.store.read(lambda view: view.users())

    async def credentials(self, user: str = "") -> list[Credential]:
        """Give what still proves something, of a user or all, by number."""
        now = self._here.now()
        found = await self._here.store.read(lambda view: view.credentials(user))
        return [one for one in found if decisions.ends(one) > now]

    async def _begin(
        self, name: str, where: str, way: str, lasts: timedelta = decisions.LONGEST_SESSION
    ) -> tuple[str, Known]:
        def work(tx: Tx, now: Instant) -> str:
            user = tx.user(name)
            if user is None or user.disabled is not None:
                raise LoginError(_WRONG)
            tx.change_user(name, failures=0, failed=None)
            tx.add_audit(now, name, "login", name, f"{where}, by {way}")
            return _give(tx, Kind.SESSION, user, user.role, now, name, lasts, where)

        secret = await self._change(work)
        return secret, await self.known(secret)

    async def _vouched(
        self, told: Vouched, provider: LoginProvider, where: str
    ) -> tuple[str, Known]:
        """Let in whom the provider vouches for, with the role that it gives now, or end it all."""
        name, why = await self._change(lambda tx, now: vouching.take(tx, told, provider.name, now))
        if why:
            log.warning("login refused", user=name[:64], address=where, reason=why)
            raise LoginError(why)
        return await self._begin(name, where, provider.name, oidc.LONGEST_SESSION)

    async def _failed(self, name: str, user: User | None, where: str) -> None:
        now = self._here.now()
        if user is None:
            self._note_stranger(name, now)
            # One row, as for a user: the commit takes milliseconds, and its absence would tell.
            await self._here.store.write(lambda tx: tx.put_meta(_STRANGER, str(now)))
            return

        def work(tx: Tx) -> None:
            count = (tx.user(user.name) or user).failures + 1
            tx.change_user(user.name, failures=count, failed=now)
            if count % _LINE_EVERY == 0:
                tx.add_audit(now, "monitord", "lock-out", user.name, f"{count} from {where}")

        # Not a change that ends what is remembered: strangers could make every question a read.
        await self._here.store.write(work)

    def _note_stranger(self, name: str, now: Instant) -> None:
        """Count for a name that nobody has: it waits like any other, or waiting would tell."""
        before = self._strangers.pop(name, None)
        failures = before.failures + 1 if before else 1
        self._strangers[name] = User(0, name, Role.VIEWER, now, "", failures=failures, failed=now)
        while len(self._strangers) > _REMEMBERED:
            self._strangers.popitem(last=False)

    async def _change(self, work: Callable[[Tx, Instant], T]) -> T:
        now = self._here.now()
        try:
            return await self._here.store.write(lambda tx: work(tx, now))
        finally:
            self._changes += 1
            self._rows.clear()

    def _remember(self, digest: str, found: tuple[Credential, User | None]) -> None:
        self._rows[digest] = found
        while len(self._rows) > _REMEMBERED:
            self._rows.popitem(last=False)


def _who(view: View, name: str, where: str) -> tuple[User | None, bool]:
    """Give a user, and whether a session of theirs that nobody ended began at this address."""
    user = view.user(name)
    held = view.credentials(name)  # of nobody, too: it would be told by the time it takes
    return user, any(one.kind is Kind.SESSION and one.about == where for one in held)


def _row(view: View, digest: str) -> tuple[Credential, User | None] | None:
    found = view.credential(digest)
    return (found, view.user(found.user)) if found else None


def _give(
    tx: Tx,
    kind: Kind,
    user: User,
    role: Role,
    now: Instant,
    by: str,
    lasts: timedelta,
    about: str = "",
) -> str:
    secret = _PREFIX[kind] + secrets.token_urlsafe(32)
    expires = after(now, lasts)
    row = Credential(0, kind, _digest(secret), user.name, role, now, by, expires, now, about)
    tx.add_credential(row)
    return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _no_user(name: str) -> NotFoundError:
    return NotFoundError(f"there is no user {name!r}; `monitord user list` names them")
