"""Gives the priority of an incident from what the catalog says of it, and when a P1 is told early.

The table stands in decisions/escalation.py; nothing is written here.
"""

from collections.abc import Iterable, Iterator

from monitord.clock import after
from monitord.decisions.escalation import priority
from monitord.decisions.incidents import is_many
from monitord.engine.instance import Instance
from monitord.model.catalog import Check
from monitord.model.ids import Instant, StateKey, split_state_key
from monitord.model.incident import Incident
from monitord.model.result import Status


def rank(instance: Instance, key: str, severity: Status, items: Iterable[str]) -> str:
    """Give the priority of an incident by what its host, check and services say.

    What makes a service down or degraded has that one's impact, and the urgency of that, where it
    is more urgent so.
    """
    check, table = instance.check(key), instance.catalog.priorities
    if check is None:
        own = priority(severity, ["high"] if is_many(key) else (), table)
    else:
        services = instance.catalog.services
        impacts = [check.impact, instance.catalog.hosts[check.host].impact]
        impacts += [services[name].impact for name in check.services if name in services]
        own = priority(severity, impacts, table)
    return min([own, *_by_services(instance, _checks(instance, key, items))])


def anew(instance: Instance, incident: Incident, severity: Status, items: Iterable[str]) -> str:
    """Give the priority that an open incident has from now on.

    It is not lowered while nobody can tell how a service of it stands: what was not seen is no
    recovery.
    """
    items = list(items)
    ranked = rank(instance, incident.key, severity, items)
    if ranked <= incident.priority:
        return ranked
    checks = _checks(instance, incident.key, items)
    standings = [instance.standings.get(name) for check in checks for name in check.services]
    doubtful = any(one is not None and not one.sure for one in standings)
    return incident.priority if doubtful else ranked


def _checks(instance: Instance, key: str, items: Iterable[str]) -> list[Check]:
    """Give the check of an incident's key; of one that several share, those of its items."""
    own = instance.check(key)
    if own is not None:
        return [own]
    keys = dict.fromkeys(split_state_key(StateKey(item))[0] for item in items)
    return [check for name in keys if (check := instance.check(name)) is not None]


def _by_services(instance: Instance, checks: Iterable[Check]) -> Iterator[str]:
    """Give a priority for each service that the checks are to blame for."""
    catalog, standings = instance.catalog, instance.standings
    for check in checks:
        for name in check.services:
            service, one = catalog.services.get(name), standings.get(name)
            if service is None or one is None:
                continue
            if check.key in one.down:
                yield catalog.priorities[service.impact, "down"]
            elif check.key in one.degraded:
                yield catalog.priorities[service.impact, "critical"]


def early(instance: Instance, priority: str, now: Instant) -> Instant | None:
    """Give when people hear of an incident that is still being repaired; None: not before."""
    return after(now, instance.catalog.settings.p1_ticket_after) if priority == "P1" else None
