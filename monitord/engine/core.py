"""The core of one instance: builds the parts, starts and stops them, and answers the control API.

It wires and forwards; what is decided is decided in decisions/, what is moved is moved by the
stages. `Core` is monitord.api.ports.Engine.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitord import pings
from monitord.clock import Clock
from monitord.config import kept
from monitord.engine import alive, composites, following, halt_file
from monitord.engine.accounts import Accounts
from monitord.engine.approvals import Approvals
from monitord.engine.attempts import Attempts
from monitord.engine.backends import Backends
from monitord.engine.beliefs import Beliefs
from monitord.engine.chain_orders import ChainOrders
from monitord.engine.chains import Chains
from monitord.engine.commands import Commands
from monitord.engine.handing import Handing
from monitord.engine.happenings import Happenings
from monitord.engine.health import Condition
from monitord.engine.hearing import Hearing
from monitord.engine.holding import resume_holds
from monitord.engine.instance import Instance
from monitord.engine.jobs import Jobs
from monitord.engine.killing import kill_running
from monitord.engine.levels import Levels
from monitord.engine.mover import Mover
from monitord.engine.notifying import Notifying
from monitord.engine.oncall import OnCall
from monitord.engine.orders import Orders
from monitord.engine.outbox import Outbox
from monitord.engine.passive import Passive
from monitord.engine.ports import Executor, Probing, StepOutcome
from monitord.engine.prober import Prober
from monitord.engine.problems import Problems
from monitord.engine.pulse import Pulse
from monitord.engine.readback import ReadBack
from monitord.engine.recorder import Recorder
from monitord.engine.reload import Reloading
from monitord.engine.remembering import Remembering
from monitord.engine.running import Runner
from monitord.engine.schedule import Scheduler
from monitord.engine.spooled import take_reports, take_told
from monitord.engine.steady import SteadyClock
from monitord.engine.trust import Trusting
from monitord.engine.trying import Trying
from monitord.engine.verifying import Verifying
from monitord.engine.what_changed import mark
from monitord.errors import MonitordError, StoreError
from monitord.history import Writer
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check
from monitord.model.ids import CheckKey, Instant, StateKey, split_state_key
from monitord.model.inbound import Taken, Told
from monitord.model.incident import AttemptStatus, StepStatus
from monitord.model.kinds import Health, Kinds, Record
from monitord.model.marker import Marker
from monitord.model.result import Status
from monitord.model.state import CheckState, Transition
from monitord.passwords import Passwords
from monitord.store import Door
from monitord.store.contract import Store, Tx

log = get_logger(__name__)

_CARRIED = (AttemptStatus.PLANNED, AttemptStatus.RUNNING, AttemptStatus.VERIFYING)
Places = Callable[[str], Awaitable[Sequence[tuple[str, str, str]]]]


async def _nowhere(_key: str) -> Sequence[tuple[str, str, str]]:
    return ()


class Core:
    """One running core. `executor` and `probing` are the doors to the outside world."""

    def __init__(
        self,
        catalog: Catalog,
        kinds: Kinds,
        store: Store,
        executor: Executor,
        clock: Clock,
        *,
        state: Path,
        door: Door,
        counters: Counters,
        probing: Probing | None = None,
        history: Writer | None = None,
        places: Places = _nowhere,
    ) -> None:
        steady = SteadyClock(clock)
        self._recorder = Recorder(store, counters, self._committed)
        beliefs = Beliefs(self._recorder.put, self._recorder.erase, self._run_now, counters)
        self._remembering = Remembering(history, beliefs, counters)
        self._jobs = Jobs()
        self.passive = Passive(beliefs, counters, self._recorder.told)
        self._prober = probing or Prober(
            kinds.probes,
            executor,
            steady,
            counters,
            memory=beliefs.memory,
            record=self._record,
        )
        self.instance = Instance(
            catalog,
            kinds,
            steady,
            store,
            counters,
            beliefs,
            self._prober,
            executor,
            Happenings(),
            state,
        )
        self.instance.job_ended = self._job_ended
        beliefs.compose = lambda keys, at: composites.judge_anew(beliefs, self.catalog, keys, at)
        self._condition = Condition(self.instance)
        self._runner = Runner(
            self._prober, beliefs, steady, counters, concurrency=catalog.settings.concurrency
        )
        self._scheduler: Scheduler | None = None
        self._chains = Chains(self.instance)
        self._make_stages(kinds, door, steady, places)

    def _make_stages(self, kinds: Kinds, door: Door, steady: SteadyClock, places: Places) -> None:
        backends = Backends(self.instance, kinds.backends, door)
        self._outbox = Outbox(self.instance, backends)
        self._attempts, verifying = Attempts(self.instance), Verifying(self.instance)
        notifying = Notifying(self.instance, kinds.backends, backends)
        self._mover = Mover(
            self.instance, self._attempts, verifying, self._outbox, notifying, self._chains
        )
        self._pulse = Pulse(self.instance, self._condition, steady, self._chores, self._reassemble)
        self.orders = Orders(self.instance)
        self._readback = ReadBack(self.instance, backends, self.orders)
        self.commands = Commands(self.instance, places)
        self.approvals = Approvals(self.instance)
        self.trusting = Trusting(self.instance)
        self.problems = Problems(self.instance)
        self.levels, self.handing = Levels(self.instance), Handing(self.instance)
        self.accounts = Accounts(self.instance, Passwords())
        self.chains = ChainOrders(self.instance, self._chains)
        self.oncall, self.trying = OnCall(self.instance), Trying(self.instance)
        self.hearing = Hearing(self.instance)
        self._reloading = Reloading(
            self.instance,
            self._condition,
            self._jobs,
            door,
            self._adopt,
            self._recorder.put,
            self._renamed,
        )

    async def start(self, *, calendar: bool = True) -> None:
        """Take over the rows of the last run and begin; non-OK checks run at once."""
        instance, loop = self.instance, asyncio.get_running_loop()
        instance.epoch = await instance.store.write(self._open_epoch)
        instance.counters.epoch = instance.epoch
        instance.counters.catalog = instance.catalog.hash
        states, steps = await instance.store.read(
            lambda view: (view.states(), view.meta("clock_steps"))
        )
        instance.restore_steps(steps or "[]")
        known = [s for s in states if split_state_key(s.key)[0] in instance.catalog.checks]
        instance.beliefs.restore(known)
        instance.beliefs.use(instance.catalog, instance.now())
        self._reloading.good_at_start(states)
        self._prober.use(instance.catalog)
        await instance.store.read(
            lambda view: self._jobs.restore(view, instance.catalog, instance.now())
        )
        await instance.store.read(self._chains.restore)
        self.passive.restore(await instance.store.read(lambda view: view.waiting()), self.now())
        self.passive.use(instance.catalog)
        self._scheduler = Scheduler(loop, self._runner.dispatch, instance.counters)
        self._runner.scheduler = self._scheduler
        await resume_holds(instance)
        await self._attempts.adopt_leftovers()
        await self._chains.adopt()
        urgent = [split_state_key(s.key)[0] for s in known if s.status is not Status.OK]
        self._scheduler.load(instance.catalog.checks, at_once=urgent)
        await instance.store.write(lambda tx: following.resume(tx, instance, instance.now()))
        self._mover.start()
        self._pulse.start(calendar=calendar)
        self._chores()

    async def stop(self) -> None:
        """Stop between two rows; running steps go on under their runners and are adopted."""
        if self._scheduler is not None:
            self._scheduler.stop()
        self._runner.stop()
        await self._pulse.stop()
        await self._mover.stop()
        await self._recorder.flush()
        for task in list(self.instance.tasks.values()):
            task.cancel()
        self._outbox.close()

    def executor_is_back(self) -> None:
        """Ask what became of the steps that nobody waits for any more, and look at all rows."""
        if self._scheduler is not None:  # else `start` will ask
            self.instance.start("leftovers", self._attempts.adopt_leftovers())
            self.instance.start("links", self._chains.adopt())
        self.instance.wake()

    def abandon(self) -> None:
        """Let go of everything at once, as a killed process does: nothing is written or awaited.

        Whoever calls it ends the loop's tasks: `monitord test` tries crashes with it.
        """
        if self._scheduler is not None:
            self._scheduler.stop()
        self._outbox.close()

    # What the control API asks (monitord.api.ports.Engine).

    @property
    def catalog(self) -> Catalog:
        """The catalog in force now."""
        return self.instance.catalog

    @property
    def store(self) -> Store:
        """The store."""
        return self.instance.store

    @property
    def counters(self) -> Counters:
        """The process's own numbers."""
        return self.instance.counters

    def now(self) -> Instant:
        """Give the instance's wall time."""
        return self.instance.now()

    def state(self, key: StateKey) -> CheckState | None:
        """Give the newest state of one key."""
        return self.instance.beliefs.states.get(key)

    def states(self) -> Sequence[CheckState]:
        """Give all states, by key."""
        states = self.instance.beliefs.states
        return [states[key] for key in sorted(states)]

    def health(self) -> Health:
        """Give the core's own condition."""
        return self._condition.health()

    def subscribe(self) -> AsyncIterator[Mapping[str, Any]]:
        """Give what happens from now on."""
        return self.instance.happenings.subscribe()

    async def halt_now(self, *, by: str) -> list[str]:
        """Kill the process groups of running steps."""
        return await kill_running(self.instance, by=by)

    async def reload(self, *, by: str) -> Sequence[str]:
        """Apply what stands on disk."""
        return await self._reloading.apply(by=by)

    async def plan(self) -> Sequence[str]:
        """Say what a reload would change."""
        return (await self._reloading.plan())[1].lines

    async def mark(self, text: str, selector: str, *, by: str) -> Marker:
        """Keep a change that somebody tells of."""
        return await mark(self.instance, text, selector, by=by)

    async def job_event(
        self,
        key: str,
        event: str,
        *,
        exit_code: int | None,
        output: str,
        at: Instant,
        by: str,
    ) -> None:
        """Take a job's report, store it and judge the job at once."""
        found = pings.job_key(self.catalog.checks, key)
        link = found.partition("/")[2].partition("/")[2]
        if link:
            self.counters.job_events[event] += 1
            await self._chains.report(
                found.removesuffix(f"/{link}"),
                link,
                event,
                exit_code=exit_code,
                output=output,
                at=at,
            )
            log.info("link reported", job=key, report=event, exit_code=exit_code, by=by)
            return
        record = self._jobs.report(found, event, exit_code=exit_code, output=output, at=at)
        self.counters.job_events[event] += 1
        await self.store.write(lambda tx: tx.put_job(found, record))
        log.info("job reported", job=found, report=event, exit_code=exit_code, by=by)
        self._run_now([CheckKey(found)])

    async def told(self, source: str, reports: Sequence[Told]) -> Taken:
        """Take what a source says of passive checks; it is stored when this returns."""
        taken = self.passive.take(self.catalog, source, reports, self.now())
        if not await self._recorder.flush():
            raise StoreError("the store takes no rows: this is believed, not stored; tell it again")
        return taken

    # How the parts reach each other.

    async def _job_ended(self, key: str, outcome: StepOutcome) -> None:
        """Take the end of a rerun as the job's own report."""
        await self.job_event(
            key,
            "success" if outcome.status is StepStatus.DONE else "fail",
            exit_code=outcome.exit_code,
            output=outcome.output,
            at=self.now(),
            by="rerun",
        )

    def _committed(self, transitions: list[Transition]) -> None:
        self.instance.happenings.changed(transitions)
        self.instance.wake()

    def _run_now(self, keys: Any) -> None:
        if self._scheduler is not None:
            self._scheduler.run_now(keys)

    def _record(self, check: Check, source: str) -> Record:
        if source == "job":
            return self._jobs.record(check.key, self.now())
        if source == "chain":
            return self._chains.record(check)
        if source in ("passive", "arrived"):
            return self.passive.asked(source, check, self.now())
        if source == "members":
            return composites.record(check, self.instance.beliefs, self.now())
        return self._condition.health()

    def _renamed(self, names: Mapping[StateKey, StateKey], at: Instant) -> None:
        self._remembering.rename(names, at)
        self.passive.rename(names)

    def _adopt(self, catalog: Catalog, fresh: frozenset[CheckKey]) -> None:
        """Take over a reloaded catalog; `fresh` checks run soon."""
        self.instance.beliefs.use(catalog, self.now())
        self._prober.use(catalog)
        self.passive.use(catalog)
        if self._scheduler is not None:
            self._scheduler.load(catalog.checks, at_once=fresh)

    async def _reassemble(self) -> None:
        """Load again when an exception of the configuration has ended: the files' own words."""
        try:
            await self._reloading.apply(by="an exception's end")
        except MonitordError as error:
            log.warning("an exception has ended, and the files cannot be used", error=str(error))

    def _chores(self) -> None:
        """Do what comes again every few seconds."""
        self._condition.note("history", self._remembering.look(self.catalog.settings.retention))
        self._condition.note("inbound", "; ".join(self.passive.troubles(self.now())))
        listed = self.catalog.inventory.values()
        self._condition.note("inventory", kept.troubles(listed, self.now()))
        halt_file.expire(self.instance.state, self.now())
        self.instance.start("spool", self._take_spooled())
        self._outbox.repeat()
        self._readback.look()

    async def _take_spooled(self) -> None:
        folder = self.instance.state / "spool"
        await take_reports(folder, self.now(), self.job_event)
        await take_told(folder, self.now(), self.told)

    def _open_epoch(self, tx: Tx) -> int:
        """Begin an epoch: from here on no older core's intent is done."""
        epoch = tx.next_epoch()
        alive.began(tx, self.now())
        for attempt in tx.attempts(statuses=_CARRIED):
            # None: outside work was under way, and is asked for again.
            tx.change_attempt(attempt.id, attempt.status, due_at=attempt.due_at or self.now())
        tx.add_audit(self.now(), "monitord", "start", f"epoch {epoch}", self.catalog.hash)
        return epoch
