"""The housekeeping beat: lag, clock steps, staleness, orders that end by OK, spooled job reports.

Once a second, bounded work only; by APScheduler's calendar, once a day what retention no longer
keeps, and months that are over are sealed. Nothing here decides about an incident.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitord.clock import after, between
from monitord.decisions.orders import ended_by_ok
from monitord.decisions.selector import matches, parse
from monitord.engine import alive, storm
from monitord.engine.digesting import Digesting
from monitord.engine.heading import Heading
from monitord.engine.health import Condition
from monitord.engine.holding import being_undone
from monitord.engine.instance import Instance
from monitord.engine.monthly import Monthly
from monitord.engine.sealing import Sealing
from monitord.engine.steady import SteadyClock
from monitord.engine.ticketing import after_the_storm
from monitord.errors import StoreError
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.incident import LIVE_ATTEMPTS, OPEN_STATUSES, IncidentStatus, StepStatus
from monitord.model.notice import NoticeStatus
from monitord.model.state import CheckState
from monitord.model.ticket import Order, OutboxItem, OutboxStatus, Verb
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_BEAT = 1.0  # seconds
_SLOW = 5  # beats between the slower duties
_TRY_AGAIN = 60.0  # seconds until files that could not be used are read again
_STEP = 2_000_000  # µs of disagreement that make a clock step
_STUCK = timedelta(minutes=5)  # how long a message may wait until its delay is a problem
_STEPS_KEPT = timedelta(days=40)  # the clock of a service level may run so long
_ATTEMPT_TIMES = ("due_at", "deadline", "planned", "started", "effect_at", "verifying")
_STEP_TIMES = ("intended", "deadline", "started", "finished")


class Pulse:
    """Beats as long as the core runs."""

    def __init__(
        self,
        instance: Instance,
        condition: Condition,
        clock: SteadyClock,
        ingest: Callable[[], None],
        reassemble: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._instance = instance
        self._condition = condition
        self._clock = clock
        self._ingest = ingest
        self._reassemble = reassemble
        self._digests = Digesting(instance)
        self._heads = Heading(instance)
        self._months = Monthly(instance)
        self._seals = Sealing(instance)
        self._tried: tuple[Instant | None, float] = (None, 0.0)
        self._task: asyncio.Task[None] | None = None
        self._calendar: AsyncIOScheduler | None = None

    def start(self, *, calendar: bool) -> None:
        """Begin; `calendar` starts the daily duties too (they follow the machine's own clock)."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="pulse")
        if calendar:
            self._calendar = AsyncIOScheduler(timezone="UTC")
            self._calendar.add_job(
                self._retain, CronTrigger(hour=3, minute=17, timezone="UTC"), max_instances=1
            )
            self._calendar.add_job(
                self._seals.look, IntervalTrigger(minutes=1, timezone="UTC"), max_instances=1
            )
            self._calendar.start()

    async def stop(self) -> None:
        """End."""
        if self._calendar is not None:
            self._calendar.shutdown(wait=False)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        beats = 0
        while True:
            planned = self._instance.clock.monotonic() + _BEAT
            await asyncio.sleep(_BEAT)
            self._condition.lag = max(0.0, self._instance.clock.monotonic() - planned)
            beats += 1
            try:
                await self._notice_clock_step()
                if beats % _SLOW == 0:
                    await self._slow_duties()
                if beats % alive.EVERY == 0:
                    await self._instance.store.write(self._beat, urgent=False)
            except StoreError as error:
                log.warning("housekeeping waits for the store", error=str(error))
            except Exception:
                log.exception("housekeeping failed")  # the beat itself must go on

    def _beat(self, tx: Tx) -> None:
        alive.beat(tx, self._instance.now())

    async def _slow_duties(self) -> None:
        instance = self._instance
        instance.beliefs.release_overdue(instance.now())
        instance.beliefs.grow_stale(instance.catalog.checks, instance.now())
        self._ingest()
        self._load_when_expired()
        now = instance.now()
        dead, waiting, orders = await instance.store.read(
            lambda view: (
                _dead(view),
                view.outbox(status=OutboxStatus.PENDING, limit=1),
                view.orders(at=now),
            )
        )
        self._condition.dead_messages = dead
        self._condition.note("outbox", _stuck(waiting, now))
        if await instance.store.read(storm.is_on):
            await instance.store.write(lambda tx: after_the_storm(tx, instance, now))
            instance.wake()
        for order in orders:
            if order.until_ok and ended_by_ok(order, self._touched(order)):
                await instance.store.write(self._end(order))
                instance.wake()
        await self._digests.look()
        await self._heads.look()
        await self._months.look()

    def _load_when_expired(self) -> None:
        """Have the files loaded again when an exception has ended; not again soon if they are bad.

        It takes its time beside the beat, which others are judged by.
        """
        instance, now = self._instance, self._instance.clock.monotonic()
        expires = instance.catalog.expires
        if expires is None or instance.now() < expires:
            return
        if expires == self._tried[0] and now < self._tried[1] + _TRY_AGAIN:
            return
        self._tried = (expires, now)
        instance.start("load", self._reassemble())

    async def _notice_clock_step(self) -> None:
        """Compare with the machine's wall clock; where it stepped, move all that is due with it."""
        instance, clock = self._instance, self._clock
        step = clock.behind()
        if abs(step) < _STEP:
            clock.follow()
            return
        instance.counters.clock_steps += 1
        log.warning("the wall clock stepped", seconds=round(step / 1e6, 3))
        async with instance.moving:
            wall = Instant(clock.now() + step)
            await instance.store.write(lambda tx: _shift(tx, wall, step))
            clock.follow()
        instance.remember_step(wall, step)
        instance.beliefs.shift(step)
        instance.wake()

    def _touched(self, order: Order) -> list[CheckState]:
        instance = self._instance
        selector = parse(order.selector)
        found: list[CheckState] = []
        for key, check in instance.catalog.checks.items():
            host = instance.catalog.hosts[check.host]
            if matches(selector, host=host, check=check.name, services=check.services):
                found.extend(instance.beliefs.of(key))
        return found

    def _end(self, order: Order) -> Callable[[Tx], None]:
        now = self._instance.now()

        def work(tx: Tx) -> None:
            tx.end_order(order.id, now, "until OK")
            if order.verb is Verb.MAINTENANCE:
                tx.add_audit(now, "monitord", "end", f"order {order.id}", "all is OK again")

        return work

    async def _retain(self) -> None:
        """Delete what is not kept any more, slice by slice, so that the writer stays free."""
        instance = self._instance
        kept, now = instance.catalog.settings.retention, instance.now()
        incidents, evidence = after(now, -kept.incidents), after(now, -kept.evidence)

        def work(tx: Tx) -> int:
            return tx.prune(now, incidents_before=incidents, evidence_before=evidence)

        total = 0
        try:
            while rows := await instance.store.write(work):
                total += rows
        except StoreError as error:
            log.warning("retention waits for the store", error=str(error))
            return
        log.info("retention done", rows=total)


def _dead(view: View) -> int:
    """Count the messages refused for good about incidents that are still somebody's business."""
    dead = view.outbox(status=OutboxStatus.DEAD, limit=1000)
    if not dead:
        return 0
    live = {incident.id for incident in view.incidents(OPEN_STATUSES, limit=100_000)}
    return sum(item.incident in live for item in dead)


def _stuck(waiting: Sequence[OutboxItem], now: Instant) -> str:
    """Say that nobody hears of what happens, when the oldest message is too old."""
    if not waiting or now < after(waiting[0].created, _STUCK):
        return ""
    oldest = waiting[0]
    minutes = between(oldest.created, now) // timedelta(minutes=1)
    return f"tickets do not get out to {oldest.backend} for {minutes} min: {oldest.last_error}"


def _shift(tx: Tx, wall: Instant, delta: int) -> None:
    """Move the times of everything alive, so that a step neither fires nor delays it."""

    def moved(row: object, *names: str) -> dict[str, Instant | None]:
        times = {name: getattr(row, name) for name in names}
        return {name: None if at is None else Instant(at + delta) for name, at in times.items()}

    for incident in tx.incidents((*OPEN_STATUSES, IncidentStatus.RESOLVED), limit=100_000):
        tx.change_incident(incident.id, incident.status, **moved(incident, "due_at", "page_at"))
    alive = tx.open_steps()
    for attempt in [*tx.attempts(statuses=LIVE_ATTEMPTS), *being_undone(tx)]:
        alive += [step for step in tx.steps(attempt.id) if step.status is not StepStatus.INTENT]
        tx.change_attempt(attempt.id, attempt.status, **moved(attempt, *_ATTEMPT_TIMES))
    for step in alive:  # all of an attempt, or an effect would seem to precede its intent
        tx.change_step(step.id, step.status, **moved(step, *_STEP_TIMES))
    for item in tx.outbox(status=OutboxStatus.PENDING, limit=100_000):
        tx.change_outbox(item.id, item.status, **moved(item, "due_at", "created"))
    for notice in tx.notices(status=NoticeStatus.PENDING, limit=100_000):
        tx.change_notice(notice.id, notice.status, **moved(notice, "due_at", "created"))
    kept = wall - _STEPS_KEPT // timedelta(microseconds=1)
    before = [step for step in json.loads(tx.meta("clock_steps") or "[]") if step[0] >= kept]
    tx.put_meta("clock_steps", json.dumps([*before, [wall, delta]]))
