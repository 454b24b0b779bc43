"""A core on virtual time whose tickets go to a real server: hours of retries cost seconds.

Time moves only while no request is under way. Incidents are put in as rows that have just
escalated; everything from the ticket on is the product's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitord import config
from monitord.daemon.kinds import KINDS
from monitord.engine import ticketing
from monitord.engine.core import Core
from monitord.engine.scenario.file import Scenario
from monitord.engine.scenario.world import START, ScriptedExecutor, ScriptedProbing, World
from monitord.engine.virtual_time import Door, VirtualClock, VirtualLoop, run
from monitord.metrics import Counters
from monitord.model.ids import IncidentId
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.kinds import BackendKind, TicketBackend
from monitord.model.result import Status
from monitord.model.ticket import Event, OutboxItem, OutboxStatus
from monitord.store import TEMPORARY, open_store
from monitord.store.contract import Tx, View

_CONFIG = """\
ticket_cap: 1000  # what is held back in a storm is another story
hosts:
  h: {address: 127.0.0.1, login: none, checks: {c: {tcp: {port: 1}, every: 1d, attempts: 1000}}}
tickets: {desk: {webhook: {url: "http://127.0.0.1:1/", secret: x}}}
"""


class House:
    """One core and its only backend, `desk`."""

    def __init__(self, folder: Path, backend: TicketBackend, loop: VirtualLoop, door: Door) -> None:
        self._folder = folder
        path = folder / "monitord.yaml"
        path.write_text(_CONFIG, encoding="utf-8")
        kind = KINDS.backends["webhook"]
        made = BackendKind("webhook", kind.spec, lambda _spec, _resolve: backend)
        self._kinds = replace(KINDS, backends={**KINDS.backends, "webhook": made})
        self._catalog = config.load(path, KINDS)
        self._loop = loop
        self._door = door
        given = {"0s": {"h/c": 'critical "never hard"'}}  # so no look resolves what a story says
        scenario = Scenario.model_validate(
            {"config": {}, "given": given, "expect": [{"never": ["page"]}]}
        )
        self._world = World(scenario, loop, open_store(TEMPORARY, door=door, durable=False))
        self.core: Core

    async def begin(self) -> None:
        """Start a core over the rows that there are."""
        self.core = Core(
            self._catalog,
            self._kinds,
            self._world.store,
            ScriptedExecutor(self._world),
            VirtualClock(self._loop, START),
            state=self._folder,
            door=self._door,
            counters=Counters(),
            probing=ScriptedProbing(self._world),
        )
        await self.core.start(calendar=False)

    async def crash(self) -> None:
        """Kill the core: what is under way reaches the server, its answer reaches nobody."""
        self.core.abandon()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for threads in self.core._outbox._backends._threads.values():
            threads.shutdown(wait=True)
        await self.begin()

    async def escalate(self, key: str, **more: Any) -> IncidentId:
        """Put in an incident that has just escalated, with its ticket."""
        now = self.core.now()
        row = Incident(
            IncidentId(0),
            key,
            IncidentStatus.ESCALATED,
            Status.CRITICAL,
            f"no answer, says {key}",
            now,
            now,
            None,
            items=(key,),
            escalated=now,
            **more,
        )

        def work(tx: Tx) -> IncidentId:
            number = tx.add_incident(row)
            ticketing.open_or_update(tx, self.core.instance, number, now)
            return number

        return await self.write(work)

    async def update(self, number: IncidentId, **changes: Any) -> None:
        """Change an escalated incident, and tell it."""

        def work(tx: Tx) -> None:
            tx.change_incident(number, IncidentStatus.ESCALATED, **changes)
            ticketing.open_or_update(tx, self.core.instance, number, self.core.now())

        await self.write(work)

    async def resolve(self, number: IncidentId) -> None:
        """Let an incident be over."""

        def work(tx: Tx) -> None:
            now = self.core.now()
            tx.move_incident(
                number, IncidentStatus.ESCALATED, IncidentStatus.RESOLVED, resolved=now
            )
            ticketing.resolve(tx, self.core.instance, number, now)

        await self.write(work)

    async def escalate_again(self, number: IncidentId) -> None:
        """Let an incident that was over come back, and go to people again."""

        def work(tx: Tx) -> None:
            now = self.core.now()
            tx.move_incident(number, IncidentStatus.RESOLVED, IncidentStatus.OPEN)
            tx.move_incident(number, IncidentStatus.OPEN, IncidentStatus.ESCALATED, escalated=now)
            ticketing.open_or_update(tx, self.core.instance, number, now)

        await self.write(work)

    async def events(self, number: IncidentId) -> list[Event]:
        """Give the timeline of an incident."""
        return await self.core.store.read(lambda view: view.events(number))

    async def write(self, work: Callable[[Tx], Any]) -> Any:
        """Write to the store, and wake the stages."""
        done = await self.core.store.write(work)
        self.core.instance.wake()
        return done

    async def messages(self, number: IncidentId) -> list[OutboxItem]:
        """Give the outbox rows of an incident."""
        return await self.core.store.read(lambda view: view.messages(number))

    async def until(self, holds: Callable[[], Any], every: float = 0.5) -> None:
        """Let time pass until something holds."""
        while not holds():  # noqa: ASYNC110 - virtual time has to be let pass
            await asyncio.sleep(every)

    async def until_sent(self, within: float) -> float:
        """Let time pass until nothing waits; gives the virtual seconds that it took."""
        started = self._loop.time()
        while await self.core.store.read(_waiting):
            if self._loop.time() - started > within:
                waits = await self.core.store.read(_waiting)
                raise AssertionError(f"after {within:g} s still waiting: {waits[0].last_error}")
            await asyncio.sleep(1)
        return self._loop.time() - started

    async def end(self) -> None:
        """Stop everything."""
        await self.core.stop()
        await self._world.store.close()


def live(
    folder: Path, backend: TicketBackend, story: Callable[[House], Coroutine[Any, Any, None]]
) -> None:
    """Run a story in a house on virtual time."""
    door = Door()
    loop = VirtualLoop(door)
    asyncio.set_event_loop(loop)

    async def whole() -> None:
        house = House(folder, backend, loop, door)
        await house.begin()
        await story(house)
        await house.end()

    try:
        run(whole(), loop)
    finally:
        asyncio.set_event_loop(None)


def _waiting(view: View) -> list[OutboxItem]:
    return view.outbox(status=OutboxStatus.PENDING, limit=1)
