"""GET /v1/now: the first page of console and terminal, whole: what needs a person, what is at work.

It reads rows and states and shapes them; what needs a person is decided in decisions/wanted.py.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from monitord.api import shapes, views
from monitord.api.access import Right
from monitord.api.handover import on_call
from monitord.api.routes import Asked, Route
from monitord.clock import after, between
from monitord.decisions import standing
from monitord.decisions.orders import touched
from monitord.decisions.ticket_document import iso
from monitord.decisions.verbs import IN_HAND, QUIET
from monitord.decisions.wanted import Want, in_hand, wanted
from monitord.model.catalog import Catalog
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Attempt, AttemptStatus, Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.model.ticket import Order, OutboxStatus, TicketStatus, Verb
from monitord.store.around import clock_facts, clock_facts_of
from monitord.store.contract import View

LATELY = timedelta(hours=8)
"""How long a repair is told of as done lately."""

_AT_WORK = (AttemptStatus.PLANNED, AttemptStatus.RUNNING, AttemptStatus.VERIFYING)
_LIVE = (*_AT_WORK, AttemptStatus.APPROVAL)
_BAD = frozenset({Status.WARNING, Status.UNKNOWN, Status.CRITICAL})
_QUIET = tuple(verb for verb in QUIET if verb not in IN_HAND)  # nobody is asked for anything
_TOGETHER = timedelta(days=1)
"""The clocks of what opened so lately are read at once: one by one, 200 are 800 questions."""

_MANY = 100_000
_SHOWN = 200
_FIXED_SHOWN = 12
_BAD_SHOWN = 8  # checks of one host


async def now_page(asked: Asked) -> Any:
    """GET /v1/now."""
    engine, now = asked.engine, asked.engine.now()
    catalog, states = engine.catalog, engine.states()
    problems = list(engine.health().problems)
    if not engine.counters.executor_up:
        problems.append("the executor does not answer: nothing is repaired over SSH")
    fresh = max((one.last_seen for one in states), default=Instant(0))

    def work(view: View) -> dict[str, Any]:
        page = document(view, catalog, states, problems, now)
        return {**page, "fresh": iso(fresh) if fresh else None}

    page = await engine.store.read(work)
    return {**page, "hosts": await asyncio.to_thread(hosts, catalog, states)}


def document(
    view: View,
    catalog: Catalog,
    states: Sequence[CheckState],
    problems: Sequence[str],
    now: Instant,
) -> dict[str, Any]:
    """Give all but the hosts."""
    incidents = view.incidents(OPEN_STATUSES, limit=_MANY)
    attempts = view.attempts(statuses=_LIVE)
    orders = view.orders(at=now)
    answered = _answered(view, catalog, incidents, orders)
    kept = _under(catalog, incidents, [one for one in orders if one.verb in _QUIET])
    breaks = _breaks(view, catalog, incidents, now)
    dead = len(view.outbox(status=OutboxStatus.DEAD, limit=100))
    told = [*problems, *([f"{dead} messages could not be delivered"] if dead else [])]
    loud = [one for one in incidents if one.id not in kept]
    wants = wanted(loud, attempts, answered=answered, breaks=breaks, problems=told)
    held = in_hand(incidents, answered=answered, breaks=breaks)
    fixed = view.attempts(statuses=[AttemptStatus.FIXED], since=after(now, -LATELY))
    return {
        **_instance(catalog, now),
        "needs": [_want(one) for one in wants[:_SHOWN]],
        "needs_total": len(wants),
        "in_hand": [
            {**_incident(one), "who": who, "by": iso(by)} for one, who, by in held[:_SHOWN]
        ],
        "muted": [
            {**_incident(one), **_order(kept[one.id])}
            for one in incidents
            if one.id in kept and one.id not in answered and not one.part_of
        ][:_SHOWN],
        "repairing": _repairing(view, incidents, attempts),
        "waiting": _waiting(loud, attempts),
        "parts": sum(1 for one in incidents if one.part_of),
        "fixed": [_fixed(one) for one in fixed[::-1][:_FIXED_SHOWN]],
        "orders": [shapes.order(one, now=now) for one in orders],
        "hidden": views.hidden(orders, catalog, states),
        "halted": [one.selector for one in orders if one.verb is Verb.HALT],
        "on_call": [on_call(view, catalog, one, now) for one in catalog.rotations.values()],
    }


def _instance(catalog: Catalog, now: Instant) -> dict[str, Any]:
    settings = catalog.settings
    return {
        "at": iso(now),
        "instance": settings.instance,
        "catalog": catalog.hash,
        "profile": settings.profile,
        "observe": settings.observe,
        "freeze": [
            {"until": iso(one.ends), "reason": one.reason, "selector": one.selector}
            for one in settings.freeze
            if one.starts <= now < one.ends
        ],
    }


def _waiting(loud: Sequence[Incident], attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Give what waits for automation, not for the answer of a person."""
    asking = {one.incident for one in attempts if one.status is AttemptStatus.APPROVAL}
    return [
        _incident(one)
        for one in loud
        if one.status in (IncidentStatus.OPEN, IncidentStatus.WAITING) and not one.part_of
        if one.id not in asking
    ][:_SHOWN]


