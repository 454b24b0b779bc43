"""Puts incidents under the one of what they hang on, and lets them stand on their own again.

Who belongs to whom is decided by decisions/correlation.py and decisions/reach.py. An incident that
is part of another keeps its row, ladder position and clocks: nothing of it is repaired, its ticket
is resolved, and people hear of the other one. No incident ends here.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from monitord.clock import after
from monitord.decisions import correlation
from monitord.decisions.incidents import UNKNOWNS
from monitord.decisions.reach import Reach, hangs_on, reach
from monitord.engine import closing, raising, telling, ticketing
from monitord.engine.instance import Instance
from monitord.engine.outages import Outages
from monitord.engine.situation import checks_of, states_of
from monitord.engine.turn import Turn
from monitord.model.catalog import Check, Requirement
from monitord.model.ids import EPOCH, CheckKey, IncidentId, Instant, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, AttemptStatus, Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import Change, CheckState, Transition
from monitord.model.ticket import PART_OF, Event
from monitord.store.contract import Tx, View

TELLS = "parts"
"""The kind of the timeline's line that says of which others people hear here."""

_LOOK_AGAIN = timedelta(seconds=15)
_PATIENCE = timedelta(minutes=5)
_ON_LADDER = (IncidentStatus.OPEN, IncidentStatus.WAITING, IncidentStatus.ESCALATED)
_DOWN = frozenset({Status.CRITICAL, Status.UNKNOWN})
_NAMED = 5  # parts that a line of the timeline names; the others are counted


@dataclass(frozen=True, slots=True)
class Family:
    """Which incident tells of what hangs on what.

    `find` gives the live incident of a key, `sharing` the keys of those that a check shares.
    """

    instance: Instance
    find: Callable[[str], Incident | None]
    sharing: Callable[[CheckKey], Collection[str]]

    def children(self, transition: Transition) -> Iterator[Incident]:
        """Give the incidents that may be part of another since a transition, each once."""
        key = split_state_key(transition.key)[0]
        found: list[CheckKey] = []
        if transition.change is Change.UNREACHABLE:
            found = [key, *self.instance.beliefs.hanging_on(key)]
        elif transition.change is Change.HARD and transition.after in _DOWN:
            found = [*self.instance.beliefs.hanging_on(key)]
        names = dict.fromkeys(name for each in found for name in (each, *self.sharing(each)))
        for incident in map(self.find, names):
            if incident is not None and incident.status in OPEN_STATUSES and not incident.part_of:
                yield incident

    def teller(self, incident: Incident) -> Incident | None:
        """Give the incident of what all of this one hangs on, where that is down; else None."""
        beliefs, severity = self.instance.beliefs, incident.severity
        checks = checks_of(self.instance, incident)
        if severity is Status.OK or not checks:
            return None
        if any(beliefs.reach_of(check, severity) is not Reach.DOWN for check in checks):
            return None
        found = self.above(checks[0], severity, set())
        if found is None or found.id == incident.id:
            return None
        within = self.instance.catalog.settings.correlate.within
        began = _began(self.instance, incident), _began(self.instance, found)
        return found if correlation.shares_cause(*began, within) else None

    def above(self, check: Check, status: Status, seen: set[CheckKey]) -> Incident | None:
        """Give the incident of the nearest of a check's parents that is down and has one."""
        seen.add(check.key)
        beliefs, host = self.instance.beliefs, self.instance.catalog.hosts[check.host]
        needs = hangs_on(check, host, status)
        for key in dict.fromkeys(key for need in needs for key in need.keys):
            one = (Requirement("all", (key,)),)
            down = reach(one, beliefs.believed, via=check.via, canaries=host.vantage.keys)
            if key in seen or down is not Reach.DOWN:
                continue
            parent = self.instance.check(key)
            own = self._of(key)
            if own is None and parent is not None:
                own = self.above(parent, Status.UNKNOWN, seen)
            if own is not None:
                return own
        return None

    def _of(self, key: CheckKey) -> Incident | None:
        """Give the incident in which a parent is that is down."""
        for incident in map(self.find, (key, *self.sharing(key))):
            on = incident is not None and incident.status in OPEN_STATUSES
            if on and incident is not None and incident.severity in _DOWN:
                return incident
        return None


def _began(instance: Instance, incident: Incident) -> Instant:
    """Give when what is bad of an incident now began to fail."""
    since = (state.first_failed for state in states_of(instance, incident))
    return min((at for at in since if at is not None), default=incident.first_failed)


def gather(
    tx: Tx, family: Family, transition: Transition, now: Instant, joined: Callable[[str], None]
) -> list[Event]:
    """Put what a transition has shown to hang on another outage under that outage's incident.

    `joined` is told each incident's key.
    """
    under: defaultdict[IncidentId, list[str]] = defaultdict(list)
    events: list[Event] = []
    for incident in family.children(transition):
        parent = family.teller(incident)
        if parent is not None and not leads_to(tx, parent, incident.id):
            events.extend(_join(tx, family.instance, incident, parent, now))
            under[parent.id].append(incident.key)
            joined(incident.key)
    lines = [
        Event(number, now, TELLS, f"people hear here of {_listed(names)} too")
        for number, names in under.items()
    ]
    tx.add_events(lines)
    return [*events, *lines]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def leads_to(view: View, incident: Incident, number: IncidentId) -> bool:
    """Tell whether an incident is part of the one of this number, however far away."""
    row: Incident | None = incident
    while row is not None and row.part_of:
        if row.part_of == number:
            return True
        row = view.incident(IncidentId(row.part_of))
    return False


