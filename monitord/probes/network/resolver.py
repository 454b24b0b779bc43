"""Names to addresses, by the system's resolver in a few threads; and the error of not arriving.

It decides whose fault a failed lookup is: no such name is the target's, no answer is the
resolver's. Nothing is cached: a check sees what the resolver says now.
"""

import asyncio
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue

from monitord.errors import MonitordError
from monitord.model.result import Cause, Result
from monitord.model.text import one_line

_THREADS = 16  # a dead resolver holds each for 10 s and more; the rest of the names wait
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5)}

_Key = tuple[str, int]


class UnreachedError(MonitordError):
    """There is no connection; `cause` says what on our side is to blame, None: the target."""

    def __init__(self, text: str, cause: Cause | None = None) -> None:
        self.cause = cause
        super().__init__(text)

    def result(self, thing: str) -> Result:
        """Give the verdict on `thing`."""
        if self.cause is None:
            return Result.critical(f"{thing}: {self}")
        return Result.unknown(f"{thing}: {self}", self.cause)


async def resolve(host: str, family: int = socket.AF_UNSPEC) -> Sequence[str]:
    """Give the addresses of a name, in the order in which they should be tried; never empty.

    Lookups of one name that overlap share one answer.

    Raises:
        UnreachedError: no such name (the target's fault), or no resolver that answers (cause).
    """
    try:
        # Shielded: a probe that is cut off must not cancel the lookup of all others.
        return await asyncio.shield(asyncio.wrap_future(_lookups.ask((host, family))))
    except socket.gaierror as error:
        if error.errno in _NO_SUCH_NAME:
            raise UnreachedError("no such host name") from error
        text = f"the resolver does not answer: {error.strerror}"
        raise UnreachedError(text, Cause.RESOLVER) from error
    except UnicodeError as error:  # a redirect may name anything
        raise UnreachedError(f"{one_line(host, 80)} is not a host name") from error


class _Lookups:
    """A bounded set of threads that look names up.

    Daemon threads, unlike those of ThreadPoolExecutor: the interpreter would wait for lookups that
    a dead resolver holds, and a stop of monitord would take as long as the resolver likes.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[_Key, Future[list[str]]]] = SimpleQueue()
        self._under_way: dict[_Key, Future[list[str]]] = {}
        self._threads = 0
        self._idle = threading.Semaphore(0)

    def ask(self, key: _Key) -> Future[list[str]]:
        """Give the lookup of `key` that is under way, or begin one. For the loop's thread."""
        asked = self._under_way.get(key)
        if asked is not None:
            return asked
        asked = self._under_way[key] = Future()
        self._waiting.put((key, asked))
        if not self._idle.acquire(blocking=False) and self._threads < _THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name="resolver", daemon=True).start()
        return asked

    def _work(self) -> None:
        while True:
            key, asked = self._waiting.get()
            try:
                outcome = _look_up(*key)
            except Exception as error:  # noqa: BLE001 - it belongs to who asked, who raises it
                self._under_way.pop(key, None)
                asked.set_exception(error)
            else:
                self._under_way.pop(key, None)
                asked.set_result(outcome)
            self._idle.release()


_lookups = _Lookups()


def _look_up(host: str, family: int) -> list[str]:
    found = socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
