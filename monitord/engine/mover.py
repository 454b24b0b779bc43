"""Runs the stages over the rows: in their order, until nothing is due, then waits for the next.

The order is data (`STAGES` in core.py reads like DESIGN §3). A row that makes a stage fail is set
aside for a minute and said loudly, so that one bug stops one row and not the house. No stage keeps
anything between two rows: it may be killed between any two lines.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from monitord.clock import after
from monitord.engine import incidents, ladder
from monitord.engine.attempts import Attempts
from monitord.engine.instance import Instance
from monitord.engine.outbox import Outbox
from monitord.engine.turn import AfterCommit, AttemptTurn, Turn
from monitord.engine.verifying import Verifying
from monitord.errors import StoreError
from monitord.log import get_logger
from monitord.model.ids import AttemptId, IncidentId, Instant
from monitord.model.incident import AttemptStatus, IncidentStatus
from monitord.model.ticket import OutboxStatus
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_LONGEST_REST = 5.0  # seconds: how stale a missed wake-up can make us
_MOST_ROUNDS = 20  # a row that is due again at once may not keep the others from resting
_SET_ASIDE = timedelta(minutes=1)
_ON_LADDER = (IncidentStatus.OPEN, IncidentStatus.WAITING)
_CARRIED = (AttemptStatus.PLANNED, AttemptStatus.RUNNING)


class Mover:
    """Moves rows on, one transaction a row."""

    def __init__(
        self, instance: Instance, attempts: Attempts, verifying: Verifying, outbox: Outbox
    ) -> None:
        self._instance = instance
        self._attempts = attempts
        self._verifying = verifying
        self._outbox = outbox
        self._aside: dict[str, Instant] = {}
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
            try:
                for _round in range(_MOST_ROUNDS):
                    if not await self._cycle():
                        break
                rest = await instance.store.read(self._rest)
            except StoreError as error:
                log.warning("stages rest: the store does not answer", error=str(error))
                rest = 1.0
            except Exception:
                log.exception("stages failed")  # they must outlive any bug of one
                rest = 1.0
            try:
                async with asyncio.timeout(rest):
                    await instance.due.wait()
            except TimeoutError:
                continue

    async def _cycle(self) -> bool:
        """Go through all stages in their order; tells whether anything was moved."""
        moved = await self._transitions()
        now = self._instance.now()
        resolved, climbing, carried, verifying = await self._instance.store.read(
            lambda view: _due(view, now)
        )
        if resolved:
            moved |= await self._commit("closing", _close)
        for incident in climbing:
            moved |= await self._row(f"incident {incident}", _climber(self._instance, incident))
        for attempt in carried:
            carry = self._attempts.carry_on
            moved |= await self._row(f"attempt {attempt}", _carrier(self._instance, attempt, carry))
        for attempt in verifying:
            prove = self._verifying.carry_on
            moved |= await self._row(f"attempt {attempt}", _carrier(self._instance, attempt, prove))
        for begin in await self._instance.store.read(lambda view: self._outbox.due(view, now)):
            begin()
        return moved

    async def _transitions(self) -> bool:
        instance = self._instance

        def settle(tx: Tx, out: AfterCommit, now: Instant) -> None:
            out.events.extend(incidents.settle_transitions(tx, instance, now))

        if not await instance.store.read(lambda view: bool(view.pending_transitions(1))):
            return False
        return await self._row("transitions", settle)

    async def _row(self, name: str, work: Callable[[Tx, AfterCommit, Instant], None]) -> bool:
        if self._instance.busy(name) or self._aside.get(name, 0) > self._instance.now():
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
            self._aside[name] = after(now, _SET_ASIDE)
            return False
        out.run(self._instance)
        return True

    def _rest(self, view: View) -> float:
        """Give the seconds until the next row is due."""
        now = self._instance.now()
        dues = [i.due_at for i in view.incidents((*_ON_LADDER, IncidentStatus.RESOLVED))]
        live = view.attempts(statuses=(*_CARRIED, AttemptStatus.VERIFYING))
        dues += [attempt.due_at for attempt in live]
        dues += [item.due_at for item in view.outbox(status=OutboxStatus.PENDING)]
        waiting = [due - now for due in dues if due is not None]
        soonest = min((wait for wait in waiting if wait > 0), default=_LONGEST_REST * 1e6)
        return max(0.01, min(_LONGEST_REST, soonest / 1e6))


def _due(
    view: View, now: Instant
) -> tuple[list[IncidentId], list[IncidentId], list[AttemptId], list[AttemptId]]:
    """Give the ids of the rows whose time has come, by stage."""
    return (
        [row.id for row in view.incidents([IncidentStatus.RESOLVED], due_by=now)],
        [row.id for row in view.incidents(_ON_LADDER, due_by=now)],
        [row.id for row in view.attempts(statuses=_CARRIED, due_by=now)],
        [row.id for row in view.attempts(statuses=[AttemptStatus.VERIFYING], due_by=now)],
    )


def _close(tx: Tx, out: AfterCommit, now: Instant) -> None:
    out.events.extend(incidents.close_resolved(tx, now))


def _climber(instance: Instance, number: IncidentId) -> Callable[[Tx, AfterCommit, Instant], None]:
    def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
        incident = tx.incident(number)
        if incident is not None and incident.status in _ON_LADDER:
            ladder.climb(Turn(tx, instance, incident, now, out))

    return work


def _carrier(
    instance: Instance, number: AttemptId, carry: Callable[[AttemptTurn], None]
) -> Callable[[Tx, AfterCommit, Instant], None]:
    def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
        attempt = tx.attempt(number)
        incident = tx.incident(attempt.incident) if attempt is not None else None
        if attempt is not None and incident is not None:
            carry(AttemptTurn(tx, instance, incident, now, out, attempt=attempt))

    return work
