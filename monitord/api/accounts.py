"""The routes of users, sessions, tokens and one-time links. A secret stands in one answer, once.

What a credential proves is the engine's to say; what a role may stands in access.py.
"""

from datetime import timedelta
from typing import Any

from monitord.api import bodies
from monitord.api.access import Right, bearer
from monitord.api.routes import Asked, Route, row_number
from monitord.decisions.ticket_document import iso
from monitord.errors import CommandRefusedError, LoginError
from monitord.model.account import Credential, Known, Role, User
from monitord.serving import read_body

_MANY_DAYS = 10_000  # more than a token may last, and what a timedelta holds


async def _body(asked: Asked, shape: type[bodies.B]) -> bodies.B:
    return bodies.parse(shape, await read_body(asked.request, bodies.LONGEST))


async def login(asked: Asked) -> Any:
    """POST /v1/login."""
    body = await _body(asked, bodies.Login)
    secret, known = await asked.engine.accounts.login(body.name, body.password, where=body.where)
    return {"session": secret, **of_known(known)}


async def logout(asked: Asked) -> Any:
    """POST /v1/logout."""
    secret = bearer(asked.request.headers.get("authorization", ""))
    return {"ended": True, "provider": await asked.engine.accounts.logout(secret)}


async def me(asked: Asked) -> Any:
    """GET /v1/me."""
    known, person = asked.person.known, asked.person
    if known is not None:
        return of_known(known)
    return {"name": person.name, "role": None, "rights": sorted(person.rights)}


async def linked(asked: Asked) -> Any:
    """POST /v1/invitation: whose password a one-time link sets."""
    body = await _body(asked, bodies.Word)
    return {"name": await asked.engine.accounts.linked(body.word)}


async def accept(asked: Asked) -> Any:
    """POST /v1/invitation/use."""
    body = await _body(asked, bodies.Accept)
    secret, known = await asked.engine.accounts.accept(body.word, body.password, where=body.where)
    return {"session": secret, **of_known(known)}


async def users(asked: Asked) -> Any:
    """GET /v1/users."""
    return {"users": [_user(one) for one in await asked.engine.accounts.users()]}


def _by_login(asked: Asked) -> None:
    """Refuse a token: whoever finds one must not make more of it than it is, for longer."""
    known = asked.person.known
    if known is not None and known.kind != "session":
        raise CommandRefusedError("a token makes no tokens and no users; log in for it")


async def invite(asked: Asked) -> Any:
    """POST /v1/users: with a role a new user, without one a new link for a known one."""
    _by_login(asked)
    body = await _body(asked, bodies.Invite)
    role = Role(body.role) if body.role else None
    secret, user = await asked.engine.accounts.invite(body.name, role, by=asked.person.name)
    return {"user": _user(user), "link": _link(asked, secret)}


async def own_link(asked: Asked) -> Any:
    """POST /v1/me/link: a session alone is not enough, it may be somebody else's by now."""
    _by_login(asked)
    body, person = await _body(asked, bodies.OwnLink), asked.person
    if person.known is None:
        raise CommandRefusedError(f"{person.name} has not logged in; `monitord user link NAME`")
    try:
        secret = await asked.engine.accounts.own_link(person.name, body.password, where=body.where)
    except LoginError as error:
        raise CommandRefusedError(str(error)) from None  # 401 would mean: not logged in
    return {"link": _link(asked, secret)}


def _link(asked: Asked, secret: str) -> str:
    settings = asked.engine.catalog.settings
    base = settings.web_url or f"http://{settings.web}"
    return f"{base.rstrip('/')}/welcome/{secret}"


async def change(asked: Asked) -> Any:
    """POST /v1/users/{name}."""
    _by_login(asked)
    body = await _body(asked, bodies.ChangeUser)
    if body.provider:
        await asked.engine.accounts.by_provider(
            asked.request.path_params["name"], by=asked.person.name
        )
    user = await asked.engine.accounts.change(
        asked.request.path_params["name"],
        role=Role(body.role) if body.role else None,
        disabled=body.disabled,
        by=asked.person.name,
    )
    return {"user": _user(user)}


