"""The page for end users: how services are in plain words, and a form to tell of a problem.

The core is asked as this process, at most every few seconds however many look; whoever looks may
be anybody. The same page is written as files by `monitord status-page`. Nothing internal is known
here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.serving import origin
from monitord.web.console.asked import Asked, Page, read_form
from monitord.web.console.login import same_origin

_WORTH = 10.0  # seconds that an answer is shown for
_WORTH_WHEN_DOWN = 300.0  # the same, while the core cannot be asked
_TRIES, _WITHIN, _ADDRESSES = 5, 600.0, 5000
_LONGEST = 500
_NOT_FOUND = 404

SAYS: Mapping[str, str] = {
    "up": "works",
    "degraded": "works in part",
    "down": "does not work",
    "maintenance": "is being worked on",
    "unknown": "is not known just now",
}
"""How the states are told."""

SIGNS: Mapping[str, str] = {
    "up": "✓",
    "degraded": "!",
    "down": "✕",
    "maintenance": "⚒",
    "unknown": "?",
}


def render(pages: Environment, found: Mapping[str, Any], **more: Any) -> str:
    """Give the page as HTML; `static`: for a folder, with nothing that needs monitord-web."""
    facts = {"static": False, "told": False, "error": "", "old": False, **more}
    return pages.get_template("status.html").render(one=found, says=SAYS, signs=SIGNS, **facts)


class Status:
    """The handlers over one core, for whoever may see the page."""

    def __init__(self, core: Core, pages: Environment) -> None:
        self._core, self._pages = core, pages
        self._found: Mapping[str, Any] | None = None
        self._at = float("-inf")
        self._asking = asyncio.Lock()
        self._tries: OrderedDict[str, list[float]] = OrderedDict()

    async def is_public(self) -> bool:
        """Tell whether whoever asks may see it; where that is not known, they may not."""
        try:
            found = await self._fresh()
        except CoreDownError:
            return False
        return found is not None and bool(found["public"])

    async def show(self, request: Request) -> Response:
        """Show the page."""
        return await self._shown(told=request.query_params.get("told") == "1")

    async def report(self, request: Request) -> Response:
        """Take what somebody tells of."""
        form = await read_form(request)
        if not same_origin(request):
            return await self._shown(403, error="this form comes from another site")
        text = form.get("text", "")[:_LONGEST]
        if not text:
            return await self._shown(400, error="say in a few words what does not work")
        if self._too_many(origin(request.client) or "unknown"):
            return await self._shown(429, error="you have told of several; wait ten minutes")
        body = {"service": form.get("service", "") or "-", "text": text}
        try:
            await asyncio.to_thread(self._core.post, "/v1/status-page/report", body)
        except CoreSaysNoError as error:
            return await self._shown(error.status, error=str(error))
        except CoreDownError:
            return await self._shown(503, error="this could not be taken just now; try again")
        return RedirectResponse("/status?told=1", status_code=303)

    async def _shown(self, code: int = 200, **facts: Any) -> Response:
        try:
            found = await self._fresh()
        except CoreDownError:
            return Response("not known just now; try again\n", 503, media_type="text/plain")
        if found is None:
            return Response("there is no such page\n", _NOT_FOUND, media_type="text/plain")
        old = asyncio.get_running_loop().time() - self._at > _WORTH
        return HTMLResponse(render(self._pages, found, old=old, **facts), status_code=code)

    async def _fresh(self) -> Mapping[str, Any] | None:
        """Give what the core says, not older than some seconds; None where there is no page."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now - self._at <= _WORTH:
                return self._found
            try:
                self._found = await asyncio.to_thread(self._core.get, "/v1/status-page")
            except CoreSaysNoError as error:
                if error.status != _NOT_FOUND:
                    raise
                self._found = None
            except CoreDownError:
                if now - self._at > _WORTH_WHEN_DOWN:
                    raise
                return self._found
            self._at = now
            return self._found

    def _too_many(self, where: str) -> bool:
        now = asyncio.get_running_loop().time()
        tries = [at for at in self._tries.pop(where, []) if now - at < _WITHIN]
        self._tries[where] = [*tries, now][-_TRIES - 1 :]
        while len(self._tries) > _ADDRESSES:
            self._tries.popitem(last=False)
        return len(tries) >= _TRIES


async def reports(asked: Asked) -> Response:
    """GET /status/reports: what end users told of, for those who work here."""
    answer = await asked.get("/v1/status-page/reports")
    return asked.page("status_reports.html", rows=answer["reports"])


STATUS = (Page("GET", "/status/reports", "viewer", reports),)
