"""What a person does who hands an incident on: the next of its policy is told at once.

Whom that is is decided by decisions/paging.py; the paging stage goes on from there. The ack or take
of who hands it on, and of all before, holds this incident no more; a mute or maintenance does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitord.decisions import paging as decisions
from monitord.decisions.handing import HANDED_ON
from monitord.engine import paging, telling, ticketing
from monitord.engine.duty import on_call
from monitord.engine.instance import Instance
from monitord.engine.turn import AfterCommit, Turn
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import IncidentId
from monitord.model.incident import OPEN_STATUSES
from monitord.model.policy import Policy, PolicyStep
from monitord.model.ticket import Event
from monitord.store.contract import Tx


@dataclass(frozen=True, slots=True)
class Handing:
    """Hands incidents on in a person's name."""

    instance: Instance

    async def on(self, number: IncidentId, *, by: str, reason: str) -> Mapping[str, Any]:
        """Tell the next of an incident's policy now; gives {"tier", "people", "vendors"}.

        Raises:
            NotFoundError: there is no such incident.
            CommandRefusedError: it is over, part of another, has no policy, everybody was told,
                nobody of the rest is on call, or an order keeps it quiet.
        """
        if not reason.strip():
            raise CommandRefusedError("handing it on needs a reason; add --reason '…'")
        out = AfterCommit()

        def work(tx: Tx) -> Mapping[str, Any]:
            incident = tx.incident(number)
            if incident is None:
                text = f"there is no incident {number}; `monitord incidents` lists them"
                raise NotFoundError(text)
            return _hand_on(Turn(tx, self.instance, incident, self.instance.now(), out), by, reason)

        told = await self.instance.store.write(work)
        out.run(self.instance)
        self.instance.wake()
        return told


def _hand_on(turn: Turn, by: str, reason: str) -> Mapping[str, Any]:
    tx, instance, now = turn.tx, turn.instance, turn.now
    policy = _policy(turn)
    event = Event(turn.incident.id, now, HANDED_ON, f"{by} hands it on: {reason}", by)
    tx.add_events([event])
    turn.after.events.append(event)
    tx.add_audit(now, by, "next", f"incident {turn.incident.id}", reason)
    order = ticketing.kept_quiet(tx, instance, turn.incident, now)
    if order is not None:
        raise CommandRefusedError(
            f"the {order.verb} of {order.selector} by {order.by} keeps people quiet until it ends"
            f" ({order.reason}); `monitord resume {order.id}` ends it"
        )
    if turn.incident.ticket is None:
        turn.after.events.extend(ticketing.open_or_update(tx, instance, turn.incident.id, now))
        turn.incident = tx.incident(turn.incident.id) or turn.incident

    def there(step: PolicyStep) -> bool:
        return bool(decisions.vendors(step) or _others(turn, step, by))

    move = decisions.hand_on(policy, turn.incident, there, reason=event.text, now=now)
    if isinstance(move, decisions.Hold):
        raise CommandRefusedError(f"incident {turn.incident.id} cannot be handed on: {move.reason}")
    paging.tell_step(turn, move)
    people = _told(turn, move.step)
    vendors = list(decisions.vendors(move.step))
    return {"tier": turn.incident.tier, "people": people, "vendors": vendors}


def _policy(turn: Turn) -> Policy:
    """Give the policy of an incident that can be handed on."""
    incident = turn.incident
    named = f"incident {incident.id} ({incident.key})"
    if incident.status not in OPEN_STATUSES:
        raise CommandRefusedError(f"{named} is {incident.status}: nobody need be called")
    if incident.part_of:
        main = f"monitord incident {incident.part_of} next"
        raise CommandRefusedError(f"{named} is part of another, which tells people: {main}")
    policy = telling.policy_of(turn.instance, incident)
    if policy is None:
        raise CommandRefusedError(
            f"{named} has no policy, so nobody is next; write `policy:` (docs/escalation.md)"
        )
    return policy


def _told(turn: Turn, step: PolicyStep) -> list[str]:
    tx, instance, now = turn.tx, turn.instance, turn.now
    return list(decisions.told(step, lambda name: on_call(tx, instance, name, now)))


def _others(turn: Turn, step: PolicyStep, by: str) -> list[str]:
    """Give who of a step is there besides the person who asks."""
    known = turn.instance.catalog.people
    return [name for name in _told(turn, step) if name not in known or known[name].login != by]
