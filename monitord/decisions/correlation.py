"""Decides whether an outage is part of another's, and when it stands on its own again. Pure.

What a check hangs on is for decisions/reach.py, what a rule inhibits for decisions/inhibition.py;
here is only what follows in time. docs/decisions/outages.md has the reasons.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from monitord.decisions.reach import Reach
from monitord.model.correlation import Correlate
from monitord.model.ids import Instant
from monitord.model.result import Status
from monitord.model.state import CheckState

_BAD = frozenset({Status.WARNING, Status.CRITICAL, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Crowd:
    """An outage of many by its key: how many checks of it fail, of how many that it may hold."""

    key: str
    failing: int
    size: int


def is_out(failing: int, members: int, rule: Correlate) -> bool:
    """Tell whether so many of a whole's members fail that it is out as one."""
    return failing >= rule.least and failing > rule.share * members


def belongs_to(crowds: Iterable[Crowd], known: Collection[str]) -> str:
    """Choose the outage of many that a failure belongs to; empty: to none.

    One that is on already (`known`); else the one that holds most of what fails; of equals the
    smallest set; then a group before a service before a site, and the last by name.
    """
    by_name = sorted(crowds, key=lambda one: one.key, reverse=True)
    order = sorted(
        by_name, key=lambda one: (one.key not in known, -one.failing, one.size, _kind(one))
    )
    return order[0].key if order else ""


def _kind(crowd: Crowd) -> str:
    return crowd.key.partition("/")[0]


def shares_cause(child: Instant, parent: Instant, within: timedelta) -> bool:
    """Tell whether what began to fail at `child` may fail because of what began at `parent`.

    A cause comes first, but may be seen later: its device answered a while longer, or was not
    looked at. What was broken longer than `within` before that is no fault of the parent.
    """
    return child >= parent - within // timedelta(microseconds=1)


def by_itself(state: CheckState, reach: Reach, since: Instant) -> bool:
    """Tell whether what is believed of an item was seen after `since`, and no parent excuses it."""
    seen = state.status in _BAD and state.last_seen > since
    return seen and reach is Reach.UP and not state.unreachable


def stands_alone(
    items: Iterable[tuple[CheckState, Reach]],
    *,
    joined: Instant,
    ended: Instant | None,
    now: Instant,
    patience: timedelta,
) -> bool:
    """Tell whether an incident that is part of another is one of its own again.

    It is when an item of it is bad by itself, seen after both have ended being one. What is not
    looked at any more may not stay quiet for ever: `patience` after the other's end it stands alone
    by what is believed of it.

    Args:
        items: what is believed of its items, and whether what they hang on is up.
        joined: when it became part of the other.
        ended: when the other was over; None: it is not.
        now: the instant of the decision.
        patience: how long its items get to be looked at after the other's end.
    """
    since = joined if ended is None else max(joined, ended)
    if any(by_itself(state, reach, since) for state, reach in items):
        return True
    return ended is not None and now >= ended + patience // timedelta(microseconds=1)
