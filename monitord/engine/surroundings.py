"""Gathers what stands around one rung: its group's health, the calendar, the network, the past.

Looked up for the guards, inside the transaction that asks them; it judges nothing. The writer's
thread asks too, so beliefs are read from a copy made in one instruction.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from monitord.clock import after
from monitord.decisions.guards import GroupHealth
from monitord.decisions.selector import matches, parse
from monitord.engine.instance import Instance
from monitord.model.catalog import Check, Host
from monitord.model.ids import Instant
from monitord.model.incident import LIVE_ATTEMPTS, Attempt
from monitord.model.kinds import FactProbe, RecordProbe
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.store.contract import View

_BAD = frozenset({Status.WARNING, Status.CRITICAL})
_UNHEALTHY = frozenset({Status.CRITICAL, Status.UNKNOWN})
_DAY = timedelta(days=1) // timedelta(microseconds=1)
_HELD = timedelta(minutes=10) // timedelta(microseconds=1)
"""A repair after which the check stood so long did hold: the next one does not back off."""


def group_health(
    view: View, instance: Instance, host: Host, attempt: Attempt | None
) -> tuple[GroupHealth, ...]:
    """Give, for each group of the host, who else in it is not healthy or is being repaired."""
    groups = [instance.catalog.groups[name] for name in host.groups]
    if not groups:
        return ()
    unhealthy = unhealthy_hosts(instance)
    repairing = {
        other.host
        for other in view.attempts(statuses=LIVE_ATTEMPTS)
        if attempt is None or other.id != attempt.id
    }
    found = []
    for group in groups:
        rest = [name for name in group.hosts if name != host.name]
        others = tuple(name for name in rest if name in unhealthy or name in repairing)
        working = tuple(name for name in rest if name in repairing)
        found.append(GroupHealth(group.name, group.keep_healthy, len(group.hosts), others, working))
    return tuple(found)


def unhealthy_hosts(instance: Instance) -> set[str]:
    """Give the hosts of which something is hard CRITICAL or UNKNOWN, or cannot be reached.

    A WARNING serves its users still: counted, one full disk would stop all repairs of a group.
    """
    states = instance.beliefs.states.copy().values()
    bad = (state.key for state in states if state.hard in _UNHEALTHY or state.unreachable)
    return {key.partition("/")[0] for key in bad}


def frozen(instance: Instance, check: Check, host: Host, now: Instant) -> str:
    """Say which freeze window covers a check now, and until when; empty: none."""
    for window in instance.catalog.settings.freeze:
        if not window.starts <= now < window.ends:
            continue
        if matches(parse(window.selector), host=host, check=check.name, services=check.services):
            until = datetime.fromtimestamp(window.ends / 1_000_000, UTC)
            return f"frozen until {until:%Y-%m-%d %H:%M} UTC: {window.reason}"
    return ""


def lost_canaries(instance: Instance, host: Host) -> str:
    """Say that all canaries over which the host is seen are lost; empty: one is there."""
    believed = [instance.beliefs.believed(key) for key in host.vantage.keys]
    if not believed or any(state is None or state.status not in _UNHEALTHY for state in believed):
        return ""
    return f"{', '.join(host.vantage.keys)} {'does' if len(believed) == 1 else 'do'} not answer"


def samples(
    instance: Instance, check: Check, states: Sequence[CheckState], looked: Status | None
) -> int:
    """Count how often the bad items were seen bad, up to what is enough; a seen death is twice."""
    bad = [state for state in states if state.status in _BAD]
    if not bad:
        return 2  # whether it fails at all is another guard's question
    kind = instance.kinds.probes[check.kind]
    if isinstance(kind, FactProbe | RecordProbe) and kind.sees_death:
        return 2
    # Not "later than": a step of the clock moves what is compared with the time, not what is told.
    again = any(state.first_failed not in (None, state.last_seen) for state in bad)
    return 1 + again + (looked in _BAD)


def settled(instance: Instance, host: Host) -> Instant | None:
    """Give when a host that was seen to have booted is left to itself long enough."""
    booted = instance.probing.booted(host.name)
    return None if booted is None else after(booted, instance.catalog.settings.after_boot)


def repairs_in_a_row(
    view: View,
    instance: Instance,
    key: str,
    states: Collection[CheckState],
    now: Instant,
    attempt: Attempt | None,
) -> tuple[int, Instant | None]:
    """Count the repairs of a check that did not hold, and tell when the last of them ended."""
    done = [
        other
        for other in view.attempts(since=instance.before(now, _DAY))
        if other.key == key
        and other.incident  # what started a chain's link is no repair
        and other.effect_at is not None
        and other.finished is not None
        and (attempt is None or other.id != attempt.id)
    ]
    failed_again = min((s.first_failed for s in states if s.first_failed is not None), default=now)
    count = 0
    for other in reversed(done):
        if failed_again - (other.finished or now) >= _HELD:
            break
        count += 1
        failed_again = other.planned
    last = done[-1].finished if count else None
    if last is None:
        return 0, None
    return count, Instant(last + instance.stepped_forward_since(last))
