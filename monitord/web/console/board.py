"""What every open console shows: one copy of /v1/now, asked anew when something happened.

A hundred consoles cost the core one question, and one rendering. It tells who follows when the
page changed, and says so when the core does not answer; it decides nothing.
"""

import asyncio
import hashlib
import re
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from jinja2 import Environment

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.log import get_logger
from monitord.web.console.hostmap import HostMap, host_map
from monitord.web.feed import Feed

log = get_logger(__name__)

_SOONEST = 0.4  # seconds between two questions
_LATEST = 10.0
_QUIET = 5.0
_RETRY = 2.0
_MEASURED = 60.0
"""Seconds between two copies that differ in numbers of summaries alone: each look changes some."""

_DIGITS, _NOTHING = re.compile(r"\d[\d.,]*"), re.compile(r"(?!)")


class Board:
    """The newest picture. `start` begins to follow the core; `stop` ends it."""

    def __init__(self, core: Core, pages: Environment) -> None:
        self._core, self._pages = core, pages
        self._happened = asyncio.Event()
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = threading.Event()
        self._asking = asyncio.Lock()
        self._asked = -_LATEST
        self.now: dict[str, Any] | None = None
        self.down: str = ""
        self.version = 0
        self.fragment = ""
        self._digests, self._told = ("", ""), 0.0
        self._map, self._cells = HostMap(), (HostMap(), "")
        self.feed = Feed()

    def start(self) -> None:
        """Begin to follow what happens; needs a running loop."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._follow, args=(loop,), name="board", daemon=True).start()
        self._tasks.append(loop.create_task(self._refresh()))

    def stop(self) -> None:
        """End it."""
        self._ended.set()
        for task in self._tasks:
            task.cancel()

    async def fresh(self) -> dict[str, Any] | None:
        """Give the picture, asked now if it is old; None while the core does not answer."""
        if asyncio.get_running_loop().time() - self._asked > _LATEST or self.now is None:
            await self._ask()
        return self.now

    async def cells(self) -> str:
        """Give the rendered map of all hosts, for a page that is opened."""
        shown, text = self._cells
        if shown != self._map:
            shown, template = self._map, self._pages.get_template("map.html")
            text = await asyncio.to_thread(template.render, map=shown)
            self._cells = (shown, text)
        return text

    async def updates(self) -> AsyncIterator[tuple[str, str]]:
        """Give ("now", the rendered picture) at once and when it changed, and ("fresh", a time).

        The second is when the newest result came, every few seconds: a page can tell how old what
        it shows is.
        """
        await self.fresh()
        seen = -1
        while not self._ended.is_set():
            if seen != self.version:
                seen = self.version
                yield "now", self.fragment
            try:
                async with asyncio.timeout(_QUIET), self._changed:
                    await self._changed.wait()
            except TimeoutError:
                yield "fresh", (self.now or {}).get("fresh") or ""

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait in a thread for events of the core; each makes the picture old."""
        core = Core(self._core.path, timeout=60.0)
        while not self._ended.is_set():
            heard = False
            try:
                # That the core is down is said by the next question.
                with suppress(CoreDownError, CoreSaysNoError, ValueError):
                    for event in core.follow("/v1/events"):
                        if self._ended.is_set():
                            return
                        if not heard:  # what happened before was not
                            loop.call_soon_threadsafe(self.feed.broken)
                        heard = True
                        if event.get("kind") != "alive":
                            loop.call_soon_threadsafe(self._heard, event)
                if heard:
                    loop.call_soon_threadsafe(self.feed.broken)
            except RuntimeError:
                return  # the loop has ended
            self._ended.wait(_RETRY)

    def _heard(self, event: Mapping[str, Any]) -> None:
        self._happened.set()
        self.feed.publish(event)

    async def _refresh(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_LATEST):
                    await self._happened.wait()
            except TimeoutError:
                pass
            self._happened.clear()
            await self._ask()
            await asyncio.sleep(_SOONEST)

    async def _ask(self) -> None:
        async with self._asking:
            self._asked = asyncio.get_running_loop().time()
            try:
                self.now = await asyncio.to_thread(self._core.get, "/v1/now")
                self.down = ""
            except (CoreDownError, CoreSaysNoError) as error:
                if not self.down:
                    log.warning("the core does not answer", reason=str(error))
                self.down = str(error)
            await self._show()

    async def _show(self) -> None:
        self.fragment, self._map, digests = await asyncio.to_thread(self._made, self.now, self.down)
        if not self._is_news(*digests):
            return
        self._digests, self._told = digests, asyncio.get_running_loop().time()
        self.version += 1
        async with self._changed:
            self._changed.notify_all()

    def _made(self, now: dict[str, Any] | None, down: str) -> tuple[str, HostMap, tuple[str, str]]:
        template, of_hosts = self._pages.get_template("now_part.html"), host_map(now)
        digests = (_digest(now, down), _digest(now, down, _DIGITS))
        text = template.render(now=now, down=down, map=of_hosts, version=digests[0][:16])
        return text, of_hosts, digests

    def _is_news(self, exact: str, roughly: str) -> bool:
        """Say whether consoles are sent the page anew: what checks measure alone can wait."""
        if roughly != self._digests[1]:
            return True
        waited = asyncio.get_running_loop().time() - self._told
        return exact != self._digests[0] and waited > _MEASURED


def _digest(now: Mapping[str, Any] | None, down: str, but: re.Pattern[str] = _NOTHING) -> str:
    """Hash what a page shows, but for `but` in what checks on hosts say.

    Times move on every page by themselves: they alone are no change.
    """
    page = now or {}
    kept = {name: value for name, value in page.items() if name not in ("at", "fresh", "hosts")}
    hosts = [
        {**host, "bad": [{**one, "summary": but.sub("", one["summary"])} for one in host["bad"]]}
        for host in page.get("hosts", ())
    ]
    return hashlib.sha256(f"{kept}{hosts}{down}".encode(errors="replace")).hexdigest()
