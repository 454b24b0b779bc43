"""Takes what others say of passive checks: finds the check, folds alerts of one item into one.

It believes nothing by itself and makes no check: what names none that may be reported is counted.
While an attempt holds a check, what is told of it waits in memory until the hold ends.
"""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.clock import between
from monitord.engine.beliefs import Beliefs
from monitord.errors import NotFoundError
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check
from monitord.model.ids import CheckKey, Instant, split_state_key
from monitord.model.inbound import PASSIVE, Source, Taken, Told
from monitord.model.kinds import PassiveRecord
from monitord.model.result import Cause, Result, Status
from monitord.model.state import CheckState

log = get_logger(__name__)

_MOST_ITEMS = 1000  # of one check
_MOST_ALERTS = 100  # of one item, remembered to tell when the last of them is over
_MOST_WAITING = 2000  # of one check while it is held
_TROUBLE_FOR = timedelta(hours=1)
_OLD = timedelta(hours=24)  # an item that has been OK for so long makes room for a new one
_WORST = (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)


class Passive:
    """What waits, and what could not be taken lately, by source."""

    def __init__(self, beliefs: Beliefs, counters: Counters) -> None:
        self._beliefs = beliefs
        self._counters = counters
        self._waiting: dict[CheckKey, list[Told]] = {}
        self._strange: dict[str, tuple[Instant, int, str]] = {}
        self._addresses: tuple[Catalog | None, Mapping[str, str]] = (None, {})

    def take(self, catalog: Catalog, name: str, reports: Sequence[Told], now: Instant) -> Taken:
        """Believe what is told of checks that this source may report; the rest is counted.

        Raises:
            NotFoundError: there is no such source.
        """
        source = catalog.inbound.get(name)
        if source is None:
            raise NotFoundError(f"there is no inbound source {name}; write it under inbound:")
        touched: dict[CheckKey, Check] = {}
        unknown = 0
        for report in reports:
            check = self._check(catalog, source, report)
            if check is None:
                unknown += 1
                self._stranger(source, report, now)
                continue
            touched[check.key] = check
            waiting = self._waiting.setdefault(check.key, [])
            waiting.append(report)
            del waiting[:-_MOST_WAITING]
        for check in touched.values():
            self._believe(check, now)
        self._counters.inbound["taken"] += len(reports) - unknown
        self._counters.inbound["unknown"] += unknown
        return Taken(len(reports) - unknown, unknown)

    def arrived(self, check: Check, now: Instant) -> PassiveRecord:
        """Give what has waited for this check, once, unless it still has to wait."""
        if self._beliefs.holding(check.key, now):
            return PassiveRecord(())
        return PassiveRecord(tuple(self._folded(check, self._waiting.pop(check.key, []))))

    def believed(self, check: Check) -> PassiveRecord:
        """Give what is known of each item now, what waits included: a look at the check."""
        newer = {each.item: each for each in self._folded(check, self._waiting.get(check.key, []))}
        known = {
            split_state_key(state.key)[1]: _as_result(state)
            for state in self._beliefs.of(check.key)
            if state.status is not Status.PENDING
        }
        found = {**known, **newer}
        if not found:
            return PassiveRecord((Result.unknown("nothing was reported yet", Cause.MISSING),))
        return PassiveRecord(tuple(found.values()))

    def troubles(self, now: Instant) -> list[str]:
        """Give a sentence on each source that lately named what nobody may report or has."""
        for name, (at, _, _) in list(self._strange.items()):
            if between(at, now) > _TROUBLE_FOR:
                del self._strange[name]
        return [
            f"inbound source {name} reported {count} times what no check takes, last {last} "
            "(add the check, or its host and check to the source)"
            for name, (_, count, last) in sorted(self._strange.items())
        ]

    def _believe(self, check: Check, now: Instant) -> None:
        """Change the beliefs; a held check notes what it hears, and believes it afterwards."""
        if self._beliefs.holding(check.key, now):
            results: Iterable[Result] = self._folded(check, self._waiting[check.key])
        else:
            results = self.arrived(check, now).results
        self._beliefs.absorb(check, list(results), now)

    def _check(self, catalog: Catalog, source: Source, report: Told) -> Check | None:
        host = self._host(catalog, report.host)
        if not host or not _matches(host, source.hosts):
            return None
        for name in report.checks:
            check = catalog.checks.get(CheckKey(f"{host}/{name}"))
            if check is not None and check.kind == PASSIVE and _matches(name, source.checks):
                return check
        return None

    def _host(self, catalog: Catalog, name: str) -> str:
        """Give the host of a name, or the only one of an address."""
        if name in catalog.hosts:
            return name
        if self._addresses[0] is not catalog:
            found: dict[str, str] = {}
            for host in catalog.hosts.values():
                found[host.address] = "" if host.address in found else host.name
            self._addresses = (catalog, found)
        return self._addresses[1].get(name, "")

    def _stranger(self, source: Source, report: Told, now: Instant) -> None:
        """Count it; it is logged once for each source until an hour has passed without one."""
        said = f"{report.host or '(no host)'}/{report.checks[0] if report.checks else '(no check)'}"
        _, count, _ = self._strange.get(source.name, (now, 0, ""))
        if not count:
            log.warning("inbound: no such check may be reported", source=source.name, told=said)
        self._strange[source.name] = (now, count + 1, said)

    def _folded(self, check: Check, reports: Sequence[Told]) -> list[Result]:
        """Give one result for each item that is told of: its worst alert that still fires."""
        known = {split_state_key(state.key)[1]: state for state in self._beliefs.of(check.key)}
        firing: dict[str, dict[str, Any]] = {}
        last: dict[str, Told] = {}
        for report in reports:
            state = known.get(report.item)
            if state is not None and state.status is Status.OK and report.at < state.last_seen:
                continue  # older than the proof of a repair that it waited for
            if report.item not in last and not self._room(check, known, last, report):
                continue
            alerts = firing.setdefault(report.item, _remembered(state))
            _fold(alerts, report)
            last[report.item] = report
        return [_result(report, firing[item]) for item, report in last.items()]

    def _room(
        self,
        check: Check,
        known: dict[str, CheckState],
        last: Mapping[str, Told],
        report: Told,
    ) -> bool:
        """Tell whether an item is known or may become so; a resolved one that is not, never."""
        if report.item in known or not report.item:
            return True
        if report.alert and report.status is Status.OK:
            return False
        if len((known.keys() | last.keys()) - {""}) < _MOST_ITEMS:
            return True
        old = [
            state
            for item, state in known.items()
            if item and state.hard is Status.OK and between(state.since, report.at) > _OLD
        ]
        if not old:
            log.warning("inbound: a check has too many items", check=check.key, most=_MOST_ITEMS)
            return False
        oldest = min(old, key=lambda state: state.since)
        self._beliefs.end(oldest.key, report.at)
        del known[split_state_key(oldest.key)[1]]
        return True


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _remembered(state: CheckState | None) -> dict[str, Any]:
    """Give the alerts of an item that fire; once it is OK (resolved or repaired) none does."""
    if state is None or state.status is Status.OK:
        return {}
    found = state.memory.get("firing")
    return dict(found) if isinstance(found, dict) else {}


def _fold(alerts: dict[str, Any], report: Told) -> None:
    if not report.alert:
        alerts.clear()
    elif report.status is Status.OK:
        alerts.pop(report.alert, None)
    else:
        alerts.pop(report.alert, None)
        alerts[report.alert] = [int(report.status), report.summary]
        while len(alerts) > _MOST_ALERTS:
            del alerts[next(iter(alerts))]


def _result(report: Told, alerts: Mapping[str, Any]) -> Result:
    result = Result(
        report.status,
        report.summary,
        item=report.item,
        cause=Cause.PLUGIN if report.status is Status.UNKNOWN else None,
        details=report.details,
        memory={"firing": alerts},
    )
    if not alerts:
        said = f"resolved: {report.summary}" if report.alert else report.summary
        return replace(result, summary=said)
    status, summary = max(alerts.values(), key=lambda each: _WORST.index(Status(each[0])))
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return replace(result, status=Status(status), summary=f"{summary}{more}")


def _as_result(state: CheckState) -> Result:
    item = split_state_key(state.key)[1]
    return Result(state.status, state.summary, item=item, cause=state.cause, memory=state.memory)
