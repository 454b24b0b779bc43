"""Takes what others say of passive checks: finds the check, folds alerts of one item into one.

It believes nothing by itself and makes no check: what names none that may be reported is counted.
While an attempt holds a check, what is told of it waits as rows until the hold ends; so does the
repetition of an alert that a repair was for, until its sender has had time to see the repair.
"""

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.clock import after, between
from monitord.engine.beliefs import Beliefs
from monitord.errors import NotFoundError
from monitord.inbound_spool import checked
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check
from monitord.model.ids import CheckKey, Instant, StateKey, split_state_key
from monitord.model.inbound import PASSIVE, Source, Taken, Told, Waiting
from monitord.model.kinds import PassiveRecord
from monitord.model.result import Cause, Result, Status
from monitord.model.state import CheckState

log = get_logger(__name__)

_MOST_ITEMS = 1000  # of one check
_MOST_ALERTS = 100  # of one item, remembered to tell when the last of them is over
_MOST_WAITING = 2000  # of one check while it is held
_TROUBLE_FOR = timedelta(hours=1)
_OLD = timedelta(hours=24)  # an item that has been OK for so long makes room for a new one
_SEES_WITHIN = timedelta(minutes=15)
"""Within it Alertmanager or Grafana must have seen that a repair worked, and say so."""
_WORST = (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)

_Place = tuple[str, str]  # item and alert
_Reports = dict[_Place, Told]  # the newest of each, in the order in which they were told


class Passive:
    """What waits, and what could not be taken lately, by source.

    `store` is called with a check and what waits of it from now on; None: no longer. What was
    believed before that call is to be stored together with it.
    """

    def __init__(
        self,
        beliefs: Beliefs,
        counters: Counters,
        store: Callable[[CheckKey, Mapping[_Place, Told | None]], None],
    ) -> None:
        self._beliefs = beliefs
        self._counters = counters
        self._store = store
        self._waiting: dict[CheckKey, _Reports] = {}
        self._stored: dict[CheckKey, _Reports] = {}
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
            _add(self._waiting.setdefault(check.key, {}), report)
        for check in touched.values():
            self._believe(check, now)
        self._counters.inbound["taken"] += len(reports) - unknown
        self._counters.inbound["unknown"] += unknown
        return Taken(len(reports) - unknown, unknown)

    def asked(self, source: str, check: Check, now: Instant) -> PassiveRecord:
        """Give what is known of a check (`passive`), or only what is new (`arrived`)."""
        return self.arrived(check, now) if source == "arrived" else self.believed(check, now)

    def arrived(self, check: Check, now: Instant) -> PassiveRecord:
        """Believe what has waited for this check, unless it still has to wait.

        It gives nothing: results that somebody else believed later could be lost in between.
        """
        if check.key in self._waiting and not self._beliefs.holding(check.key, now):
            self._believe(check, now)
        return PassiveRecord(())

    def restore(self, rows: Iterable[Waiting], now: Instant) -> None:
        """Take over what waited when the last core ended."""
        for row in rows:
            (report,) = checked([dict(row.report)], now=now)
            self._waiting.setdefault(row.key, {})[row.item, row.alert] = report
        self._stored = {key: dict(reports) for key, reports in self._waiting.items()}

    def rename(self, names: Mapping[StateKey, StateKey]) -> None:
        """Let what waits go by other keys from now on; its rows do already."""
        checks = {split_state_key(old)[0]: split_state_key(new)[0] for old, new in names.items()}
        self._waiting = {checks.get(key, key): of for key, of in self._waiting.items()}
        self._stored = {checks.get(key, key): of for key, of in self._stored.items()}

    def use(self, catalog: Catalog) -> None:
        """Forget what waits for checks that nobody may report any more."""
        for key in {*self._waiting, *self._stored}:
            check = catalog.checks.get(key)
            if check is None or check.kind != PASSIVE:
                self._waiting.pop(key, None)
                self._write(key)

    def believed(self, check: Check, now: Instant) -> PassiveRecord:
        """Give what is known of each item now, what waits included: a look at the check."""
        told = self._waiting.get(check.key, {})
        newer = {each.item: each for each in self._folded(check, told, now)[0]}
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
        results, later = self._folded(check, self._waiting.get(check.key, {}), now)
        if not self._beliefs.holding(check.key, now):
            self._waiting[check.key] = later
        self._beliefs.absorb(check, results, now)
        self._write(check.key)

    def _write(self, key: CheckKey) -> None:
        """Have what waits of a check stored as it is now."""
        before, now = self._stored.get(key, {}), self._waiting.get(key, {})
        changes: dict[_Place, Told | None] = {place: None for place in before if place not in now}
        changes |= {place: told for place, told in now.items() if before.get(place) is not told}
        if changes:
            self._store(key, changes)
        for reports in (self._waiting, self._stored):
            if now:
                reports[key] = dict(now)
            else:
                reports.pop(key, None)

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

    def _folded(
        self, check: Check, reports: Mapping[_Place, Told], now: Instant
    ) -> tuple[list[Result], _Reports]:
        """Give one result for each item that is told of, and what counts for nothing yet.

        A result is the item's worst alert that still fires.
        """
        known = {split_state_key(state.key)[1]: state for state in self._beliefs.of(check.key)}
        firing: dict[str, dict[str, Any]] = {}
        last: dict[str, Told] = {}
        later: _Reports = {}
        for place, report in reports.items():
            state = known.get(report.item)
            if state is not None and _is_over(state, report):
                continue
            if state is not None and _may_be_over(state, report, now):
                later[place] = report
                continue
            if report.item not in last and not self._room(check, known, last, report):
                continue
            alerts = firing.setdefault(report.item, _remembered(state))
            _fold(alerts, report)
            last[report.item] = report
        results = [_result(told, firing[item], known.get(item)) for item, told in last.items()]
        return results, later

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


