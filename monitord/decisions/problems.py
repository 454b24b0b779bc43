"""Decides when incidents that keep coming back are a problem of their own. Pure.

Source of the figures: DESIGN §10 (fixed three times in 24 hours: stop, and a problem at L3).
"""

from collections.abc import Iterable

from monitord.model.ids import Instant
from monitord.model.incident import Attempt, AttemptStatus, Incident
from monitord.model.policy import Recurring
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.spec import format_duration


def times(former: Iterable[Incident], since: Instant) -> int:
    """Count how often a key has failed since then: each incident, and each time one came back."""
    return sum(1 + one.reopened for one in former if one.opened >= since)


def is_problem(count: int, rule: Recurring) -> bool:
    """Tell whether a key that failed so often within the rule's time has a cause of its own."""
    return count >= rule.after


def barred(
    attempts: Iterable[Attempt], live: Problem | None, since: Instant, rule: Recurring
) -> str:
    """Say why automation stops at a key that it has fixed again and again; empty: it does not.

    Once a person knows the cause (KNOWN), automation may go on.
    """
    if live is not None and live.status is ProblemStatus.KNOWN:
        return ""
    fixed = sum(
        attempt.status is AttemptStatus.FIXED and (attempt.finished or since) > since
        for attempt in attempts
    )
    if fixed < rule.after:
        return ""
    named = f" (problem {live.id})" if live is not None else ""
    return f"fixed {fixed} times in {format_duration(rule.within)} and back again{named}"


def title(key: str, count: int, rule: Recurring) -> str:
    """Give the one line of a problem."""
    return f"{key} failed {count} times in {format_duration(rule.within)}"
