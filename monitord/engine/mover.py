"""Runs the stages over the rows: in their order, until nothing is due, then waits for the next.

The order is data (`STAGES` in core.py reads like DESIGN §3). A row that makes a stage fail is set
aside for a minute and said loudly, so that one bug stops one row and not the house. No stage keeps
anything between two rows: it may be killed between any two lines.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from monitord.clock import after
from monitord.engine import approvals, closing, incidents, ladder, paging
from monitord.engine.attempts import Attempts
from monitord.engine.chains import Chains
from monitord.engine.instance import Instance
from monitord.engine.notifying import Notifying
from monitord.engine.outbox import Outbox
from monitord.engine.services import Services
from monitord.engine.turn import AfterCommit, AttemptTurn, Turn
from monitord.engine.verifying import Verifying
from monitord.errors import StoreError
from monitord.log import get_logger
from monitord.model.ids import AttemptId, CheckKey, IncidentId, Instant
from monitord.model.incident import LIVE_ATTEMPTS, OPEN_STATUSES, AttemptStatus, IncidentStatus
from monitord.model.notice import Notice
from monitord.model.ticket import OutboxItem
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_LONGEST_REST = 10.0  # seconds: how stale a missed wake-up can make us
_AFTER_TROUBLE = 1.0  # seconds
_MOST_ROUNDS = 20  # a row that is due again at once may not keep the others from resting
_SET_ASIDE = 60.0  # seconds
_ON_LADDER = (IncidentStatus.OPEN, IncidentStatus.WAITING, IncidentStatus.ESCALATED)
_CARRIED = (AttemptStatus.PLANNED, AttemptStatus.RUNNING)
_ENDED = tuple(set(AttemptStatus) - LIVE_ATTEMPTS)  # due only while they are undone


class Mover:
    """Moves rows on, one transaction a row."""

    def __init__(
        self,
        instance: Instance,
        attempts: Attempts,
        verifying: Verifying,
        outbox: Outbox,
        notifying: Notifying,
        chains: Chains,
    ) -> None:
        self._instance = instance
        self._attempts = attempts
        self._verifying = verifying
        self._outbox = outbox
        self._notifying = notifying
        self._chains = chains
        self._services = Services(instance)
        self._aside: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to move rows."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="mover")

    async def stop(self) -> None:
        """Stop between two rows; what is under way outside goes on and is adopted later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        instance = self._instance
        while True:
            instance.due.clear()
            rest = _AFTER_TROUBLE
            try:
                rest = await self._until_nothing_moves()
            except StoreError as error:
                log.warning("stages rest: the store does not answer", error=str(error))
            except Exception:
                log.exception("stages failed")  # they must outlive any bug of one
            try:
                async with asyncio.timeout(rest):
                    await instance.due.wait()
            except TimeoutError:
                continue

    async def _until_nothing_moves(self) -> float:
        """Go through the stages again and again; gives the seconds until the next row is due."""
        rest = _LONGEST_REST
        for _round in range(_MOST_ROUNDS):
            # One read a round: a core at rest should cost next to nothing.
            # While the pulse moves all due times with a step of the clock, nothing is looked at.
            async with self._instance.moving:
                found = await self._instance.store.read(self._look)
                rest = found.rest
                moved = await self._cycle(found)
            if not moved:
                break
        return rest

    async def _cycle(self, found: "_Found") -> bool:
        """Go through all stages in their order; tells whether anything was moved."""
        moved = False
        services = self._services.look()
        if services:
            moved |= await self._row("services", self._services.writer(services))
        moved |= await self._chained(found)
        if found.transitions:
            moved |= await self._transitions()
        if found.resolved:
            moved |= await self._row("closing", _close)
        for incident in found.climbing:
            moved |= await self._row(f"incident {incident}", _climber(self._instance, incident))
        for attempt in found.carried:
            carry = self._attempts.carry_on
            moved |= await self._row(f"attempt {attempt}", _carrier(self._instance, attempt, carry))
        for attempt in found.verifying:
            prove = self._verifying.carry_on
            moved |= await self._row(f"attempt {attempt}", _carrier(self._instance, attempt, prove))
        for incident in found.paging:
            moved |= await self._row(f"page {incident}", _pager(self._instance, incident))
        for message in found.deliveries:
            self._outbox.begin(message)
        self._notifying.begin(found.notices)
        return moved

    async def _chained(self, found: "_Found") -> bool:
        moved = False
        if found.chainless:
            moved |= await self._row("chains", self._chains.opener(found.chainless))
        for run in found.chains:
            moved |= await self._row(f"chain {run}", self._chains.carrier(run))
        return moved

    async def _transitions(self) -> bool:
        """Settle what is pending; where that fails, one by one, so that only the culprit waits."""
        if await self._row("transitions", _settler(self._instance)):
            return True
        moved = False
        pending = await self._instance.store.read(lambda view: view.pending_transitions())
        for transition in pending:
            settle = _settler(self._instance, transition.id)
            moved |= await self._row(f"transition {transition.id}", settle)
        return moved

    async def _row(self, name: str, work: Callable[[Tx, AfterCommit, Instant], None]) -> bool:
        if self._instance.busy(name) or self._aside.get(name, 0) > self._instance.clock.monotonic():
            return False
        return await self._commit(name, work)

    async def _commit(self, name: str, work: Callable[[Tx, AfterCommit, Instant], None]) -> bool:
        out = AfterCommit()
        now = self._instance.now()
        try:
            await self._instance.store.write(lambda tx: work(tx, out, now))
        except StoreError:
            raise
        except Exception:
            log.exception("a stage failed; its row is set aside", row=name)
            self._aside[name] = self._instance.clock.monotonic() + _SET_ASIDE
            return False
        out.run(self._instance)
        return True

    def _look(self, view: View) -> "_Found":
        """Give the rows whose time has come, by stage, and when the next will be due."""
        now = self._instance.now()
        soon = after(now, timedelta(seconds=_LONGEST_REST))
        waiting = view.incidents((*_ON_LADDER, IncidentStatus.RESOLVED), due_by=soon)
        live = view.attempts(statuses=(*_CARRIED, AttemptStatus.VERIFYING, *_ENDED), due_by=soon)
        paging = view.incidents(OPEN_STATUSES, page_by=soon)
        messages = self._outbox.waiting(view, soon)
        runs = view.unfinished_runs(due_by=soon) if self._chains.all() else []
        dues = [row.due_at for row in waiting] + [row.due_at for row in live]
        dues += [row.due_at for row in runs]
        notices = self._notifying.waiting(view, soon)
        dues += [row.page_at for row in paging] + [row.due_at for row in notices]
        incidents_due = [row for row in waiting if _due(row.due_at, now)]
        attempts_due = [row for row in live if _due(row.due_at, now)]
        return _Found(
            chainless=self._chains.idle(),
            chains=[row.id for row in runs if _due(row.due_at, now)],
            transitions=bool(view.pending_transitions(1)),
            resolved=any(row.status is IncidentStatus.RESOLVED for row in incidents_due),
            climbing=[row.id for row in incidents_due if row.status in _ON_LADDER],
            carried=[r.id for r in attempts_due if r.status in _CARRIED or r.undoing],
            verifying=[
                r.id for r in attempts_due if r.status is AttemptStatus.VERIFYING and not r.undoing
            ],
            paging=[row.id for row in paging if _due(row.page_at, now)],
            notices=[row for row in notices if _due(row.due_at, now)],
            deliveries=[message for message in messages if message.due_at <= now],
            rest=_rest((*dues, *(message.due_at for message in messages)), now),
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """One look at the rows: what each stage has to do now, and how many seconds it may rest."""

    chainless: list[CheckKey]
    chains: list[int]
    transitions: bool
    resolved: bool
    climbing: list[IncidentId]
    carried: list[AttemptId]
    verifying: list[AttemptId]
    paging: list[IncidentId]
    notices: list[Notice]
    deliveries: list[OutboxItem]
    rest: float


def _rest(dues: Iterable[Instant | None], now: Instant) -> float:
    """Give the seconds until the next of these; what is due already is under way or set aside."""
    waits = (due - now for due in dues if due is not None and due > now)
    soonest = min(waits, default=_LONGEST_REST * 1e6)
    return max(0.01, min(_LONGEST_REST, soonest / 1e6))


def _settler(
    instance: Instance, only: int | None = None
) -> Callable[[Tx, AfterCommit, Instant], None]:
    def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
        incidents.settle_transitions(tx, instance, now, out, only=only)

    return work


def _close(tx: Tx, out: AfterCommit, now: Instant) -> None:
    out.events.extend(closing.close_resolved(tx, now))


def _climber(instance: Instance, number: IncidentId) -> Callable[[Tx, AfterCommit, Instant], None]:
    def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
        incident = tx.incident(number)
        if incident is not None and incident.status in _ON_LADDER and _due(incident.due_at, now):
            turn = Turn(tx, instance, incident, now, out)
            if not approvals.look(turn):
                ladder.climb(turn)

    return work


def _pager(instance: Instance, number: IncidentId) -> Callable[[Tx, AfterCommit, Instant], None]:
    def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
        incident = tx.incident(number)
        if incident is None or incident.status not in OPEN_STATUSES:
            return
        if _due(incident.page_at, now) and not incident.part_of:
            paging.page(Turn(tx, instance, incident, now, out))

    return work


def _carrier(
    instance: Instance, number: AttemptId, carry: Callable[[AttemptTurn], None]
) -> Callable[[Tx, AfterCommit, Instant], None]:
    def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
        attempt = tx.attempt(number)
        incident = tx.incident(attempt.incident) if attempt is not None else None
        if attempt is not None and incident is not None and _due(attempt.due_at, now):
            carry(AttemptTurn(tx, instance, incident, now, out, attempt=attempt))

    return work


def _due(due_at: Instant | None, now: Instant) -> bool:
    """Tell whether a row is still due: an earlier row of this round may have moved it on."""
    return due_at is not None and due_at <= now
