"""The row of a user whom a login provider vouches for: made, found again, given the role of now.

A subject is one user for ever, whatever the provider calls them later; a name that is taken by
somebody else is never given to a stranger. It begins no session.
"""

from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.account import Role, User
from monitord.model.ids import Instant
from monitord.model.login import Vouched
from monitord.store.contract import Tx

ANYBODY = "*"
"""The subject of a user who waits for the provider's first word about this name."""


def take(tx: Tx, told: Vouched, provider: str, now: Instant) -> tuple[str, str]:
    """Give the user's name, and why they may not come in (empty: they may)."""
    user = _of(tx, told)
    if told.why or told.role is None:
        if user is not None and tx.end_credentials(user.name, now, provider):
            tx.add_audit(now, provider, "user", user.name, f"sessions and tokens end: {told.why}")
        return user.name if user else told.name, told.why
    if user is None and tx.user(told.name) is not None:
        text = f"there is another user {told.name}; an admin links it: monitord user provider NAME"
        return told.name, text
    if user is None:
        made = User(0, told.name, told.role, now, provider, subject=told.subject)
        tx.add_user(made)
        tx.add_audit(now, provider, "user", told.name, f"new, {told.role}")
        return told.name, ""
    if user.disabled is not None:
        return user.name, "you are locked out; an admin lets you in again"
    _update(tx, user, told, told.role, provider, now)
    return user.name, ""


def wait_for(tx: Tx, name: str, by: str, now: Instant) -> None:
    """Have a user log in by the provider from now on: no password, no link, no session is left.

    Raises:
        NotFoundError: there is no such user.
        CommandRefusedError: they do already.
    """
    user = tx.user(name)
    if user is None:
        raise NotFoundError(f"there is no user {name!r}; `monitord user list` names them")
    if user.subject:
        raise CommandRefusedError(f"{name} logs in by the provider already")
    tx.change_user(name, subject=ANYBODY, password="", failures=0, failed=None)
    tx.end_credentials(name, now, by)
    tx.add_audit(now, by, "user", name, "logs in by the provider from now on")


def _of(tx: Tx, told: Vouched) -> User | None:
    if not told.subject:
        return None
    known = next((one for one in tx.users() if one.subject == told.subject), None)
    if known is None and told.name:
        waits = tx.user(told.name)
        return waits if waits is not None and waits.subject == ANYBODY else None
    return known


def _update(tx: Tx, user: User, told: Vouched, role: Role, provider: str, now: Instant) -> None:
    if user.subject == ANYBODY:
        tx.change_user(user.name, subject=told.subject)
        tx.add_audit(now, provider, "user", user.name, "is who the provider calls so")
    if user.role is not role:
        tx.change_user(user.name, role=role)
        tx.add_audit(now, provider, "user", user.name, f"{user.role} → {role}")
