"""Asks the executor about one step until somebody knows what became of it.

Only a refusal from before the run record is a failure of the step. Whatever else keeps us from
knowing (the executor is gone, was started a moment ago, has a bug) is asked again until the step
must have ended; then its outcome is unknown. Nothing is written here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from monitord.clock import after, between
from monitord.engine.instance import Instance
from monitord.engine.ports import StepOutcome
from monitord.errors import (
    ExecutorLostError,
    NotBegunError,
    RefusedByExecutorError,
    TransportError,
)
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.incident import Step, StepStatus

log = get_logger(__name__)

_AGAIN = 2.0  # seconds between two questions
_SLACK = timedelta(seconds=15)  # what the executor may need beyond the step's own deadline

Renew = Callable[[], Awaitable[Step | str]]
"""Gives an intent that was never begun this epoch, or says why it may not begin now."""


async def have_done(instance: Instance, step: Step, renew: Renew) -> StepOutcome:
    """Have a fresh intent done; where its answer is lost, learn what became of it."""
    return await _send(instance, step) or await learn(instance, step, renew)


async def learn(instance: Instance, step: Step, renew: Renew) -> StepOutcome:
    """Learn what became of a step that was sent, or may have been; one never begun is begun."""
    patience = _patience(instance, step)
    while True:
        try:
            outcome = await _answer(instance, step, instance.executor.adopt(step.id))
        except (ExecutorLostError, RefusedByExecutorError, TransportError) as error:
            log.debug("a step is asked for again", step=step.id, error=str(error))
            if instance.now() >= patience:
                return StepOutcome(StepStatus.UNKNOWN, error=f"nobody can tell: {error}")
            await asyncio.sleep(_AGAIN)
            continue
        if not outcome.never_started:
            return outcome
        renewed = await renew()
        if isinstance(renewed, str):
            return _not_begun(f"never started: {renewed}")
        ended = await _send(instance, renewed)
        if ended is not None:
            return ended
        step, patience = renewed, _patience(instance, renewed)
        await asyncio.sleep(_AGAIN)


async def _send(instance: Instance, step: Step) -> StepOutcome | None:
    """Send a step; None when it may be under way and must be adopted."""
    try:
        return await _answer(instance, step, instance.executor.run(step.id))
    except NotBegunError as error:
        return _not_begun(f"the executor refused: {error}")
    except TransportError as error:  # by the run record nothing was begun
        return _not_begun(str(error))
    except (ExecutorLostError, RefusedByExecutorError) as error:
        log.debug("a step gave no outcome and is adopted", step=step.id, error=str(error))
        return None


async def _answer(instance: Instance, step: Step, asked: Awaitable[StepOutcome]) -> StepOutcome:
    """Wait for the executor, but no longer than the step and its runner may take."""
    left = between(instance.now(), step.deadline)
    wait = max(left, timedelta()) + _SLACK
    try:
        async with asyncio.timeout(wait.total_seconds()):
            return await asked
    except TimeoutError:
        error = "the executor gave no answer by the step's deadline"
        return StepOutcome(StepStatus.UNKNOWN, error=error)


def _patience(instance: Instance, step: Step) -> Instant:
    """Give until when to ask: a step whose deadline passed while we were away gets its moment."""
    return after(max(step.deadline, instance.now()), _SLACK)


def _not_begun(why: str) -> StepOutcome:
    return StepOutcome(StepStatus.FAILED, error=why, never_started=True)
