"""Runs scenarios: builds a core over a private store on virtual time, lets time pass, and judges.

One scenario costs a fraction of a second of real time per simulated hour. Besides the file's own
expectations every run must leave a journal without a broken invariant (DESIGN §8).
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from monitord import config
from monitord.config.names import nearest
from monitord.config.sources import Document
from monitord.config.tree import Map, Place
from monitord.decisions.routing import always
from monitord.decisions.selector import matches, parse
from monitord.engine import composites
from monitord.engine.core import Core
from monitord.engine.scenario.deeds import do
from monitord.engine.scenario.file import Deed, Scenario, ScenarioFile, read
from monitord.engine.scenario.history import History, sample
from monitord.engine.scenario.judge import judge
from monitord.engine.scenario.world import (
    ScriptedExecutor,
    ScriptedProbing,
    ScriptedStore,
    ScriptedTickets,
    World,
)
from monitord.engine.virtual_time import Door, VirtualClock, VirtualLoop, run
from monitord.errors import ConfigError, MonitordError, Problem, StoreError
from monitord.metrics import Counters
from monitord.model.catalog import Backend, Catalog
from monitord.model.kinds import BackendKind, Kinds
from monitord.model.spec import Spec
from monitord.store import TEMPORARY, Violation, audit, open_store

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
        failures = run_scenario(read(path), kinds)
    except ConfigError as error:
        failures = [str(problem) for problem in error.problems]
    except MonitordError as error:
        failures = [f"{path}: {error}"]
    return Report(path, _title(path), tuple(failures))


def run_scenario(file: ScenarioFile, kinds: Kinds) -> list[str]:
    """Run a scenario and give what did not hold."""
    with tempfile.TemporaryDirectory(prefix="monitord-test-") as folder:
        catalog = load(file, Path(folder), kinds)
        _must_know(file, catalog)
        door = Door()
        loop = VirtualLoop(door)
        asyncio.set_event_loop(loop)
        try:
            running = Running(file.scenario, catalog, kinds, loop, door, Path(folder))
            run(running.go(), loop)
        finally:
            asyncio.set_event_loop(None)
    return _judge(file, running)


def _judge(file: ScenarioFile, running: "Running") -> list[str]:
    if running.refused is not None:
        deed, why = running.refused
        place = file.place_of(deed)
        return [f"{file.path}:{place.line}:{place.column}: the core refuses this: {why}"]
    end = file.scenario.length().total_seconds()
    verdicts = [judge(each, running.history, end) for each in file.scenario.expect]
    failures = [
        f"{file.path}:{file.line_of(number)}: {text}"
        for number, text in enumerate(verdicts)
        if text
    ]
    return failures + [f"{file.path}: the journal breaks {each}" for each in running.broken]


class Running:
    """One run of one scenario; `history` and `broken` are what came of it.

    It ends early with a deed that the core refuses: `refused` is that deed, and why.
    """

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
        self.world = World(scenario, loop, open_store(TEMPORARY, door=door, durable=False))
        self._clock = VirtualClock(loop, self.world.start)
        kind = BackendKind("scripted", Spec, lambda _spec, _resolve: ScriptedTickets(self.world))
        backends = dict.fromkeys([*kinds.backends, "scripted"], kind)
        self._kinds = replace(kinds, backends=backends)
        self.store = ScriptedStore(self.world)
        self._executor = ScriptedExecutor(self.world)
        self._core: Core
        self._seen: tuple[int, ...] = ()
        self.history = History()
        self.broken: list[Violation] = []
        self.refused: tuple[Deed, str] | None = None

    async def go(self) -> None:
        """Let the scenario's time pass."""
        self._core = await self.begin()
        deeds = self._scenario.deeds()
        end = self._scenario.length().total_seconds()
        while self._loop.time() < end and self.refused is None:
            now, deed = self._loop.time(), deeds[0][0] if deeds else end
            await asyncio.sleep(max(0.0, min(now + _TICK, deed, end) - now))
            await self.look_round()
            while deeds and deeds[0][0] <= self._loop.time():
                await self._do(deeds.pop(0)[1])
                await self.look_round()
        await self._end()

    async def look_round(self) -> None:
        """Take a sample, unless nothing was written since the last one: a sample has its cost."""
        core = self._core
        seen = (core.counters.transitions, self.store.writes, len(self.world.effects))
        if seen != self._seen:
            # Writes are counted when they are asked for: the sample must stand behind them all.
            await self.world.store.write(lambda _tx: None)
            self.history.add(self._loop.time(), await sample(core, self.world))
            self._seen = seen

    async def crash(self) -> None:
        """Kill the core between two of its instructions, and start another one."""
        self._core.abandon()
        while True:
            await _cancel(asyncio.all_tasks() - {asyncio.current_task(), *self._executor.tasks})
            await asyncio.sleep(_RESTART)
            try:
                self._core = await self.begin()
            except StoreError:
                continue  # a core without its store ends, and whoever keeps it starts it again
            return

    async def _do(self, deed: Deed) -> None:
        if deed.crash is not None:
            await self.crash()
            return
        try:
            await do(deed, self._core, self.world, self._clock)
        except MonitordError as error:
            self.refused = self.refused or (deed, str(error))

    async def _end(self) -> None:
        """Stop everything and audit what the run has left in its journal."""
        await self._core.stop()
        await _cancel(self._executor.tasks)
        observe = self._catalog.settings.observe
        self.broken = await self.world.store.read(
            lambda view: audit(
                view,
                self._catalog.settings.budgets,
                matches=_covers(self._catalog),
                backends=() if observe else _hearers(self._catalog),
            )
        )
        await self.world.store.close()

    async def begin(self) -> Core:
        """Start a core over the scenario's store."""
        probing = ScriptedProbing(self.world)
        core = Core(
            self._catalog,
            self._kinds,
            self.store,
            self._executor,
            self._clock,
            state=self._folder,
            door=self._door,
            counters=Counters(),
            probing=probing,
        )
        probing.record, probing.passive = core.chains.record, core.passive
        beliefs = core.instance.beliefs
        probing.members = lambda check: composites.record(check, beliefs, core.now())
        await core.start(calendar=False)
        return core


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def load(file: ScenarioFile, folder: Path, kinds: Kinds) -> Catalog:
    """Load the scenario's configuration; its tickets go to the scripted server."""
    tree = file.tree["config"]
    if isinstance(tree, Map):
        main = folder / "monitord.yaml"
        main.write_text("{}\n", encoding="utf-8")
        sources = config.read(main)
        inline = Document("main", str(file.path), main.stem, shipped=False, tree=tree)
        others = [document for document in sources.documents if document.role != "main"]
        sources = replace(sources, documents=(inline, *others))
    else:
        sources = config.read((file.path.parent / tree).resolve())
    catalog = config.assemble(sources, kinds)
    backends = dict(catalog.backends) or {"page": Backend("page", "scripted", Spec())}
    return replace(catalog, backends=MappingProxyType(backends))


