"""Keeps people from being told of what a rule of `inhibit:` says another incident tells.

Which rule bears on what is decided by decisions/inhibition.py. An inhibited incident keeps its
state, timeline and clocks, and is repaired unless its rule holds that; it only has no ticket and
pages nobody until its source is over.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from monitord.clock import after
from monitord.decisions.inhibition import Bearing, bearings
from monitord.decisions.standing import checks_of
from monitord.engine import parts, ticketing
from monitord.engine.instance import Instance
from monitord.engine.situation import states_of
from monitord.engine.turn import Turn
from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.model.notice import NoticeStatus
from monitord.model.result import Status
from monitord.model.ticket import PART_OF, Event
from monitord.store.contract import Tx, View

_LOOK_AGAIN = timedelta(seconds=15)
_BAD = frozenset({Status.WARNING, Status.CRITICAL, Status.UNKNOWN})
_ALL = 100_000  # notices of one incident


def bearings_of(instance: Instance) -> tuple[Bearing, ...]:
    """Give what each rule bears on in the catalog of the moment, worked out once for it."""
    catalog, known = instance.inhibiting
    if catalog is not instance.catalog:
        known = bearings(instance.catalog)
        instance.inhibiting = (instance.catalog, known)
    return known


def source_of(
    view: View, family: parts.Family, incident: Incident
) -> tuple[Incident, Bearing] | None:
    """Give the incident that inhibits this one, and by which rule: the first that is written."""
    mine = _keys(family, incident)
    for bearing in bearings_of(family.instance):
        for source in _open(family, bearing.sources.near(mine, bearing.targets)):
            told = bearing.inhibits(source, _keys(family, source), incident, mine)
            if told and not parts.leads_to(view, source, incident.id):
                return source, bearing
    return None


def gather(
    tx: Tx, family: parts.Family, incident: Incident, now: Instant, joined: Callable[[str], None]
) -> list[Event]:
    """Inhibit this incident, or what it inhibits itself; `joined` is told each one's key."""
    events: list[Event] = []
    if not incident.part_of and incident.status in OPEN_STATUSES:
        found = source_of(tx, family, incident)
        if found is not None:
            events += _inhibit(tx, family.instance, incident, *found, now)
            joined(incident.key)
    mine = _keys(family, incident)
    for bearing in bearings_of(family.instance):
        for target in list(_open(family, bearing.targets.near(mine, bearing.sources))):
            if target.part_of or not bearing.inhibits(
                incident, mine, target, _keys(family, target)
            ):
                continue
            if not parts.leads_to(tx, incident, target.id):
                events += _inhibit(tx, family.instance, target, incident, bearing, now)
                joined(target.key)
    return events


def told_of(
    view: View, instance: Instance, key: CheckKey, incident: Incident | None
) -> list[dict[str, Any]]:
    """Give the rules that may keep people from being told of a check, and which does now."""
    source = view.incident(IncidentId(incident.part_of)) if incident is not None else None
    found = (one.rule for one in bearings_of(instance) if key in one.targets.classes)
    return [
        {
            "rule": rule.name,
            "source": rule.source,
            "by": source.key
            if source is not None and incident is not None and incident.inhibited_by == rule.name
            else "",
            "repair": "hold" if rule.holds else "on",
        }
        for rule in found
    ]


def look(turn: Turn) -> bool:
    """Tell whether the turn's incident goes its way; one that its rule holds waits.

    So does one that has been handed over: nobody is told yet.
    """
    incident, tx, instance, now = turn.incident, turn.tx, turn.instance, turn.now
    family = parts.family_of(tx, instance)
    rule = _still(tx, family, incident)
    if rule is None:
        found = source_of(tx, family, incident)
        if found is None:
            return _let_go(turn)
        turn.after.events.extend(_inhibit(tx, instance, incident, *found, now))
        turn.incident = incident = tx.incident(incident.id) or incident
        rule = found[1]
    if not rule.rule.holds and incident.status is not IncidentStatus.ESCALATED:
        return True
    tx.change_incident(incident.id, incident.status, due_at=after(now, _LOOK_AGAIN))
    return False


def _still(view: View, family: parts.Family, incident: Incident) -> Bearing | None:
    """Give the rule by which an incident is inhibited, if its source is still on."""
    source = view.incident(IncidentId(incident.part_of))
    known = (one for one in bearings_of(family.instance) if one.rule.name == incident.inhibited_by)
    rule = next(known, None)
    if source is None or rule is None:
        return None
    of_source, mine = _keys(family, source), _keys(family, incident)
    return rule if rule.inhibits(source, of_source, incident, mine) else None


def _let_go(turn: Turn) -> bool:
    """Have people hear of what is still bad once its source is over; what answers may recover."""
    incident, instance = turn.incident, turn.instance
    if not any(state.status in _BAD for state in states_of(instance, incident)):
        soon = after(turn.now, _LOOK_AGAIN)
        turn.tx.change_incident(incident.id, incident.status, due_at=soon)
        return False
    parts.leave(turn, f"no longer inhibited by {incident.inhibited_by}: it is still bad")
    return True


def _inhibit(
    tx: Tx, instance: Instance, incident: Incident, source: Incident, by: Bearing, now: Instant
) -> list[Event]:
    rule = by.rule.name
    changes = {"part_of": source.id, "inhibited_by": rule}
    tx.change_incident(incident.id, incident.status, **changes)
    for notice in tx.notices(incident=incident.id, status=NoticeStatus.PENDING, limit=_ALL):
        tx.move_notice(notice.id, notice.status, NoticeStatus.VOID)
    said = f"inhibited by {rule}: people hear of incident {source.id}, {source.key}, meanwhile"
    facts = {"incident": source.id, "rule": rule}
    lines = [
        Event(incident.id, now, PART_OF, said, data=facts),
        Event(
            source.id, now, parts.TELLS, f"people hear here of {incident.key} too, by rule {rule}"
        ),
    ]
    tx.add_events(lines)
    ticketing.remark(tx, instance, incident.id, said, now)
    return lines


def _keys(family: parts.Family, incident: Incident) -> list[CheckKey]:
    return [check.key for check in checks_of(family.instance.catalog, incident)]


def _open(family: parts.Family, keys: Iterable[CheckKey]) -> Iterator[Incident]:
    """Give the incidents that are on in which these checks are, each once."""
    names = dict.fromkeys(name for key in keys for name in (key, *family.sharing(key)))
    for incident in map(family.find, names):
        if incident is not None and incident.status in OPEN_STATUSES:
            yield incident
