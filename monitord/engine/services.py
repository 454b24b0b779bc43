"""The stage of services: how each stands, as rows, and the priority of the incidents behind it.

How a service stands is decided by decisions/services.py from what is believed, anew when a belief
about one of its checks has moved; memory is ahead of the rows, and after a start they are compared.
"""

from collections.abc import Callable, Iterable
from functools import partial

from monitord.decisions.availability import Time
from monitord.decisions.services import Standing, began, standing
from monitord.decisions.standing import checks_of
from monitord.engine import clocks, ranking, telling, ticketing
from monitord.engine.instance import Instance
from monitord.engine.turn import AfterCommit
from monitord.model.ids import Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.service import ServiceChange, ServiceState
from monitord.model.ticket import Event
from monitord.store.contract import Tx

GONE = "it is no longer configured"
_ALL = 1_000_000


class Services:
    """How the services of one core stand; `instance.standings` has it for the other stages."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._written: dict[str, Standing] = {}

    def look(self) -> list[str]:
        """Judge the services whose checks have moved; gives those of which no row says so yet.

        In the loop's thread, for beliefs move there.
        """
        instance = self._instance
        moved, instance.beliefs.moved = instance.beliefs.moved, set()
        catalog, standings = instance.catalog, instance.standings
        checks = (catalog.checks[key] for key in moved if key in catalog.checks)
        touched = {name for check in checks for name in check.services}
        if moved:  # a service without checks is touched by nothing else
            touched.update(catalog.services.keys() - standings.keys())
        for name in touched & catalog.services.keys():
            standings[name] = standing(catalog.services[name], instance.beliefs.of)
        for name in standings.keys() - catalog.services.keys():
            standings[name] = Standing(ServiceState.UNKNOWN, Time.NO_DATA, GONE)
        written = self._written
        return sorted(name for name in standings if written.get(name) != standings[name])

    def writer(self, names: Iterable[str]) -> Callable[[Tx, AfterCommit, Instant], None]:
        """Give the work that writes how these services stand, and what follows from it."""
        instance = self._instance
        found = {name: instance.standings[name] for name in names}
        since = {name: self._since(name, one) for name, one in found.items()}

        def work(tx: Tx, out: AfterCommit, now: Instant) -> None:
            stored = tx.standings()
            ended = stored.keys() - instance.catalog.services.keys()
            gone = {name: Standing(ServiceState.UNKNOWN, Time.NO_DATA, GONE) for name in ended}
            for name, one in {**gone, **found}.items():
                change = _change(name, one, stored.get(name), since.get(name), now)
                if change is not None:
                    tx.add_service_change(change)
                    out.calls.append(partial(_publish, instance, change))
            out.events.extend(_rank_anew(tx, instance, found, now))
            out.calls.append(lambda: self._keep(found))

        return work

    def _since(self, name: str, one: Standing) -> Instant | None:
        service = self._instance.catalog.services.get(name)
        if service is None or one.state not in (ServiceState.DOWN, ServiceState.DEGRADED):
            return None
        return began(service, self._instance.beliefs.of, one)

    def _keep(self, found: dict[str, Standing]) -> None:
        self._written.update(found)
        for name in found.keys() - self._instance.catalog.services.keys():
            del self._written[name]
            self._instance.standings.pop(name, None)


def _publish(instance: Instance, change: ServiceChange) -> None:
    text = f"service {change.service} is {change.state}: {change.text}".removesuffix(": ")
    instance.happenings.publish(
        change.at, "service", text, incident=None, service=change.service, state=str(change.state)
    )


def _change(
    name: str, one: Standing, last: ServiceChange | None, since: Instant | None, now: Instant
) -> ServiceChange | None:
    """Give the row that is due; None: the last one says so already."""
    if last is not None and (last.state, last.time) == (one.state, str(one.time)):
        return None
    begins = min(now, since if since is not None else now)
    if last is not None:  # what was written stays: its time was counted already
        begins = max(begins, last.at)
    return ServiceChange(0, name, begins, one.state, str(one.time), one.text, one.checks)


def _rank_anew(tx: Tx, instance: Instance, found: dict[str, Standing], now: Instant) -> list[Event]:
    """Raise or lower the open incidents of services that stand otherwise."""
    events: list[Event] = []
    for incident in tx.incidents(OPEN_STATUSES, limit=_ALL):
        checks = checks_of(instance.catalog, incident)
        names = [name for check in checks for name in check.services if name in found]
        if names:
            events += _move(tx, instance, incident, list(dict.fromkeys(names)), now)
    return events


def _move(
    tx: Tx, instance: Instance, incident: Incident, names: list[str], now: Instant
) -> list[Event]:
    ranked = ranking.anew(instance, incident, incident.severity, incident.items)
    if ranked == incident.priority:
        return []
    why = "; ".join(f"service {name} is {instance.standings[name].state}" for name in names)
    text = f"{incident.priority} → {ranked}: {why}"
    facts = {"before": incident.priority, "after": ranked, "services": names}
    event = Event(incident.id, now, "ranked", text, data=facts)
    tx.add_events([event])
    page_at = telling.urged(instance, incident, ranked, now)
    tx.change_incident(incident.id, incident.status, priority=ranked, page_at=page_at)
    clocks.begin(tx, instance, incident.id, now)
    if incident.ticket is None:
        return [event]
    moved = tx.incident(incident.id) or incident
    telling.worse(tx, instance, moved, incident.priority, now)
    return [event, *ticketing.open_or_update(tx, instance, incident.id, now)]
