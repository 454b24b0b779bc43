"""Runs the probes of due checks: times, bounds and turns every failure into a result.

A probe that hangs, floods or crashes costs its deadline and nothing else. It believes nothing:
results go to `beliefs`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from monitord.clock import Clock
from monitord.engine.ports import Executor
from monitord.errors import (
    BusyError,
    ExecutorLostError,
    NotBegunError,
    RefusedByExecutorError,
    SecretError,
    TransportError,
)
from monitord.log import get_logger
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check
from monitord.model.facts import Section
from monitord.model.ids import CheckKey, Instant
from monitord.model.kinds import (
    DeviceProbe,
    FactProbe,
    NetworkProbe,
    PluginProbe,
    ProbeKind,
    Record,
    RecordProbe,
    ScriptProbe,
    Target,
)
from monitord.model.result import Cause, Result
from monitord.model.spec import format_duration

log = get_logger(__name__)

_MOST_ITEMS = 1000
_LONGEST_SUMMARY = 500
_LONGEST_DETAILS = 16 * 1024
_NO_MEMORY: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class Prober:
    """Runs checks with the kinds it was given. `memory` and `record` read what the core knows."""

    def __init__(
        self,
        kinds: Mapping[str, ProbeKind],
        executor: Executor,
        clock: Clock,
        counters: Counters,
        *,
        memory: Callable[[Check], Mapping[str, Mapping[str, Any]]],
        record: Callable[[Check, str], Record],
    ) -> None:
        self._kinds = kinds
        self._executor = executor
        self._clock = clock
        self._counters = counters
        self._memory = memory
        self._record = record
        self._targets: dict[tuple[str, float], Target] = {}
        self._booted: dict[str, Instant] = {}
        self.catalog: Catalog | None = None

    def use(self, catalog: Catalog) -> None:
        """Take over a catalog: the addresses of its hosts."""
        self.catalog = catalog
        self._targets.clear()

    def shares_a_trip(self, check: Check) -> bool:
        """Tell whether the check reads facts, which are brought once for all checks of a host."""
        return isinstance(self._kinds[check.kind], FactProbe)

    def booted(self, host: str) -> Instant | None:
        """Give when a host came up, by the newest facts of it."""
        return self._booted.get(host)

    async def look(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run checks of one host now, facts in one trip; gives results by check key."""
        shared = [check for check in checks if self.shares_a_trip(check)]
        found = await self.facts(shared) if shared else {}
        for check in checks:
            if check.key not in found:
                found[check.key] = await self._anew(check)
        return found

    async def single(self, check: Check) -> list[Result]:
        """Run one check that needs no facts; gives at least one result and never raises.

        A kind may remember a result instead, which `look` never does. One that is told its results
        gives what has come since, which may be nothing.
        """
        kind = self._kinds[check.kind]
        if isinstance(kind, ScriptProbe):
            known = kind.recall(check.spec, self._target(check), self._clock.now())
            if known is not None:
                return self._bounded(check, known)
        if isinstance(kind, RecordProbe) and kind.told:
            record = self._record(check, "arrived")
            return list(kind.judge(check.spec, record, self._clock.now()))
        return await self._anew(check)

    async def _anew(self, check: Check) -> list[Result]:
        kind = self._kinds[check.kind]
        limit = check.timeout.total_seconds()
        try:
            if isinstance(kind, NetworkProbe):
                # The hot path: 10,000 of these a second.
                async with asyncio.timeout(limit):
                    results = await kind.probe(check.spec, self._target(check))
            elif isinstance(kind, PluginProbe | ScriptProbe | DeviceProbe):
                results = await self._plugin(kind, check, limit)
            elif isinstance(kind, RecordProbe):
                record = self._record(check, kind.source)
                results = kind.judge(check.spec, record, self._clock.now())
            else:
                return (await self.facts([check]))[check.key]
        except TimeoutError:
            self._counters.probe_timeouts += 1
            within = format_duration(check.timeout)
            return [Result.critical(f"{check.name}: no answer within {within}")]
        except SecretError as error:
            return [Result.unknown(str(error), Cause.MISSING)]
        except BusyError as error:
            return [Result.unknown(str(error), Cause.PROBE)]
        except Exception as error:  # noqa: BLE001 - a probe's bug is its own result; the log has it
            return [self._bug(check, error)]
        return self._bounded(check, results)

    async def facts(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        """Run fact checks of one host in one round trip; gives results by check key."""
        kinds = {check.key: self._fact_kind(check) for check in checks}
        limit = max(check.timeout for check in checks).total_seconds()
        sections = _sections(checks, kinds)
        try:
            async with asyncio.timeout(limit + 1.0):
                facts = await self._executor.facts(checks[0].host, sections, limit)
            if facts.boot_id:
                up = round(facts.uptime * 1_000_000)
                self._booted[checks[0].host] = Instant(self._clock.now() - up)
        except TimeoutError:
            self._counters.probe_timeouts += 1
            failure = TransportError(f"no facts within {limit:.0f} s", cause=Cause.TIMEOUT)
            return {check.key: [_unreadable(check, failure)] for check in checks}
        except TransportError as error:
            return {check.key: [_unreadable(check, error)] for check in checks}
        except (ExecutorLostError, RefusedByExecutorError) as error:
            lost = Result.unknown(str(error), Cause.EXECUTOR)
            return {check.key: [lost] for check in checks}
        except Exception as error:
            log.exception("facts failed", host=checks[0].host)  # our bug must not blind a host
            bug = Result.unknown(f"{type(error).__name__}: {error}", Cause.EXECUTOR)
            return {check.key: [bug] for check in checks}
        return {
            check.key: self._judged(
                check,
                lambda c=check: kinds[c.key].judge(  # type: ignore[misc]  # bound at once
                    c.spec, facts, self._target(c)
                ),
            )
            for check in checks
        }

    def _fact_kind(self, check: Check) -> FactProbe:
        kind = self._kinds[check.kind]
        if not isinstance(kind, FactProbe):
            raise TypeError(f"{check.key} does not read facts")
        return kind

    async def _plugin(
        self, kind: PluginProbe | ScriptProbe | DeviceProbe, check: Check, limit: float
    ) -> Sequence[Result]:
        since = ""
        if isinstance(kind, ScriptProbe) and kind.since is not None:
            since = kind.since(self._target(check))
        try:
            async with asyncio.timeout(limit + 1.0):
                output = await self._executor.plugin(check.key, limit, since)
        except TimeoutError:
            return [Result.unknown(f"{check.name}: no end within {limit:.0f} s", Cause.TIMEOUT)]
        except NotBegunError as error:  # a secret that cannot be read
            return [Result.unknown(str(error), Cause.MISSING)]
        except (ExecutorLostError, RefusedByExecutorError) as error:
            return [Result.unknown(str(error), Cause.EXECUTOR)]
        except TransportError as error:
            return [Result.unknown(str(error), Cause(error.cause))]
        if isinstance(kind, ScriptProbe):
            return kind.judge(check.spec, output, self._target(check), self._clock.now())
        return kind.judge(check.spec, output)

    def _judged(self, check: Check, judge: Callable[[], Sequence[Result]]) -> list[Result]:
        try:
            return self._bounded(check, judge())
        except Exception as error:  # noqa: BLE001 - as in `single`: one probe's bug stays its own
            return [self._bug(check, error)]

    def _bounded(self, check: Check, results: Sequence[Result]) -> list[Result]:
        if not results:
            return [Result.unknown(f"{check.name}: found nothing to look at", Cause.MISSING)]
        if len(results) == 1:
            return [_short(results[0])]
        return [_short(result) for result in results[:_MOST_ITEMS]]

    def _bug(self, check: Check, error: Exception) -> Result:
        self._counters.probe_errors += 1
        log.error("probe failed", check=check.key, kind=check.kind, exc_info=error)
        text = f"{check.name}: the {check.kind} probe failed: {type(error).__name__}: {error}"
        return _short(Result.unknown(text, Cause.PROBE))

    def _target(self, check: Check) -> Target:
        limit = check.timeout.total_seconds()
        memory = self._memory(check)
        if memory:
            return Target(check.host, self._address(check), memory, limit)
        known = self._targets.get((check.host, limit))
        if known is None:
            known = Target(check.host, self._address(check), _NO_MEMORY, limit)
            self._targets[check.host, limit] = known
        return known

    def _address(self, check: Check) -> str:
        return self.catalog.hosts[check.host].address if self.catalog else check.host


def _sections(checks: Sequence[Check], kinds: Mapping[CheckKey, FactProbe]) -> list[Section]:
    """Merge what the checks want: one section of a name, with all arguments anybody asked for."""
    wanted: dict[Section, None] = {}
    for check in checks:
        for section in kinds[check.key].sections(check.spec):
            wanted[section] = None
    merged: dict[str, dict[str, None]] = {}
    whole: list[Section] = []
    for section in wanted:
        if section.name in ("unit", "file"):
            merged.setdefault(section.name, {}).update(dict.fromkeys(section.args))
        else:
            whole.append(section)
    return [*whole, *(Section(name, tuple(args)) for name, args in merged.items())]


def _unreadable(check: Check, error: TransportError) -> Result:
    """The transport check itself says CRITICAL; all others only that they could not look."""
    if check.kind == "ssh":
        return _short(Result.critical(str(error)))
    return _short(Result.unknown(str(error), Cause(error.cause)))


def _short(result: Result) -> Result:
    if len(result.summary) <= _LONGEST_SUMMARY and len(result.details) <= _LONGEST_DETAILS:
        return result
    return Result(
        result.status,
        result.summary[:_LONGEST_SUMMARY],
        result.measurements,
        result.item,
        result.cause,
        result.details[:_LONGEST_DETAILS],
        result.memory,
    )
