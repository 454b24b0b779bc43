"""Decides who somebody is by what a login provider says of them, and what they may here.

Pure. Every claim is a stranger's words: of any type, of any length. Whoever is in no group that is
written under `roles:` does not come in; nothing else gives a role.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from monitord.decisions.accounts import is_name, is_ours
from monitord.model.account import Role
from monitord.model.login import LoginProvider, Vouched

FLOW_HOLDS = timedelta(minutes=10)
"""From the click on the button to the return: somebody types a password and a second factor."""

LONGEST_SESSION = timedelta(hours=24)
"""Whoever has left there is out here after a day at the latest; a click begins another."""

LONGEST_TOKEN = timedelta(days=31)
"""A token of somebody who may leave there unnoticed here."""

LEEWAY = 60
"""Seconds that two clocks may differ."""

_LONGEST = 255  # of a subject: OpenID Connect Core 1.0, section 2
_ORDER = tuple(Role)
_EMAIL = "email"


def vouched(claims: Mapping[str, Any], provider: LoginProvider) -> Vouched:
    """Give who a valid id_token names; with `why` where they may not come in."""
    subject = claims.get("sub")
    if not (isinstance(subject, str) and 0 < len(subject) <= _LONGEST and subject.isprintable()):
        # Others (NUL, surrogates) are kept as another text, which may be somebody else's subject.
        return Vouched("", "", None, "the provider does not say who you are")
    known_as = f"{provider.issuer} {subject}"
    name = _claim(claims, provider.user)
    role = role_of(_words(_claim(claims, provider.groups)), provider)
    # Of ASCII only: the small letter of U+212A, another person's name there, is a plain k.
    called = name.strip().lower() if isinstance(name, str) and name.isascii() else ""
    why = _why_not(claims, provider, called, role)
    return Vouched(known_as, called if is_name(called) else "", role, why)


def role_of(groups: Sequence[str], provider: LoginProvider) -> Role | None:
    """Give the role that may most of those that the groups give; None where they give none."""
    given = [role for role, wanted in provider.roles if not set(wanted).isdisjoint(groups)]
    return max(given, key=_ORDER.index, default=None)


def _why_not(
    claims: Mapping[str, Any], provider: LoginProvider, name: str, role: Role | None
) -> str:
    verified = claims.get("email_verified")
    is_verified = verified is True or verified == "true"
    if _EMAIL in (provider.user, provider.groups) and not is_verified:
        return "the provider has not verified your e-mail address, and you are known by it here"
    if role is None and provider.groups in _mapping(claims.get("_claim_names")):
        return "you are in so many groups that the provider leaves them out; it can send roles"
    if role is None:
        return "none of your groups may come in; an admin writes one under oidc: roles:"
    if not is_name(name) or is_ours(name):
        return f"what the provider calls you ({provider.user}) cannot be a user's name here"
    return ""


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Give a claim by its name, which may be an address with dots, else one inside another."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = _mapping(found).get(part)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
