"""The scripted world of a scenario: targets, the executor's process, ticket servers, the disk.

It stands where sockets, processes and disks would; nothing of the core is replaced.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from monitord.actions.plan import from_text
from monitord.clock import as_instant
from monitord.engine.passive import Passive
from monitord.engine.ports import StepOutcome
from monitord.engine.scenario.file import Action, Given, Scenario
from monitord.errors import ExecutorLostError, StaysClosedError, StoreError, TicketError
from monitord.model.catalog import Catalog, Check
from monitord.model.chain import ChainRecord
from monitord.model.effect import describe, from_json
from monitord.model.facts import (
    ChangeFact,
    ChangesFact,
    Facts,
    PluginOutput,
    Section,
    UnitFact,
)
from monitord.model.ids import AttemptId, Instant, StateKey, StepId, split_state_key
from monitord.model.incident import Attempt, Phase, Step, StepStatus
from monitord.model.kinds import MembersRecord
from monitord.model.result import Cause, Result, Status
from monitord.model.ticket import Delivery, Operation, OutboxItem
from monitord.probes import chain, composite
from monitord.store.contract import Store, Tx, View

T = TypeVar("T")

START = Instant(1_800_000_000_000_000)
"""Second 0 of every scenario: a Friday morning in January 2027, UTC."""

_OK = Given(Status.OK, "ok")
_NEVER = float("inf")
_LOOK = 0.5  # seconds between looks whether the executor has gone while a step runs


@dataclass(frozen=True, slots=True)
class Effect:
    """One step that changed something outside, at a virtual second."""

    at: float
    key: str
    runbook: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One message that a ticket server took, at a virtual second."""

    at: float
    item: OutboxItem


@dataclass(slots=True)
class World:
    """What is true outside, by virtual seconds since the start."""

    scenario: Scenario
    loop: asyncio.AbstractEventLoop
    store: Store
    healed: dict[str, float] = field(default_factory=dict)
    harmed: dict[str, float] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    tickets_down_until: float = 0.0
    closed_for_good_until: float = 0.0
    executor_down_until: float = 0.0
    store_down_until: float = 0.0
    steps: list[tuple[Instant, int]] = field(default_factory=list)
    deeds_on_hosts: list[tuple[float, str, ChangeFact]] = field(default_factory=list)
    stopped: set[tuple[str, str]] = field(default_factory=set)
    booted: dict[str, Instant] = field(default_factory=dict)

    @property
    def start(self) -> Instant:
        """Give what the wall clock shows at first."""
        return START if self.scenario.starts is None else as_instant(self.scenario.starts)

    def now(self) -> Instant:
        """Give what the wall clock shows now."""
        stepped = sum(delta for _, delta in self.steps)
        return Instant(self.start + round(self.loop.time() * 1e6) + stepped)

    def seconds(self, instant: Instant) -> float:
        """Give a wall time as seconds since the start, without the steps of the clock."""
        stepped = sum(delta for at, delta in self.steps if instant >= at)
        return (instant - self.start - stepped) / 1e6

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

    def facts(self, host: str, asked: Mapping[str, tuple[str, ...]]) -> Facts:
        """Give what people did to a host by now; it knows nothing where nobody did anything."""
        done = [(at, fact) for at, where, fact in self.deeds_on_hosts if where == host]
        if not done:
            return Facts(host)
        rows = [replace(fact, ago=self.loop.time() - at) for at, fact in done]
        back = float(asked["changes"][0]) if "changes" in asked else 0.0
        units = {
            name: UnitFact(name, "loaded", "inactive", "dead", "enabled", "success", 0, 0)
            for name in asked.get("unit", ())
            if (host, name) in self.stopped
        }
        changes = ChangesFact(tuple(row for row in rows if row.ago <= back))
        return Facts(host, units=units, changes=changes)

    def items(self, check: str) -> list[str]:
        """Give the items of a check that the scenario names."""
        names = {key for results in self.scenario.given.values() for key in results}
        split = (split_state_key(StateKey(name)) for name in sorted(names))
        return [item for owner, item in split if owner == check and item]

    def heal(self, attempt: Attempt, action: Action) -> None:
        """Make all that an attempt was for OK."""
        for item in attempt.items:
            self.healed[item] = self.loop.time() + action.after.total_seconds()


