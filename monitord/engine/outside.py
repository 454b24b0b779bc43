"""Outside work of an attempt: it begins after the commit, and a bug in it strands no row.

While it is under way its row has no due time, so whatever raises must give it one again.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from monitord.clock import after
from monitord.engine.instance import Instance
from monitord.engine.turn import AttemptTurn
from monitord.log import get_logger
from monitord.model.catalog import Check
from monitord.model.ids import AttemptId
from monitord.model.incident import LIVE_ATTEMPTS, Attempt
from monitord.model.result import Result, Status
from monitord.store.contract import Tx

log = get_logger(__name__)

_AFTER_TROUBLE = timedelta(minutes=1)

Work = Coroutine[Any, Any, None]


def begin(turn: AttemptTurn, make: Callable[[], Work]) -> None:
    """Let the attempt's row rest, and begin the work when that is committed."""
    instance, attempt = turn.instance, turn.attempt
    turn.tx.change_attempt(attempt.id, attempt.status, due_at=None)
    turn.start(name_of(attempt), lambda: guarded(instance, attempt, make))


def name_of(attempt: Attempt) -> str:
    """Give the name under which an attempt's work, and its row, are busy."""
    return f"attempt {attempt.id}"


async def guarded(instance: Instance, attempt: Attempt, make: Callable[[], Work]) -> None:
    """Do it; a bug sets the row aside for a minute, as one inside a stage does."""
    try:
        await make()
    except Exception:
        log.exception("outside work failed", work=name_of(attempt))
        await due_in(instance, attempt.id, _AFTER_TROUBLE)


async def due_in(instance: Instance, number: AttemptId, wait: timedelta) -> None:
    """Make a live attempt that rests due again."""
    at = after(instance.now(), wait)

    def work(tx: Tx) -> None:
        live = tx.attempt(number)
        if live is None or live.due_at is not None:
            return
        if live.status in LIVE_ATTEMPTS or live.undoing:
            tx.change_attempt(number, live.status, due_at=at)

    await instance.insist(work)


async def look(instance: Instance, check: Check, items: Sequence[str]) -> list[Status]:
    """Run a check now and give the statuses of an incident's items; one not seen is UNKNOWN."""
    results = await _run(instance, check)
    by_key = {f"{check.key}/{r.item}" if r.item else str(check.key): r.status for r in results}
    return [by_key.get(item, Status.UNKNOWN) for item in items]


async def whole(instance: Instance, check: Check | None) -> list[Status]:
    """Run a check now and give the statuses of all that it sees; none where it is gone."""
    return [] if check is None else [result.status for result in await _run(instance, check)]


async def _run(instance: Instance, check: Check) -> Sequence[Result]:
    try:
        results = (await instance.probing.look([check])).get(check.key, [])
    except Exception:
        log.exception("probe failed", check=check.key)  # a bug proves nothing: UNKNOWN
        return []
    instance.beliefs.keep(check, results, instance.now())
    return results
