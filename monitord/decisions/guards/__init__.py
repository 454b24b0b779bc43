"""Decides whether a rung of the ladder may act now: one ordered list of guards, each with a reason.

A guard looks at a `Situation` and either lets pass (None) or refuses with a sentence and with what
follows from it. They run before an attempt and again inside each step's intent transaction. Pure;
nothing is done or looked up here. A guard that is removed fails a test that bears its name.
"""

from collections.abc import Sequence
from typing import Any

from monitord.decisions.guards import counts, harm, people, seen
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

__all__ = [
    "GUARDS",
    "QUEUES",
    "QUIET",
    "WANT_A_LOOK",
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
    "told",
]

GUARDS: tuple[Guard, ...] = (
    Guard("halt", people.halt),
    Guard("maintenance", people.maintenance, quiet=True),
    Guard("taken", people.taken, quiet=True),
    Guard("flapping", seen.flapping),
    Guard("unreachable", seen.unreachable, quiet=True),
    Guard("still failing", seen.still_failing, quiet=True),
    Guard("seen once", seen.seen_once, quiet=True),
    Guard("vantage", seen.vantage, quiet=True),
    Guard("person", people.person),
    Guard("mode", people.mode),
    Guard("budget", counts.budget),
    Guard("cooldown", counts.cooldown),
    Guard("back-off", counts.backing_off),
    Guard("at once", counts.at_once),
    Guard("lock", counts.lock),
    Guard("keep healthy", harm.keep_healthy),
    Guard("targets", harm.targets),
    Guard("freeze", harm.freeze),
    Guard("breaker", harm.breaker),
    Guard("recurring", harm.recurring),
    Guard("own host", harm.own_host),
    Guard("boot", harm.boot),
)
"""The order of DESIGN §7. Preconditions are the runbook's `require`; deletion is a matter of the
actions that delete."""

QUIET = frozenset(guard.name for guard in GUARDS if guard.quiet)
"""These outweigh every other refusal: nobody is to be woken by this incident."""

QUEUES = frozenset({"at once", "lock", "keep healthy"})
"""Where these wait, they wait for other repairs to end; somebody is told when that takes long."""

WANT_A_LOOK = frozenset({"seen once"})
"""Where these wait, the check is to be run at once."""


def evaluate(situation: Situation, guards: Sequence[Guard] | None = None) -> tuple[Verdict, ...]:
    """Ask every guard, in order; all are asked, so that a person sees all reasons at once."""
    chosen = GUARDS if guards is None else guards
    return tuple(Verdict(guard.name, guard.judge(situation)) for guard in chosen)


def told(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Give verdicts as people and tickets see them: `guard`, whether it is `ok`, and the reason."""
    return [
        {
            "guard": verdict.guard,
            "ok": verdict.refusal is None,
            "reason": verdict.refusal.reason if verdict.refusal else "",
        }
        for verdict in verdicts
    ]


def first_refusal(verdicts: Sequence[Verdict]) -> tuple[str, Refusal] | None:
    """Give the name and refusal that decides: the first in the order of the list, or None.

    A later refusal that needs a person outweighs an earlier one that merely waits: waiting would
    only delay the person.
    """
    refused = [(v.guard, v.refusal) for v in verdicts if v.refusal is not None]
    if not refused:
        return None
    silent = [pair for pair in refused if pair[0] in QUIET]
    if silent:
        return silent[0]
    for wanted in (Then.PERSON, Then.NEXT, Then.WAIT):
        for name, refusal in refused:
            if refusal.then is wanted:
                return name, refusal
    return None
