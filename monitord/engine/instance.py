"""The running instance as the stages see it: what they may read, and how they start outside work.

It holds references and decides nothing; the composition root fills it.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from monitord.clock import Clock
from monitord.decisions.inhibition import Bearing
from monitord.decisions.services import Standing
from monitord.engine import halt_file
from monitord.engine.beliefs import Beliefs
from monitord.engine.happenings import Happenings
from monitord.engine.ports import Executor, Probing, StepOutcome
from monitord.errors import StoreError
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check, Host
from monitord.model.chain import ChainRecord
from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.kinds import Kinds
from monitord.model.ticket import Event
from monitord.store.contract import Store, Tx

log = get_logger(__name__)
T = TypeVar("T")
_STORE_RETRY = 1.0  # seconds


JobEnded = Callable[[str, StepOutcome], Coroutine[Any, Any, None]]


async def _nobody(key: str, outcome: StepOutcome) -> None:
    """Until the core says who hears of a job that was run again."""


ChainMoved = Callable[[Tx, Any, int], None]  # the Any is a turn's AfterCommit, which knows us


def _no_chain(tx: Tx, out: Any, run: int) -> None:
    """Until the stage of chains says what follows when something of a run has happened."""


@dataclass(slots=True)
class Instance:
    """One core: its catalog of the moment and its parts. Mutable only in `catalog` and `epoch`."""

    catalog: Catalog
    kinds: Kinds
    clock: Clock
    store: Store
    counters: Counters
    beliefs: Beliefs
    probing: Probing
    executor: Executor
    happenings: Happenings
    state: Path
    epoch: int = 0
    due: asyncio.Event = field(default_factory=asyncio.Event)
    moving: asyncio.Lock = field(default_factory=asyncio.Lock)
    job_ended: JobEnded = field(default=_nobody)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    asking: set[IncidentId] = field(default_factory=set)  # whose hosts are asked what changed
    steps: list[tuple[Instant, int]] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)  # of services, as believed now
    inhibiting: tuple[Catalog | None, tuple[Bearing, ...]] = (None, ())
    chain_moved: ChainMoved = field(default=_no_chain)
    chains: dict[str, ChainRecord] = field(default_factory=dict)  # as the rows say
    _former: tuple[Catalog | None, Mapping[str, Check]] = (None, MappingProxyType({}))

    def now(self) -> Instant:
        """Give the instance's wall time."""
        return self.clock.now()

    def wake(self) -> None:
        """Have the stages look at their rows again."""
        self.due.set()

    def busy(self, name: str) -> bool:
        """Tell whether the outside work of this name is still going on."""
        return name in self.tasks

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin outside work (a step, a look, a delivery) once; its end wakes the stages."""
        if name in self.tasks:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks[name] = task
        task.add_done_callback(self._ended)

    def tell(self, events: list[Event]) -> None:
        """Publish timeline lines that are committed."""
        for event in events:
            self.happenings.publish(
                event.at,
                event.kind,
                event.text,
                incident=event.incident,
                actor=event.actor,
                data=dict(event.data),
            )

    async def insist(self, work: Callable[[Tx], T]) -> T:
        """Write what must not be lost: while the store takes nothing, ask again every second."""
        while True:
            try:
                return await self.store.write(work)
            except StoreError as error:
                self.counters.store_errors += 1
                log.warning("store refused a write; it is kept and tried again", error=str(error))
                await asyncio.sleep(_STORE_RETRY)

    def check(self, key: str) -> Check | None:
        """Give the check of an incident's or attempt's key, if it is configured.

        Attempts keep the name of their day, so a former name (`was:`) leads to the check too.
        """
        current = self.catalog
        found = current.checks.get(CheckKey(key))
        if found is not None:
            return found
        catalog, former = self._former
        if catalog is not current:
            former = {check.was: check for check in current.checks.values() if check.was}
            self._former = current, former
        return former.get(key)

    def host(self, check: Check | None) -> Host | None:
        """Give the host of a check."""
        return self.catalog.hosts[check.host] if check is not None else None

    def remember_step(self, at: Instant, delta: int) -> None:
        """Keep a step of the wall clock (µs), for what counts elapsed time over it."""
        self.steps.append((at, delta))

    def restore_steps(self, text: str) -> None:
        """Take over the steps that an earlier run recorded (JSON, as stored)."""
        self.steps = [(Instant(at), delta) for at, delta in json.loads(text)]

    def stepped_forward_since(self, since: Instant) -> int:
        """Give how far (µs) the wall clock was set forward since: that time did not pass.

        Steps back are left out: budgets and cooldowns then last longer, never shorter.
        """
        return sum(delta for at, delta in self.steps if at >= since and delta > 0)

    def before(self, now: Instant, span: int) -> Instant:
        """Give the wall time that was `span` (µs) of passed time before `now`."""
        start = now - span
        for at, delta in sorted(self.steps, reverse=True):
            if delta > 0 and start < at:
                start -= delta
        return Instant(start)

    def halted_by_file(self) -> bool:
        """Tell whether the file HALT exists: it works with the database dead."""
        return halt_file.exists(self.state)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.pop(task.get_name(), None)
        if not task.cancelled() and task.exception() is not None:
            log.error("outside work failed", work=task.get_name(), exc_info=task.exception())
        self.wake()
