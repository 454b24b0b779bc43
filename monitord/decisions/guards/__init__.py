"""Decides whether a rung of the ladder may act now: one ordered list of guards, each with a reason.

A guard looks at a `Situation` and either lets pass (None) or refuses with a sentence and with what
follows from it. They run before an attempt and again inside each step's intent transaction. Pure;
nothing is done or looked up here. A guard that is removed fails a test that bears its name.
"""

from collections.abc import Sequence
from datetime import timedelta

from monitord.decisions.guards.situation import (
    Effects,
    GroupHealth,
    Guard,
    Refusal,
    Running,
    Situation,
    Then,
    Verdict,
    evidence,
)
from monitord.decisions.reach import Reach
from monitord.model.ids import Instant
from monitord.model.result import Status
from monitord.model.spec import format_duration

__all__ = [
    "GUARDS",
    "Effects",
    "GroupHealth",
    "Guard",
    "Refusal",
    "Running",
    "Situation",
    "Then",
    "Verdict",
    "evaluate",
    "evidence",
    "first_refusal",
]

_LOOK_AGAIN = timedelta(seconds=15)


def evaluate(situation: Situation, guards: Sequence[Guard] | None = None) -> tuple[Verdict, ...]:
    """Ask every guard, in order; all are asked, so that a person sees all reasons at once."""
    chosen = GUARDS if guards is None else guards
    return tuple(Verdict(guard.name, guard.judge(situation)) for guard in chosen)


def first_refusal(verdicts: Sequence[Verdict]) -> tuple[str, Refusal] | None:
    """Give the name and refusal that decides: the first in the order of the list, or None.

    A later refusal that needs a person outweighs an earlier one that merely waits: waiting would
    only delay the person.
    """
    refused = [(v.guard, v.refusal) for v in verdicts if v.refusal is not None]
    if not refused:
        return None
    silent = [pair for pair in refused if pair[0] in _KEEPS_QUIET]
    if silent:
        return silent[0]
    for wanted in (Then.PERSON, Then.NEXT, Then.WAIT):
        for name, refusal in refused:
            if refusal.then is wanted:
                return name, refusal
    return None


def _halt(s: Situation) -> Refusal | None:
    if s.halt_order is None and s.halt_file:
        return Refusal("automation is halted: the file HALT exists", Then.PERSON)
    if s.halt_order is not None:
        order = s.halt_order
        return Refusal(f"automation is halted by {order.by}: {order.reason}", Then.PERSON)
    if s.halt_runbook is not None:
        order = s.halt_runbook
        reason = f"{s.rung.runbook} is halted by {order.by}: {order.reason}"
        return Refusal(reason, Then.NEXT)
    return None


def _maintenance(s: Situation) -> Refusal | None:
    if s.maintenance is None:
        return None
    order = s.maintenance
    reason = f"maintenance by {order.by}: {order.reason}"
    return Refusal(reason, Then.WAIT, None if order.until_ok else order.expires)


def _flapping(s: Situation) -> Refusal | None:
    names = [state.key for state in s.states if state.flapping]
    if names:
        return Refusal(f"{names[0]} is flapping: a repair would chase noise", Then.PERSON)
    return None


def _unreachable(s: Situation) -> Refusal | None:
    if s.reach is Reach.DOWN:
        reason = "what it stands behind or needs is down: repair that first"
        return Refusal(reason, Then.WAIT, _soon(s))
    if s.reach is Reach.UNSURE:
        return Refusal(
            "it is not sure that what it stands behind or needs is up", Then.WAIT, _soon(s)
        )
    return None


def _still_failing(s: Situation) -> Refusal | None:
    seen = s.looked if s.looked is not None else evidence(state.status for state in s.states)
    if seen in (Status.WARNING, Status.CRITICAL):
        return None
    if seen is Status.OK:
        return Refusal("the check no longer fails: nothing to repair", Then.WAIT, _soon(s))
    # Stale means that it was UNKNOWN for long: waiting on would only keep it from a person.
    then = Then.PERSON if any(state.stale for state in s.states) else Then.WAIT
    return Refusal("the check gives no verdict now: UNKNOWN is never acted on", then, _soon(s))


