"""Which catalogs the executor keeps: those in force, whatever is only looked at."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from monitord import config
from monitord.errors import RefusedByExecutorError
from monitord.executor.catalogs import Catalogs
from monitord.executor.parser import Parser
from tests.executor.core import KINDS


class Reading:
    """Parses in this process: no fork is needed to see what is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, number: int) -> None:
        self.path.write_text(f"hosts: {{web{number}: {{address: 127.0.0.1}}}}\n")

    async def parse(self) -> dict[str, Any]:
        return {"sources": config.read(self.path).to_json()}


def test_plans_that_are_only_looked_at_push_out_no_catalog_in_force(tmp_path: Path) -> None:
    async def go() -> None:
        reading = Reading(tmp_path / "monitord.yaml")
        catalogs = Catalogs(cast("Parser", reading), KINDS)
        reading.write(0)
        first = await catalogs.load("")
        reading.write(1)
        second = await catalogs.load("")
        for number in range(2, 22):  # monitord plan, again and again
            reading.write(number)
            await catalogs.parse()
        assert catalogs.of(first).hash == first
        assert catalogs.newest is catalogs.of(second)

    asyncio.run(go())


def test_what_was_planned_last_is_loaded_as_it_was_read(tmp_path: Path) -> None:
    async def go() -> None:
        reading = Reading(tmp_path / "monitord.yaml")
        catalogs = Catalogs(cast("Parser", reading), KINDS)
        reading.write(0)
        await catalogs.parse()
        planned = config.load(reading.path, KINDS).hash
        reading.write(1)
        assert await catalogs.load(planned) == planned
        reading.write(2)
        with pytest.raises(RefusedByExecutorError, match="is not what the files say now"):
            await catalogs.load("0123")
        assert catalogs.newest is not None
        assert catalogs.newest.hash == planned

    asyncio.run(go())
