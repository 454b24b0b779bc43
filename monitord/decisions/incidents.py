"""Decides what a transition does to incidents: open, join, reopen, change, resolve, or why nothing.

Pure: it is handed the transition and the live incidents of the keys it may touch, and returns the
changes in the order in which they are to be made. It never looks at runbooks.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from monitord.model.ids import Instant, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Incident, IncidentStatus
from monitord.model.result import Cause, Status
from monitord.model.state import Change, Transition

NETWORK = "vantage/network"
"""The one incident of all canaries: the monitor's own network."""

UNKNOWNS = tuple(f"unknown/{cause}" for cause in Cause)
"""The incidents of what nobody can judge, one for each cause."""

_BAD = frozenset({Status.WARNING, Status.CRITICAL, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Open:
    """A new incident of this key with this first item."""

    key: str
    severity: Status


@dataclass(frozen=True, slots=True)
class Reopen:
    """The resolved incident goes on: its ladder position, budgets and clocks with it."""

    incident: Incident
    severity: Status


@dataclass(frozen=True, slots=True)
class Amend:
    """The live incident has other items or another severity from now on."""

    incident: Incident
    items: tuple[str, ...]
    severity: Status


@dataclass(frozen=True, slots=True)
class Resolve:
    """Nothing of it is bad any more; `cause` is recovered or verified."""

    incident: Incident
    cause: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """Nothing happens, for a reason that the audit (I1) reads."""

    reason: str


Decision = Open | Reopen | Amend | Resolve | Suppress


def group_key(group: str, check: str) -> str:
    """Give the key of the outage of a check in a whole group."""
    return f"group/{group}/{check}"


def site_key(site: str) -> str:
    """Give the key of the outage of a whole site."""
    return f"site/{site}/hosts"


def service_key(service: str) -> str:
    """Give the key of the outage of a whole service."""
    return f"service/{service}/checks"


def is_many(key: str) -> bool:
    """Tell whether a key is that of an outage of a whole group, site or service."""
    return key.startswith(("group/", "site/", "service/")) and key.count("/") > 1


def is_shared(key: str) -> bool:
    """Tell whether an incident collects items of several checks: none of them is its own."""
    return key == NETWORK or key.startswith("unknown/") or is_many(key)


def incident_key(key: StateKey, status: Status, cause: Cause | None) -> str:
    """Give the key under which a bad status of this item is counted."""
    if status is Status.UNKNOWN:
        return f"unknown/{cause or Cause.PROBE}"
    return split_state_key(key)[0]


def keys_to_look_at(transition: Transition, shared: Iterable[str] = ()) -> tuple[str, ...]:
    """Give the keys of all incidents that it may touch; `shared` are those of outages of many."""
    return (
        split_state_key(transition.key)[0],
        *UNKNOWNS,
        *shared,
    )


def decide(
    transition: Transition,
    live: Mapping[str, Incident],
    severities: Mapping[str, Status],
    *,
    now: Instant,
    reopen_within: timedelta,
    joins: str = "",
) -> tuple[Decision, ...]:
    """Say what a transition does.

    Args:
        transition: the change of belief.
        live: the not-CLOSED incident of each key from `keys_to_look_at` that has one.
        severities: the hard status of every other item of those incidents; only what is needed
            is asked.
        now: the instant of the decision.
        reopen_within: how long after RESOLVED the same key is the same incident.
        joins: the outage of many that it belongs to, if it is bad; empty: to none.
    """
    reason = _of_no_consequence(transition)
    if reason:
        return (Suppress(reason),)
    if transition.after not in _BAD:
        return _recovered(transition, live, severities) or (
            Suppress("recovered, and no incident was open"),
        )
    key = joins or incident_key(transition.key, transition.after, transition.cause)
    changes = _leave_unknown(transition, live, severities, except_for=key)
    mine = live.get(key)
    if mine is None:
        return (*changes, Open(key, transition.after))
    if mine.status is IncidentStatus.RESOLVED:
        age = now - (mine.resolved or now)
        if age <= reopen_within // timedelta(microseconds=1):
            return (*changes, Reopen(mine, transition.after))
        return (*changes, Open(key, transition.after))
    items = _with(mine.items, transition.key)
    others = (severities.get(item) for item in mine.items if item != transition.key)
    return (*changes, Amend(mine, items, worst(chain([transition.after], others))))


def _with(items: tuple[str, ...], item: str) -> tuple[str, ...]:
    """Give sorted items with one more, if it is not among them: of thousands none is looked at."""
    if item in items:
        return items
    place = bisect_left(items, item)
    return (*items[:place], item, *items[place:])


def _of_no_consequence(transition: Transition) -> str:
    """Say why a transition changes no incident; empty: it does.

    What is OK while it flaps is over only when it is steady: else each of its ups and downs would
    resolve and reopen the incident, and page somebody.
    """
    is_ok = transition.after is Status.OK
    if transition.change is Change.STEADY and is_ok:
        return ""
    if transition.change not in (Change.HARD, Change.VERIFIED):
        return f"a {transition.change} transition opens nothing"
    if transition.change is Change.HARD and is_ok and transition.flapping:
        return "OK while flapping: it is over when it is steady"
    return ""


def worst(statuses: Iterable[Status | None]) -> Status:
    """Give the worst of some statuses: CRITICAL, then UNKNOWN, then WARNING, then OK."""
    found = Status.OK
    for status in statuses:
        if status is Status.CRITICAL:  # of thousands in a storm the first will do
            return status
        if status is not None and _badness(status) > _badness(found):
            found = status
    return found


_ORDER = (Status.PENDING, Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)


def _badness(status: Status) -> int:
    return _ORDER.index(status)


def _recovered(
    transition: Transition, live: Mapping[str, Incident], severities: Mapping[str, Status]
) -> tuple[Decision, ...]:
    changes: list[Decision] = []
    for incident in live.values():
        if incident.status not in OPEN_STATUSES or transition.key not in incident.items:
            continue
        changes.append(_without(incident, transition, severities))
    return tuple(changes)


def _leave_unknown(
    transition: Transition,
    live: Mapping[str, Incident],
    severities: Mapping[str, Status],
    *,
    except_for: str,
) -> tuple[Decision, ...]:
    """A judged status, or another cause, takes the item out of the UNKNOWN incidents it is in.

    The reverse does not hold: an item that turns from CRITICAL to UNKNOWN stays in its own
    incident, since UNKNOWN is never a recovery.
    """
    return tuple(
        _without(incident, transition, severities)
        for key, incident in live.items()
        if key.startswith("unknown/")
        and key != except_for
        and incident.status in OPEN_STATUSES
        and transition.key in incident.items
    )


def _without(
    incident: Incident, transition: Transition, severities: Mapping[str, Status]
) -> Decision:
    rest = tuple(item for item in incident.items if item != transition.key)
    if not rest:
        cause = "verified" if transition.change is Change.VERIFIED else "recovered"
        return Resolve(incident, cause)
    return Amend(incident, rest, worst(severities.get(item) for item in rest))
