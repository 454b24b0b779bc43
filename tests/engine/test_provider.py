"""Logins by a provider, over a real store, against a real one on loopback that may be hostile."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from monitord.clock import SystemClock, after
from monitord.engine import oidc_client
from monitord.engine.accounts import Accounts
from monitord.errors import CommandRefusedError, LoginError, MonitordError, ProviderDownError
from monitord.model.account import Kind, Known, Role
from monitord.model.login import LoginProvider
from monitord.passwords import Passwords
from monitord.secrets import SecretRef
from monitord.store import TEMPORARY, OpenStore, open_store
from tests.world.provider import SECRET, Claims, Provider

WEB = "https://monitor.example.com"
WORDS = "four strange words together"
ROLES = (
    (Role.VIEWER, ("staff",)),
    (Role.OPERATOR, ("ops",)),
    (Role.ADMIN, ("monitord-admins", "kim@example.com")),
)


class House:
    """The accounts of one core; `clock` is how far its time is ahead."""

    def __init__(self, store: OpenStore, provider: Provider, secret: Path) -> None:
        self.store, self.peer, self.ahead = store, provider, timedelta(0)
        provider.backs.add(f"{WEB}/login/oidc/back")
        self.oidc = LoginProvider(
            "the house's", provider.issuer, "monitord", ROLES, SecretRef("file", str(secret))
        )
        self.accounts = Accounts(self, Passwords())

    @property
    def catalog(self) -> Any:
        settings = SimpleNamespace(oidc=self.oidc, web_url=WEB, web="127.0.0.1:9750")
        return SimpleNamespace(settings=settings)

    def now(self) -> Any:
        return after(SystemClock().now(), self.ahead)

    async def back(self) -> tuple[str, dict[str, str]]:
        """Begin a login and go there with a browser; gives its word, and what it brings back."""
        to, word = await self.accounts.provider.begin()
        return word, await asyncio.to_thread(visit, to)

    async def login(self) -> tuple[str, Known]:
        word, brought = await self.back()
        return await self.finish(word, brought)

    async def finish(self, word: str, brought: dict[str, str]) -> tuple[str, Known]:
        provider = self.accounts.provider
        return await provider.finish(word, brought["state"], brought["code"], where="10.0.0.9")

    async def audit(self, act: str) -> list[tuple[str, str, str]]:
        rows = await self.store.read(lambda view: view.audit_rows())
        return [(row.actor, row.subject, row.detail) for row in rows if row.act == act]


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def visit(to: str) -> dict[str, str]:
    with pytest.raises(HTTPError) as sent:
        build_opener(_Stay).open(to, timeout=20)
    with sent.value as answer:
        assert answer.code == 302, answer.read()
        location = urlsplit(answer.headers["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{WEB}/login/oidc/back"
    return {name: values[-1] for name, values in parse_qs(location.query).items()}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(oidc_client, "_ASK_AGAIN", 1000.0)  # however slow the machine is
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    store = open_store(TEMPORARY, durable=False)
    with Provider() as provider:
        yield House(store, provider, secret)
    store.close_now()


def test_whom_the_provider_vouches_for_comes_in_with_the_role_of_their_groups(house: House) -> None:
    async def play() -> None:
        session, known = await house.login()
        assert (known.name, known.role, known.kind) == ("kim", Role.OPERATOR, Kind.SESSION)
        assert (await house.accounts.known(session)).role is Role.OPERATOR
        assert await house.audit("login") == [("kim", "kim", "10.0.0.9, by the house's")]
        house.peer.person = {"sub": "1", "preferred_username": "kim2", "groups": "staff"}
        _, known = await house.login()
        assert (known.name, known.role) == ("kim", Role.VIEWER)  # one subject, one user
        assert (await house.accounts.known(session)).role is Role.VIEWER  # open sessions too
        house.ahead = timedelta(hours=25)
        with pytest.raises(LoginError):
            await house.accounts.known(session)

    asyncio.run(play())


def test_who_is_in_no_group_stays_out_and_loses_what_they_had(house: House) -> None:
    async def play() -> None:
        session, _ = await house.login()
        token, _ = await house.accounts.token(
            "kim", role=Role.VIEWER, about="x", lasts=timedelta(days=31), by="kim"
        )
        house.peer.person = {"sub": "1", "preferred_username": "kim", "groups": ["guests", 7]}
        with pytest.raises(LoginError, match="none of your groups may come in"):
            await house.login()
        for secret in (session, token):
            with pytest.raises(LoginError, match="not logged in"):
                await house.accounts.known(secret)
        house.peer.person = {"sub": "2", "preferred_username": "stranger"}
        with pytest.raises(LoginError, match="none of your groups"):
            await house.login()
        assert [one.name for one in await house.accounts.users()] == ["kim"]

    asyncio.run(play())


def test_a_name_that_somebody_has_is_never_given_to_another_subject(house: House) -> None:
    async def play() -> None:
        word, _ = await house.accounts.invite("kim", Role.ADMIN, by="root")
        local, _ = await house.accounts.accept(word, WORDS, where="::1")
        with pytest.raises(LoginError, match="another user kim"):
            await house.login()
        await house.accounts.by_provider("kim", by="root")
        with pytest.raises(LoginError):
            await house.accounts.known(local)
        with pytest.raises(LoginError, match="another password"):
            await house.accounts.login("kim", WORDS, where="::1")
        _, known = await house.login()
        assert (known.name, known.role) == ("kim", Role.OPERATOR)  # not the admin they were
        house.peer.person = {"sub": "9", "preferred_username": "kim", "groups": ["ops"]}
        with pytest.raises(LoginError, match="another user kim"):
            await house.login()
        with pytest.raises(CommandRefusedError, match="said by groups"):
            await house.accounts.change("kim", role=Role.ADMIN, by="root")
        with pytest.raises(CommandRefusedError, match="at most 31 days"):
            await house.accounts.token(
                "kim", role=Role.VIEWER, about="x", lasts=timedelta(days=32), by="root"
            )
        await house.accounts.change("kim", disabled=True, by="root")
        house.peer.person = {"sub": "1", "preferred_username": "kim", "groups": ["ops"]}
        with pytest.raises(LoginError, match="locked out"):
            await house.login()

    asyncio.run(play())


def test_a_login_counts_once_for_ten_minutes_and_in_its_own_browser(house: House) -> None:
    async def play() -> None:
        word, brought = await house.back()
        other, theirs = await house.back()
        for wrong in ({**brought, "state": theirs["state"]}, {**brought, "state": "é"}):
            with pytest.raises(LoginError, match="not begun in this browser"):
                await house.finish(word, wrong)
        with pytest.raises(LoginError, match="not begun in this browser"):
            await house.finish(other, brought)  # a code of mine in a login of theirs
        await house.finish(word, brought)
        with pytest.raises(LoginError, match="used before"):
            await house.finish(word, brought)
        with pytest.raises(LoginError, match="used before"):  # the provider says so
            await house.finish(other, {**theirs, "code": brought["code"]})
        late, brought = await house.back()
        house.ahead = timedelta(minutes=10)
        with pytest.raises(LoginError, match="expired"):
            await house.finish(late, brought)
        house.ahead = timedelta(0)
        word, mine = await house.back()
        _, theirs = await house.back()
        with pytest.raises(LoginError, match="used before"):  # PKCE: a code of another login
            await house.finish(word, {**mine, "code": theirs["code"]})

    asyncio.run(play())


def with_hs256(claims: Claims, public: RSAKey) -> str:
    """Sign with the public key as if it were a shared secret."""
    header, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "kid": public.kid}, claims)
    )
    key = OctKey.import_key(public.as_pem(private=False).hex())
    signed = jwt.encode({"alg": "HS256"}, claims, key, algorithms=["HS256"])
    return f"{header}.{body}.{signed.rpartition('.')[2]}"


def unsigned(claims: Claims) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return (
        ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in parts
        )
        + "."
    )


BENT: dict[str, Callable[[Claims], Claims]] = {
    "nonce": lambda claims: {**claims, "nonce": "another"},
    "no nonce": lambda claims: {name: it for name, it in claims.items() if name != "nonce"},
    "audience": lambda claims: {**claims, "aud": "another"},
    "audiences": lambda claims: {**claims, "aud": ["monitord", "another"], "azp": "another"},
    "issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "expired": lambda claims: {**claims, "exp": claims["iat"] - 61},
    "no expiry": lambda claims: {name: it for name, it in claims.items() if name != "exp"},
    "not yet": lambda claims: {**claims, "iat": claims["iat"] + 3600},
    "types": lambda claims: {**claims, "exp": "soon", "sub": ["1"]},
    "subject": lambda claims: {**claims, "sub": "x" * 300},
    "name": lambda claims: {**claims, "preferred_username": "root"},
    "no name": lambda claims: {**claims, "preferred_username": {"a": "<script>"}},
    "groups": lambda claims: {**claims, "groups": {"ops": True}},
}


def test_a_token_that_is_not_for_this_login_lets_nobody_in(house: House) -> None:
    async def play() -> None:
        came_in = []
        for what, bend in BENT.items():
            house.peer.bend = bend
            try:
                await house.login()
            except LoginError:
                continue
            came_in.append(what)
        assert came_in == []
        assert await house.accounts.users() == []
        house.peer.bend = dict
        assert (await house.login())[1].name == "kim"

    asyncio.run(play())


def test_a_signature_that_the_provider_did_not_make_lets_nobody_in(house: House) -> None:
    async def play() -> None:
        other = RSAKey.generate_key(2048, {"kid": house.peer.key.kid})
        for sign in (
            unsigned,
            lambda claims: with_hs256(claims, house.peer.key),
            lambda claims: jwt.encode({"alg": "RS256", "kid": other.kid}, claims, other),
            lambda claims: house.peer.signed(claims)[:-8] + "AAAAAAAA",
            lambda _: "no.token",
            lambda _: "x" * 200_000,
        ):
            house.peer.sign = sign
            with pytest.raises(LoginError, match="does not prove who you are"):
                await house.login()
        house.peer.sign = house.peer.signed
        assert (await house.login())[1].name == "kim"

    asyncio.run(play())


def test_a_new_key_is_fetched_once_and_not_as_often_as_somebody_likes(house: House) -> None:
    async def play() -> None:
        await house.login()
        house.peer.rotate()
        await house.login()
        assert house.peer.asked.count("/keys") == 2
        house.peer.rotate()
        with pytest.raises(LoginError):
            await house.login()
        assert house.peer.asked.count("/keys") == 2
        assert house.peer.asked.count("/.well-known/openid-configuration") == 1

    asyncio.run(play())


ASTRAY: tuple[Claims, ...] = (
    {"issuer": "https://evil.example"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "http://evil.example/"},
    {"token_endpoint": ["x"]},
    {"jwks_uri": "file:///etc/passwd"},
    {"end_session_endpoint": "//evil\r\nSet-Cookie: x"},
    {"filler": "x" * 300_000},
)


def test_a_discovery_document_that_leads_astray_is_not_followed(house: House) -> None:
    async def play() -> None:
        for number, metadata in enumerate(ASTRAY, start=1):
            house.accounts.provider._client = None
            house.peer.metadata = metadata
            for _ in range(2):
                with pytest.raises(ProviderDownError):
                    await house.accounts.provider.begin()
            assert len(house.peer.asked) == number  # and is asked for once

    asyncio.run(play())


def test_huge_answers_redirects_and_silence_are_a_provider_that_is_down(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        for bent in (house.peer.huge, house.peer.redirecting, house.peer.stuck):
            for path in ("/token", "/keys"):
                house.accounts.provider._client = None
                word, brought = await house.back()
                bent.add(path)
                with monkeypatch.context() as hasty:
                    hasty.setattr(oidc_client, "_PATIENCE", 0.3)
                    with pytest.raises(ProviderDownError, match="the house's"):
                        await house.finish(word, brought)
                bent.clear()
        monkeypatch.setattr(oidc_client, "_PATIENCE", 100.0)
        await many_wait(house)

    asyncio.run(play())


def test_keys_that_are_not_there_are_not_asked_for_by_everybody_in_turn(house: House) -> None:
    async def play() -> None:
        house.peer.redirecting.add("/keys")
        for _ in range(2):
            with pytest.raises(ProviderDownError, match="answers with something else"):
                await house.login()
        assert house.peer.asked.count("/keys") == 1

    asyncio.run(play())


async def many_wait(house: House) -> None:
    """Only so many wait at once, and the loop goes on meanwhile."""
    words = [await house.back() for _ in range(9)]
    house.peer.stuck.add("/token")
    waiting = [asyncio.ensure_future(house.finish(*one)) for one in words]
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [str(one.exception()) for one in done] == [
        "many wait for the login provider; try again in a few seconds"
    ]
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_a_secret_that_is_wrong_or_gone_is_not_the_fault_of_who_logs_in(house: House) -> None:
    async def play() -> None:
        house.oidc = replace(house.oidc, secret=SecretRef("file", "/nonexistent"))
        with pytest.raises(ProviderDownError, match="cannot read its secret"):
            await house.login()
        house.oidc = replace(house.oidc, secret=SecretRef("file", __file__))
        with pytest.raises(MonitordError) as told:
            await house.login()
        assert SECRET not in str(told.value)

    asyncio.run(play())


def test_passwords_from_elsewhere_are_refused_where_they_are_for_the_machine(house: House) -> None:
    async def play() -> None:
        word, _ = await house.accounts.invite("glass", Role.ADMIN, by="root")
        house.oidc = replace(house.oidc, passwords="loopback")
        with pytest.raises(LoginError, match="on the machine alone"):
            await house.accounts.accept(word, WORDS, where="10.0.0.9")
        for where in ("::/64", "127.0.0.1"):
            if where == "::/64":
                await house.accounts.accept(word, WORDS, where=where)
            _, known = await house.accounts.login("glass", WORDS, where=where)
            assert known.name == "glass"
        for where in ("10.0.0.9", "unknown", "2001:db8::/64"):
            with pytest.raises(LoginError, match="on the machine alone"):
                await house.accounts.login("glass", WORDS, where=where)

    asyncio.run(play())
