"""What an attempt holds while it may disturb its host: which checks, until when.

Made from the attempt's row alone, so that a new core holds the same. It decides nothing.
"""

from collections.abc import Callable

from monitord.decisions.verification import first_look
from monitord.engine.hold import Hold
from monitord.engine.instance import Instance
from monitord.model.ids import Instant
from monitord.model.incident import LIVE_ATTEMPTS, Attempt, AttemptStatus
from monitord.store.contract import View

_ENDED = frozenset(AttemptStatus) - LIVE_ATTEMPTS
_EVER = Instant(2**62)


def holding(instance: Instance, attempt: Attempt) -> Hold:
    """Give the hold of an attempt that had or is about to have its first effect."""
    checks = instance.beliefs.disturbed_by(attempt.host)
    judged_from = settled(instance, attempt)
    return Hold(attempt.id, attempt.incident, attempt.deadline, checks, judged_from=judged_from)


def settled(instance: Instance, attempt: Attempt) -> Instant | None:
    """Give when what an attempt disturbed should have settled; None: it still acts."""
    check = instance.check(attempt.key)
    runbook = instance.catalog.runbooks.get(attempt.runbook)
    if attempt.verifying is None or attempt.undoing or check is None or runbook is None:
        return None
    rungs = (rung.verify for rung in check.remediate if rung.runbook == attempt.runbook)
    return first_look(next(rungs, runbook.verify), began=attempt.verifying)


def take_hold(instance: Instance, attempt: Attempt) -> Callable[[], None]:
    """Give the call that begins an attempt's hold once its intent is durable."""
    return lambda: instance.beliefs.hold(holding(instance, attempt))


def being_undone(view: View) -> list[Attempt]:
    """Give the attempts that have ended and are being undone, by a person's word."""
    due = {one.id: one for one in view.attempts(statuses=_ENDED, due_by=_EVER)}
    for step in view.open_steps():  # while a step of it is under way, its row is not due
        attempt = view.attempt(step.attempt)
        if attempt is not None and attempt.status in _ENDED and attempt.undoing:
            due[attempt.id] = attempt
    return [due[number] for number in sorted(due)]


async def resume_holds(instance: Instance) -> None:
    """Hold again what the attempts of an earlier core held."""
    found = await instance.store.read(
        lambda view: [*view.attempts(statuses=LIVE_ATTEMPTS), *being_undone(view)]
    )
    for attempt in found:
        if attempt.effect_at is not None and instance.now() < attempt.deadline:
            instance.beliefs.hold(holding(instance, attempt))
