"""Tells where each value of a check or service is written, by the files as they are now.

The YAML is parsed in a child of the executor and put together in a thread, as for a reload: with
ten thousand checks that takes a second and more, in which the core's loop must go on. It decides
and changes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from monitord.config import Sources, explain
from monitord.errors import CommandRefusedError, ConfigError, ExecutorLostError, Problem
from monitord.model.kinds import Kinds


class Parses(Protocol):
    """Who reads the files: the executor."""

    async def parse(self) -> Mapping[str, Any]:
        """Give the files as JSON (`sources`), or their `problems`."""
        ...


@dataclass(slots=True)
class Written:
    """What the files say. One at a time: each reading of them takes its whole memory."""

    executor: Parses
    kinds: Kinds
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, key: str) -> Sequence[tuple[str, str, str]]:
        """Give (setting, value, place); place is `file:line` or `default`.

        Raises:
            ConfigError: the files have mistakes.
            NotFoundError: they know no check or service of this name.
            CommandRefusedError: the executor, which parses, is not there.
        """
        async with self._turn:
            try:
                answer = await self.executor.parse()
            except ExecutorLostError as error:
                text = f"the configuration cannot be read now: {error}; see `monitord status`"
                raise CommandRefusedError(text) from error
            if answer.get("problems"):
                raise ConfigError([Problem(*row) for row in answer["problems"]])
            return await asyncio.to_thread(self._explained, answer["sources"], key)

    def _explained(self, sources: Any, key: str) -> Sequence[tuple[str, str, str]]:
        return explain(Sources.from_json(sources), self.kinds, key)
