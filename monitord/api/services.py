"""Business services as the API and the command line without a core show them: views and routes.

It reads rows and shapes them; how a service stands is decided in decisions/services.py, how
available it was in decisions/availability.py.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from monitord.api import shapes, sla
from monitord.api.access import Right
from monitord.api.routes import Asked, Route
from monitord.clock import between
from monitord.decisions import services
from monitord.decisions.expressions import counts_of, holds, tally
from monitord.decisions.orders import touched
from monitord.decisions.sla import of_services
from monitord.decisions.standing import checks_of
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.service import Rule, Seen, ServiceChange, ServiceState
from monitord.model.sla import Sla
from monitord.model.state import CheckState
from monitord.model.ticket import Verb
from monitord.store.contract import View

_MANY = 100_000  # more than any retention keeps
_LATELY = 20
_ORDER = (ServiceState.DOWN, ServiceState.UNKNOWN, ServiceState.DEGRADED, ServiceState.UP)
_NOT_YET = "it was not judged yet"

States = Mapping[CheckKey, Sequence[CheckState]]


def listed(
    view: View, catalog: Catalog, states: Sequence[CheckState], *, now: Instant
) -> dict[str, Any]:
    """Give all services, what is worst first."""
    rows = _Rows(view, catalog, states, now)
    found = [_row(rows, one) for one in catalog.services.values()]
    words = [state.value for state in _ORDER]
    found.sort(key=lambda row: (words.index(row["state"]), row["service"]))
    return {"services": found}


def document(
    view: View, catalog: Catalog, states: Sequence[CheckState], name: str, *, now: Instant
) -> dict[str, Any]:
    """Give one service with its rules, its checks, its availability and its last changes.

    Raises:
        NotFoundError: there is no such service.
    """
    service = catalog.services.get(name)
    if service is None:
        known = ", ".join(sorted(catalog.services)) or "none is configured"
        raise NotFoundError(f"there is no service {name}; there are: {known}")
    rows, level = _Rows(view, catalog, states, now), of_services(catalog, [name])[0]
    changes = view.service_changes(name, sla.begin_of(level, now))
    return {
        **_row(rows, service),
        "rules": _rules(service, rows.grouped),
        "members": [_member(key, rows.grouped) for key in service.checks],
        "availability": rows.availability(service, level),
        "changes": [_change(one) for one in reversed(changes[-_LATELY:])],
    }


class _Rows:
    """The rows that all services of one answer are made of, each read once."""

    def __init__(
        self, view: View, catalog: Catalog, states: Sequence[CheckState], now: Instant
    ) -> None:
        self.view, self.catalog, self.now = view, catalog, now
        self.grouped: States = shapes.by_check(states)
        self.newest = view.standings()
        self.works = [
            (order, frozenset(touched(catalog, order.selector, order.verb)))
            for order in view.orders(verb=Verb.MAINTENANCE, at=now)
        ]
        self.incidents: dict[str, list[Incident]] = {}
        for incident in view.incidents(OPEN_STATUSES, limit=_MANY):
            checks = checks_of(catalog, incident)
            for name in dict.fromkeys(name for check in checks for name in check.services):
                self.incidents.setdefault(name, []).append(incident)

    def availability(self, service: Service, level: Sla) -> dict[str, Any]:
        own = [one for key in service.checks for one in self.grouped.get(key, ())]
        return sla.availability(self.view, self.catalog, own, service, level, self.now)


def _row(rows: _Rows, service: Service) -> dict[str, Any]:
    """Give what a list shows of a service; what it was is asked only where that is promised."""
    level = of_services(rows.catalog, [service.name])[0]
    stands = rows.newest.get(service.name)
    found = rows.availability(service, level) if level.availability is not None else {}
    open_ones = rows.incidents.get(service.name, [])
    return {
        "service": service.name,
        "state": (stands.state if stands else ServiceState.UNKNOWN).value,
        "since": iso(stands.at) if stands else None,
        "for_s": between(stands.at, rows.now).total_seconds() if stands else None,
        "by": stands.text if stands else _NOT_YET,
        "blamed": list(stands.checks) if stands else [],
        "impact": service.impact,
        "sla": level.name,
        "target": level.availability,
        "window": level.window,
        "share": found.get("share"),
        "budget_s": found.get("budget_s"),
        "incidents": [_incident(one) for one in open_ones],
        "priority": min((one.priority for one in open_ones), default=None),
        "maintenance": _maintenance(rows, service),
        "checks": _counts(service, rows.grouped),
    }


def _incident(of: Incident) -> dict[str, Any]:
    return {
        "incident": of.id,
        "key": of.key,
        "status": of.status.value,
        "priority": of.priority,
        "summary": of.summary,
    }


def _maintenance(rows: _Rows, service: Service) -> list[dict[str, Any]]:
    """Give the maintenance that bears on checks of a service, and on how many of them."""
    on = [(order, len(keys.intersection(service.checks))) for order, keys in rows.works]
    return [
        {
            "order": order.id,
            "by": order.by,
            "until": iso(order.expires),
            "reason": order.reason,
            "checks": count,
        }
        for order, count in on
        if count
    ]


def _counts(service: Service, grouped: States) -> dict[str, int]:
    seen = Counter(services.what_is_seen(grouped.get(key, ()))[0] for key in service.checks)
    return {one.value: seen[one] for one in Seen}


def _rules(service: Service, grouped: States) -> list[dict[str, Any]]:
    """Give each rule, whether it holds (None: nobody can tell), and what was counted."""
    rules = [("down_when", rule) for rule in service.down_when]
    rules += [("degraded_when", rule) for rule in service.degraded_when]
    return [_rule(name, rule, grouped) for name, rule in rules]


def _rule(name: str, rule: Rule, grouped: States) -> dict[str, Any]:
    def see(key: CheckKey) -> Seen:
        return services.what_is_seen(grouped.get(key, ()))[0]

    counted = []
    for count in counts_of(rule.means):
        sure, most = tally(count, see)
        words = " or ".join(sorted(one.value for one in count.seen))
        number = str(sure) if sure == most else f"{sure} to {most}"
        counted.append(f"{number} of {len(count.keys)} {words}")
    return {
        "rule": name,
        "text": rule.text,
        "holds": holds(rule.means, see),
        "counted": counted,
    }


def _member(key: CheckKey, grouped: States) -> dict[str, Any]:
    states = grouped.get(key, ())
    seen, why = services.what_is_seen(states)
    worst = max(states, key=lambda one: shapes.RANK[one.hard], default=None)
    return {
        "key": key,
        "seen": seen.value,
        "why": why.value if why is not None else "",
        "status": shapes.worst(one.hard for one in states).name,
        "summary": worst.summary if worst is not None else "",
    }


def _change(of: ServiceChange) -> dict[str, Any]:
    return {"at": iso(of.at), "state": of.state.value, "by": of.text, "blamed": list(of.checks)}


async def all_services(asked: Asked) -> Any:
    """GET /v1/services."""
    engine, now = asked.engine, asked.engine.now()
    catalog, states = engine.catalog, engine.states()
    return await engine.store.read(lambda view: listed(view, catalog, states, now=now))


async def one_service(asked: Asked) -> Any:
    """GET /v1/services/{name}."""
    return await shown(asked, asked.request.path_params["name"])


async def shown(asked: Asked, name: str) -> dict[str, Any]:
    """Give one service as it stands now."""
    engine, now = asked.engine, asked.engine.now()
    catalog, states = engine.catalog, engine.states()
    return await engine.store.read(lambda view: document(view, catalog, states, name, now=now))


SERVICES = (
    Route("GET", "/v1/services", Right.READ, all_services, "how the services stand"),
    Route(
        "GET", "/v1/services/{name}", Right.READ, one_service, "one service, its rules and checks"
    ),
)
