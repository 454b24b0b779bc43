"""Blocking work in threads that nobody has to wait for when the process ends.

A pool's threads are joined at exit, so one hanging host would keep a stopped executor alive for its
whole deadline. It does not bound how many there are: the caller's gates do.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Start `work` in a thread of its own; what it gives or raises comes back in this loop."""
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

    threading.Thread(target=run, daemon=True).start()
    return future
