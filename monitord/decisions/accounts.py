"""Decides who is let in: what a credential still proves, which password will do, when to wait.

Pure: hashing and comparing secrets is not done here.
"""

import re
from datetime import timedelta

from monitord.model.account import Credential, Kind, Known, Role, User
from monitord.model.ids import Instant

IDLE = timedelta(hours=12)
"""A session that nobody uses for so long is over: a night shift, and no more."""

LONGEST_SESSION = timedelta(days=7)
LONGEST_TOKEN = timedelta(days=400)
LINK_HOLDS = timedelta(hours=24)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200

_FREE_FAILURES = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_SEEN_EVERY = timedelta(minutes=1)
_CLOCKS_DIFFER = timedelta(hours=1)
_MICRO = timedelta(microseconds=1)
_ORDER = tuple(Role)
_OURS = frozenset({"root", "nobody"})
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def lesser(one: Role, other: Role) -> Role:
    """Give the one of two roles that may less."""
    return min(one, other, key=_ORDER.index)


def known(credential: Credential, user: User | None, now: Instant) -> Known | None:
    """Give who a credential proves somebody to be; None when it proves nothing (any more)."""
    if user is None or user.disabled is not None or credential.ended is not None:
        return None
    end = ends(credential)
    if now >= end:
        return None
    if credential.kind is not Kind.TOKEN and credential.created > _later(now, _CLOCKS_DIFFER):
        return None  # the clock was set back since: it would live as much longer; programs go on
    # A session may what its user may now; a token never more than it was made for.
    own = credential.kind is Kind.SESSION
    role = user.role if own else lesser(credential.role, user.role)
    return Known(user.name, role, credential.id, credential.kind, end)


def ends(credential: Credential) -> Instant:
    """Give when a credential is over if nobody uses it."""
    if credential.kind is not Kind.SESSION:
        return credential.expires
    return min(credential.expires, _later(credential.seen, IDLE))


def worth_noting(seen: Instant, now: Instant) -> bool:
    """Say whether a use of a credential is kept: not each one, or reading would be writing."""
    return not seen <= now < _later(seen, _SEEN_EVERY)


def waits_until(user: User, now: Instant, *, familiar: bool = False) -> Instant | None:
    """Give until when no password of this user is looked at, after too many wrong ones.

    `familiar`: somebody tries from where the user has logged in before. There the wait does not
    grow, or a stranger could keep the user out for a night by a try every quarter of an hour.
    """
    if user.failed is None or user.failures < _FREE_FAILURES:
        return None
    if user.failed > now:
        return None  # the clock was set back since
    doubled = 1 if familiar else 2 ** min(user.failures - _FREE_FAILURES, 20)
    until = _later(user.failed, min(_FIRST_WAIT * doubled, _LONGEST_WAIT))
    return until if until > now else None


def is_name(name: str) -> bool:
    """Say whether a user can be called so."""
    return _NAME.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Say whether monitord, its processes or root sign with a name: no user may have it."""
    return name in _OURS or name.startswith("monitord")


def bad_password(name: str, password: str) -> str:
    """Say what is wrong with a new password; empty when it will do."""
    if len(password) < SHORTEST_PASSWORD:
        return f"the password is too short; take {SHORTEST_PASSWORD} characters or more"
    if len(password) > LONGEST_PASSWORD:
        return f"the password is too long; take {LONGEST_PASSWORD} characters or less"
    if name.lower() in password.lower() or len(set(password)) < SHORTEST_PASSWORD // 2:
        return "the password is easy to guess; take some words that do not belong together"
    return ""


def _later(start: Instant, wait: timedelta) -> Instant:
    return Instant(start + wait // _MICRO)
