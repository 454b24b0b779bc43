"""Waiting for the real world: poll with a deadline, never sleep a guessed time.

    until(lambda: web.run(["systemctl", "is-active", "nginx"], check=False).returncode == 0)
    address = until(lambda: find_address(), within=10, what="an address of web1")

Nothing here knows what is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(
    predicate: Callable[[], Found],
    *,
    within: float = 10.0,
    every: float = 0.02,
    what: str = "",
) -> Found:
    """Call `predicate` each `every` seconds until it returns something true; return that.

    After `within` seconds it raises AssertionError naming `what` and the last value seen. An
    exception out of `predicate` is not caught: turn an expected one into a false value.
    """
    deadline = time.monotonic() + within
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() >= deadline:
            name = what or getattr(predicate, "__qualname__", "the condition")
            raise AssertionError(f"{name} did not hold within {within:g} s (last: {found!r})")
        time.sleep(every)
