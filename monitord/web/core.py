"""What monitord-web needs of the core: pass a ping on, learn the jobs, copy a short answer.

Each call waits in a thread and at most a few seconds; answers to strangers are kept for a second,
so that no number of scrapes can load the core. It interprets nothing that it copies.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.log import get_logger
from monitord.pings import Report, Tokens, read_secret

log = get_logger(__name__)

_FRESH = 1.0  # seconds that a copied answer serves everybody
_ASK_AGAIN = 5.0  # seconds between two questions for jobs that we do not know
_GONE = 404


class Glance:
    """One route of the core, asked at most once a second however many ask us."""

    def __init__(self, core: Core, route: str, **query: str) -> None:
        self._core, self._route, self._query = core, route, query
        self._lock = asyncio.Lock()
        self._at = -_FRESH
        self._answer: tuple[int, bytes] = (503, b"")

    async def __call__(self) -> tuple[int, bytes]:
        """Give HTTP status and body; 503 and nothing when the core does not answer."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._at >= _FRESH:
                self._answer = await asyncio.to_thread(self._ask)
                self._at = asyncio.get_running_loop().time()
        return self._answer

    def _ask(self) -> tuple[int, bytes]:
        try:
            return 200, self._core.text(self._route, **self._query)
        except CoreSaysNoError as error:
            return error.status, str(error).encode()
        except CoreDownError:
            return 503, b""


class Jobs:
    """Which job a token belongs to: from the configuration at the start, then from the core."""

    def __init__(self, core: Core, state: Path, keys: Iterable[str]) -> None:
        self._core, self._state = core, state
        self._keys = tuple(keys)
        self._tokens: Tokens | None = None
        self._lock = asyncio.Lock()
        self._asked = -_ASK_AGAIN

    async def key(self, token: str) -> str | None:
        """Give the job's key, or None; an unknown token makes us ask the core, not too often.

        Raises:
            SpoolError: the instance's secret cannot be read.
        """
        if self._tokens is None:
            self._tokens = Tokens(read_secret(self._state), self._keys)
        found = self._tokens.key(token)
        if found is None and await self._learn():
            found = self._tokens.key(token)
        return found

    async def _learn(self) -> bool:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked < _ASK_AGAIN:
                return False
            self._asked = now
            try:
                answer = await asyncio.to_thread(self._core.get, "/v1/jobs")
            except (CoreDownError, CoreSaysNoError):
                return False
            self._keys = tuple(job["key"] for job in answer["jobs"])
            self._tokens = Tokens(read_secret(self._state), self._keys)
            return True


async def hand_over(core: Core, report: Report) -> bool | None:
    """Give a report to the core: True when it took it, None when the job is gone, False: spool it.

    Whatever else is wrong with the core, the report is worth keeping.
    """
    try:
        await asyncio.to_thread(core.post, "/v1/ping", _body(report))
    except CoreDownError:
        return False
    except CoreSaysNoError as error:
        if error.status == _GONE:
            return None
        log.warning("core refuses pings", job=report.key, reason=str(error))
        return False
    return True


def _body(report: Report) -> dict[str, object]:
    return {name: value for name, value in asdict(report).items() if name != "by"}