def hosts(catalog: Catalog, states: Sequence[CheckState]) -> list[dict[str, Any]]:
    """Give every host with its worst status and what is bad on it, the worst hosts first."""
    worst = dict.fromkeys(catalog.hosts, Status.OK)
    bad: dict[str, list[CheckState]] = {}
    count = dict.fromkeys(catalog.hosts, 0)
    for one in states:
        name = one.key.partition("/")[0]
        if name not in worst:
            continue
        count[name] += 1
        if one.hard in _BAD or (one.soft and one.status in _BAD):
            bad.setdefault(name, []).append(one)
        if shapes.RANK[one.hard] > shapes.RANK[worst[name]]:
            worst[name] = one.hard
    rows = [
        {
            "host": name,
            "status": worst[name].name,
            "site": catalog.hosts[name].site,
            "groups": list(catalog.hosts[name].groups),
            "count": count[name],
            "bad_total": len(bad.get(name, ())),
            "bad": [
                _bad(one)
                for one in sorted(bad.get(name, ()), key=lambda one: -shapes.RANK[one.hard])
            ][:_BAD_SHOWN],
        }
        for name in catalog.hosts
    ]
    rank = {status.name: shapes.RANK[status] for status in Status}
    return sorted(rows, key=lambda row: (-rank[str(row["status"])], not row["bad"], row["host"]))


def _bad(one: CheckState) -> dict[str, Any]:
    return {
        "key": one.key,
        "status": one.hard.name if not one.soft or one.hard in _BAD else one.status.name,
        "soft": one.soft and one.hard not in _BAD,
        "flapping": one.flapping,
        "unreachable": one.unreachable,
        "stale": one.stale,
        "summary": one.summary,
    }


def _answered(
    view: View, catalog: Catalog, incidents: Sequence[Incident], orders: Sequence[Order]
) -> dict[IncidentId, str]:
    """Give who has said that they are on it: by an ack or take, or in the ticket system."""
    held = _under(catalog, incidents, [one for one in orders if one.verb in IN_HAND])
    acked = {one.incident for one in view.tickets([TicketStatus.ACKED])}
    found = {}
    for incident in incidents:
        if incident.id in held:
            found[incident.id] = held[incident.id].by
        elif incident.id in acked:
            found[incident.id] = "somebody, in the ticket system"
    return found


def _under(
    catalog: Catalog, incidents: Sequence[Incident], orders: Sequence[Order]
) -> dict[IncidentId, Order]:
    """Give the incidents all of whose checks some of these orders cover, and one of the orders."""
    by_key: dict[str, Order] = {}
    for order in orders:
        by_key |= dict.fromkeys(touched(catalog, order.selector, order.verb), order)
    found = {}
    for incident in incidents if by_key else ():
        keys = [check.key for check in standing.checks_of(catalog, incident)]
        if keys and all(key in by_key for key in keys):
            found[incident.id] = by_key[keys[0]]
    return found


def _breaks(
    view: View, catalog: Catalog, incidents: Sequence[Incident], now: Instant
) -> dict[IncidentId, Instant]:
    """Give when the next promise about each escalated incident breaks."""
    found = {}
    since = after(now, -_TOGETHER)
    facts_of = clock_facts_of(view, catalog, since, after(now, timedelta(seconds=1)))
    for incident in incidents:
        if incident.status is not IncidentStatus.ESCALATED or incident.part_of:
            continue
        lately = since <= incident.opened <= now
        facts = facts_of(incident) if lately else clock_facts(view, catalog, incident)
        running = standing.clocks(catalog, incident, facts, now)
        ends = [clock.breaks_at for clock in running if clock.breaks_at is not None]
        if ends:
            found[incident.id] = min(ends)
    return found


def _repairing(
    view: View, incidents: Sequence[Incident], attempts: Sequence[Attempt]
) -> list[dict[str, Any]]:
    by_id = {one.id: one for one in incidents}
    shown = []
    for attempt in attempts:
        if attempt.status not in _AT_WORK or attempt.incident not in by_id:
            continue
        steps = view.steps(attempt.id)
        shown.append(
            {
                **_incident(by_id[attempt.incident]),
                "attempt": attempt.id,
                "runbook": attempt.runbook,
                "attempt_status": attempt.status.value,
                "step": shapes.step(steps[-1]) if steps else None,
                "steps": len(steps),
                "oks": attempt.oks,
                "started": iso(attempt.started),
                "deadline": iso(attempt.deadline),
            }
        )
    return shown[:_SHOWN]


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "incident": one.id,
        "key": one.key,
        "status": one.status.value,
        "severity": one.severity.name,
        "priority": one.priority,
        "tier": one.tier,
        "summary": one.summary,
        "first_failed": iso(one.first_failed),
        "waiting_for": one.waiting_for,
        "items": len(one.items),
    }


def _order(one: Order) -> dict[str, Any]:
    return {"verb": one.verb.value, "who": one.by, "until": iso(one.expires), "why": one.reason}


def _want(one: Want) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "text": one.text,
        "by": iso(one.by),
        "by_what": one.by_what,
        "priority": one.priority,
        "since": iso(one.since),
        "incident": one.incident,
        "attempt": one.attempt,
        "key": one.key,
    }


def _fixed(one: Attempt) -> dict[str, Any]:
    took = between(one.planned, one.finished) if one.finished is not None else timedelta()
    return {
        "attempt": one.id,
        "incident": one.incident,
        "key": one.key,
        "runbook": one.runbook,
        "at": iso(one.finished),
        "took": int(took.total_seconds()),
    }


NOW = (Route("GET", "/v1/now", Right.READ, now_page, "what needs a person, what is at work"),)
