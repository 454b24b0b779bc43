"""Logging in by a provider: the way there, and the way back with what it gave the browser.

The core makes and proves all of it. Here a cookie binds one login to one browser, and leads back to
the page that was wanted. That cookie is Lax: the return comes from another site.
"""

import asyncio
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.log import get_logger
from monitord.model.text import one_line
from monitord.web.console.login import Login, where_of

log = get_logger(__name__)

COOKIE = "monitord-login"
PATH = "/login/oidc"
BACK = f"{PATH}/back"
_LASTS = 600
_PATIENCE = 20.0  # seconds: the core waits for the provider, and not longer than this
_LONGEST_WORD, _LONGEST_TO, _LONGEST_CODE = 200, 3000, 8000
_CROSS = "cross-site"
_GAVE_UP = "access_denied"
_REFUSED = "the provider refused the login, or you gave it up there"
_FAILED = "the provider sent you back without a login; begin again, or ask an admin"
_STRAY = "this login was not begun in this browser, or too long ago; begin again here"


class ByProvider:
    """The two handlers; the pages and the session's cookie are the login page's own."""

    def __init__(self, core: Core, login: Login) -> None:
        self._core = Core(core.path, timeout=_PATIENCE)
        self._login = login

    async def go(self, request: Request) -> Response:
        """Send the browser to the provider, with a cookie that only it has."""
        to = request.query_params.get("to", "/")
        kept = quote(to, safe="")
        if len(kept) > _LONGEST_TO:  # a browser drops a longer cookie
            to = kept = "/"
        if request.headers.get("sec-fetch-site") == _CROSS:
            return await self._shown(200, to, "")  # another site must not begin a login
        if self._login.too_many(request):
            return await self._shown(429, to, "wait a minute, try again")
        try:
            made = await asyncio.to_thread(self._core.post, "/v1/login/begin", {})
        except (CoreSaysNoError, CoreDownError) as error:
            return await self._shown(_status(error), to, str(error))
        answer = RedirectResponse(made["to"], status_code=303)
        answer.set_cookie(
            COOKIE,
            f"{made['word']}|{kept}",
            max_age=_LASTS,
            httponly=True,
            samesite="lax",
            secure=self._login.secure(request),
            path=PATH,
        )
        return answer

    async def back(self, request: Request) -> Response:
        """Take what the provider sent with the browser; the cookie is spent whatever comes."""
        answer = await self._back(request)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer

    async def _back(self, request: Request) -> Response:
        word, _, rest = request.cookies.get(COOKIE, "").partition("|")
        to, query = unquote(rest) or "/", request.query_params
        code, state = query.get("code", ""), query.get("state", "")
        if query.get("error"):
            if self._login.too_many(request):  # anybody can come with these words
                return await self._shown(429, to, "wait a minute, try again")
            log.warning("login provider sends back", error=one_line(query["error"], 60))
            text = _REFUSED if query["error"] == _GAVE_UP else _FAILED
            return await self._shown(401, to, text)
        if not (0 < len(word) <= _LONGEST_WORD and 0 < len(state) <= _LONGEST_WORD):
            return await self._shown(401, to, _STRAY)
        if not 0 < len(code) <= _LONGEST_CODE:
            return await self._shown(401, to, _FAILED)
        body = {"word": word, "state": state, "code": code, "where": where_of(request)}
        try:
            made = await asyncio.to_thread(self._core.post, "/v1/login/finish", body)
        except (CoreSaysNoError, CoreDownError) as error:
            return await self._shown(_status(error), to, str(error))
        return self._login.entered(request, made["session"], to)

    async def _shown(self, status: int, to: str, error: str) -> Response:
        return await self._login.page("login.html", status, to=to, error=error)


def _status(error: CoreSaysNoError | CoreDownError) -> int:
    return error.status if isinstance(error, CoreSaysNoError) else 503
