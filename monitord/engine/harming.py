"""Gathers what the checks beside a repair say while it is being proven, and writes what it harmed.

What counts as harm is decided in decisions/harm.py; what is seen comes from the attempt's hold.
"""

from monitord.decisions import harm
from monitord.decisions.harm import Neighbour
from monitord.engine import ladder
from monitord.engine.settling import finish
from monitord.engine.situation import order_in_force
from monitord.engine.turn import AttemptTurn
from monitord.engine.undoing import begin_undo
from monitord.model.catalog import Check
from monitord.model.ids import CheckKey, StateKey, split_state_key
from monitord.model.incident import AttemptStatus, IncidentStatus
from monitord.model.state import CheckState
from monitord.model.ticket import Verb

_BUSY = frozenset(
    {"load", "memory", "cpu", "pressure", "swapping", "disk_io"}
)  # gauge a whole host
_NAMED = 5  # harmed neighbours that one line names


def neighbours(turn: AttemptTurn) -> list[Neighbour]:
    """Give what was well when the attempt began to act, and fails by its newest result."""
    instance = turn.instance
    found = []
    for key, streak in instance.beliefs.failing(turn.attempt.id):
        check = instance.catalog.checks.get(split_state_key(key)[0])
        if check is None:
            continue
        order = order_in_force(turn.tx, instance, Verb.MAINTENANCE, check, turn.now)
        found.append(
            Neighbour(
                key=key,
                status=streak.result.status,
                summary=streak.result.summary,
                in_a_row=streak.count,
                attempts=check.policy.attempts,
                reach=instance.beliefs.reach_of(check, streak.result.status),
                worked_on=order is not None,
                peers=_peers(turn, key, check),
                gauges=check.kind in _BUSY,
            )
        )
    return found


def did_harm(turn: AttemptTurn, seen: list[Neighbour]) -> bool:
    """Where the attempt has harmed a neighbour: end it or have it undone, and tell a person."""
    attempt = turn.attempt
    found = harm.harmed(seen, acted=attempt.effect_at or attempt.planned)
    if not found:
        return False
    named = [f"{one.key} ({one.status.name}: {one.summary})" for one in found[:_NAMED]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    why = f"it harmed {', '.join(named)}{more}"
    keys = [one.key for one in found]
    text = f"attempt {attempt.id} of {attempt.runbook}: {why}"
    turn.note("harmed", text, attempt=attempt.id, runbook=attempt.runbook, harmed=keys)
    runbook = turn.instance.catalog.runbooks.get(attempt.runbook)
    undoes = runbook is not None and runbook.on_harm == "undo" and not begin_undo(turn, why)
    if not undoes:
        finish(turn, AttemptStatus.FAILED, why)
    if turn.incident.status is IncidentStatus.REPAIRING:
        ladder.hand_over(turn, f"{text}; it is being undone" if undoes else text)
    return True


def _peers(turn: AttemptTurn, key: StateKey, check: Check) -> tuple[CheckState, ...]:
    """Give the states of the like checks elsewhere: same name, same item, not disturbed by this."""
    instance = turn.instance
    touched = instance.beliefs.disturbed_by(turn.attempt.host)
    item = split_state_key(key)[1]
    found = []
    for host in instance.catalog.hosts:
        other = CheckKey(f"{host}/{check.name}")
        if other in touched or other not in instance.catalog.checks:
            continue
        found += [s for s in instance.beliefs.of(other) if split_state_key(s.key)[1] == item]
    return tuple(found)
