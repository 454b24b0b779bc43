"""The stage from transitions to incidents: opens, joins, amends, resolves and reopens them.

What to do is decided by decisions/incidents.py; each transition is settled in the transaction that
acts on it, so that a kill between two of them repeats nothing and forgets nothing.
"""

from collections.abc import Collection, Mapping
from functools import partial

from monitord.clock import after
from monitord.decisions import incidents as decisions
from monitord.engine import (
    clocks,
    closing,
    inhibiting,
    parts,
    problems,
    raising,
    ranking,
    shadow,
    telling,
    ticketing,
)
from monitord.engine.instance import Instance
from monitord.engine.outages import Hard, Outages
from monitord.engine.picture import Picture
from monitord.engine.turn import AfterCommit
from monitord.engine.what_changed import begin as ask_what_changed
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import Transition
from monitord.model.ticket import Event
from monitord.secrets import veil
from monitord.store.contract import Tx

_AT_A_TIME = 500

_Made = decisions.Open | decisions.Reopen | decisions.Amend | decisions.Resolve


def settle_transitions(
    tx: Tx, instance: Instance, now: Instant, out: AfterCommit, *, only: int | None = None
) -> None:
    """Decide every transition that is not yet decided, or `only` the one of this number."""
    picture = Picture(tx)
    outages, hard = Outages(instance), Hard(tx)
    family = parts.Family(instance, picture.get, picture.sharing)
    for transition in tx.pending_transitions(_AT_A_TIME):
        if only not in (None, transition.id):
            continue
        outcomes, made = [], []
        # Their rows say who is in them: a reload may have changed groups and canaries since.
        holding = picture.holding(transition.key)
        keys = decisions.keys_to_look_at(
            transition, (*outages.candidates(transition.key), *holding)
        )
        touched = picture.some(keys)
        for decision in _decide(instance, transition, touched, now, outages, hard):
            lines, outcome = _apply(tx, instance, transition, decision, now, out)
            out.events.extend(lines)
            outcomes.append(outcome)
            if not isinstance(decision, decisions.Suppress):
                picture.read(_key(decision))
                made.append(decision)
            out.events.extend(_fold(tx, instance, decision, picture, outages, now))
        out.events.extend(parts.gather(tx, family, transition, now, picture.read))
        for decision in made:
            out.events.extend(_inhibit(tx, family, picture, decision, now))
        tx.settle_transition(transition.id, "; ".join(outcomes))
    # Once for a batch: who is told of others says of which.
    for number in {event.incident for event in out.events if event.kind == parts.TELLS}:
        incident = tx.incident(number)
        if incident is not None and incident.ticket is not None:
            out.events.extend(ticketing.open_or_update(tx, instance, number, now))


def _inhibit(
    tx: Tx, family: parts.Family, picture: Picture, decision: _Made, now: Instant
) -> list[Event]:
    """Inhibit what a decision has put under a rule; then tell of what came back, if people may."""
    events: list[Event] = []
    incident = picture.get(_key(decision))
    if incident is not None and inhibiting.bearings_of(family.instance):
        events = inhibiting.gather(tx, family, incident, now, picture.read)
        incident = tx.incident(incident.id)
    if incident is None or incident.ticket is None or incident.part_of:
        return events
    if isinstance(decision, decisions.Reopen):
        telling.again(tx, family.instance, incident, now)
        ticketing.open_or_update(tx, family.instance, incident.id, now)
    return events


def _key(decision: _Made) -> str:
    return decision.key if isinstance(decision, decisions.Open) else decision.incident.key