def _must_know(file: ScenarioFile, catalog: Catalog) -> None:
    """Refuse a scenario that gives results or actions of what its configuration does not have."""
    problems: list[Problem] = []
    for section, known, what in (
        ("given", catalog.checks, "check"),
        ("actions", catalog.runbooks, "runbook"),
    ):
        for place, name in _named(file, section):
            short = "/".join(name.split("/")[: 2 if section == "given" else 1])
            if short not in known:
                text = f"{section}: the configuration has no {what} {name}{nearest(short, known)}"
                problems.append(Problem(place.file, place.line, place.column, text))
    if problems:
        raise ConfigError(problems)


def _named(file: ScenarioFile, section: str) -> list[tuple[Place, str]]:
    tree = file.tree.get(section) or Map()
    maps = tree.values() if section == "given" else [tree]
    return [(some.key_place(name), name) for some in maps for name in some]


def _covers(catalog: Catalog) -> Callable[[str, str], bool]:
    def covers(selector: str, host: str) -> bool:
        return matches(parse(selector), host=catalog.hosts[host])

    return covers


def _title(path: Path) -> str:
    """Give the sentence of the file's first comment line, else its name."""
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return path.name
    return first.removeprefix("#").strip() if first.startswith("#") else path.name


def _hearers(catalog: Catalog) -> tuple[str, ...]:
    """Give the backends that must have heard of every escalation."""
    return always(catalog.settings.routes, catalog.backends)
