"""Hashing passwords with argon2id, few at a time: each takes 64 MiB and a tenth of a second.

The library's own parameters (RFC 9106, low memory). It keeps nothing and knows no user.
"""

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from monitord.errors import MonitordError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_AT_ONCE = 2
_WAITING = 16


class BusyError(MonitordError):
    """So many passwords wait to be looked at that one more would only wait longer."""


class Passwords:
    """Hashes and compares, in threads."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """Give the hash to keep."""
        return str(await self._bounded(_hasher().hash, password))

    async def fits(self, kept: str, password: str) -> bool:
        """Say whether a password is the one of a hash; one of nobody takes as long to refuse."""
        right = await self._bounded(_fits, kept or _nobodys(), password)
        return bool(kept and right)

    async def _bounded(self, work: Any, *words: str) -> Any:
        if self._waiting >= _WAITING:
            raise BusyError("many log in at this moment; try again in a few seconds")
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work, *words)
        finally:
            self._waiting -= 1


def _fits(kept: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@functools.cache
def _nobodys() -> str:
    return _hasher().hash("the password of nobody")
