"""The service levels as the API and the command line without a core show them.

It reads rows and shapes them; what counts, and how, stands in decisions/sla.py and availability.py.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from monitord.api import shapes
from monitord.decisions import promises, sla, watched
from monitord.decisions.availability import Correction, measure
from monitord.decisions.budget import Budget, budget
from monitord.decisions.calendars import is_open, next_open, open_periods
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, IncidentId, Instant, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.sla import Sla
from monitord.model.spec import format_duration
from monitord.model.state import CheckState
from monitord.store.around import clock_facts
from monitord.store.contract import View
from monitord.store.measured import account_of

_MANY = 100_000  # more than any retention keeps
_SECOND = 1_000_000


def document(
    view: View,
    catalog: Catalog,
    states: Sequence[CheckState],
    *,
    service: str,
    now: Instant,
    only: IncidentId | None = None,
) -> dict[str, Any]:
    """Give the levels in force, and the clocks of the open incidents; of one service or of all.

    Of one service also its availability in the window that is on; `only` one incident's clocks.

    Raises:
        NotFoundError: there is no such service.
    """
    if service and service not in catalog.services:
        known = ", ".join(sorted(catalog.services)) or "none is configured"
        raise NotFoundError(f"there is no service {service}; there are: {known}")
    names = {service} if service else set(catalog.services)
    levels = sla.of_services(catalog, names) if service else tuple(catalog.slas.values())
    rows = []
    for incident in view.incidents(OPEN_STATUSES, limit=_MANY):
        own = services_of(catalog, incident)
        if (not service or service in own) and only in (None, incident.id):
            held = sla.of_services(catalog, [service] if service else own)
            facts = clock_facts(view, catalog, incident)
            running = promises.running(incident, held, catalog.vendors, facts, now)
            rows.append(_incident(incident, own, facts, running, now))
    answer: dict[str, Any] = {
        "slas": [_level(catalog, one, now) for one in levels],
        "incidents": rows,
    }
    if service:
        one = catalog.services[service]
        answer["availability"] = availability(view, catalog, states, one, levels[0], now)
    return answer


def services_of(catalog: Catalog, incident: Incident) -> list[str]:
    """Give the services of the checks that an incident is about, in their order."""
    keys = [CheckKey(incident.key), *(split_state_key(StateKey(key))[0] for key in incident.items)]
    checks = [catalog.checks[key] for key in dict.fromkeys(keys) if key in catalog.checks]
    return list(dict.fromkeys(name for check in checks for name in check.services))


def _level(catalog: Catalog, of: Sla, now: Instant) -> dict[str, Any]:
    members = [
        name for name, one in catalog.services.items() if sla.of_services(catalog, [name]) == (of,)
    ]
    return {
        "sla": of.name,
        "calendar": of.calendar.name,
        "open": is_open(of.calendar, now),
        "opens": iso(next_open(of.calendar, now)),
        "services": members,
        "warn": list(of.warn),
        "availability": of.availability,
        "window": of.window,
        "targets": {
            priority: {
                "respond": _duration(target.respond),
                "resolve": _duration(target.resolve),
                "calendar": target.calendar.name,
            }
            for priority, target in of.targets.items()
        },
    }


def _duration(value: timedelta | None) -> str | None:
    return None if value is None else format_duration(value)


def _incident(
    incident: Incident,
    services: list[str],
    facts: promises.Facts,
    running: Sequence[sla.SlaClock],
    now: Instant,
) -> dict[str, Any]:
    worst = sla.pressing(running, now=now)
    soonest = sla.next_alarm(running, after=now)
    breaks = [clock.breaks_at for clock in running if clock.breaks_at is not None]
    return {
        "incident": incident.id,
        "key": incident.key,
        "priority": incident.priority,
        "status": incident.status.value,
        "services": services,
        "summary": incident.summary,
        "first_failed": iso(incident.first_failed),
        "responded": iso(sla.course_of(incident, facts.events).responded),
        "says": sla.sentence(worst) if worst else "",
        "next_call": iso(soonest.at) if soonest else None,
        "breaks_at": iso(min(breaks, default=None)),
        "deadline": shapes.deadline(promises.deadline(facts.events)),
        "pauses": [shapes.pause(row, now=now) for row in promises.lasting(facts.pauses, now)],
        "clocks": [_clock(clock) for clock in running],
    }


def _clock(of: sla.SlaClock) -> dict[str, Any]:
    return {
        "sla": of.sla,
        "whose": of.whose,
        "promise": of.promise.value,
        "allowed": format_duration(of.allowed),
        "elapsed": _seconds(of.elapsed),
        "remaining": _seconds(of.remaining),
        "due": iso(of.due),
        "breaks_at": iso(of.breaks_at),
        "breached": of.breached,
        "stopped": iso(of.stopped),
        "paused": of.paused,
        "goes_on": iso(of.goes_on),
    }


def _seconds(value: timedelta) -> int:
    """Give whole seconds, never more than there are."""
    return value // timedelta(seconds=1)


def availability(
    view: View,
    catalog: Catalog,
    states: Sequence[CheckState],
    service: Service,
    level: Sla,
    now: Instant,
) -> dict[str, Any]:
    """Give how available a service was in the window that is on, and what it has left of that."""
    start, end = watched.window_of(level, now)
    window = (start, min(end, now))
    account = account_of(view, catalog, states, service, level, window)
    found = measure(account)
    may = budget(found, open_periods(level.calendar, start, end), level.availability)
    return {
        "window": level.window,
        "from": iso(start),
        "until": iso(window[1]),
        "target": level.availability,
        "share": None if found.share is None else round(found.share, 6),
        "met": None
        if level.availability is None or found.share is None
        else found.share >= level.availability,
        "agreed_s": found.agreed / _SECOND,
        "denominator_s": found.denominator / _SECOND,
        "times_s": {name.value: micros / _SECOND for name, micros in found.times.items()},
        "budget_s": _budget(may),
        "corrections": [_correction(one) for one in account.corrections],
        "excused": [
            {"from": iso(one.start), "until": iso(one.end), "reason": one.reason}
            for one in account.works
            if one.excused
        ],
        "seal": found.seal,
    }


def begin_of(level: Sla, now: Instant) -> Instant:
    """Give when the window of a level began that is on now."""
    return watched.window_of(level, now)[0]


def _budget(of: Budget | None) -> dict[str, float] | None:
    if of is None:
        return None
    return {
        "allowed": of.allowed / _SECOND,
        "used": of.used / _SECOND,
        "left": of.left / _SECOND,
    }


def _correction(of: Correction) -> dict[str, Any]:
    return {
        "correction": of.id,
        "about": of.check or "the service",
        "from": iso(of.start),
        "until": iso(of.end),
        "as": of.time.value,
        "reason": of.reason,
        "by": of.by,
        "approved_by": of.approved_by,
    }
