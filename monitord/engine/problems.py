"""Opens a problem when incidents of one key keep coming back; people say its cause, and its end.

What counts is decided by decisions/problems.py. A problem repairs nothing: it keeps history, cause
and cure together, and automation from mending the same thing for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass

from monitord.decisions import problems as decisions
from monitord.engine.instance import Instance
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import IncidentId, Instant
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.ticket import Event
from monitord.store.contract import Tx, View

_LIVE = (ProblemStatus.OPEN, ProblemStatus.KNOWN)
_MICRO = 1_000_000


def live(view: View, key: str) -> Problem | None:
    """Give the problem of a key that is not closed."""
    return next((one for one in view.problems(_LIVE) if one.key == key), None)


def look(tx: Tx, instance: Instance, number: IncidentId, now: Instant) -> list[Event]:
    """Put an incident that has just opened, or come back, to its problem; open one where due."""
    incident = tx.incident(number)
    if incident is None:
        return []
    rule = instance.catalog.settings.recurring
    since = _since(tx, instance, incident.key, now)
    former = tx.incidents_of(incident.key, since=since)
    count, found = decisions.times(former, since), live(tx, incident.key)
    if found is None and not decisions.is_problem(count, rule):
        return []
    name = decisions.title(incident.key, count, rule)
    if found is None:
        new = Problem(0, incident.key, ProblemStatus.OPEN, name, now, now, len(former))
        found_id = tx.add_problem(new)
        tx.add_audit(now, "monitord", "problem", incident.key, name)
        for one in former:
            tx.change_incident(one.id, one.status, problem=found_id)
        text = f"problem {found_id} opened at {new.tier}: {name}"
    else:
        found_id = found.id
        tx.change_problem(found.id, found.status, last=now, incidents=found.incidents + 1)
        tx.change_incident(number, incident.status, problem=found.id)
        cure = f"; what helped before: {found.cure}" if found.cure else ""
        text = f"belongs to problem {found.id}: {found.title}{cure}"
    event = Event(number, now, "problem", text, data={"problem": found_id})
    tx.add_events([event])
    return [event]


def barred(view: View, instance: Instance, key: str, now: Instant) -> str:
    """Say why automation leaves alone what it has fixed again and again; empty: it may act."""
    since = _since(view, instance, key, now)
    attempts = [
        attempt
        for incident in view.incidents_of(key, limit=20)
        for attempt in view.attempts(incident=incident.id)
    ]
    rule = instance.catalog.settings.recurring
    return decisions.barred(attempts, live(view, key), since, rule)


def _since(view: View, instance: Instance, key: str, now: Instant) -> Instant:
    """Give since when a key's failures count: once its problem was closed, its cause was gone."""
    span = int(instance.catalog.settings.recurring.within.total_seconds() * _MICRO)
    closed = (one.closed for one in view.problems([ProblemStatus.CLOSED]) if one.key == key)
    return max([instance.before(now, span), *(at for at in closed if at is not None)])


@dataclass(frozen=True, slots=True)
class Problems:
    """What people say of problems."""

    instance: Instance

    async def known(self, number: int, *, by: str, cause: str, cure: str) -> None:
        """Note the cause of a problem and what cures it: automation may act on its key again.

        Raises:
            NotFoundError: there is no such problem.
            CommandRefusedError: it is closed, or no cause is given.
        """
        if not cause.strip():
            raise CommandRefusedError("a known problem needs its cause; add --cause '…'")

        def work(tx: Tx, problem: Problem, now: Instant) -> None:
            said = {"cause": cause, "cure": cure or problem.cure, "owner": problem.owner or by}
            if problem.status is ProblemStatus.OPEN:
                tx.move_problem(number, problem.status, ProblemStatus.KNOWN, **said)
            else:
                tx.change_problem(number, problem.status, **said)
            tx.add_audit(now, by, "known", f"problem {number}", cause)

        await self._write(number, work)

    async def close(self, number: int, *, by: str, reason: str) -> None:
        """Close a problem whose cause is gone; errors as for `known`."""
        if not reason.strip():
            raise CommandRefusedError("closing needs a reason; add --reason '…'")

        def work(tx: Tx, problem: Problem, now: Instant) -> None:
            said = {"closed": now, "closed_by": by, "cure": problem.cure or reason}
            tx.move_problem(number, problem.status, ProblemStatus.CLOSED, **said)
            tx.add_audit(now, by, "close", f"problem {number}", reason)

        await self._write(number, work)

    async def _write(self, number: int, work: Callable[[Tx, Problem, Instant], None]) -> None:
        now = self.instance.now()

        def write(tx: Tx) -> None:
            problem = tx.problem(number)
            if problem is None:
                text = f"there is no problem {number}; `monitord problems` lists them"
                raise NotFoundError(text)
            if problem.status is ProblemStatus.CLOSED:
                raise CommandRefusedError(f"problem {number} is closed")
            work(tx, problem, now)

        await self.instance.store.write(write)
        self.instance.wake()
