"""Answers for the stages how an incident stands against its service levels: which clock calls.

What a clock is and when it calls is decided by decisions/sla.py. Only levels that somebody wrote
call: the built-in one is shown, and pages nobody.
"""

from monitord.decisions import sla
from monitord.decisions.standing import clocks
from monitord.engine.instance import Instance
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Incident
from monitord.model.ticket import Event
from monitord.store.contract import Tx, View

CALLED = "sla-called"
"""The kind of the timeline's line that says that a clock has called."""


def running(view: View, instance: Instance, incident: Incident, now: Instant) -> list[sla.SlaClock]:
    """Give the clocks of an incident that may call."""
    catalog, check = instance.catalog, instance.check(incident.key)
    return clocks(catalog, check, incident, view.events(incident.id), now, instance.steps)


def call(view: View, instance: Instance, incident: Incident, now: Instant) -> sla.Alarm | None:
    """Give the worst call that has come and that the timeline does not tell of yet."""
    alarm = sla.pressing(running(view, instance, incident, now), now=now)
    if alarm is None:
        return None
    told = [
        event.data.get("share", 0)
        for event in view.events(incident.id)
        if event.kind == CALLED
        and event.data.get("sla") == alarm.clock.sla
        and event.data.get("promise") == alarm.clock.promise
    ]
    return alarm if alarm.share > max(told, default=0) else None


def next_call(view: View, instance: Instance, incident: Incident, now: Instant) -> Instant | None:
    """Give when the next clock of an incident calls; None: none does any more."""
    alarm = sla.next_alarm(running(view, instance, incident, now), after=now)
    return alarm.at if alarm is not None else None


def line(incident: Incident, alarm: sla.Alarm, now: Instant) -> Event:
    """Give the line of the timeline that says that a clock has called."""
    clock = alarm.clock
    facts = {"sla": clock.sla, "promise": str(clock.promise), "share": alarm.share}
    return Event(incident.id, now, CALLED, sla.sentence(alarm), data=facts)


def begin(tx: Tx, instance: Instance, number: IncidentId, now: Instant) -> None:
    """Have a new incident looked at when its first clock calls, if not sooner."""
    incident = tx.incident(number)
    calls = next_call(tx, instance, incident, now) if incident is not None else None
    if incident is not None and calls is not None:
        looks = min(calls, incident.page_at or calls)
        tx.change_incident(number, incident.status, page_at=looks)
