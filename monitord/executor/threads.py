"""Blocking work in threads that nobody has to wait for when the process ends.

A pool's threads are joined at exit, so one hanging host would keep a stopped executor alive for its
whole deadline. It does not bound how many there are: the caller's gates do.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from monitord.errors import NotReachedError
from monitord.model.result import Cause

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Start `work` in a thread of its own; what it gives or raises comes back in this loop.

    Raises:
        NotReachedError: this machine starts no thread now; the work was not begun.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def resolve(value: Any, error: BaseException | None) -> None:
        if future.done():  # its caller was cancelled
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def run() -> None:
        value, problem = None, None
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            problem = error
        if not loop.is_closed():  # then nobody waits any more
            loop.call_soon_threadsafe(resolve, value, problem)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError as error:
        text = f"no thread could be started ({error}): too many processes, or no memory, here"
        raise NotReachedError(text, cause=Cause.EXECUTOR) from error
    return future
