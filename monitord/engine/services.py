"""The stage of services: how each stands, as rows, and the priority of the incidents behind it.

How a service stands is decided by decisions/services.py from what is believed, anew when a belief
about one of its checks has moved; memory is ahead of the rows, and after a start they are compared.
"""

from collections.abc import Callable, Iterable
from functools import partial

from monitord.decisions.availability import Time
from monitord.decisions.services import Standing, began, standing
from monitord.decisions.standing import checks_of
from monitord.engine import raising, ranking
from monitord.engine.instance import Instance
from monitord.engine.turn import AfterCommit
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES
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
            stand = {name: instance.standings[name].state for name in names}
            why = "; ".join(f"service {name} is {state}" for name, state in stand.items())
            ranked = ranking.anew(instance, incident, incident.severity, incident.items)
            events += raising.to(tx, instance, incident, ranked, now, why)
            if incident.part_of and ranked < incident.priority:
                teller = IncidentId(incident.part_of)
                events += raising.at_least(tx, instance, teller, ranked, now, why)
    return events
