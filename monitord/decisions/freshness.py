"""Decides whether a belief is too old to be believed: no result has come for `fresh_for`.

The hard status stays what it was and is marked stale; state.py ends that with the next result that
judges. Why no result came (a lost executor, a jammed schedule) is told elsewhere.
"""

from dataclasses import replace
from datetime import timedelta

from monitord.decisions.state import transition
from monitord.model.ids import EPOCH, Instant
from monitord.model.spec import format_duration
from monitord.model.state import Change, CheckState, StatePolicy, Transition


def stale(
    state: CheckState,
    policy: StatePolicy,
    *,
    now: Instant,
    watching_since: Instant = EPOCH,
) -> tuple[CheckState, Transition] | None:
    """Give the stale belief and its transition, or None while it is fresh or known to be stale.

    The age counts from the last result, from `since` before the first one, and never from before
    `watching_since`: when this daemon started, or the hold on the check ended. A state without any
    of the three is never stale. Clock steps are the caller's to subtract from `now`.
    """
    start = max(state.last_seen or state.since, watching_since)
    age = timedelta(microseconds=now - start)
    if state.stale or start == EPOCH or age <= policy.fresh_for:
        return None
    text = f"no result for {format_duration(timedelta(seconds=age // timedelta(seconds=1)))}"
    after = replace(state, stale=True)
    change = transition(Change.STALE, state, after, at=now)
    return after, replace(change, summary=f"{text}; the last was: {state.summary or 'none'}")
