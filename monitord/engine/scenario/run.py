"""Runs scenarios: builds a core over a private store on virtual time, lets time pass, and judges.

One scenario costs a fraction of a second of real time per simulated hour.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from monitord import config
from monitord.clock import after
from monitord.engine.core import Core
from monitord.engine.scenario.file import Deed, Scenario, read
from monitord.engine.scenario.history import History, sample
from monitord.engine.scenario.judge import judge
from monitord.engine.scenario.world import (
    ScriptedExecutor,
    ScriptedProbing,
    ScriptedTickets,
    World,
)
from monitord.engine.virtual_time import Door, VirtualClock, VirtualLoop, run
from monitord.errors import MonitordError
from monitord.metrics import Counters
from monitord.model.catalog import Backend, Catalog
from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind, Kinds
from monitord.model.spec import Spec
from monitord.store import TEMPORARY, open_store

_START = Instant(1_800_000_000_000_000)  # a Friday morning in January 2027, UTC
_RESTART = 2.0  # seconds between a crash and the next core
_TICK = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """How one file ended: `failures` is empty when all expectations held."""

    path: Path
    title: str
    failures: tuple[str, ...]


def run_files(paths: Sequence[Path], kinds: Kinds) -> list[Report]:
    """Run scenario files (folders: every *.test.yaml below) one after the other."""
    reports: list[Report] = []
    for path in paths:
        files = sorted(path.rglob("*.test.yaml")) if path.is_dir() else [path]
        reports.extend(run_file(file, kinds) for file in files)
    return reports


def run_file(path: Path, kinds: Kinds) -> Report:
    """Run one scenario file; mistakes in it are failures too."""
    try:
        scenario = read(path)
        failures = run_scenario(scenario, path, kinds)
    except MonitordError as error:
        failures = [str(error)]
    return Report(path, _title(path), tuple(failures))


def run_scenario(scenario: Scenario, path: Path, kinds: Kinds) -> list[str]:
    """Run a scenario and give what did not hold."""
    with tempfile.TemporaryDirectory(prefix="monitord-test-") as folder:
        catalog = _load(scenario, path, Path(folder), kinds)
        door = Door()
        loop = VirtualLoop(door)
        asyncio.set_event_loop(loop)
        try:
            history = run(_Run(scenario, catalog, kinds, loop, door, Path(folder)).go(), loop)
        finally:
            asyncio.set_event_loop(None)
    end = scenario.length().total_seconds()
    verdicts = ((e, judge(e, history, end)) for e in scenario.expect)
    return [f"expect[{scenario.expect.index(e)}] {text}" for e, text in verdicts if text]


class _Run:
    """One run of one scenario."""

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        kinds: Kinds,
        loop: VirtualLoop,
        door: Door,
        folder: Path,
    ) -> None:
        self._scenario = scenario
        self._catalog = catalog
        self._loop = loop
        self._door = door
        self._folder = folder
        self._world = World(scenario, loop)
        self._clock = VirtualClock(loop, _START)
        kind = BackendKind("scripted", Spec, lambda _spec, _resolve: ScriptedTickets(self._world))
        backends = dict.fromkeys([*kinds.backends, "scripted"], kind)
        self._kinds = replace(kinds, backends=backends)
        self._store = open_store(TEMPORARY, door=door, durable=False)
        self._executor = ScriptedExecutor(self._world, self._store)
        self._history = History()
        self._seen: tuple[int, int] | None = None

    async def go(self) -> History:
        """Let the scenario's time pass."""
        core = await self._begin()
        deeds = [
            (at.total_seconds(), deed)
            for at, given in self._scenario.do.items()
            for deed in (given if isinstance(given, list) else [given])
        ]
        deeds.sort(key=lambda pair: pair[0])
        end = self._scenario.length().total_seconds()
        while self._loop.time() < end:
            wake = min(self._loop.time() + _TICK, end)
            await asyncio.sleep(wake - self._loop.time())
            while deeds and deeds[0][0] <= self._loop.time():
                core = await self._deed(core, deeds.pop(0)[1])
            # A second in which the store was not asked brought no news, and a sample has its cost.
            if (core.counters.transitions, self._door.total) != self._seen:
                self._history.add(self._loop.time(), await sample(core, self._world))
                self._seen = (core.counters.transitions, self._door.total)
        await core.stop()
        await self._store.close()
        return self._history

    async def _begin(self) -> Core:
        core = Core(
            self._catalog,
            self._kinds,
            self._store,
            self._executor,
            self._clock,
            state=self._folder,
            door=self._door,
            counters=Counters(),
            probing=ScriptedProbing(self._world),
        )
        await core.start(calendar=False)
        return core

    async def _deed(self, core: Core, deed: Deed) -> Core:
        now = self._clock.now()
        common: dict[str, Any] = {
            "by": deed.by,
            "reason": deed.reason,
            "expires": after(now, deed.lasts),
        }
        if deed.crash is not None:
            await core.stop()
            await asyncio.sleep(_RESTART)
            return await self._begin()
        if deed.ack is not None:
            await core.ack(deed.ack, **common)
        elif deed.maintenance is not None:
            await core.maintenance(deed.maintenance, starts=now, until_ok=deed.until_ok, **common)
        elif deed.halt is not None:
            await core.halt(deed.halt, **common)
        elif deed.resume is not None:
            await core.resume(deed.resume, by=deed.by)
        elif deed.close is not None:
            incident = await core.store.read(lambda view: view.live_incident(deed.close or ""))
            if incident is not None:
                await core.close_incident(incident.id, by=deed.by, reason=deed.reason)
        elif deed.tickets_down is not None:
            self._world.tickets_down_until = self._loop.time() + deed.tickets_down.total_seconds()
        else:
            step = (deed.clock or timedelta()) - (deed.clock_back or timedelta())
            self._clock.step(step.total_seconds())
        return core


def _load(scenario: Scenario, path: Path, folder: Path, kinds: Kinds) -> Catalog:
    """Load the scenario's configuration; its tickets go to the scripted server."""
    if isinstance(scenario.config, str):
        main = (path.parent / scenario.config).resolve()
    else:
        main = folder / "monitord.yaml"
        main.write_text(yaml.safe_dump(scenario.config, sort_keys=False), encoding="utf-8")
    catalog = config.load(main, kinds)
    backends = dict(catalog.backends) or {"page": Backend("page", "scripted", Spec())}
    return replace(catalog, backends=MappingProxyType(backends))


def _title(path: Path) -> str:
    """Give the sentence of the file's first comment line, else its name."""
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return path.name
    return first.removeprefix("#").strip() if first.startswith("#") else path.name
