"""The guards about evidence: whether the fault is there, is its own, and was seen well enough.

Pure; beliefs and looks were gathered before.
"""

from datetime import timedelta

from monitord.decisions.guards.situation import Refusal, Situation, Then, evidence, soon
from monitord.decisions.reach import Reach
from monitord.model.result import Status

_ENOUGH = 2
_ANOTHER_LOOK = timedelta(seconds=1)


def flapping(s: Situation) -> Refusal | None:
    """What goes up and down by itself is not repaired into one or the other."""
    names = [state.key for state in s.states if state.flapping]
    if names:
        return Refusal(f"{names[0]} is flapping: a repair would chase noise", Then.PERSON)
    return None


def unreachable(s: Situation) -> Refusal | None:
    """What it hangs on is down, or may be: the fault is not its own."""
    if s.reach is Reach.DOWN:
        reason = "what it stands behind or needs is down: repair that first"
        return Refusal(reason, Then.WAIT, soon(s))
    if s.reach is Reach.UNSURE:
        return Refusal(
            "it is not sure that what it stands behind or needs is up", Then.WAIT, soon(s)
        )
    return None


def still_failing(s: Situation) -> Refusal | None:
    """The newest look decides: OK and UNKNOWN are never acted on."""
    seen = s.looked if s.looked is not None else evidence(state.status for state in s.states)
    if seen in (Status.WARNING, Status.CRITICAL):
        return None
    if seen is Status.OK:
        return Refusal("the check no longer fails: nothing to repair", Then.WAIT, soon(s))
    # Stale means that it was UNKNOWN for long: waiting on would only keep it from a person.
    then = Then.PERSON if any(state.stale for state in s.states) else Then.WAIT
    return Refusal("the check gives no verdict now: UNKNOWN is never acted on", then, soon(s))


def seen_once(s: Situation) -> Refusal | None:
    """One bad sample is a hint; a second one is wanted before anything is planned upon it."""
    if s.samples >= _ENOUGH:
        return None
    return Refusal(f"{s.check.key} was seen bad only once", Then.WAIT, soon(s, _ANOTHER_LOOK))


def vantage(s: Situation) -> Refusal | None:
    """Who has lost the own network sees everything down: it is no evidence."""
    if s.vantage:
        return Refusal(f"the monitor has lost its own network: {s.vantage}", Then.WAIT, soon(s))
    return None
