"""The guards that count: budgets, cooldown, back-off, how many at once, and locks.

Pure; the counts come from the journal, inside the transaction that would begin the effect.
"""

from datetime import timedelta

from monitord.decisions.guards.situation import Refusal, Situation, Then, soon
from monitord.model.ids import Instant
from monitord.model.spec import format_duration

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(seconds=300)
_P = Then.PERSON


def budget(s: Situation) -> Refusal | None:
    """N are allowed; the one after them is refused."""
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


def cooldown(s: Situation) -> Refusal | None:
    """A runbook that acted here just now and did not last is no answer yet."""
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


def back_off(repairs: int) -> timedelta:
    """Give how long to wait after so many repairs of one check in a row: 0, 10, 20, 40 … 300 s."""
    if repairs <= 0:
        return timedelta()
    # Bounded first: there is no timedelta of 2^40 seconds.
    return min(_FIRST_WAIT * (1 << min(repairs - 1, 10)), _LONGEST_WAIT)


def backing_off(s: Situation) -> Refusal | None:
    """Each repair that did not hold makes the next one wait longer."""
    if s.last_repair is None:
        return None
    wait = back_off(s.repairs)
    over = Instant(s.last_repair + wait // timedelta(microseconds=1))
    if s.now >= over:
        return None
    times = "once" if s.repairs == 1 else f"{s.repairs} times"
    reason = f"{s.check.key} was repaired {times} and did not hold: {format_duration(wait)} between"
    return Refusal(reason, Then.WAIT, over)


def at_once(s: Situation) -> Refusal | None:
    """So many at once in the fleet, so many in a group: the rest queues."""
    if s.running.fleet >= s.budgets.fleet_at_once:
        reason = f"{s.running.fleet} of {s.budgets.fleet_at_once} repairs run in the fleet already"
        return Refusal(reason, Then.WAIT, soon(s))
    for group, count in s.running.groups:
        if count >= s.budgets.group_at_once:
            reason = f"{count} of {s.budgets.group_at_once} repairs run in group {group} already"
            return Refusal(reason, Then.WAIT, soon(s))
    return None


def lock(s: Situation) -> Refusal | None:
    """Nobody touches what another attempt holds."""
    if s.lock_holder:
        return Refusal(f"{s.lock_holder} is being worked on", Then.WAIT, soon(s))
    return None
