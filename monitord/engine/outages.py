"""Finds out whether what fails is an outage of many: a group, site, service, or our own network.

It looks at beliefs and rows and names the incident to join; what joining does is decided in
decisions/incidents.py, and written by the stage of incidents.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from monitord.decisions import correlation
from monitord.decisions.correlation import Crowd
from monitord.decisions.guards import GroupHealth
from monitord.decisions.guards.harm import room
from monitord.decisions.incidents import NETWORK, group_key, is_many
from monitord.engine.instance import Instance
from monitord.engine.wholes import Wholes
from monitord.model.catalog import Group
from monitord.model.ids import CheckKey, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import Transition
from monitord.store.contract import View

_SMALLEST = 5
_MICRO = timedelta(microseconds=1)
_NOT_BEGUN = (IncidentStatus.OPEN, IncidentStatus.WAITING)


class Hard(Mapping[str, Status]):
    """The hard status of items, each read once for a batch, and only when it is asked for.

    OK where nothing is believed of the item. An outage of many has thousands.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[str, Status] = {}

    def __getitem__(self, item: str) -> Status:
        """Give it."""
        if item not in self._known:
            state = self._view.state(StateKey(item))
            self._known[item] = state.hard if state is not None else Status.OK
        return self._known[item]

    def __iter__(self) -> Iterator[str]:
        """Give the items that were asked for."""
        return iter(self._known)

    def __len__(self) -> int:
        """Tell how many were asked for."""
        return len(self._known)


class Outages:
    """What fails together, counted once for a batch of transitions."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._bad: Counter[tuple[str, str]] = Counter()
        self._counted: set[tuple[str, str]] = set()
        self._wholes = Wholes(instance)

    def candidates(self, key: StateKey) -> tuple[str, ...]:
        """Give the keys of the shared incidents that an item may be in."""
        check = split_state_key(key)[0]
        host, _, name = check.partition("/")
        groups = tuple(group_key(group.name, name) for group in self._groups(host))
        wholes = tuple(whole.key for whole in self._wholes.of(check))
        return (*((NETWORK,) if self._is_canary(key) else ()), *groups, *wholes)

    def joins(self, transition: Transition, live: Mapping[str, Incident]) -> str:
        """Give the key of the shared incident that a bad item belongs to; empty: it is its own."""
        if self._is_canary(transition.key):
            return NETWORK
        shared = {k for k, i in live.items() if is_many(k) and i.status in OPEN_STATUSES}
        within = [key for key in shared if transition.key in live[key].items]
        if transition.after is Status.WARNING:  # it eased: still part of what it is in
            return min(within, default="")
        if transition.after is not Status.CRITICAL:
            return ""
        own, _item = split_state_key(transition.key)
        known = live.get(own)
        if known is not None and known.status in OPEN_STATUSES:
            return ""
        if within:
            return min(within)
        since = transition.first_failed or transition.at
        crowds = [*self._of_groups(own), *self._wholes.out(own, since)]
        return correlation.belongs_to(crowds, shared)

    def foldable(
        self, view: View, key: str, find: Callable[[str], Incident | None]
    ) -> Iterator[Incident]:
        """Give the incidents of a whole for which nothing was done or told yet."""
        outage = find(key)
        if outage is None or not is_many(key):
            return
        for own in filter(None, map(find, self._inside(key))):
            if own.status not in _NOT_BEGUN or own.ticket is not None or own.part_of:
                continue
            apart = abs(own.first_failed - outage.first_failed)
            group = key.startswith("group/")
            if not group and apart > self._instance.catalog.settings.correlate.within // _MICRO:
                continue
            if not view.attempts(incident=own.id):
                yield own

    def _inside(self, key: str) -> list[str]:
        """Give the keys of the incidents that lie within an outage of many."""
        if not key.startswith("group/"):
            return self._wholes.inside(key)
        _, group, name = key.split("/", 2)
        known = self._instance.catalog.groups.get(group)  # a reload may have taken it away
        return [f"{host}/{name}" for host in known.hosts] if known is not None else []

    def _of_groups(self, check: CheckKey) -> Iterator[Crowd]:
        """Give the groups of which more hosts fail this check than may."""
        host, _, name = check.partition("/")
        for group in self._groups(host):
            count = self._failing(group, name)
            most = room(GroupHealth(group.name, group.keep_healthy, len(group.hosts)))
            if most is not None and count > most:
                yield Crowd(group_key(group.name, name), count, len(group.hosts))

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
