"""Counts what fails of whole sites and services at about one time, from beliefs in memory.

Which of several outages counts is decided by decisions/correlation.py; nothing is written here.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from monitord.decisions.correlation import Crowd, is_out
from monitord.decisions.incidents import group_key, service_key, site_key
from monitord.engine.instance import Instance
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status

_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Whole:
    """A site, counted by hosts, or a service, counted by checks."""

    key: str
    checks: tuple[CheckKey, ...]
    members: int
    by_host: bool


@dataclass(slots=True)
class _Failures:
    """When the checks of a whole began to fail, sorted; `counted` remembers what was asked."""

    since: list[tuple[Instant, CheckKey]]
    counted: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def between(self, low: int, high: int) -> tuple[int, int]:
        """Give how many hosts and how many checks began to fail from `low` to `high`."""
        place = (
            bisect_left(self.since, low, key=lambda one: one[0]),
            bisect_right(self.since, high, key=lambda one: one[0]),
        )
        if place not in self.counted:
            found = {key for _, key in self.since[slice(*place)]}
            self.counted[place] = len({key.partition("/")[0] for key in found}), len(found)
        return self.counted[place]


class Wholes:
    """The sites and services, and what fails of them, looked at once for a batch."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._known: dict[str, Whole] = {}
        self._failures: dict[str, _Failures] = {}
        self._of_site: dict[str, list[CheckKey]] | None = None

    def of(self, key: CheckKey) -> tuple[Whole, ...]:
        """Give the services and the site of a check that are large enough to be out as a whole."""
        catalog = self._instance.catalog
        check = catalog.checks.get(key)
        if check is None:
            return ()
        least = catalog.settings.correlate.least
        found = [self._service(name) for name in check.services if name in catalog.services]
        site = catalog.hosts[check.host].site
        if site:
            found.append(self._site(site))
        return tuple(whole for whole in found if whole.members >= least)

    def out(self, key: CheckKey, since: Instant) -> Iterator[Crowd]:
        """Give those of a check that are out, of what began to fail around `since`."""
        rule = self._instance.catalog.settings.correlate
        span = rule.within // _MICRO
        for whole in self.of(key):
            hosts, checks = self._failing(whole).between(since - span, since + span)
            if is_out(hosts if whole.by_host else checks, whole.members, rule):
                yield Crowd(whole.key, checks, len(whole.checks))

    def inside(self, key: str) -> list[str]:
        """Give the keys of the incidents that lie within a whole: of its checks, and of groups."""
        whole = self._known.get(key)
        if whole is None:
            return []
        catalog, own = self._instance.catalog, set(whole.checks)
        names = {
            (group, check.name)
            for check in (catalog.checks[check] for check in whole.checks)
            for group in catalog.hosts[check.host].groups
        }
        groups = [
            group_key(group, name)
            for group, name in sorted(names)
            if own.issuperset(CheckKey(f"{host}/{name}") for host in catalog.groups[group].hosts)
        ]
        return [*whole.checks, *groups]

    def _failing(self, whole: Whole) -> _Failures:
        if whole.key not in self._failures:
            of = self._instance.beliefs.of
            since = [
                (state.first_failed, key)
                for key in whole.checks
                for state in of(key)
                if state.status is Status.CRITICAL and not state.unreachable
                if state.first_failed is not None
            ]
            self._failures[whole.key] = _Failures(sorted(since))
        return self._failures[whole.key]

    def _service(self, name: str) -> Whole:
        key = service_key(name)
        if key not in self._known:
            checks = self._instance.catalog.services[name].checks
            self._known[key] = Whole(key, checks, len(checks), by_host=False)
        return self._known[key]

    def _site(self, site: str) -> Whole:
        key = site_key(site)
        if key not in self._known:
            if self._of_site is None:
                self._of_site = self._by_site()
            checks = tuple(self._of_site[site])
            hosts = {check.partition("/")[0] for check in checks}
            self._known[key] = Whole(key, checks, len(hosts), by_host=True)
        return self._known[key]

    def _by_site(self) -> dict[str, list[CheckKey]]:
        catalog = self._instance.catalog
        found: dict[str, list[CheckKey]] = {}
        for key, check in catalog.checks.items():
            found.setdefault(catalog.hosts[check.host].site, []).append(key)
        return found
