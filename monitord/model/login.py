"""The provider by which people log in (OpenID Connect), and whom it vouches for.

Nouns only: what its claims mean is decided in decisions/oidc.py, it is asked in engine/.
"""

from dataclasses import dataclass

from monitord.model.account import Role
from monitord.secrets import SecretRef


@dataclass(frozen=True, slots=True)
class LoginProvider:
    """Who is asked, as whom we ask, and which of its groups may what.

    `user` and `groups` name claims; `roles` gives the groups of each role. `ca` is a PEM file of
    the authorities to trust (empty: the system's). `passwords`: where passwords are still taken,
    `anywhere` or `loopback`.
    """

    name: str
    issuer: str
    client: str
    roles: tuple[tuple[Role, tuple[str, ...]], ...]
    secret: SecretRef | None = None
    user: str = "preferred_username"
    groups: str = "groups"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    ca: str = ""
    passwords: str = "anywhere"


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who somebody is by a provider's word: issuer and subject in one, and what to call them.

    Without a role they may not come in, and `why` says so in a sentence; nor with a `why` at all.
    """

    subject: str
    name: str
    role: Role | None
    why: str = ""
