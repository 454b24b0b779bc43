"""Logging in and out, and the page behind a one-time link. The core decides who is let in.

Tries from one address are bounded here, so that a stranger does not keep the core busy; the cookie
holds the session's secret and nothing else.
"""

import asyncio
import json
from collections import OrderedDict
from urllib.parse import quote

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.serving import origin
from monitord.web.console.asked import COOKIE, LEFT, read_form
from monitord.web.core import Glance

_TRIES, _WITHIN = 20, 60.0
_ADDRESSES = 5000
_COOKIE_LASTS = 7 * 86_400
_GET = "GET"
_OK = 200
_WAIT = "wait a minute, try again"


class Login:
    """The handlers for whoever is not logged in. `secure`: the cookie only goes over TLS."""

    def __init__(self, core: Core, pages: Environment, *, secure: bool) -> None:
        self._core, self._pages, self._secure = core, pages, secure
        self._ways, self._leaving = Glance(core, "/v1/login"), Glance(core, "/v1/login")
        self._tries: OrderedDict[str, list[float]] = OrderedDict()

    def sent(self, request: Request) -> Response:
        """Send somebody to the login page, and then back; a part of a page is only refused."""
        if request.method != _GET or "text/html" not in request.headers.get("accept", ""):
            return Response("not logged in\n", status_code=401, media_type="text/plain")
        # Not `request.url`: it has what the Host header says.
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?to={quote(target, safe='')}", status_code=303)

    async def show(self, request: Request) -> Response:
        """Show the form."""
        leave = await self._left() if LEFT in request.query_params else ""
        return await self.page("login.html", to=request.query_params.get("to", "/"), leave=leave)

    async def enter(self, request: Request) -> Response:
        """Try a name and a password."""
        form, to = await read_form(request), request.query_params.get("to", "/")
        name = form.get("name", "")
        if not same_origin(request) or self.too_many(request):
            return await self.page("login.html", 429, to=to, name=name, error=_WAIT)
        body = {"name": name, "password": form.get("password", ""), "where": where_of(request)}
        try:
            answer = await asyncio.to_thread(self._core.post, "/v1/login", body)
        except CoreSaysNoError as error:
            status = 401 if error.status in (400, 401) else error.status
            text = "type a name and a password" if error.status == 400 else str(error)  # noqa: PLR2004 - HTTP's own word
            return await self.page("login.html", status, to=to, name=name, error=text)
        except CoreDownError as error:
            return await self.page("login.html", 503, to=to, name=name, error=str(error))
        return self.entered(request, answer["session"], to)

    async def welcome(self, request: Request) -> Response:
        """Show whose password a link sets, and the form."""
        return await self._linked(request, "")

    async def accept(self, request: Request) -> Response:
        """Set the password."""
        form, word = await read_form(request), request.path_params["word"]
        if not same_origin(request) or self.too_many(request):
            return await self.page("login.html", 429, to="/", error=_WAIT)
        if form.get("password", "") != form.get("again", ""):
            return await self._linked(request, "the two are not the same; type it again")
        body = {"word": word, "password": form.get("password", ""), "where": where_of(request)}
        try:
            answer = await asyncio.to_thread(self._core.post, "/v1/invitation/use", body)
        except CoreSaysNoError as error:
            return await self._linked(request, str(error))
        except CoreDownError as error:
            return await self.page("login.html", 503, to="/", error=str(error))
        return self.entered(request, answer["session"], "/")

    async def _linked(self, request: Request, error: str) -> Response:
        word = {"word": request.path_params["word"]}
        try:
            answer = await asyncio.to_thread(self._core.post, "/v1/invitation", word)
        except CoreSaysNoError as gone:
            return await self.page("login.html", 404, to="/", error=str(gone))
        except CoreDownError as down:
            return await self.page("login.html", 503, to="/", error=str(down))
        status = 400 if error else 200
        return await self.page("welcome.html", status, name=answer["name"], error=error)

    async def page(self, template: str, status: int = 200, **facts: str) -> Response:
        """Show a page of the way in; `leave` is where the provider's own session ends."""
        found, body = await self._ways()
        ways = json.loads(body) if found == _OK else {"provider": ""}
        facts = {"error": "", "name": "", "to": "/", "leave": "", **facts}
        shown = self._pages.get_template(template).render(provider=ways["provider"], **facts)
        return HTMLResponse(shown, status_code=status)

    async def _left(self) -> str:
        # Asked apart: only the core that has met the provider knows, and that may be just now.
        found, body = await self._leaving()
        return str(json.loads(body)["leave"]) if found == _OK else ""

    def entered(self, request: Request, secret: str, to: str) -> Response:
        """Give the session to the browser, and lead on to a page of ours."""
        ours = to.startswith("/") and not to.startswith(("//", "/\\"))
        answer = RedirectResponse(to if ours else "/", status_code=303)
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=_COOKIE_LASTS,
            httponly=True,
            samesite="lax",  # a link in a ticket or a chat leads in; forms have their own proof
            secure=self.secure(request),
            path="/",
        )
        return answer

    def secure(self, request: Request) -> bool:
        """Say whether a cookie may only go over TLS."""
        # Of the scheme only a trusted proxy can have said that it is https.
        return self._secure or request.scope["scheme"] == "https"

    def too_many(self, request: Request) -> bool:
        """Count a try to come in, and say whether there were too many from there."""
        now, where = asyncio.get_running_loop().time(), where_of(request)
        tries = [at for at in self._tries.pop(where, []) if now - at < _WITHIN]
        self._tries[where] = [*tries, now][-_TRIES - 1 :]
        while len(self._tries) > _ADDRESSES:
            self._tries.popitem(last=False)
        return len(tries) >= _TRIES


def where_of(request: Request) -> str:
    """Give the address that somebody comes from."""
    return origin(request.client) or "unknown"


def same_origin(request: Request) -> bool:
    """Say whether a form comes from a page of ours, as far as the browser tells."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
