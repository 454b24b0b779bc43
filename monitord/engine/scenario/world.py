"""The scripted world of a scenario: targets, the executor's process and a ticket server.

It stands where sockets and processes would; nothing of the core is replaced.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitord.engine.ports import StepOutcome
from monitord.engine.scenario.file import Action, Given, Scenario
from monitord.errors import TicketError
from monitord.model.catalog import Catalog, Check
from monitord.model.facts import Facts, PluginOutput, Section
from monitord.model.ids import AttemptId, StateKey, StepId, split_state_key
from monitord.model.incident import Phase, StepStatus
from monitord.model.result import Result, Status
from monitord.model.ticket import Delivery, OutboxItem
from monitord.store.contract import Store

_OK = Given(Status.OK, "ok")
_NEVER = float("inf")


@dataclass(slots=True)
class World:
    """What is true outside, by virtual seconds since the start."""

    scenario: Scenario
    loop: asyncio.AbstractEventLoop
    healed: dict[str, float] = field(default_factory=dict)
    harmed: dict[str, float] = field(default_factory=dict)
    pages: list[tuple[float, OutboxItem]] = field(default_factory=list)
    tickets_down_until: float = 0.0
    effects: list[tuple[float, str]] = field(default_factory=list)

    def says(self, key: str) -> Given:
        """Give what the target of a state key says now."""
        now = self.loop.time()
        if now >= self.harmed.get(key, _NEVER):
            return Given(Status.CRITICAL, "harmed by a repair")
        latest, given = -1.0, _OK
        for at, results in self.scenario.given.items():
            seconds = at.total_seconds()
            if key in results and latest < seconds <= now:
                latest, given = seconds, results[key]
        healed = self.healed.get(key)
        if healed is not None and latest <= healed <= now:
            return _OK
        return given

    def items(self, check: str) -> list[str]:
        """Give the items of a check that the scenario names ('' for the check itself)."""
        names = {key for results in self.scenario.given.values() for key in results}
        split = (split_state_key(StateKey(name)) for name in sorted(names))
        return [item for owner, item in split if owner == check] or [""]


class ScriptedProbing:
    """Answers checks from the script."""

    def __init__(self, world: World) -> None:
        self._world = world

    def use(self, catalog: Catalog) -> None:
        """Nothing to prepare."""

    def shares_a_trip(self, check: Check) -> bool:  # noqa: ARG002 - every check stands alone here
        """Every scripted check stands alone."""
        return False

    async def single(self, check: Check) -> list[Result]:
        """Give what the targets of a check say now."""
        found = []
        for item in self._world.items(check.key):
            given = self._world.says(f"{check.key}/{item}" if item else check.key)
            found.append(Result(given.status, given.text, (), item, given.cause))
        return found

    async def facts(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run checks one by one."""
        return await self.look(checks)

    async def look(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run checks one by one."""
        return {check.key: await self.single(check) for check in checks}


class ScriptedExecutor:
    """Does steps by the script. It outlives a crashed core, as the real one does."""

    connected = True

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store
        self._began: dict[AttemptId, Action] = {}
        self._runs: Counter[str] = Counter()
        self._outcomes: dict[StepId, asyncio.Task[StepOutcome]] = {}

    async def facts(self, host: str, sections: Sequence[Section], deadline: float) -> Facts:
        """Hosts are not asked in a scenario."""
        del sections, deadline
        return Facts(host)

    async def plugin(self, check: str, deadline: float) -> PluginOutput:
        """Plugins are not run in a scenario."""
        del deadline
        return PluginOutput(3, f"{check} is scripted", "")

    async def run(self, step: StepId) -> StepOutcome:
        """Do a committed step, once."""
        if step not in self._outcomes:
            self._outcomes[step] = self._world.loop.create_task(self._do(step))
        return await asyncio.shield(self._outcomes[step])

    async def adopt(self, step: StepId) -> StepOutcome:
        """Give what became of a step."""
        if step in self._outcomes:
            return await asyncio.shield(self._outcomes[step])
        return StepOutcome(StepStatus.UNKNOWN, never_started=True)

    async def kill(self, step: StepId) -> None:
        """End a step's task."""
        if step in self._outcomes:
            self._outcomes[step].cancel()

    async def parse(self) -> dict[str, Any]:
        """A scenario's configuration does not change."""
        return {"problems": [["scenario", 1, 1, "a scenario's configuration cannot be reloaded"]]}

    async def load(self, catalog: str) -> None:
        """Nothing to load."""

    async def _do(self, number: StepId) -> StepOutcome:
        step = await self._store.read(lambda view: view.step(number))
        if step is None:
            return StepOutcome(StepStatus.FAILED, error="no such step")
        attempt = await self._store.read(lambda view: view.attempt(step.attempt))
        if attempt is None:
            return StepOutcome(StepStatus.FAILED, error="no such attempt")
        action = self._action(attempt.id, attempt.runbook)
        if step.phase is Phase.COLLECT:
            return StepOutcome(StepStatus.DONE, 0, "scripted evidence")
        if step.phase is Phase.REQUIRE:
            failed = action.does == "precondition fails"
            return StepOutcome(StepStatus.FAILED if failed else StepStatus.DONE, int(failed))
        self._world.effects.append((self._world.loop.time(), attempt.runbook))
        if action.does == "hangs":
            wait = (step.deadline - step.intended) / 1e6
            await asyncio.sleep(wait)
            return StepOutcome(StepStatus.FAILED, error="killed at its deadline")
        await asyncio.sleep(action.takes.total_seconds())
        now = self._world.loop.time()
        if action.does == "heals":
            for item in attempt.items:
                self._world.healed[item] = now + action.after.total_seconds()
        if action.harms:
            self._world.harmed[action.harms] = now
        status = {"fails": StepStatus.FAILED, "unknown": StepStatus.UNKNOWN}.get(action.does)
        return StepOutcome(status or StepStatus.DONE, 1 if action.does == "fails" else 0)

    def _action(self, attempt: AttemptId, runbook: str) -> Action:
        """Give what this attempt's runbook does; of a list, one entry per attempt in turn."""
        if attempt not in self._began:
            scripted = self._world.scenario.actions.get(runbook, Action())
            if isinstance(scripted, list):
                turn = min(self._runs[runbook], len(scripted) - 1)
                scripted = scripted[turn]
            self._runs[runbook] += 1
            self._began[attempt] = scripted
        return self._began[attempt]


class ScriptedTickets:
    """Takes messages, or refuses them while it is down."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Take a message."""
        del ticket
        now = self._world.loop.time()
        if now < self._world.tickets_down_until:
            raise TicketError("the scripted ticket server is down", permanent=False)
        self._world.pages.append((now, item))
        return Delivery(external or f"T-{item.incident}")


def seconds(duration: timedelta) -> float:
    """Give a duration in seconds."""
    return duration.total_seconds()