def _mode(s: Situation) -> Refusal | None:
    name = s.rung.runbook
    if s.observe:
        return Refusal("observe is on: every decision is taken, nothing is let out", Then.NEXT)
    if s.rung.mode == "shadow":
        return Refusal(f"{name} is in shadow: it shows what it would have done", Then.NEXT)
    if s.rung.mode == "approve":
        # Not the next rung: a bigger repair must not run because nobody was there to approve.
        return Refusal(f"{name} needs a person's approval of this exact plan", Then.PERSON)
    return None


def _budget(s: Situation) -> Refusal | None:
    limits, budgets, name = s.rung.limits, s.budgets, s.rung.runbook
    rules: tuple[tuple[int, int | None, str, Then], ...] = (
        (s.effects.rung, limits.per_incident, f"{name} for this incident", Then.NEXT),
        (s.effects.incident, budgets.rungs_per_incident, "repairs for this incident", Then.PERSON),
        (s.effects.runbook_hour, limits.per_hour, f"{name} in an hour", Then.NEXT),
        (s.effects.runbook_day, limits.per_day, f"{name} in a day", Then.NEXT),
        (s.effects.host_hour, budgets.host_per_hour, f"repairs on {s.host.name} in an hour", _P),
        (s.effects.host_day, budgets.host_per_day, f"repairs on {s.host.name} in a day", _P),
        (s.effects.fleet_hour, budgets.fleet_per_hour, "repairs in the fleet in an hour", _P),
        (s.effects.fleet_day, budgets.fleet_per_day, "repairs in the fleet in a day", _P),
    )
    for count, limit, what, then in rules:
        if limit is not None and count >= limit:
            return Refusal(f"the budget is spent: {count} of {limit} {what}", then)
    return None


def _cooldown(s: Situation) -> Refusal | None:
    if s.last_effect is None:
        return None
    cooldown = s.rung.limits.cooldown
    over = Instant(s.last_effect + cooldown // timedelta(microseconds=1))
    if s.now >= over:
        return None
    ago = format_duration(timedelta(seconds=max(0, s.now - s.last_effect) // 1_000_000))
    reason = (
        f"{s.rung.runbook} acted on {s.host.name} {ago} ago;"
        f" its cooldown is {format_duration(cooldown)}"
    )
    return Refusal(reason, Then.NEXT, over)


def _at_once(s: Situation) -> Refusal | None:
    if s.running.fleet >= s.budgets.fleet_at_once:
        reason = f"{s.running.fleet} of {s.budgets.fleet_at_once} repairs run in the fleet already"
        return Refusal(reason, Then.WAIT, _soon(s))
    for group, count in s.running.groups:
        if count >= s.budgets.group_at_once:
            reason = f"{count} of {s.budgets.group_at_once} repairs run in group {group} already"
            return Refusal(reason, Then.WAIT, _soon(s))
    return None


def _lock(s: Situation) -> Refusal | None:
    if s.lock_holder:
        return Refusal(f"{s.lock_holder} is being worked on", Then.WAIT, _soon(s))
    return None


def _targets(s: Situation) -> Refusal | None:
    if not s.host.login.may_act:
        reason = f"{s.host.name} is only watched: its login has no `act`"
        return Refusal(reason, Then.PERSON)
    if s.rung_problem:
        return Refusal(f"no exact plan can be made: {s.rung_problem}", Then.NEXT)
    if not s.targets:
        return Refusal("the set of targets is empty", Then.PERSON)
    return None


def _soon(s: Situation) -> Instant:
    return Instant(s.now + _LOOK_AGAIN // timedelta(microseconds=1))


_P = Then.PERSON
_KEEPS_QUIET = frozenset({"maintenance", "unreachable", "still failing"})
"""What these refuse needs no person from this incident: somebody works there already, the parent's
own incident carries the news, or it is over. They outweigh every other refusal."""

GUARDS: tuple[Guard, ...] = (
    Guard("halt", _halt),
    Guard("maintenance", _maintenance),
    # taken: a person holds the host
    Guard("flapping", _flapping),
    Guard("unreachable", _unreachable),
    # stale or single-sample evidence; vantage; a person is at work
    Guard("still failing", _still_failing),
    Guard("mode", _mode),
    Guard("budget", _budget),
    Guard("cooldown", _cooldown),
    Guard("at once", _at_once),
    Guard("lock", _lock),
    # keep_healthy
    Guard("targets", _targets),
    # preconditions are the runbook's `require`; freeze window; circuit breaker; deletion
)
"""The order of DESIGN §7; a comment marks the place of a guard that later versions bring."""