def _join(
    tx: Tx, instance: Instance, incident: Incident, parent: Incident, now: Instant
) -> list[Event]:
    reason = _reason(parent)
    for attempt in tx.attempts(incident=incident.id, statuses=[AttemptStatus.APPROVAL]):
        closing.end_attempt(tx, attempt, now, reason)
    changes: dict[str, object] = {"part_of": parent.id, "inhibited_by": "", "waiting_for": reason}
    if incident.status in _ON_LADDER:
        changes["due_at"] = after(now, _LOOK_AGAIN)
    tx.change_incident(incident.id, incident.status, **changes)
    event = Event(incident.id, now, PART_OF, reason, data={"incident": parent.id})
    tx.add_events([event])
    ticketing.resolve(tx, instance, incident.id, now)
    why = f"it tells of {incident.key} too"
    return [event, *raising.at_least(tx, instance, parent.id, incident.priority, now, why)]


def _reason(parent: Incident) -> str:
    return f"part of incident {parent.id}, {parent.key}: that incident tells it"


def look(turn: Turn) -> bool:
    """Tell whether the turn's incident stands on its own; one that is part of another waits."""
    incident, tx, instance, now = turn.incident, turn.tx, turn.instance, turn.now
    if not incident.part_of:
        return True
    other = tx.incident(IncidentId(incident.part_of))
    ended, checks = _ended(other), checks_of(instance, incident)
    alone = correlation.stands_alone(
        _items(instance, incident),
        joined=_joined(tx, incident),
        ended=ended,
        now=now,
        patience=max(_PATIENCE, 2 * max((one.every for one in checks), default=timedelta())),
    )
    if alone:
        name = f"incident {other.id}, {other.key}" if other is not None else "another incident"
        leave(turn, f"it is still bad by itself, no longer part of {name}")
        return True
    changes: dict[str, object] = {"due_at": after(now, _LOOK_AGAIN)}
    if other is not None:
        changes["waiting_for"] = _reason(other)
    tx.change_incident(incident.id, incident.status, **changes)
    if ended is not None:
        keys = [check.key for check in checks]
        turn.after.calls.append(partial(instance.beliefs.recheck, keys))
        found = family_of(tx, instance).teller(incident)
        if found is not None and not leads_to(tx, found, incident.id):
            turn.after.events.extend(_join(tx, instance, incident, found, now))
    return False


def is_told(turn: Turn) -> bool:
    """Tell whether an incident tells of what the turn's hangs on, or may do so in a moment."""
    incident, instance = turn.incident, turn.instance
    family = family_of(turn.tx, instance)
    above = (family.above(each, incident.severity, set()) for each in checks_of(instance, incident))
    return turn.now < after(incident.opened, _PATIENCE) or any(above)


def family_of(view: View, instance: Instance) -> Family:
    """Give the family for one incident: only what is asked for is looked up."""
    outages = Outages(instance)

    def sharing(check: CheckKey) -> list[str]:
        names = outages.candidates(StateKey(check))
        rows = (view.live_incident(name) for name in (*names, *UNKNOWNS))
        items = ((row.key, row.items) for row in rows if row is not None)
        return [key for key, of in items if any(_check(item) == check for item in of)]

    return Family(instance, view.live_incident, sharing)


def _check(item: str) -> CheckKey:
    return split_state_key(StateKey(item))[0]


def _ended(other: Incident | None) -> Instant | None:
    """Give when the incident was over that another is part of; None: it is not."""
    if other is None:
        return EPOCH
    if other.status in OPEN_STATUSES:
        return None
    return other.resolved if other.resolved is not None else other.closed


def _joined(view: View, incident: Incident) -> Instant:
    told = (event.at for event in view.events(incident.id) if event.kind == PART_OF)
    return max(told, default=incident.opened)


def _items(instance: Instance, incident: Incident) -> Iterator[tuple[CheckState, Reach]]:
    for state in states_of(instance, incident):
        check = instance.check(split_state_key(state.key)[0])
        if check is not None:
            yield state, instance.beliefs.reach_of(check, state.status)


def leave(turn: Turn, why: str) -> None:
    """Let the turn's incident stand on its own: people hear of it, by its own clock."""
    tx, number, now = turn.tx, turn.incident.id, turn.now
    fresh = {"part_of": 0, "inhibited_by": "", "waiting_for": "", "due_at": now}
    tx.change_incident(number, turn.incident.status, **fresh)
    turn.note("alone", why)
    turn.incident = tx.incident(number) or turn.incident
    if turn.incident.ticket is not None:
        telling.again(tx, turn.instance, turn.incident, now, why)
    if turn.incident.ticket is not None or turn.incident.status is IncidentStatus.ESCALATED:
        lines = ticketing.open_or_update(tx, turn.instance, number, now)
        turn.after.events.extend(lines)
        turn.incident = tx.incident(number) or turn.incident
