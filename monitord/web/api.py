"""/api/v1/…: the core's routes for programs, passed on as whoever the token or session is of.

Nothing is decided here: the core says who it is and what they may. A request without a secret is
never passed on, for it would be asked as this process. A browser's session counts only with the
form word of that session in a header, so that no other site can use it.
"""

import asyncio
import hashlib
import hmac
import json
import math
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from monitord.control import Core, CoreDownError, CoreSaysNoError, Passed
from monitord.errors import MonitordError
from monitord.log import get_logger
from monitord.serving import BodyTooLongError, origin, read_body
from monitord.web.console.asked import SECRET, csrf, secret_of
from monitord.web.feed import Feed
from monitord.web.pace import Pace

log = get_logger(__name__)

PREFIX = "/api"
RATE, BURST = 20.0, 200
"""Requests of one token or session: a second, and at once."""

_STRANGER_RATE, _STRANGER_BURST = 0.5, 30  # refused secrets from one address
_LONGEST = 2 * 1024 * 1024
_AT_ONCE = 16  # half of the threads: the console keeps the others
_KNOWN = 1000
_READERS, _READERS_EACH = 200, 10
_QUIET, _BELIEVED = 15.0, 30.0  # seconds
_REFUSED, _BAD = 401, 400


class RefusedError(MonitordError):
    """A request that is not passed on; `status` is HTTP's."""

    def __init__(self, text: str, cure: str, *, status: int, wait: float = 0.0) -> None:
        self.cure, self.status, self.wait = cure, status, wait
        super().__init__(text)


class Api:
    """The handler of everything under /api/v1/. `feed` is what happens, from the one follower."""

    def __init__(self, core: Core, feed: Feed) -> None:
        self._core, self._feed = core, feed
        self._pace = Pace(rate=RATE, burst=BURST)
        self._strangers = Pace(rate=_STRANGER_RATE, burst=_STRANGER_BURST)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._reading: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Response:
        """Answer one request; an error has the shape that the core's have."""
        try:
            return await self._answer(request)
        except RefusedError as error:
            return _no(error)
        except BodyTooLongError as error:
            return _no(RefusedError(str(error), "", status=413))
        except CoreDownError as error:
            text = "try again; `monitord status` says more"
            return _no(RefusedError(str(error), text, status=503))
        except ClientDisconnect:
            return Response(status_code=_BAD)  # nobody is left to read it
        except Exception:
            log.exception("api failed", path=request.scope["path"])
            cure = "the log of monitord-web tells why"
            return _no(RefusedError("it failed", cure, status=500))

    async def _answer(self, request: Request) -> Response:
        route = request.scope["path"].removeprefix(PREFIX)
        if request.method not in ("GET", "POST"):
            text = f"{request.method} {route[:200]}: no such method"
            raise RefusedError(text, "a route has GET or POST", status=405)
        secret = _secret(request)
        self._admit(request, secret)
        if route == "/v1/events" and request.method == "GET":
            return await self._events(request, secret)
        body = await _body(request) if request.method == "POST" else None
        query = request.query_params.multi_items()
        core = self._core.on_behalf(secret)
        async with self._asking:
            passed = await asyncio.to_thread(core.pass_on, request.method, route, query, body)
        self._heed(request, secret, known=passed.status != _REFUSED)
        return _passed(passed)

    def _admit(self, request: Request, secret: str) -> None:
        """Bound how often somebody asks; whoever is not known yet with all of their address."""
        now, name = time.monotonic(), _digest(secret)
        wait = self._pace.wait(name, now)
        if name not in self._known:
            wait = max(wait, self._strangers.wait(_where(request), now))
        if wait:
            cure = f"wait {math.ceil(wait)} s; follow /api/v1/events rather than ask often"
            raise RefusedError("that is too often", cure, status=429, wait=wait)
        self._pace.spend(name, now)

    def _heed(self, request: Request, secret: str, *, known: bool) -> None:
        name = _digest(secret)
        if known:
            self._known[name] = None
            self._known.move_to_end(name)
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        else:
            self._known.pop(name, None)
            self._strangers.spend(_where(request), time.monotonic())

    async def _events(self, request: Request, secret: str) -> Response:
        status = await self._still(secret)
        self._heed(request, secret, known=status != _REFUSED)
        if status:
            text, cure = "you are not logged in (any more)", "send a token that is in force"
            raise RefusedError(text, cure, status=status)
        name = _digest(secret)
        if self._reading.total() >= _READERS or self._reading[name] >= _READERS_EACH:
            text = f"{self._reading[name]} streams of yours are open, {_READERS} are taken in all"
            raise RefusedError(text, "end one first", status=429, wait=60.0)
        stay = getattr(request.state, "stay", None)
        if stay is not None:
            stay()
        as_sse = "text/event-stream" in request.headers.get("accept", "")
        return StreamingResponse(
            self._lines(secret, "data: {}\n\n" if as_sse else "{}\n"),
            media_type="text/event-stream" if as_sse else "application/x-ndjson",
        )

    async def _lines(self, secret: str, form: str) -> AsyncIterator[str]:
        name, believed = _digest(secret), time.monotonic()
        self._reading[name] += 1
        try:
            with self._feed.reader() as reader:
                async for event in reader.events(_QUIET):
                    if time.monotonic() - believed > _BELIEVED:
                        with suppress(CoreDownError):  # then nothing happens that could be told
                            if await self._still(secret):
                                return
                            believed = time.monotonic()
                    yield form.replace("{}", event)
        finally:
            self._reading[name] -= 1
            self._reading += Counter()  # drops those at zero

    async def _still(self, secret: str) -> int:
        """Give 0 while the secret is in force, else the status of the core's refusal.

        Raises:
            CoreDownError: the core does not answer.
        """
        core = self._core.on_behalf(secret)
        try:
            async with self._asking:
                await asyncio.to_thread(core.get, "/v1/me")
        except CoreSaysNoError as error:
            return error.status
        return 0


async def _body(request: Request) -> bytes:
    raw = await read_body(request, _LONGEST)
    try:
        given = await asyncio.to_thread(json.loads, raw or b"{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise RefusedError("the body is no JSON object", "write {…}", status=_BAD)
    return raw or b"{}"


def _secret(request: Request) -> str:
    """Give the secret of whoever asks.

    Raises:
        RefusedError: there is none, or a session without its form word.
    """
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        secret = token.strip() if scheme.lower() == "bearer" else ""
        if SECRET.fullmatch(secret):
            return secret
    elif secret := secret_of(request):
        word = request.headers.get("x-monitord-form", "")
        if hmac.compare_digest(word.encode(), csrf(secret).encode()):
            return secret
    cure = "send Authorization: Bearer TOKEN; `monitord token add` makes one"
    raise RefusedError("who asks is not known", cure, status=_REFUSED)


def _passed(passed: Passed) -> Response:
    if passed.status >= _BAD and not passed.kind.startswith("application/json"):
        text = passed.body[:200].decode(errors="replace").strip()
        return _no(RefusedError(text, "", status=passed.status))
    return Response(passed.body, passed.status, headers={"content-type": passed.kind})


def _no(error: RefusedError) -> Response:
    headers = {"retry-after": str(math.ceil(error.wait))} if error.wait else {}
    if error.status == _REFUSED:
        headers["www-authenticate"] = "Bearer"
    if error.status == 405:  # noqa: PLR2004 - HTTP's own word
        headers["allow"] = "GET, POST"
    body: dict[str, Any] = {"text": str(error), "cure": error.cure}
    return JSONResponse({"error": body}, status_code=error.status, headers=headers)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _where(request: Request) -> str:
    return origin(request.client) or "unknown"
