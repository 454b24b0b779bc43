"""Plays a scenario's text and lets a test ask the core at its end, before it stops."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitord.daemon.kinds import KINDS
from monitord.engine.core import Core
from monitord.engine.scenario.file import read
from monitord.engine.scenario.run import Running, load
from monitord.engine.virtual_time import Door, VirtualLoop, run

Ask = Callable[[Core], Awaitable[None]]


class Asking(Running):
    """A scenario at whose end somebody asks the core."""

    ask: Ask

    async def _end(self) -> None:
        await self.ask(self._core)
        await super()._end()


def ask_at_the_end(story: str, ask: Ask) -> None:
    """Play a story on virtual time, then ask; its journal must be sound afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "one.test.yaml"
        path.write_text(story, encoding="utf-8")
        file, door = read(path), Door()
        loop = VirtualLoop(door)
        asyncio.set_event_loop(loop)
        try:
            running = Asking(file.scenario, load(file, folder, KINDS), KINDS, loop, door, folder)
            running.ask = ask
            run(running.go(), loop)
        finally:
            asyncio.set_event_loop(None)
        assert running.broken == []
