"""The routes of logging in by a provider: what the login page offers, the way there, the way back.

The core alone speaks with the provider and makes the session; monitord-web carries what the browser
brings. Whom the provider's word lets in is the engine's to say.
"""

from typing import Any

from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.accounts import of_known
from monitord.api.routes import Asked, Route
from monitord.serving import read_body


async def ways(asked: Asked) -> Any:
    """GET /v1/login."""
    found = asked.engine.accounts.provider.ways()
    return {"provider": found.provider, "leave": found.leave}


async def begin(asked: Asked) -> Any:
    """POST /v1/login/begin."""
    to, word = await asked.engine.accounts.provider.begin()
    return {"to": to, "word": word}


async def finish(asked: Asked) -> Any:
    """POST /v1/login/finish."""
    body = bodies.parse(bodies.Finish, await read_body(asked.request, bodies.LONGEST))
    secret, known = await asked.engine.accounts.provider.finish(
        body.word, body.state, body.code, where=body.where
    )
    return {"session": secret, **of_known(known)}


LOGINS = (
    Route("GET", "/v1/login", Right.LOGIN, ways, "how people log in, beside a password"),
    Route("POST", "/v1/login/begin", Right.LOGIN, begin, "begin a login by the provider"),
    Route(
        "POST",
        "/v1/login/finish",
        Right.LOGIN,
        finish,
        "end it: what the provider sent back with the browser",
        body=bodies.Finish,
    ),
)
