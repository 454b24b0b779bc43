"""Decides whether a repair is proven: N OKs of the same check after the settle time. Pure.

UNKNOWN is never an OK. A bad or unknown look begins the count anew; the deadline ends it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from monitord.model.catalog import VerifyPolicy
from monitord.model.ids import Instant
from monitord.model.result import Status

_SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Proven."""

    oks: int


@dataclass(frozen=True, slots=True)
class Again:
    """Not yet: look again at `at` with this count."""

    oks: int
    at: Instant


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The time is over without proof."""

    reason: str


def interval(policy: VerifyPolicy, every: timedelta) -> timedelta:
    """Give the time between looks: min(every, (within − settle) / (oks + 1)), at least a second."""
    return max(_SHORTEST, min(every, (policy.within - policy.settle) / (policy.oks + 1)))


def first_look(policy: VerifyPolicy, *, began: Instant) -> Instant:
    """Give when the settle time is over."""
    return _after(began, policy.settle)


def deadline(policy: VerifyPolicy, *, began: Instant) -> Instant:
    """Give when verification gives up."""
    return _after(began, policy.within)


def look(
    policy: VerifyPolicy,
    every: timedelta,
    *,
    began: Instant,
    oks: int,
    statuses: Iterable[Status],
    now: Instant,
    doubts: bool = False,
) -> Fixed | Again | GaveUp:
    """Judge one look at the check: `statuses` of the incident's items as just seen.

    Args:
        policy: settle, oks and within.
        every: the check's own interval.
        began: when verification began.
        oks: looks in a row that were wholly OK so far.
        statuses: what this look saw; empty counts as not seen.
        now: the instant of the decision.
        doubts: what was well beside it fails, and may yet turn out to be harm: a proof waits for
            that, until its time is over.
    """
    seen = list(statuses)
    well = bool(seen) and all(status is Status.OK for status in seen)
    count = oks + 1 if well else 0
    end = deadline(policy, began=began)
    if count >= policy.oks and (not doubts or now >= end):
        return Fixed(count)
    if now >= end:
        return GaveUp(f"{count} of {policy.oks} OKs in a row when the time was over")
    return Again(count, min(_after(now, interval(policy, every)), end))


def _after(start: Instant, wait: timedelta) -> Instant:
    return Instant(start + wait // timedelta(microseconds=1))