def _fold(
    tx: Tx,
    instance: Instance,
    decision: decisions.Decision,
    picture: Picture,
    outages: Outages,
    now: Instant,
) -> list[Event]:
    """Put what was opened before it could be seen that many fail into the outage of all of them."""
    if not isinstance(decision, decisions.Open | decisions.Reopen):
        return []
    key = _key(decision)
    outage = picture.get(key)
    if outage is None:
        return []
    events: list[Event] = []
    items = set(outage.items)
    for own in list(outages.foldable(tx, key, picture.get)):
        for part in tx.parts(own.id):
            tx.change_incident(part.id, part.status, part_of=outage.id)
        reason = f"part of incident {outage.id}, {key}"
        events.extend(
            closing.close_by_person(tx, instance, own.id, now, by="monitord", reason=reason) or ()
        )
        items.update(own.items)
        picture.read(own.key)
    if events:
        whole = tuple(sorted(items))
        tx.change_incident(outage.id, outage.status, items=whole)
        ranked = ranking.rank(instance, key, outage.severity, whole)
        events += raising.at_least(tx, instance, outage.id, ranked, now, "what it has taken in")
        picture.read(key)
    return events


def _decide(
    instance: Instance,
    transition: Transition,
    touched: Mapping[str, Incident],
    now: Instant,
    outages: Outages,
    hard: Hard,
) -> tuple[decisions.Decision, ...]:
    return decisions.decide(
        transition,
        touched,
        hard,
        now=now,
        reopen_within=instance.catalog.settings.reopen_within,
        joins=outages.joins(transition, touched),
    )


def _apply(
    tx: Tx,
    instance: Instance,
    transition: Transition,
    decision: decisions.Decision,
    now: Instant,
    out: AfterCommit,
) -> tuple[list[Event], str]:
    match decision:
        case decisions.Open():
            return _open(tx, instance, transition, decision, now, out)
        case decisions.Reopen():
            ask_what_changed(instance, decision.incident.id, decision.incident.key, out)
            return _reopen(tx, instance, transition, decision, now)
        case decisions.Amend():
            return _amend(tx, instance, transition, decision, now)
        case decisions.Resolve():
            return _resolve(tx, instance, decision, now, out)
        case decisions.Suppress():
            return [], f"suppressed: {decision.reason}"


def _open(
    tx: Tx,
    instance: Instance,
    transition: Transition,
    decision: decisions.Open,
    now: Instant,
    out: AfterCommit,
) -> tuple[list[Event], str]:
    older = tx.live_incident(decision.key)
    if older is not None:  # resolved too long ago to reopen, and not yet closed
        tx.move_incident(older.id, older.status, IncidentStatus.CLOSED, closed=now, due_at=None)
        ticketing.close(tx, older, now)
    check = instance.check(decision.key)
    host = instance.host(check)
    ranked = ranking.rank(instance, decision.key, decision.severity, [transition.key])
    number = tx.add_incident(
        Incident(
            id=IncidentId(0),  # the store numbers it
            key=decision.key,
            status=IncidentStatus.OPEN,
            severity=decision.severity,
            summary=transition.summary,
            opened=now,
            first_failed=transition.first_failed or transition.at,
            due_at=now,
            items=(transition.key,),
            host=host.name if host else "",
            customer=host.customer if host else "",
            site=host.site if host else "",
            priority=ranked,
            page_at=ranking.early(instance, ranked, now),
        )
    )
    clocks.begin(tx, instance, number, now)
    event = Event(
        number,
        now,
        "opened",
        f"{transition.key} is {decision.severity.name}: {transition.summary}",
        data={"key": decision.key, "severity": decision.severity.name} | _seen(transition),
    )
    tx.add_events([event])
    ask_what_changed(instance, number, decision.key, out)
    return [event, *problems.look(tx, instance, number, now)], f"opened incident {number}"


def _seen(transition: Transition) -> dict[str, str]:
    """Give what the result showed beyond its summary, as facts of a line; nothing where none."""
    saw = veil(transition.details)
    return {"saw": saw, "item": transition.key} if saw else {}


def _summary(key: str, items: Collection[str], transition: Transition) -> str:
    """Give what the newest item says; of an outage of many also how many fail."""
    if not decisions.is_many(key):
        return transition.summary
    return f"{len(items)} fail: {transition.summary}"


