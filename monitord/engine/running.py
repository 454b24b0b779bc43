"""Runs what is due: one task a network check, one a host for checks that read facts, bounded.

Between the schedule (what) and the beliefs (what of it); it judges nothing and keeps no result.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta

from monitord.clock import Clock
from monitord.engine.beliefs import Beliefs
from monitord.engine.ports import Probing
from monitord.engine.schedule import Scheduler, Slot
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.catalog import Check
from monitord.model.ids import Instant
from monitord.model.result import Result

log = get_logger(__name__)


class Runner:
    """Takes due slots from the scheduler and hands results to the beliefs."""

    def __init__(
        self,
        probing: Probing,
        beliefs: Beliefs,
        clock: Clock,
        counters: Counters,
        *,
        concurrency: int,
    ) -> None:
        self._probing = probing
        self._beliefs = beliefs
        self._clock = clock
        self._counters = counters
        self._concurrency = concurrency
        self._pending: deque[list[Slot]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.scheduler: Scheduler | None = None

    def dispatch(self, slots: list[Slot]) -> None:
        """Begin or queue the runs of these slots."""
        trips: dict[str, list[Slot]] = {}
        for slot in slots:
            if self._probing.shares_a_trip(slot.check):
                trips.setdefault(slot.check.host, []).append(slot)
            else:
                self._pending.append([slot])
        self._pending.extend(trips.values())
        self._fill()

    def stop(self) -> None:
        """End all runs; their results are not wanted any more."""
        self._pending.clear()
        for task in self._tasks:
            task.cancel()

    def _fill(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending and len(self._tasks) < self._concurrency:
            slots = self._pending.popleft()
            shared = len(slots) > 1 or self._probing.shares_a_trip(slots[0].check)
            task = loop.create_task(self._trip(slots) if shared else self._single(slots[0]))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        self._counters.queue = len(self._pending)
        self._counters.running = len(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a run failed", exc_info=task.exception())
        if self._pending:
            self._fill()
        else:
            self._counters.running = len(self._tasks)

    async def _single(self, slot: Slot) -> None:
        check, again = slot.check, None  # a reload meanwhile gives the slot another one
        try:
            results = await self._probing.single(check)
            again = self._beliefs.absorb(check, results, self._clock.now())
            self._counters.checks_run += 1
        finally:
            self._finished(slot, again)

    async def _trip(self, slots: list[Slot]) -> None:
        checks = [slot.check for slot in slots]
        try:
            found = await self._probing.facts(checks)
        except BaseException:
            for slot in slots:
                self._finished(slot)
            raise
        now = self._clock.now()
        for slot, check in zip(slots, checks, strict=True):
            self._take(slot, check, found, now)

    def _take(
        self, slot: Slot, check: Check, found: Mapping[str, Sequence[Result]], now: Instant
    ) -> None:
        """Take one check's results of a trip; its trouble is not the others'."""
        again = None
        try:
            again = self._beliefs.absorb(check, found[check.key], now)
            self._counters.checks_run += 1
        except Exception:
            log.exception("a run failed", check=check.key)
        finally:
            self._finished(slot, again)

    def _finished(self, slot: Slot, again: timedelta | None = None) -> None:
        if self.scheduler is not None:
            self.scheduler.finished(slot, again)
