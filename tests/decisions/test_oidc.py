"""Who somebody is by a provider's claims, whatever types and lengths they have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.oidc import vouched
from monitord.model.account import Role
from monitord.model.login import LoginProvider

ROLES = ((Role.ADMIN, ("admins",)), (Role.VIEWER, ("staff", "example.com")))
HOUSE = LoginProvider("sso", "https://id.example.com", "monitord", ROLES)
KIM: dict[str, Any] = {"sub": "1", "preferred_username": "Kim", "groups": ["staff"]}
BY_MAIL = replace(HOUSE, user="email", groups="hd")
NESTED = replace(HOUSE, groups="realm_access.roles")
DOTTED = replace(HOUSE, groups="https://example.com/groups")


def test_a_subject_is_the_providers_and_a_name_is_in_small_letters() -> None:
    found = vouched(KIM, HOUSE)
    assert (found.subject, found.name, found.role) == (
        "https://id.example.com 1",
        "kim",
        Role.VIEWER,
    )
    assert found.why == ""


@pytest.mark.parametrize("name", ["\u212aim", "\uff4bim", "kim\u200b", "\u00a0kim"])
def test_a_name_that_only_looks_like_one_is_nobodys(name: str) -> None:
    """U+212A, the Kelvin sign, is a `k` in small letters; at the provider it is somebody else."""
    found = vouched({**KIM, "preferred_username": name}, HOUSE)
    assert found.name == ""
    assert "cannot be a user's name" in found.why


@pytest.mark.parametrize("subject", ["a\0b", "\ud800", "1\n"])
def test_a_subject_that_is_not_kept_as_it_is_names_nobody(subject: str) -> None:
    """A row would hold another text in its place, which could be somebody else's subject."""
    assert vouched({**KIM, "sub": subject}, HOUSE).why == "the provider does not say who you are"


@pytest.mark.parametrize(
    ("provider", "claims", "role"),
    [
        (HOUSE, {"groups": ["staff", "admins", "x"]}, Role.ADMIN),  # the one that may most
        (HOUSE, {"groups": "admins"}, Role.ADMIN),
        (HOUSE, {"groups": ["Admins", "admin", "admins "]}, None),
        (HOUSE, {"groups": [["admins"], {"admins": 1}, 1]}, None),
        (HOUSE, {"groups": {"admins": "admins"}}, None),
        (HOUSE, {"groups": None}, None),
        (NESTED, {"realm_access": {"roles": ["admins"]}}, Role.ADMIN),
        (NESTED, {"realm_access": "roles"}, None),
        (NESTED, {"realm_access.roles": ["staff"], "realm_access": {"roles": ["x"]}}, Role.VIEWER),
        (DOTTED, {"https://example.com/groups": ["admins"]}, Role.ADMIN),
    ],
)
def test_a_role_comes_from_groups_alone(
    provider: LoginProvider, claims: dict[str, Any], role: Role | None
) -> None:
    found = vouched({**KIM, **claims}, provider)
    assert (found.role, bool(found.why)) == (role, role is None)


@pytest.mark.parametrize(
    ("verified", "comes_in"),
    [(True, True), ("true", True), (False, False), (None, False), (1, False)],
)
def test_an_address_counts_when_the_provider_has_verified_it(
    verified: object, *, comes_in: bool
) -> None:
    claims = {"sub": "1", "email": "kim@example.com", "hd": "example.com"}
    found = vouched({**claims, "email_verified": verified}, BY_MAIL)
    assert (found.name, "verified" in found.why) == ("kim@example.com", not comes_in)


def test_groups_that_the_provider_leaves_out_are_told_as_that() -> None:
    claims = {"sub": "1", "preferred_username": "kim", "_claim_names": {"groups": "src1"}}
    assert "so many groups" in vouched(claims, HOUSE).why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.just("admins"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*KIM, "_claim_names"), JSON)))
def test_whatever_is_claimed_nobody_comes_in_without_subject_name_and_group(
    claims: dict[str, Any],
) -> None:
    found = vouched(claims, HOUSE)
    if not found.why:
        assert found.role is not None
        assert found.name
        assert found.subject
