"""Answers for the stages how an incident stands against its service levels: which clock calls.

What a clock is and when it calls is decided by decisions/sla.py. Only levels that somebody wrote
call, a vendor's promises and a deadline: the built-in level is shown, and pages nobody.
"""

from monitord.decisions import sla
from monitord.decisions.promises import is_new
from monitord.decisions.standing import clocks
from monitord.engine import telling
from monitord.engine.instance import Instance
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Incident
from monitord.model.ticket import Event
from monitord.store.around import clock_facts
from monitord.store.contract import Tx, View

CALLED = "sla-called"
"""The kind of the timeline's line that says that a clock has called."""


def running(view: View, instance: Instance, incident: Incident, now: Instant) -> list[sla.SlaClock]:
    """Give the clocks of an incident that may call."""
    facts = clock_facts(view, instance.catalog, incident)
    return clocks(instance.catalog, incident, facts, now)


def calls(view: View, instance: Instance, incident: Incident, now: Instant) -> list[sla.Alarm]:
    """Give the worst call of each clock that the timeline does not tell of yet, the worst first.

    A clock that is broken calls no more, and keeps no other from calling.
    """
    told: dict[tuple[object, object], float] = {}
    for event in view.events(incident.id):
        if event.kind == CALLED:  # each share of a clock is above the one before it
            told[event.data.get("sla"), event.data.get("promise")] = event.data.get("share", 0)
        else:
            for clock in [one for one in told if is_new(event, str(one[0]))]:
                del told[clock]
    come = (sla.pressing([clock], now=now) for clock in running(view, instance, incident, now))
    fresh = (
        alarm
        for alarm in come
        if alarm and alarm.share > told.get((alarm.clock.sla, str(alarm.clock.promise)), 0)
    )
    return sorted(fresh, key=lambda alarm: (-alarm.share, alarm.at))


def next_call(view: View, instance: Instance, incident: Incident, now: Instant) -> Instant | None:
    """Give when the next clock of an incident calls; None: none does any more."""
    alarm = sla.next_alarm(running(view, instance, incident, now), after=now)
    return alarm.at if alarm is not None else None


def line(incident: Incident, alarm: sla.Alarm, now: Instant) -> Event:
    """Give the line of the timeline that says that a clock has called."""
    clock = alarm.clock
    facts = {"sla": clock.sla, "promise": str(clock.promise), "share": alarm.share}
    return Event(incident.id, now, CALLED, sla.sentence(alarm), data=facts)


def changed(
    tx: Tx, instance: Instance, number: IncidentId, before: Instant | None, now: Instant
) -> None:
    """Have an incident looked at when its next clock calls, now that people changed its clocks.

    `before` is when that was until now: where it is what the incident waits for, it waits for its
    policy again.
    """
    incident = tx.incident(number)
    if incident is None:
        return
    waits = incident.page_at
    if waits is not None and waits == before:
        waits = telling.due(tx, instance, incident, now)
    at = now if calls(tx, instance, incident, now) else next_call(tx, instance, incident, now)
    looks = min((one for one in (at, waits) if one is not None), default=None)
    tx.change_incident(number, incident.status, page_at=looks)


def begin(tx: Tx, instance: Instance, number: IncidentId, now: Instant) -> None:
    """Have an incident of a new priority looked at when its first clock calls, if not sooner."""
    incident = tx.incident(number)
    if incident is None:
        return
    at = now if calls(tx, instance, incident, now) else next_call(tx, instance, incident, now)
    if at is not None:
        looks = min(at, incident.page_at or at)
        tx.change_incident(number, incident.status, page_at=looks)