class ScriptedProbing:
    """Answers checks from the script."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.record: Callable[[Check], ChainRecord] | None = None
        self.passive: Passive | None = None
        self.members: Callable[[Check], MembersRecord] | None = None
        deeds = [deed for _, deed in world.scenario.deeds() if deed.tell is not None]
        self._told = {split_state_key(StateKey(deed.tell or ""))[0] for deed in deeds}

    def use(self, catalog: Catalog) -> None:
        """Nothing to prepare."""

    def shares_a_trip(self, check: Check) -> bool:  # noqa: ARG002 - every check stands alone here
        """Every scripted check stands alone."""
        return False

    def booted(self, host: str) -> Instant | None:
        """Give when the script let a host boot."""
        return self._world.booted.get(host)

    async def single(self, check: Check) -> list[Result]:
        """Give what the targets of a check say now; a chain is judged by its own rows."""
        if check.kind == "chain" and self.record is not None:
            return list(chain.KIND.judge(check.spec, self.record(check), self._world.now()))
        if check.members is not None and self.members is not None:
            return list(composite.KIND.judge(check.spec, self.members(check), self._world.now()))
        if check.key in self._told and self.passive is not None:
            return list(self.passive.arrived(check, self._world.now()).results)
        whole = self._world.says(check.key)
        items = self._world.items(check.key)
        if not items or whole.status is not Status.OK:
            return [_result(whole, "")]
        given = [(item, self._world.says(f"{check.key}/{item}")) for item in items]
        found = [_result(each, item) for item, each in given if not each.gone]
        return found or [Result.unknown("found nothing to look at", Cause.MISSING)]

    async def facts(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run checks one by one."""
        return await self.look(checks)

    async def look(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run checks one by one; of one that others tell of, give what is believed."""
        found: dict[str, list[Result]] = {c.key: await self.single(c) for c in checks}
        for check in checks:
            if check.key in self._told and self.passive is not None:
                found[check.key] = list(self.passive.believed(check, self._world.now()).results)
        return found


class ScriptedExecutor:
    """Does steps by the script. It outlives a crashed core, and its steps outlive it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began: dict[AttemptId, Action] = {}
        self._runs: Counter[str] = Counter()
        self._outcomes: dict[StepId, asyncio.Task[StepOutcome]] = {}

    @property
    def connected(self) -> bool:
        """Tell whether the script lets it be there now."""
        return self._world.loop.time() >= self._world.executor_down_until

    @property
    def tasks(self) -> set[asyncio.Task[StepOutcome]]:
        """Give the steps that run by themselves, whatever becomes of the core."""
        return set(self._outcomes.values())

    async def facts(self, host: str, sections: Sequence[Section], deadline: float) -> Facts:
        """Give what people did to a host; nothing else is asked of hosts in a scenario."""
        del deadline
        self._must_be_there()
        return self._world.facts(host, {section.name: section.args for section in sections})

    async def plugin(self, check: str, deadline: float, since: str = "") -> PluginOutput:
        """Plugins are not run in a scenario."""
        del deadline, since
        return PluginOutput(3, f"{check} is scripted", "")

    async def run(self, step: StepId) -> StepOutcome:
        """Do a committed step, once."""
        self._must_be_there()
        if step not in self._outcomes:
            self._outcomes[step] = self._world.loop.create_task(self._do(step))
        return await self._outcome(step)

    async def adopt(self, step: StepId) -> StepOutcome:
        """Give what became of a step."""
        self._must_be_there()
        if step in self._outcomes:
            return await self._outcome(step)
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

    def _must_be_there(self) -> None:
        if not self.connected:
            raise ExecutorLostError("the scripted executor is gone")

    async def _outcome(self, step: StepId) -> StepOutcome:
        while not self._outcomes[step].done():
            await asyncio.wait([self._outcomes[step]], timeout=_LOOK)
            self._must_be_there()
        return self._outcomes[step].result()

    async def _do(self, number: StepId) -> StepOutcome:
        step, attempt = await self._world.store.read(lambda view: _intent(view, number))
        action = self._action(attempt)
        if step.phase is Phase.COLLECT:
            await asyncio.sleep(action.collects.total_seconds())
            return StepOutcome(StepStatus.DONE, 0, "scripted evidence")
        if step.phase is Phase.REQUIRE:
            failed = action.does == "precondition fails"
            return StepOutcome(StepStatus.FAILED if failed else StepStatus.DONE, int(failed))
        text = describe(from_json(step.effect))
        effect = Effect(self._world.loop.time(), attempt.key, attempt.runbook, text)
        self._world.effects.append(effect)
        return await self._act(step, attempt, action)

    async def _act(self, step: Step, attempt: Attempt, action: Action) -> StepOutcome:
        world = self._world
        acting = [place for place, s in enumerate(from_text(attempt.plan)) if s.phase == Phase.STEP]
        undoes = step.phase is Phase.UNDO
        number = 0 if undoes else acting.index(step.position) + 1
        does = action.undo if undoes else action.does
        if not undoes and action.step not in {0, number}:
            does = "nothing"
        if does == "no answer":
            await asyncio.Event().wait()
        hangs = does == "hangs"
        limit = (step.deadline - step.intended) / 1e6
        await asyncio.sleep(limit if hangs else action.takes.total_seconds())
        if number == len(acting) and (action.heals or action.does == "heals"):
            world.heal(attempt, action)
        if action.harms and not undoes:
            world.harmed[action.harms] = world.loop.time()
        if does == "works":
            world.harmed.pop(action.harms, None)
        match does:
            case "hangs":
                return StepOutcome(StepStatus.FAILED, error="killed at its deadline")
            case "fails":
                return StepOutcome(StepStatus.FAILED, 1, "it did not work")
            case "unknown":
                return StepOutcome(StepStatus.UNKNOWN, error="its run record cannot be read")
            case _:
                return StepOutcome(StepStatus.DONE, 0)

    def _action(self, attempt: Attempt) -> Action:
        """Give what this attempt's runbook does; of a list, one entry per attempt in turn."""
        if attempt.id not in self._began:
            item = split_state_key(StateKey(attempt.items[0]))[1] if attempt.items else ""
            actions, runbook = self._world.scenario.actions, attempt.runbook
            name = f"{runbook}/{item}"  # a link of a chain may end otherwise than the others
            runbook = name if name in actions else runbook
            scripted = actions.get(runbook, Action())
            if isinstance(scripted, list):
                turn = min(self._runs[runbook], len(scripted) - 1)
                scripted = scripted[turn]
            self._runs[runbook] += 1
            self._began[attempt.id] = scripted
        return self._began[attempt.id]


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
        if item.operation is Operation.REOPEN and now < self._world.closed_for_good_until:
            raise StaysClosedError(f"{external} stays closed: its workflow ends there")
        if not item.backend.startswith("person/"):  # a notice is a row, and shown as that
            self._world.pages.append(Page(now, item))
        number = item.key.rpartition("-")[2]  # of a second ticket 17.2
        return Delivery(external or f"T-{number}")


class ScriptedStore:
    """The scenario's store as the core sees it: a real one, on a disk that may be full."""

    trouble = ""
    queued = 0

    def __init__(self, world: World) -> None:
        self._world = world
        self.writes = 0

    def write(self, work: Callable[[Tx], T], *, urgent: bool = True) -> Awaitable[T]:
        """Write, or refuse."""
        self.writes += 1
        return self._refused() or self._world.store.write(work, urgent=urgent)

    def read(self, work: Callable[[View], T]) -> Awaitable[T]:
        """Read in this thread, or refuse: a hand-over each second is what a long scenario costs."""
        answer = self._refused()
        if answer is None:
            answer = self._world.loop.create_future()
            try:
                answer.set_result(self._world.store.read_now(work))
            except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
                answer.set_exception(error)
        return answer

    def read_now(self, work: Callable[[View], T]) -> T:
        """Read at once."""
        return self._world.store.read_now(work)

    def write_now(self, work: Callable[[Tx], T]) -> T:
        """Write at once."""
        return self._world.store.write_now(work)

    async def close(self) -> None:
        """The scenario closes the real one."""

    def _refused(self) -> asyncio.Future[Any] | None:
        if self._world.loop.time() >= self._world.store_down_until:
            return None
        refused: asyncio.Future[Any] = self._world.loop.create_future()
        refused.set_exception(StoreError("the scripted disk is full"))
        return refused


def _intent(view: View, number: StepId) -> tuple[Step, Attempt]:
    """Give the committed intent; the engine may ask for no other."""
    step = view.step(number)
    attempt = view.attempt(step.attempt) if step is not None else None
    if step is None or attempt is None:
        raise LookupError(f"step {number} was asked for before its intent was committed")
    return step, attempt


def _result(given: Given, item: str) -> Result:
    return Result(given.status, given.text, (), item, given.cause)