async def credentials(asked: Asked) -> Any:
    """GET /v1/credentials: one's own; an admin sees everybody's."""
    every = Right.ADMIN in asked.person.rights
    found = await asked.engine.accounts.credentials("" if every else asked.person.name)
    return {"credentials": [_credential(one) for one in found]}


async def token(asked: Asked) -> Any:
    """POST /v1/tokens: one's own; an admin makes them for others too."""
    body, person = await _body(asked, bodies.Token), asked.person
    name = body.user or person.name
    if name != person.name and Right.ADMIN not in person.rights:
        raise CommandRefusedError("only an admin makes tokens for others")
    _by_login(asked)
    days = max(0, min(body.days, _MANY_DAYS))
    secret, role = await asked.engine.accounts.token(
        name,
        role=Role(body.role),
        about=body.about,
        lasts=timedelta(days=days),
        by=person.name,
    )
    return {"token": secret, "user": name, "role": role.value}


async def revoke(asked: Asked) -> Any:
    """POST /v1/credentials/{id}/end."""
    number = row_number(asked, "credential")
    own = "" if Right.ADMIN in asked.person.rights else asked.person.name
    await asked.engine.accounts.revoke(number, by=asked.person.name, own=own)
    return {"ended": number}


def of_known(known: Known) -> dict[str, Any]:
    """Give who a credential proves somebody to be, as JSON."""
    return {
        "name": known.name,
        "role": known.role.value,
        "kind": known.kind.value,
        "credential": known.credential,
        "expires": iso(known.expires),
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role.value,
        "created": iso(user.created),
        "created_by": user.created_by,
        "password": bool(user.password),
        "provider": bool(user.subject),
        "disabled": iso(user.disabled),
        "disabled_by": user.disabled_by if user.disabled is not None else "",
        "failures": user.failures,
    }


def _credential(one: Credential) -> dict[str, Any]:
    return {
        "credential": one.id,
        "kind": one.kind.value,
        "user": one.user,
        "role": one.role.value,
        "about": one.about,
        "created": iso(one.created),
        "created_by": one.created_by,
        "seen": iso(one.seen),
        "expires": iso(one.expires),
    }


ACCOUNTS = (
    Route(
        "POST",
        "/v1/login",
        Right.LOGIN,
        login,
        "begin a session with a password",
        body=bodies.Login,
    ),
    Route("POST", "/v1/logout", Right.READ, logout, "end the session that asks"),
    Route("GET", "/v1/me", Right.READ, me, "who asks, and what they may"),
    Route(
        "POST",
        "/v1/me/link",
        Right.READ,
        own_link,
        "a link to set another password of yours",
        body=bodies.OwnLink,
    ),
    Route(
        "POST",
        "/v1/invitation",
        Right.LOGIN,
        linked,
        "whose password a one-time link sets",
        body=bodies.Word,
    ),
    Route("POST", "/v1/invitation/use", Right.LOGIN, accept, "set it, once", body=bodies.Accept),
    Route("GET", "/v1/users", Right.ADMIN, users, "who may log in"),
    Route(
        "POST",
        "/v1/users",
        Right.ADMIN,
        invite,
        "a new user, or a new link for one",
        body=bodies.Invite,
    ),
    Route(
        "POST",
        "/v1/users/{name}",
        Right.ADMIN,
        change,
        "another role; lock out, let in; by the provider",
        body=bodies.ChangeUser,
    ),
    Route("GET", "/v1/credentials", Right.READ, credentials, "sessions and tokens: yours, or all"),
    Route("POST", "/v1/credentials/{id:int}/end", Right.READ, revoke, "end a session or token"),
    Route("POST", "/v1/tokens", Right.READ, token, "a token for a program", body=bodies.Token),
)
