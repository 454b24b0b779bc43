"""The control API: one Starlette app over the engine's port, served on core.sock by the daemon.

Puts the routes together, asks who is there, and turns errors into sentences. It holds no state and
decides nothing about hosts or incidents.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as StarletteRoute

from monitord.api.access import Person, bearer, identify, logged_in, require
from monitord.api.accounts import ACCOUNTS
from monitord.api.acting import ACTING
from monitord.api.chains import CHAINS
from monitord.api.handover import HANDOVER
from monitord.api.health import HEALTH
from monitord.api.history import HISTORY
from monitord.api.levels import LEVELS
from monitord.api.logins import LOGINS
from monitord.api.months import MONTHS
from monitord.api.notices import NOTICES
from monitord.api.now import NOW
from monitord.api.oncall import ONCALL
from monitord.api.openapi import OPENAPI
from monitord.api.ports import Engine
from monitord.api.problems import PROBLEMS
from monitord.api.reading import READING
from monitord.api.records import RECORDS
from monitord.api.reports import REPORTS
from monitord.api.routes import Asked, Route, failure, plain_failure
from monitord.api.services import SERVICES
from monitord.api.status_page import STATUS_PAGE
from monitord.errors import MonitordError
from monitord.log import get_logger

log = get_logger(__name__)

ROUTES: tuple[Route, ...] = (
    *NOW,
    *HEALTH,
    *READING,
    *ACTING,
    *RECORDS,
    *REPORTS,
    *ONCALL,
    *HANDOVER,
    *PROBLEMS,
    *CHAINS,
    *NOTICES,
    *HISTORY,
    *ACCOUNTS,
    *LOGINS,
    *LEVELS,
    *SERVICES,
    *STATUS_PAGE,
    *MONTHS,
    *OPENAPI,
)
"""Every route of the API, in the order of the docs."""


def create_app(engine: Engine) -> Starlette:
    """Make the app. Serve it with `monitord.serving.serve` on a socket from `listen_unix`."""
    app = Starlette(
        routes=[
            StarletteRoute(route.path, _endpoint(engine, route), methods=[route.method])
            for route in ROUTES
        ],
        # The second: a path's number with more digits than Python reads. Handlers catch their own.
        exception_handlers={HTTPException: _no_such_route, ValueError: _no_such_route},
    )
    app.state.routes = ROUTES
    return app


def _endpoint(engine: Engine, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            person = await _person(engine, request)
            require(person, route.right)
            answer = await route.handler(Asked(engine, person, request))
        except MonitordError as error:
            return failure(error)
        except Exception:
            log.exception("api failed", method=route.method, path=route.path)
            return plain_failure(500, f"{route.path} failed", "the daemon's log tells why")
        if isinstance(answer, Response):
            return answer
        # A page of a thousand rows takes milliseconds to write: not on the checks' event loop.
        return await asyncio.to_thread(JSONResponse, answer)

    return endpoint


async def _person(engine: Engine, request: Request) -> Person:
    """Give who asks: whoever the secret is of that came along, else the peer itself.

    monitord-web passes its users' sessions on: it can do for them what they may, and no more.
    """
    header = request.headers.get("authorization")
    if header is not None:  # one that holds nothing proves nothing: it never asks as the peer
        return logged_in(await engine.accounts.known(bearer(header)))
    return await identify(request.state.peer)


async def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    text = f"{request.method} {request.url.path[:200]}: no such route"
    return plain_failure(status, text, "docs/api.md lists the routes")
