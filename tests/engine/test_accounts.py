"""Users, sessions, tokens and links, over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from monitord.clock import after
from monitord.decisions.accounts import IDLE, LINK_HOLDS
from monitord.engine.accounts import Accounts
from monitord.errors import CommandRefusedError, LoginError
from monitord.model.account import Kind, Role
from monitord.model.ids import Instant
from monitord.passwords import Passwords
from monitord.store import TEMPORARY, OpenStore, open_store

NOON = Instant(1_800_000_000_000_000)
WORDS = "four strange words together"


class Here:
    catalog: Any = SimpleNamespace(settings=SimpleNamespace(oidc=None))

    def __init__(self, store: OpenStore) -> None:
        self.store, self.at = store, NOON

    def now(self) -> Instant:
        return self.at

    def passes(self, wait: timedelta) -> None:
        self.at = after(self.at, wait)


@pytest.fixture
def here() -> Iterator[Here]:
    store = open_store(TEMPORARY, durable=False)
    yield Here(store)
    store.close_now()


async def user(accounts: Accounts, role: Role = Role.OPERATOR, name: str = "kim") -> str:
    word, _ = await accounts.invite(name, role, by="root")
    session, _ = await accounts.accept(word, WORDS, where="::1")
    return session


def test_a_link_sets_a_password_once_and_the_password_begins_sessions(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        word, _ = await accounts.invite("kim", Role.OPERATOR, by="root")
        assert await accounts.linked(word) == "kim"
        with pytest.raises(CommandRefusedError, match="too short"):
            await accounts.accept(word, "short", where="::1")
        session, known = await accounts.accept(word, WORDS, where="::1")
        assert (known.name, known.role, known.kind) == ("kim", Role.OPERATOR, Kind.SESSION)
        with pytest.raises(LoginError, match="not valid"):
            await accounts.accept(word, WORDS, where="::1")
        other, _ = await accounts.login("kim", WORDS, where="::1")
        assert other != session
        await accounts.logout(session)
        with pytest.raises(LoginError):
            await accounts.known(session)
        assert (await accounts.known(other)).name == "kim"
        rows = await here.store.read(lambda view: view.audit_rows())
        ends = [(row.actor, row.subject) for row in rows if row.act == "logout"]
        assert ends == [("kim", "kim")]

    asyncio.run(play())


def test_a_link_is_not_a_session_and_no_secret_is_kept(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        word, _ = await accounts.invite("kim", Role.ADMIN, by="root")
        with pytest.raises(LoginError):
            await accounts.known(word)
        session, _ = await accounts.accept(word, WORDS, where="::1")
        rows = await here.store.read(
            lambda view: (view.users(), view.credentials(), view.audit_rows())
        )
        for secret in (word, session, WORDS):
            assert secret not in str(rows)
        here.passes(LINK_HOLDS)
        late, _ = await accounts.invite("kim", None, by="root")
        here.passes(LINK_HOLDS)
        with pytest.raises(LoginError, match="an admin gives a new one"):
            await accounts.linked(late)

    asyncio.run(play())


def test_a_session_ends_when_nobody_uses_it_and_at_the_latest_after_a_week(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        session = await user(accounts)
        for _ in range(15):
            here.passes(IDLE - timedelta(minutes=1))
            if here.at - NOON < timedelta(days=7) // timedelta(microseconds=1):
                assert (await accounts.known(session)).name == "kim"
        with pytest.raises(LoginError):
            await accounts.known(session)
        again, _ = await accounts.login("kim", WORDS, where="::1")
        here.passes(IDLE)
        with pytest.raises(LoginError):
            await accounts.known(again)

    asyncio.run(play())


def test_wrong_passwords_make_the_next_wait_and_the_right_one_does_too(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        await user(accounts)
        for name in ("kim", "kim", "kim", "kim", "kim", "nobody"):
            with pytest.raises(LoginError, match="no such user, or another password"):
                await accounts.login(name, "wrong", where="192.0.2.1")
        with pytest.raises(LoginError, match="wait 31 s"):
            await accounts.login("kim", WORDS, where="192.0.2.1")
        here.passes(timedelta(seconds=31))
        await accounts.login("kim", WORDS, where="192.0.2.1")
        rows = await here.store.read(lambda view: view.audit_rows())
        assert [one.act for one in rows].count("lock-out") == 1

    asyncio.run(play())


def test_a_change_of_role_and_a_lock_out_hold_at_once(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        session = await user(accounts, Role.ADMIN)
        token, role = await accounts.token(
            "kim", role=Role.OPERATOR, about="a script", lasts=timedelta(days=1), by="kim"
        )
        assert role is Role.OPERATOR
        await accounts.change("kim", role=Role.VIEWER, by="root")
        assert (await accounts.known(session)).role is Role.VIEWER
        assert (await accounts.known(token)).role is Role.VIEWER
        await accounts.change("kim", role=Role.ADMIN, by="root")
        assert (await accounts.known(session)).role is Role.ADMIN
        assert (await accounts.known(token)).role is Role.OPERATOR  # as it was made, no more
        await accounts.change("kim", disabled=True, by="root")
        for secret in (session, token):
            with pytest.raises(LoginError):
                await accounts.known(secret)
        with pytest.raises(LoginError):
            await accounts.login("kim", WORDS, where="::1")
        await accounts.change("kim", disabled=False, by="root")
        await accounts.login("kim", WORDS, where="::1")

    asyncio.run(play())


def test_nobody_changes_their_own_rights_or_has_a_name_that_looks_like_something_else(
    here: Here,
) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        await user(accounts, Role.ADMIN)
        with pytest.raises(CommandRefusedError, match="their own rights"):
            await accounts.change("kim", role=Role.ADMIN, by="kim")
        with pytest.raises(CommandRefusedError, match="a user kim already"):
            await accounts.invite("kim", Role.VIEWER, by="root")
        for name in ("", "Kim", "k\u0456m", "kim lee", "kim\n", "../kim", "a" * 65):
            with pytest.raises(CommandRefusedError, match="cannot be a user's name"):
                await accounts.invite(name, Role.VIEWER, by="root")

    asyncio.run(play())


def test_an_unknown_name_is_told_to_wait_like_a_known_one(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        await user(accounts)
        said = []
        for name in ("kim", "stranger"):
            for _ in range(6):
                with pytest.raises(LoginError) as refused:
                    await accounts.login(name, "wrong", where="192.0.2.1")
            said.append(str(refused.value))
        assert said[0] == said[1]
        assert "wait" in said[0]

    asyncio.run(play())


def test_nobody_is_kept_out_of_where_they_always_come_from(here: Here) -> None:
    """A stranger who tries wrong passwords all night locks their own address out, not the user."""

    async def play() -> None:
        accounts = Accounts(here, Passwords())
        await user(accounts)  # from ::1
        for _ in range(11):  # each as soon as it is looked at: the wait is 15 minutes by then
            with pytest.raises(LoginError, match="another password"):
                await accounts.login("kim", "wrong", where="192.0.2.1")
            here.passes(timedelta(minutes=15, seconds=1))
        with pytest.raises(LoginError, match="another password"):
            await accounts.login("kim", "wrong", where="192.0.2.1")
        with pytest.raises(LoginError, match="wait 31 s"):
            await accounts.login("kim", WORDS, where="::1")
        here.passes(timedelta(seconds=31))
        with pytest.raises(LoginError, match="wait 8"):
            await accounts.login("kim", WORDS, where="192.0.2.1")
        assert (await accounts.login("kim", WORDS, where="::1"))[1].name == "kim"

    asyncio.run(play())


def test_a_clock_that_is_set_back_neither_locks_out_nor_lets_a_session_live(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        here.passes(timedelta(days=365))  # the clock was wrong
        session = await user(accounts)
        token, _ = await accounts.token(
            "kim", role=Role.VIEWER, about="x", lasts=timedelta(days=400), by="kim"
        )
        for _ in range(8):
            with pytest.raises(LoginError):
                await accounts.login("kim", "wrong", where="::2")
        here.passes(timedelta(days=-365))
        with pytest.raises(LoginError, match="not logged in"):
            await accounts.known(session)
        assert (await accounts.known(token)).name == "kim"  # programs go on
        again, _ = await accounts.login("kim", WORDS, where="::2")
        here.passes(timedelta(minutes=-10))  # a small step ends nothing
        assert (await accounts.known(again)).name == "kim"

    asyncio.run(play())


@pytest.mark.parametrize("name", ["root", "nobody", "monitord", "monitord-web", "monitord.kim"])
def test_no_user_is_called_as_the_daemon_or_root_sign(here: Here, name: str) -> None:
    async def play() -> None:
        with pytest.raises(CommandRefusedError, match="monitord itself"):
            await Accounts(here, Passwords()).invite(name, Role.ADMIN, by="root")

    asyncio.run(play())


def test_a_link_is_accepted_once_however_many_try_at_once(here: Here) -> None:
    async def play() -> None:
        accounts = Accounts(here, Passwords())
        word, _ = await accounts.invite("kim", Role.ADMIN, by="root")
        tries = (accounts.accept(word, f"{WORDS} {n}", where="::1") for n in range(4))
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(isinstance(one, LoginError) for one in found) == [False, True, True, True]
        word, _ = await accounts.invite("kim", None, by="root")
        late, _ = await asyncio.gather(
            accounts.accept(word, WORDS, where="::1"),
            accounts.invite("kim", None, by="root"),
            return_exceptions=True,
        )
        assert isinstance(late, LoginError)  # the newer link ended it

    asyncio.run(play())


def test_a_stranger_costs_the_writes_that_a_user_costs(here: Here) -> None:
    """What the store does for one and not for the other could be measured from outside."""
    real, written = here.store.write, list[str]()

    async def play() -> None:
        accounts = Accounts(here, Passwords())
        await user(accounts)
        for name in ("kim", "stranger"):

            async def counted(work: Any, *, name: str = name, **how: Any) -> Any:
                written.append(name)
                return await real(work, **how)

            here.store.write = counted  # type: ignore[method-assign] # the same door, counted
            with pytest.raises(LoginError, match="no such user, or another password"):
                await accounts.login(name, "wrong", where="::1")

    asyncio.run(play())
    assert written == ["kim", "stranger"]
