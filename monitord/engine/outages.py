"""Finds out whether what fails belongs to an outage of many: a group's, or our own network's.

It looks at beliefs and rows and names the incident to join; what joining does is decided in
decisions/incidents.py, and written by the stage of incidents.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from monitord.decisions.guards import GroupHealth
from monitord.decisions.guards.harm import room
from monitord.decisions.incidents import NETWORK, group_key, is_group
from monitord.engine.instance import Instance
from monitord.model.catalog import Group
from monitord.model.ids import CheckKey, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import Transition
from monitord.store.contract import View

_SMALLEST = 5
_NOT_BEGUN = (IncidentStatus.OPEN, IncidentStatus.WAITING)


class Hard:
    """The hard status of items, each read once for a batch: an outage of many has hundreds."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[str, Status] = {}

    def of(self, item: str) -> Status:
        """Give it; OK where nothing is believed of the item."""
        if item not in self._known:
            state = self._view.state(StateKey(item))
            self._known[item] = state.hard if state is not None else Status.OK
        return self._known[item]


class Outages:
    """What fails together, counted once for a batch of transitions."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._bad: Counter[tuple[str, str]] = Counter()
        self._counted: set[tuple[str, str]] = set()

    def candidates(self, key: StateKey) -> tuple[str, ...]:
        """Give the keys of the shared incidents that an item may be in."""
        host, _, name = split_state_key(key)[0].partition("/")
        groups = tuple(group_key(group.name, name) for group in self._groups(host))
        return (NETWORK, *groups) if self._is_canary(key) else groups

    def joins(self, transition: Transition, live: Mapping[str, Incident]) -> str:
        """Give the key of the shared incident that a bad item belongs to; empty: it is its own."""
        if self._is_canary(transition.key):
            return NETWORK
        if transition.after is Status.WARNING:  # it eased: still part of what it is in
            shared = (k for k, i in live.items() if is_group(k) and i.status in OPEN_STATUSES)
            return next((key for key in shared if transition.key in live[key].items), "")
        if transition.after is not Status.CRITICAL:
            return ""
        own, _item = split_state_key(transition.key)
        known = live.get(own)
        if known is not None and known.status in OPEN_STATUSES:
            return ""
        host, _, name = own.partition("/")
        failing: dict[str, int] = {}
        for group in self._groups(host):
            key, count = group_key(group.name, name), self._failing(group, name)
            most = room(GroupHealth(group.name, group.keep_healthy, len(group.hosts)))
            mine = live.get(key)
            is_open = mine is not None and mine.status in OPEN_STATUSES
            if is_open and mine is not None and transition.key in mine.items:
                return key
            if most is not None and count > most:
                failing[key] = count + len(group.hosts) * is_open
        return max(failing, key=lambda key: (failing[key], key), default="")

    def foldable(
        self, view: View, key: str, find: Callable[[str], Incident | None]
    ) -> Iterator[Incident]:
        """Give the incidents of a group's hosts for which nothing was done or told yet."""
        if not is_group(key):
            return
        _, group, name = key.split("/", 2)
        known = self._instance.catalog.groups.get(group)  # a reload may have taken it away
        for host in known.hosts if known is not None else ():
            own = find(f"{host}/{name}")
            if own is None or own.status not in _NOT_BEGUN or own.ticket is not None:
                continue
            if not view.attempts(incident=own.id):
                yield own

    def _failing(self, group: Group, name: str) -> int:
        """Count the hosts of a group on which a check is CRITICAL now, soft or hard."""
        if (group.name, name) not in self._counted:
            self._counted.add((group.name, name))
            of = self._instance.beliefs.of
            self._bad[group.name, name] = sum(
                any(state.status is Status.CRITICAL for state in of(CheckKey(f"{host}/{name}")))
                for host in group.hosts
            )
        return self._bad[group.name, name]

    def _groups(self, host: str) -> list[Group]:
        """Give the groups of a host in which failing together can be told from failing alone."""
        catalog = self._instance.catalog
        found = catalog.hosts.get(host)
        groups = [catalog.groups[name] for name in found.groups] if found is not None else []
        return [group for group in groups if len(group.hosts) >= _SMALLEST]

    def _is_canary(self, key: StateKey) -> bool:
        return split_state_key(key)[0] in self._instance.catalog.canaries
