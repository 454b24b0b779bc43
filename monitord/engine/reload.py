"""Applies a new catalog to a running core, whole or not at all, by the identity rules of DESIGN §3.

The YAML is parsed in a child of the executor; what changes is worked out by config.compare. A bad
file changes nothing and is an incident until a good one is loaded: of monitord's own health check,
or of its own where nobody watches that.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitord import config
from monitord.config import ReloadPlan, Sources
from monitord.decisions.reach import Reach
from monitord.decisions.state import judge, reset_soft
from monitord.engine import closing
from monitord.engine.following import follow
from monitord.engine.health import Condition
from monitord.engine.instance import Instance
from monitord.engine.jobs import Jobs, job_checks
from monitord.errors import CommandRefusedError, ConfigError, ExecutorLostError, Problem
from monitord.log import get_logger
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, CheckKey, Instant, StateKey, split_state_key, state_key
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.result import Result, Status
from monitord.model.state import CheckState, StatePolicy, Transition
from monitord.model.text import one_line
from monitord.model.ticket import Event
from monitord.store import Door
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_SAID = 5  # changes that a marker names
_LONGEST = 300  # characters of it

CONFIGURATION = StateKey("monitord/configuration")
"""What is believed of the files on disk, where no health check would say it."""


@dataclass(slots=True)
class Reloading:
    """Reads and applies catalogs, one at a time. `adopt` tells the rest of the core."""

    instance: Instance
    condition: Condition
    jobs: Jobs
    door: Door
    adopt: Callable[[Catalog, frozenset[CheckKey]], None]
    record: Callable[[CheckState, Sequence[Transition]], None]
    remember: Callable[[Mapping[StateKey, StateKey], Instant], None]
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def plan(self) -> tuple[Catalog, ReloadPlan]:
        """Read the files and give the new catalog and what it would change.

        Raises:
            ConfigError: the files cannot be used.
            CommandRefusedError: the executor, which parses, is not there.
        """
        try:
            answer = await self.instance.executor.parse()
        except ExecutorLostError as error:
            text = f"the configuration cannot be read now: {error}; see `monitord status`"
            raise CommandRefusedError(text) from error
        if answer.get("problems"):
            raise ConfigError([Problem(*row) for row in answer["problems"]])
        self.door.entered()
        try:
            return await asyncio.to_thread(self._assemble, answer["sources"])
        finally:
            self.door.left()

    def _assemble(self, sources: Any) -> tuple[Catalog, ReloadPlan]:
        """Work out what follows from parsed files; it takes most of a second for 10,000 checks."""
        catalog = config.assemble(Sources.from_json(sources), self.instance.kinds)
        return catalog, config.compare(self.instance.catalog, catalog)

    async def apply(self, *, by: str) -> Sequence[str]:
        """Take over what stands on disk; gives the lines of what changed."""
        async with self._turn:  # a plan holds against the catalog that it was compared with
            return await self._apply(by)

    async def _apply(self, by: str) -> Sequence[str]:
        counters = self.instance.counters
        try:
            catalog, plan = await self.plan()
        except ConfigError as error:
            counters.reloads["failed"] += 1
            first = str(error.problems[0]) if error.problems else str(error)
            self._judge(f"the configuration on disk cannot be used: {first}")
            log.warning("reload refused", problems=[str(each) for each in error.problems])
            raise
        await self.instance.executor.load(catalog.hash)
        await self._take_over(catalog, plan, by)
        counters.reloads["ok"] += 1
        counters.catalog = catalog.hash
        self._judge("")
        log.info("reloaded", by=by, catalog=catalog.hash, changes=len(plan.lines))
        return plan.lines

    def good_at_start(self, stored: Iterable[CheckState]) -> None:
        """End what an earlier run said of the files: the core has just started with them."""
        for state in stored:
            if state.key == CONFIGURATION and state.hard is not Status.OK:
                self.instance.beliefs.replace(state)
                self._judge("")

    def _judge(self, problem: str) -> None:
        """Say whether the files can be used: to the health check, or where there is none, itself.

        A person hears of a broken file also where nobody watches monitord's own health.
        """
        self.condition.note("reload", problem)
        instance = self.instance
        watched = any(check.kind == "health" for check in instance.catalog.checks.values())
        before = instance.beliefs.states.get(CONFIGURATION)
        if before is None and (watched or not problem):
            return
        result = Result.warning(problem) if problem else Result.ok("the files can be used")
        policy = StatePolicy(attempts=1, recoveries=1, flapping=False)
        before = before or CheckState(CONFIGURATION)
        after, transitions = judge(before, result, policy, at=instance.now(), reach=Reach.UP)
        instance.beliefs.replace(after)
        self.record(after, transitions)

    async def _take_over(self, catalog: Catalog, plan: ReloadPlan, by: str) -> None:
        instance = self.instance
        renamed, gone, reset = self._states_touched(plan)
        now, held = instance.now(), instance.beliefs.held

        def work(tx: Tx) -> tuple[list[Event], list[AttemptId], dict[CheckKey, JobRecord]]:
            events: list[Event] = []
            tx.rename_states(renamed)
            for key in plan.removed:
                incident = tx.live_incident(key)
                if incident is not None:
                    closed = closing.close_by_person(
                        tx, instance, incident.id, now, by=by, reason=f"{key} was removed"
                    )
                    events.extend(closed or ())
            reason = "its checks were removed"
            events += closing.forget_items(tx, instance, set(gone), now, by=by, reason=reason)
            tx.forget_states(gone)
            tx.put_states(reset)
            tx.add_audit(now, by, "reload", catalog.hash, f"{len(plan.lines)} changes")
            if plan.lines:  # what breaks after it may break by it: it stands on the tickets
                tx.add_marker(Marker(0, now, by, "*", _in_words(plan.lines)))
            return events, closing.ended_among(tx, held), _records(tx, catalog, plan)

        events, ended, records = await instance.store.write(work)
        self.jobs.take_over(plan.renamed, records)
        instance.beliefs.rename(renamed)
        self.remember(renamed, now)
        for key in gone:
            instance.beliefs.drop(key)
        instance.beliefs.restore(reset)
        before, instance.catalog = instance.catalog, catalog
        self.adopt(catalog, frozenset((*plan.added, *plan.resets)))
        events += await instance.store.write(lambda tx: follow(tx, instance, before, now))
        for attempt in ended:
            instance.beliefs.release(attempt, now)
        instance.tell(events)
        instance.wake()

    def _states_touched(
        self, plan: ReloadPlan
    ) -> tuple[dict[StateKey, StateKey], list[StateKey], list[CheckState]]:
        """Give the states to rename (old key to new), to forget, and those made anew."""
        new_names = {old: new for new, old in plan.renamed.items()}
        renamed: dict[StateKey, StateKey] = {}
        gone: list[StateKey] = []
        reset: list[CheckState] = []
        for key, state in self.instance.beliefs.states.items():
            check, item = split_state_key(key)
            name = new_names.get(check, check)
            if check in new_names:
                renamed[key] = state_key(name, item)
            elif check in plan.removed:
                gone.append(key)
            if name in plan.resets:
                reset.append(replace(reset_soft(state), key=state_key(name, item)))
        return renamed, gone, reset


def _in_words(lines: Sequence[str]) -> str:
    """Say what a reload changed, the first of many."""
    more = f", and {len(lines) - _SAID} more" if len(lines) > _SAID else ""
    return one_line(f"monitord was reloaded: {'; '.join(lines[:_SAID])}", _LONGEST) + more


def _records(view: View, catalog: Catalog, plan: ReloadPlan) -> dict[CheckKey, JobRecord]:
    """Give what the store knows of jobs that are new under their name."""
    fresh = {*plan.added, *plan.renamed, *plan.changed}
    found = ((key, view.job(key)) for key in job_checks(catalog) if key in fresh)
    return {key: record for key, record in found if record is not None}
