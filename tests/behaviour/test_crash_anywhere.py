"""A core that is killed at any of its writes loses nothing and does nothing twice.

The core is frozen at its n-th write, just before or just after the commit, killed, and started
again; for every n. Each run must end as the undisturbed one, with a journal that breaks nothing.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from monitord.daemon.kinds import KINDS
from monitord.engine.core import Core
from monitord.engine.scenario.file import ScenarioFile, read
from monitord.engine.scenario.history import Fact
from monitord.engine.scenario.run import Running, load
from monitord.engine.scenario.world import ScriptedStore, World
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.store.contract import Tx, View

T = TypeVar("T")
_HOUSE = """
config:
  profile: standard
  hosts: {web1: {address: 127.0.0.1, login: {local: {act: true}}, checks: {site: }}}
  checks: {site: {tcp: {port: 80}, every: 10s, attempts: 1, recoveries: 2, first_rung_after: 0s,
                  remediate: [restart]}}
  runbooks:
    restart:
      mode: auto
      collect: [{command: [journalctl]}]
      require: [{command: [nginx, -t]}]
      steps:
        - {systemd: {unit: nginx, do: stop}}
        - {wait: {for: 2s}}
        - {systemd: {unit: nginx, do: start}}
      verify: {settle: 2s, oks: 2, within: 20s}
      limits: {per_incident: 1, cooldown: 10m}
given: {20s: {web1/site: critical "no answer"}}
actions: {restart: DOES}
expect: [{incident: web1/site, status: RESOLVED}]
lasts: 150s
"""
UNDO = """\
      undo: [{systemd: {unit: nginx, do: start}}]
      on_failure: undo
"""


class DyingStore(ScriptedStore):
    """Takes no more from the core after its `fatal`-th write, which is `kept` or lost."""

    def __init__(self, world: World, fatal: int, *, kept: bool) -> None:
        super().__init__(world)
        self.fatal, self.kept, self.dead = fatal, kept, False

    def write(self, work: Callable[[Tx], T], *, urgent: bool = True) -> Awaitable[T]:
        if not self.dead and self.writes + 1 != self.fatal:
            return super().write(work, urgent=urgent)
        if not self.dead and self.kept:
            super().write(work, urgent=urgent)
        self.writes += 1
        self.dead = True
        return self._world.loop.create_future()

    def read(self, work: Callable[[View], T]) -> Awaitable[T]:
        return self._world.loop.create_future() if self.dead else super().read(work)


class Mortal(Running):
    """A run whose core dies once, at one of its writes."""

    store: DyingStore

    async def begin(self) -> Core:
        starting = asyncio.create_task(super().begin())
        await asyncio.wait([starting], timeout=1)
        if starting.done():
            return starting.result()
        starting.cancel()  # it died while it started
        self.store.dead = False
        return await super().begin()

    async def look_round(self) -> None:
        if self.store.dead:
            self.store.dead = False
            await self.crash()
        await super().look_round()


@dataclass(frozen=True)
class Ended:
    """What came of a run."""

    writes: int
    effects: tuple[str, ...]
    pages: tuple[tuple[int, str], ...]
    facts: tuple[Fact, ...]
    broken: tuple[str, ...]

    def one(self, what: str) -> Fact:
        (found,) = [fact for fact in self.facts if fact["what"] == what]
        return found


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def scenario(folder: Path, does: str, more: str = "") -> ScenarioFile:
    file = folder / f"{does[:5]}{len(more)}.test.yaml"
    file.write_text(_HOUSE.replace("DOES", does).replace("      verify:", more + "      verify:"))
    return read(file)


def live(file: ScenarioFile, folder: Path, *, fatal: int = 0, kept: bool = True) -> Ended:
    state = Path(tempfile.mkdtemp(dir=folder))
    door = Door()
    loop = VirtualLoop(door)
    asyncio.set_event_loop(loop)
    try:
        running = Mortal(file.scenario, load(file, state, KINDS), KINDS, loop, door, state)
        running.store = DyingStore(running.world, fatal, kept=kept)
        run(running.go(), loop)
    finally:
        asyncio.set_event_loop(None)
    return Ended(
        writes=running.store.writes,
        effects=tuple(effect.text for effect in running.world.effects),
        pages=tuple((page.item.id, str(page.item.operation)) for page in running.world.pages),
        facts=tuple(running.history.samples[-1].facts),
        broken=tuple(map(str, running.broken)),
    )


def deaths(writes: int) -> Iterator[dict[str, Any]]:
    for fatal in range(1, writes + 1):
        yield {"fatal": fatal, "kept": False}
        yield {"fatal": fatal, "kept": True}


def test_a_repair_is_done_once_wherever_its_core_dies(folder: Path) -> None:
    file = scenario(folder, "heals")
    calm = live(file, folder)
    assert len(calm.effects) == 2
    assert calm.broken == calm.pages == ()
    assert calm.one("incident")["cause"] == "verified"
    assert calm.writes > 20
    for death in deaths(calm.writes):
        ended = live(file, folder, **death)
        assert ended.effects == calm.effects, death
        assert ended.one("incident")["status"] == "RESOLVED", death
        assert ended.one("incident")["cause"] == "verified", death
        assert ended.one("attempt")["status"] == "FIXED", death
        assert (ended.pages, ended.broken) == ((), ()), death


def test_a_person_is_told_once_wherever_the_core_dies(folder: Path) -> None:
    file = scenario(folder, "fails")
    calm = live(file, folder)
    assert calm.pages == ((1, "open"),)
    for death in deaths(calm.writes):
        ended = live(file, folder, **death)
        assert ended.effects == calm.effects, death
        assert ended.one("incident")["status"] == "ESCALATED", death
        assert ended.one("ticket")["status"] == "OPEN", death
        # Between a delivery and its row a crash repeats the message, with the same id and key.
        assert set(ended.pages) == set(calm.pages), death
        assert len(ended.pages) <= 2, death
        assert ended.broken == (), death


def test_an_undo_is_done_once_wherever_its_core_dies(folder: Path) -> None:
    file = scenario(folder, "{does: fails, step: 3}", UNDO)
    calm = live(file, folder)
    assert calm.effects[2:] == ("sudo systemctl start nginx.service",)
    assert calm.pages == ((1, "open"),)
    begins = 2 * calm.writes // 3  # what comes before is proven above
    for death in [one for one in deaths(calm.writes) if one["fatal"] >= begins][::3]:
        ended = live(file, folder, **death)
        assert ended.effects == calm.effects, death
        assert ended.one("incident")["status"] == "ESCALATED", death
        assert ended.one("attempt")["says"] == calm.one("attempt")["says"], death
        assert set(ended.pages) == set(calm.pages), death
        assert ended.broken == (), death
