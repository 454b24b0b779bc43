"""Gives the priority of an incident from what the catalog says of it, and when a P1 is told early.

The table stands in decisions/escalation.py; nothing is written here.
"""

from monitord.clock import after
from monitord.decisions.escalation import priority
from monitord.decisions.incidents import is_group
from monitord.engine.instance import Instance
from monitord.model.ids import Instant
from monitord.model.result import Status


def rank(instance: Instance, key: str, severity: Status) -> str:
    """Give the priority of an incident by what its host, check and services say."""
    check, table = instance.check(key), instance.catalog.priorities
    if check is None:
        return priority(severity, ["high"] if is_group(key) else (), table)
    services = instance.catalog.services
    impacts = [check.impact, instance.catalog.hosts[check.host].impact]
    impacts += [services[name].impact for name in check.services if name in services]
    return priority(severity, impacts, table)


def early(instance: Instance, priority: str, now: Instant) -> Instant | None:
    """Give when people hear of an incident that is still being repaired; None: not before."""
    return after(now, instance.catalog.settings.p1_ticket_after) if priority == "P1" else None
