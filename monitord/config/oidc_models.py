"""What may be written of the provider by which people log in: `oidc:` in monitord.yaml.

Values and words only; nothing is asked here.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from monitord.config.fields import Names
from monitord.model.account import Role
from monitord.model.login import LoginProvider
from monitord.model.loopback import is_private
from monitord.model.spec import Library, Spec
from monitord.secrets import SecretRef


def _issuer(value: str) -> str:
    if not is_private(value) or any(sign in value for sign in "?#@ "):
        raise ValueError(
            f"{value!r} cannot be an issuer: it is an https address without query, password or "
            "fragment (write https://id.example.com/realms/ops)"
        )
    return value


def _reference(value: object) -> SecretRef | None:
    if value is None or isinstance(value, SecretRef):
        return value
    raise ValueError("a secret may not stand in a file like this (write !secret credential:oidc)")


def _scopes(value: tuple[str, ...]) -> tuple[str, ...]:
    if "openid" not in value:
        raise ValueError("openid is missing: without it nobody is named (write openid, email)")
    return value


def _roles(value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    seen: dict[str, str] = {}
    for role, group in _each(value):
        if group in seen:
            raise ValueError(f"{group} is under {seen[group]} and {role}; write it under one")
        seen[group] = role
    if not seen:
        raise ValueError("no group may come in (write admin: [the-name-of-a-group])")
    return value


def _each(value: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((role, group) for role, groups in value.items() for group in groups)


_Word = Annotated[str, Field(min_length=1, max_length=200)]
_RoleName = Literal["viewer", "responder", "operator", "admin"]


class OidcModel(Spec):
    """The provider by which people log in to the console, beside users with a password."""

    library: ClassVar[Library] = Library("authlib", "oidc")

    name: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        "single sign-on", description="What the button says after `Log in with`."
    )
    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        description="Exactly what the provider calls itself; https, but for this machine.",
        examples=["https://id.example.com/realms/ops"],
    )
    client: _Word = Field(description="The client id that the provider knows monitord by.")
    secret: Annotated[Any, AfterValidator(_reference), WithJsonSchema({"type": "string"})] = Field(
        None,
        description="The client's secret, by reference; left out: a public client, by PKCE alone.",
        examples=["!secret credential:oidc"],
    )
    user: _Word = Field(
        "preferred_username", description="The claim that the user is called by here."
    )
    groups: _Word = Field(
        "groups",
        description="The claim that holds groups; with dots, one inside another.",
        examples=["realm_access.roles"],
    )
    roles: Annotated[dict[_RoleName, Names], AfterValidator(_roles)] = Field(
        description="The groups of each role; whoever is in none does not come in.",
        examples=[{"viewer": ["staff"], "admin": ["monitord-admins"]}],
    )
    scopes: Annotated[Names, AfterValidator(_scopes)] = Field(
        ("openid", "profile", "email"), description="What is asked for."
    )
    ca: str = Field(
        "", description="A PEM file of the authorities to trust; left out: those of the system."
    )
    passwords: Literal["anywhere", "loopback"] = Field(
        "anywhere", description="From where a password is still taken."
    )


def provider(model: OidcModel) -> LoginProvider:
    """Make the noun of what was written."""
    roles = tuple((Role(role), groups) for role, groups in model.roles.items())
    values = {key: getattr(model, key) for key in OidcModel.model_fields if key != "roles"}
    return LoginProvider(roles=roles, **values)