def _add(waiting: _Reports, report: Told) -> None:
    """Add a report to those that wait, in the place of what it makes old."""
    if not report.alert:  # it is the whole truth of its item
        for place in [place for place in waiting if place[0] == report.item]:
            del waiting[place]
    waiting.pop((report.item, report.alert), None)
    waiting[report.item, report.alert] = report
    while len(waiting) > _MOST_WAITING:
        del waiting[next(iter(waiting))]


def _repaired(state: CheckState) -> frozenset[str]:
    """Give the alerts of an item that fired when a repair was proven, and are not over since.

    Where the item's sender itself said that it is OK, none of them is left.
    """
    if state.status is not Status.OK:
        return frozenset()
    firing, repaired = state.memory.get("firing"), state.memory.get("repaired")
    alerts = {*(firing if isinstance(firing, dict) else ())}
    return frozenset(alerts | {*(repaired if isinstance(repaired, list) else ())})


def _is_over(state: CheckState, report: Told) -> bool:
    """Tell whether something newer than a report, or a proof of the repair, has made it OK."""
    if state.status is not Status.OK:
        return False
    repaired = _repaired(state)
    if not repaired:
        return report.at < state.last_seen
    return report.at < state.since and (not report.alert or report.alert in repaired)


def _may_be_over(state: CheckState, report: Told, now: Instant) -> bool:
    """Tell whether an alert is told anew whose repair was proven, and its sender may not know yet.

    One that began after the proof is another one.
    """
    return (
        report.status is not Status.OK
        and report.alert in _repaired(state)
        and report.began is not None
        and report.began <= state.since
        and now < after(state.since, _SEES_WITHIN)
    )


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


def _result(report: Told, alerts: Mapping[str, Any], state: CheckState | None) -> Result:
    memory: dict[str, Any] = {"firing": alerts}
    if state is not None and not alerts and report.alert:
        memory["repaired"] = sorted(_repaired(state) - {report.alert})
    result = Result(
        report.status,
        report.summary,
        item=report.item,
        cause=Cause.PLUGIN if report.status is Status.UNKNOWN else None,
        details=report.details,
        memory=memory,
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
