"""The console as one object: its routes, who is let in, and what becomes of errors.

A session is the core's: this process keeps none, and asks anew who somebody is every two seconds
at most. Without a session it shows the login page and nothing else.
"""

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.log import get_logger
from monitord.web.console.asked import Asked, BadFormError, Page, secret_of
from monitord.web.console.board import Board
from monitord.web.console.doing import DOING
from monitord.web.console.live import Live
from monitord.web.console.login import Login
from monitord.web.console.pages import PAGES
from monitord.web.console.provider import BACK, PATH, ByProvider
from monitord.web.console.render import FOLDER, environment
from monitord.web.console.status import Status

log = get_logger(__name__)

_WORTH = 2.0  # seconds that an answer about a session is believed
_WORTH_WHEN_DOWN = 600.0  # the same, while the core cannot be asked
_KEPT = 1000
_NOT_LOGGED_IN, _NOT_ALLOWED = 401, 403
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'; manifest-src 'self'"
)


class Console:
    """The console over one core."""

    def __init__(self, core: Core, *, secure: bool) -> None:
        self._core = core
        self._pages = environment()
        self.board = Board(core, self._pages)
        self._login = Login(core, self._pages, secure=secure)
        self._by_provider = ByProvider(core, self._login)
        self._status = Status(core, self._pages)
        self._known: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """Give the routes, for the one app of monitord-web."""
        login = self._login
        return [
            Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static"),
            Route("/login", self._open(login.show), methods=["GET"]),
            Route("/login", self._open(login.enter), methods=["POST"]),
            Route(PATH, self._open(self._by_provider.go), methods=["GET"]),
            Route(BACK, self._open(self._by_provider.back), methods=["GET"]),
            Route("/welcome/{word}", self._open(login.welcome), methods=["GET"]),
            Route("/welcome/{word}", self._open(login.accept), methods=["POST"]),
            Route("/status", self._open(self._seen(self._status.show)), methods=["GET"]),
            Route("/status/report", self._open(self._seen(self._status.report)), methods=["POST"]),
            Route("/live", self._guarded(Page("GET", "/live", "viewer", Live()))),
            *(
                Route(page.path, self._guarded(page), methods=[page.method])
                for page in (*PAGES, *DOING)
            ),
        ]

    async def missing(self, request: Request, _error: Exception) -> Response:
        """Say that nothing is at an address: to a browser with ways on, to others in a line."""
        if "text/html" not in request.headers.get("accept", ""):
            return Response("no such page\n", 404, media_type="text/plain")
        text = self._pages.get_template("missing.html").render(error="")
        return _headed(HTMLResponse(text, 404))

    def _open(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return _headed(await handler(request))
            except BadFormError as error:
                answer = Response(f"{error}\n", error.status, media_type="text/plain")
            except ClientDisconnect:
                answer = Response(status_code=400)  # nobody is left to read it
            except Exception:
                # The address may hold the secret of a link: no line has it.
                log.exception("the way in failed", handler=handler.__name__)
                answer = Response("failed; the log tells why\n", 500, media_type="text/plain")
            return _headed(answer)

        return endpoint

    def _seen(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Let in whoever may see the page for end users: everybody, or whoever is logged in."""

        @functools.wraps(handler)
        async def endpoint(request: Request) -> Response:
            if not await self._status.is_public() and await self._who(request) is None:
                return self._login.sent(request)
            return await handler(request)

        return endpoint

    def _guarded(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            asked = await self._who(request)
            if asked is None:
                return _headed(self._login.sent(request))
            stay = getattr(request.state, "stay", None)
            if stay is not None:
                stay()
            return _headed(await self._answer(page, asked))

        return endpoint

    async def _answer(self, page: Page, asked: Asked) -> Response:
        if not asked.may(page.role):
            return _error(asked, _NOT_ALLOWED, f"Only a {page.role} may do this.")
        try:
            return await page.handler(asked)
        except CoreSaysNoError as error:
            if error.status == _NOT_LOGGED_IN:
                return self._login.sent(asked.request)
            status, text, cure = error.status, str(error), error.cure
        except BadFormError as error:
            status, text, cure = error.status, str(error), ""
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        except CoreDownError as error:
            status, text, cure = 503, str(error), "`monitord status` on the machine says more"
        except Exception:
            log.exception("a page failed", page=page.path)
            status, text, cure = 500, "This page failed.", "the log of monitord-web tells why"
        return _error(asked, status, text, cure)

    async def _who(self, request: Request) -> Asked | None:
        """Give who asks; None when nobody is logged in."""
        secret = secret_of(request)
        if not secret:
            return None
        core = self._core.on_behalf(secret)
        now = asyncio.get_running_loop().time()
        at, me = self._known.get(secret, (-_WORTH_WHEN_DOWN, {}))
        if now - at >= _WORTH or request.method == "POST":
            try:
                me = await asyncio.to_thread(core.get, "/v1/me")
            except CoreSaysNoError:
                self._known.pop(secret, None)
                return None
            except CoreDownError:
                if now - at >= _WORTH_WHEN_DOWN:
                    return None
                now = at
            self._known[secret] = (now, me)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return Asked(request, core, me, secret, self._pages, self.board, self.board.feed.mark)


def _error(asked: Asked, status: int, text: str, cure: str = "") -> Response:
    return asked.page("error.html", status=status, error=text, cure=cure, code=status)


def _headed(answer: Response) -> Response:
    answer.headers["content-security-policy"] = CSP
    return answer
