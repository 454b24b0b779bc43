"""The routes of monitord-web: pings, approvals, inbound results, API, health, metrics; no other.

Everybody on the network may be at the other end: answers say no more than they must, bodies are cut
to a tail, and no input reaches a shell, a path or a log line unescaped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, request_response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitord.clock import Clock, after
from monitord.control import Core
from monitord.log import get_logger
from monitord.pings import TAIL, Report, SpoolError, spool, tail
from monitord.web.api import Api
from monitord.web.approval import Approval
from monitord.web.console import Console
from monitord.web.core import Glance, Jobs, hand_over
from monitord.web.inbound import Inbound

log = get_logger(__name__)

_TOKEN = 32
_HIGHEST_CODE = 255
_OLDEST = timedelta(days=7)
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_HEADERS: Mapping[bytes, bytes] = MappingProxyType(
    {
        b"cache-control": b"no-store",
        b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
        b"cross-origin-resource-policy": b"same-origin",
        b"referrer-policy": b"no-referrer",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
    }
)


class Web:
    """The handlers over one core. `spool_folder` takes what the core cannot."""

    def __init__(self, core: Core, jobs: Jobs, spool_folder: Path, clock: Clock) -> None:
        self._core, self._jobs, self._spool, self._clock = core, jobs, spool_folder, clock
        self._healthz = Glance(core, "/healthz")
        self._readyz = Glance(core, "/readyz")
        self._metrics = Glance(core, "/metrics")
        self._each_check = Glance(core, "/metrics", checks="1")

    async def ping(self, request: Request) -> Response:
        """Take a job's ping: success, /start, /fail or /EXIT-CODE; the body is its output."""
        event = _event(request.path_params.get("what", ""))
        token = request.path_params["token"]
        if request.method == "HEAD":  # a link checker must not report that a job ran
            return _answer(405, "a ping is a GET or a POST")
        key = await self._jobs.key(token) if len(token) == _TOKEN else None
        if key is None or event is None:
            return _answer(404, "no such ping; `monitord job url NAME` tells the right one")
        word, code = event
        at = after(self._clock.now(), -_ago(request))
        report = Report(key, word, at, code, await _output(request), "ping")
        taken = await hand_over(self._core, report)
        if taken is None:
            return _answer(404, "this job is no longer watched")
        if not taken:
            await asyncio.to_thread(spool, self._spool, report)
        return _answer(200 if taken else 202, "OK" if taken else "kept until the core is back")

    async def healthz(self, _request: Request) -> Response:
        """Say that this process runs, and whether the core does."""
        status, _ = await self._healthz()
        up = status == 200  # noqa: PLR2004 - HTTP's own word
        return JSONResponse({"web": True, "core": up}, status_code=200 if up else 503)

    async def readyz(self, _request: Request) -> Response:
        """Pass on whether the core is ready."""
        status, body = await self._readyz()
        ready = status == 200  # noqa: PLR2004 - HTTP's own word
        reason = "" if ready else (body.decode(errors="replace") or "the core does not answer")
        return JSONResponse({"ready": ready, "reason": reason}, status_code=200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """Pass on the core's metrics; 503 when it is dead, so that a scrape shows it."""
        each = request.query_params.get("checks") == "1"
        status, body = await (self._each_check() if each else self._metrics())
        if status != 200:  # noqa: PLR2004 - HTTP's own word
            return _answer(503, "the core does not answer")
        return Response(body, headers={"content-type": _METRICS_TYPE})


def create_app(
    web: Web, approval: Approval, inbound: Inbound, console: Console, api: Api
) -> ASGIApp:
    """Make the app of the handlers, with the security headers on every answer."""
    both = ["GET", "POST"]
    routes = [
        Route("/ping/{token}", _guarded(web.ping), methods=both),
        Route("/ping/{token}/{what}", _guarded(web.ping), methods=both),
        Route("/approve/{word}", _guarded(approval.__call__), methods=both),
        Route("/inbound/{source}", _guarded(inbound.__call__), methods=["POST"]),
        Route("/healthz", _guarded(web.healthz), methods=["GET"]),
        Route("/readyz", _guarded(web.readyz), methods=["GET"]),
        Route("/metrics", _guarded(web.metrics), methods=["GET"]),
        # All methods, and nothing taken from the path: what is refused is refused in JSON.
        Mount("/api/v1", app=request_response(api.__call__)),
    ]
    # A path's number with more digits than Python reads; handlers catch what is their own.
    missing: Mapping[Any, Any] = {ValueError: _missing, 404: console.missing}
    every = [*routes, *console.routes()]
    return _with_headers(Starlette(routes=every, exception_handlers=missing))


async def _missing(_request: Request, _error: Exception) -> Response:
    return _answer(404, "no such page")


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Any:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        except SpoolError as error:
            log.warning("report lost", reason=str(error))
            return _answer(503, "it could not be kept; try again")
        except Exception:
            # The address may hold the secret of a link or a ping: no line has it.
            log.exception("web failed", route=request.scope["path"].split("/")[1][:20])
            return _answer(500, "failed; the log tells why")

    return guarded


def _event(what: str) -> tuple[str, int | None] | None:
    """Read the last part of a ping's path: event and exit code, or None where it is neither."""
    if what in ("start", "fail"):
        return what, None
    if not what:
        return "success", None
    if what.isascii() and what.isdigit() and len(what) <= 3 and int(what) <= _HIGHEST_CODE:  # noqa: PLR2004 - digits of 255
        return ("success" if int(what) == 0 else "fail"), int(what)
    return None


def _ago(request: Request) -> timedelta:
    """Read how long ago it was (`?ago=SECONDS`), of a report that could not be sent at once."""
    told = request.query_params.get("ago", "")
    seconds = int(told) if told.isascii() and told.isdigit() and len(told) <= 9 else 0  # noqa: PLR2004 - digits enough for a week
    return min(timedelta(seconds=seconds), _OLDEST)


async def _output(request: Request) -> str:
    """Read a body to its end, which the connection's bounds are sure to bring; keep the tail."""
    kept = b""
    async for piece in request.stream():
        kept = (kept + piece)[-TAIL:]
    return tail(kept)


def _answer(status: int, text: str) -> Response:
    headers = {"content-type": "text/plain; charset=utf-8"}
    if status == 405:  # noqa: PLR2004 - HTTP's own word
        headers["allow"] = "GET, POST"
    return Response(f"{text}\n", status, headers=headers)


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", [])
                own = {name.lower() for name, _ in given}
                ours = [pair for pair in _HEADERS.items() if pair[0] not in own]
                message["headers"] = [*given, *ours]
            await send(message)

        await app(scope, receive, send_more)

    return wrapped
