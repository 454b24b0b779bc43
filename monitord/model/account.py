"""Users of the console and what proves that somebody is one: sessions, tokens, one-time links.

A secret is never kept: a password as its argon2 hash, any other as its SHA-256 (those are random).
What a role may is said in api/access.py, how long a credential holds in decisions/accounts.py.
"""

from dataclasses import dataclass
from enum import StrEnum

from monitord.model.ids import Instant


class Role(StrEnum):
    """What a user may, each all that the one before may and more."""

    VIEWER = "viewer"  # looks
    RESPONDER = "responder"  # answers: ack, take, approve, close, halt
    OPERATOR = "operator"  # directs: mute, maintenance, resume, repairs by hand
    ADMIN = "admin"  # changes what monitord is: reload, trust in runbooks, users


class Kind(StrEnum):
    """What a credential is."""

    SESSION = "session"  # somebody has logged in
    TOKEN = "token"  # a program  # noqa: S105 - the word, not a secret
    LINK = "link"  # whoever has it may set the user's password, once


@dataclass(frozen=True, slots=True)
class User:
    """One user; `password` is empty until it is set by a link.

    `failures` counts logins with a wrong password since the last right one. `subject` is who that
    is to the login provider (issuer and subject there); it is empty for whoever has a password.
    """

    id: int
    name: str
    role: Role
    created: Instant
    created_by: str
    password: str = ""
    failures: int = 0
    failed: Instant | None = None
    disabled: Instant | None = None
    disabled_by: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret of a user, by its digest. It gives `role`, but never more than its user has."""

    id: int
    kind: Kind
    digest: str
    user: str
    role: Role
    created: Instant
    created_by: str
    expires: Instant
    seen: Instant
    about: str = ""
    ended: Instant | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """Who somebody with a secret is: the user's name, the role that counts, the credential."""

    name: str
    role: Role
    credential: int
    kind: Kind
    expires: Instant
