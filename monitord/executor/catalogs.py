"""The executor's own catalogs, by hash: read by itself, kept as long as an attempt may need them.

It never takes content from the core; it only compares hashes.
"""

import asyncio
from collections import OrderedDict
from typing import Any

from monitord import config
from monitord.errors import ConfigError, Problem, RefusedByExecutorError
from monitord.executor.parser import Parser
from monitord.log import get_logger
from monitord.model.catalog import Catalog
from monitord.model.kinds import Kinds

log = get_logger(__name__)
_KEPT = 8  # loaded last: a running attempt's plan was rendered from one of them


class Catalogs:
    """What this executor read. `newest` is the one that checks are done with."""

    def __init__(self, parser: Parser, kinds: Kinds) -> None:
        self._parser, self._kinds = parser, kinds
        self._loaded: OrderedDict[str, Catalog] = OrderedDict()
        self._read: Catalog | None = None
        self._reading = asyncio.Lock()
        self.newest: Catalog | None = None

    async def parse(self) -> dict[str, Any]:
        """Read the files and give the answer to the core's `parse`; a good reading is kept here.

        Only until the next one, unless it is loaded: whoever only looks must push nothing out.
        """
        async with self._reading:
            answer = await self._parser.parse()
            if "sources" in answer:
                sources = await asyncio.to_thread(config.Sources.from_json, answer["sources"])
                self._read = await asyncio.to_thread(config.assemble, sources, self._kinds)
        return answer

    def _known(self, wanted: str) -> Catalog | None:
        if self._read is not None and self._read.hash == wanted:
            return self._read
        return self._loaded.get(wanted)

    def _use(self, catalog: Catalog) -> None:
        self.newest = self._loaded[catalog.hash] = catalog
        self._loaded.move_to_end(catalog.hash)
        while len(self._loaded) > _KEPT:
            self._loaded.popitem(last=False)

    async def load(self, wanted: str) -> str:
        """Make the catalog of this hash (empty: whatever the files say now) the newest.

        Raises:
            ConfigError: the files cannot be used.
            RefusedByExecutorError: the files make another catalog than the core's.
        """
        found = self._known(wanted)
        if found is None:
            answer = await self.parse()
            if "problems" in answer:
                raise ConfigError([Problem(*problem) for problem in answer["problems"]])
            found = self._known(wanted) if wanted else self._read
        if found is None:
            said = self._read.hash[:12] if self._read else "nothing"
            raise RefusedByExecutorError(
                f"catalog {wanted[:12]} is not what the files say now ({said}): reload"
            )
        self._use(found)
        log.info("catalog loaded", catalog=found.hash[:12], hosts=len(found.hosts))
        return found.hash

    def of(self, wanted: str) -> Catalog:
        """Give the snapshot that an attempt was rendered from.

        Raises:
            RefusedByExecutorError: this executor never read it, or forgot it.
        """
        found = self._known(wanted)
        if found is None:
            raise RefusedByExecutorError(
                f"catalog {wanted[:12]} of this attempt is not known here (the executor was"
                " restarted after a change of the files): plan the attempt again"
            )
        return found