def _reopen(
    tx: Tx,
    instance: Instance,
    transition: Transition,
    decision: decisions.Reopen,
    now: Instant,
) -> tuple[list[Event], str]:
    incident = decision.incident
    ranked = ranking.rank(instance, incident.key, decision.severity, [transition.key])
    tx.move_incident(
        incident.id,
        IncidentStatus.RESOLVED,
        IncidentStatus.OPEN,
        severity=decision.severity,
        summary=transition.summary,
        items=(transition.key,),
        priority=ranked,
        page_at=telling.urged(instance, incident, ranked, now),
        due_at=now,
        resolved=None,
        cause="",
        waiting_for="",
        reopened=incident.reopened + 1,
        part_of=0,
        inhibited_by="",
    )
    text = f"{transition.key} is {decision.severity.name} again: {transition.summary}"
    data = {"key": incident.key} | _seen(transition)
    event = Event(incident.id, now, "reopened", text, data=data)
    tx.add_events([event])
    lines = [event, *problems.look(tx, instance, incident.id, now)]
    clocks.begin(tx, instance, incident.id, now)
    return lines, f"reopened incident {incident.id}"


def _amend(
    tx: Tx,
    instance: Instance,
    transition: Transition,
    decision: decisions.Amend,
    now: Instant,
) -> tuple[list[Event], str]:
    incident = decision.incident
    changes: dict[str, object] = {"items": decision.items, "severity": decision.severity}
    turned = decision.severity is Status.CRITICAL and incident.severity is not Status.CRITICAL
    if transition.key in decision.items:
        changes["summary"] = _summary(incident.key, decision.items, transition)
    ranked = _ranked(instance, transition, decision)
    tells = decision.severity is not incident.severity or ranked != incident.priority
    if tells:
        changes["priority"] = ranked
        changes["page_at"] = telling.urged(instance, incident, ranked, now)
    if turned and incident.status in (IncidentStatus.OPEN, IncidentStatus.WAITING):
        # What was left out for a WARNING answers a CRITICAL; budgets keep the rest from repeating.
        changes |= {"due_at": now, "rung": 0}
    tx.change_incident(incident.id, incident.status, **changes)
    verb = "joined by" if transition.key in decision.items else "left by"
    if transition.key in incident.items and transition.key in decision.items:
        verb = "changed by"
    text = f"{verb} {transition.key}: {transition.after.name}: {transition.summary}"
    if ranked != incident.priority:
        text = f"{text} ({incident.priority} → {ranked})"
    data = {"key": incident.key} | _seen(transition)
    event = Event(incident.id, now, "amended", text, data=data)
    tx.add_events([event])
    if tells:
        clocks.begin(tx, instance, incident.id, now)
    if incident.ticket is not None and tells:
        worse = tx.incident(incident.id) or incident
        telling.worse(tx, instance, worse, incident.priority, now)
        ticketing.open_or_update(tx, instance, incident.id, now)
    return [event], f"amended incident {incident.id}"


def _ranked(instance: Instance, transition: Transition, decision: decisions.Amend) -> str:
    """Give the priority of an incident that is amended; whoever joins can but raise it."""
    incident = decision.incident
    if decision.severity is not incident.severity:
        return ranking.anew(instance, incident, decision.severity, decision.items)
    joined = [transition.key] if transition.key in decision.items else []
    alone = ranking.rank(instance, incident.key, incident.severity, joined)
    return min(incident.priority, alone)


def _resolve(
    tx: Tx, instance: Instance, decision: decisions.Resolve, now: Instant, out: AfterCommit
) -> tuple[list[Event], str]:
    incident = decision.incident
    for attempt in tx.attempts(incident=incident.id):
        if closing.end_attempt(tx, attempt, now, "the check recovered by itself"):
            out.calls.append(partial(instance.beliefs.release, attempt.id, now))
    tx.move_incident(
        incident.id,
        incident.status,
        IncidentStatus.RESOLVED,
        cause=decision.cause,
        resolved=now,
        due_at=after(now, instance.catalog.settings.reopen_within),
        waiting_for="",
    )
    event = Event(incident.id, now, "resolved", f"resolved: {decision.cause}")
    lines = [event, *shadow.ended(tx, incident, now)]
    tx.add_events(lines)
    ticketing.resolve(tx, instance, incident.id, now)
    closing.let_go(tx, incident.id, now)
    return lines, f"resolved incident {incident.id}"
