"""What may be written of the login provider, and what is said of mistakes."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from monitord.model import spec
from monitord.model.account import Role
from monitord.model.loopback import is_loopback, is_private
from monitord.secrets import SecretRef
from tests.config.conftest import Load, Problems

WEB = "web_url: https://monitor.example.com\n"


def written(**changed: str) -> str:
    keys = {"issuer": "https://id.example.com", "client": "monitord", "roles": "{admin: admins}"}
    rest = ", ".join(f"{key}: {value}" for key, value in {**keys, **changed}.items() if value)
    return f"{WEB}oidc: {{{rest}}}\n"


def test_a_provider_is_read_and_its_secret_stays_a_reference(load: Load) -> None:
    roles = "{viewer: [staff, guests], admin: admins}"
    found = load(written(roles=roles, secret="!secret credential:oidc")).settings.oidc
    assert found is not None
    assert found.roles == ((Role.VIEWER, ("staff", "guests")), (Role.ADMIN, ("admins",)))
    assert found.secret == SecretRef("credential", "oidc")
    assert (found.user, found.groups, found.passwords) == (
        "preferred_username",
        "groups",
        "anywhere",
    )
    assert load("hosts: {}\n").settings.oidc is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (written(issuer="http://id.example.com"), "cannot be an issuer: it is an https address"),
        (written(issuer="https://id.example.com/?a=b"), "without query"),
        (written(issuer="https://me@id.example.com"), "without query, password"),
        (written(issuer="'https://[x'"), "cannot be an issuer"),
        (written(issuer=""), "oidc.issuer"),
        (written(secret="abc"), "write !secret credential:oidc"),
        (written(roles="{}"), "no group may come in"),
        (written(roles="{viewer: a, admin: a}"), "a is under viewer and admin"),
        (written(roles="{root: a}"), "'root' is none of viewer, responder, operator or admin"),
        (written(scopes="[email]"), "openid is missing"),
        (written(passwords="never"), "'never' is none of anywhere or loopback"),
        (written(issuers="x"), "did you mean issuer"),
        (written().replace("https://monitor", "http://monitor"), "write web_url: https://"),
    ],
)
def test_a_mistake_is_told_with_its_cure(problems: Problems, text: str, told: str) -> None:
    (problem,) = problems(text)
    assert told in problem
    assert problem.startswith("main.yaml:2:")


def test_without_the_library_one_line_says_what_to_install(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str, package: str | None = None) -> Any:
        return None if name == "authlib" else importlib.util.find_spec(name, package)

    monkeypatch.setattr(spec, "find_spec", find)
    (problem,) = problems(written())
    assert "needs authlib, which is not installed: pip install 'monitord[oidc]'" in problem


def test_loopback_is_this_machine_and_nothing_beside_it() -> None:
    here = ("127.0.0.1", "127.8.0.1", "::1", "::/64", "localhost")
    elsewhere = ("10.0.0.1", "2001:db8::/64", "unknown", "", "127.0.0.1.evil.example", "0.0.0.0/0")
    assert [is_loopback(one) for one in (*here, *elsewhere)] == [True] * 5 + [False] * 6
    assert is_private("http://localhost:80/x")
    for url in ("http://localhost.evil.example", "http://127.0.0.1@evil.example", "javascript:x"):
        assert not is_private(url)
