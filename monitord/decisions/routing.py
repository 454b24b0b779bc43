"""Decides which ticket backends hear of an incident. Pure; it sends nothing.

Of the first route that fits, the backends; where none is written or none fits, all of them, since
silence is worse than noise. Who has heard of an incident hears of it to its end.
"""

from collections.abc import Callable, Iterable, Sequence

from monitord.decisions.selector import matches, parse
from monitord.model.catalog import Check, Host
from monitord.model.incident import Incident
from monitord.model.policy import Route


def hears(
    routes: Sequence[Route],
    backends: Iterable[str],
    told: Iterable[str],
    *,
    incident: Incident,
    host: Host | None,
    check: Check | None,
    is_open: Callable[[str], bool],
) -> tuple[str, ...]:
    """Give the backends that hear of the incident now, in their configured order.

    Args:
        routes: as configured, in their order.
        backends: the names of all that are configured.
        told: those that heard of it before.
        incident: its tier and priority count as they are now.
        host: its host; an incident of many has none, and fits routes for everything only.
        check: its check, likewise.
        is_open: asks whether a calendar is open now.
    """
    every = tuple(backends)
    fitting = (route for route in routes if _fits(route, incident, host, check, is_open))
    chosen = next(fitting, None)
    wanted = {*told, *(every if chosen is None else chosen.to)}
    return tuple(name for name in every if name in wanted)


def always(routes: Iterable[Route], backends: Iterable[str]) -> tuple[str, ...]:
    """Give the backends that hear of everything: those that every route leads to."""
    ways = [set(route.to) for route in routes]
    return tuple(name for name in backends if all(name in way for way in ways))


def _fits(
    route: Route,
    incident: Incident,
    host: Host | None,
    check: Check | None,
    is_open: Callable[[str], bool],
) -> bool:
    if route.tiers and incident.tier not in route.tiers:
        return False
    if route.priorities and incident.priority not in route.priorities:
        return False
    if route.during and not is_open(route.during):
        return False
    if route.on == "*":
        return True
    if host is None or check is None:
        return False
    return matches(parse(route.on), host=host, check=check.name, services=check.services)
