"""Runs a link of a chain: guards, intent, effect, outcome, one step at a time.

As with a repair, the intent is committed before the effect in the transaction that asks the guards,
and the executor finds it there. It is none: no incident, budget or proof. What nobody knows the end
of is INTERRUPTED and waits for a person; only what never began is started again.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from monitord.actions import plan as plans
from monitord.clock import after
from monitord.decisions.guards import GUARDS, evaluate, first_refusal
from monitord.engine.asking import have_done, learn
from monitord.engine.instance import Instance
from monitord.engine.ports import StepOutcome
from monitord.engine.situation import ExactPlan, plan_for, situation
from monitord.engine.turn import AfterCommit, AttemptTurn
from monitord.log import get_logger
from monitord.model.catalog import Check, Rung
from monitord.model.chain import BROKEN, ChainRun, Link, LinkStatus
from monitord.model.effect import Pause, describe, to_json
from monitord.model.ids import (
    AttemptId,
    IncidentId,
    Instant,
    StateKey,
    StepId,
    split_state_key,
    state_key,
)
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.result import Status
from monitord.store.contract import Tx, View

log = get_logger(__name__)

BY_ITSELF = "automation"
_BARS = ("halt", "maintenance", "taken", "mode", "lock", "targets")
_BARS_FOR_PEOPLE = frozenset(_BARS) - {"mode"}
_AGAIN = timedelta(seconds=15)
_OUTPUT = 4000
_A, _S = AttemptStatus, LinkStatus


def start(
    tx: Tx,
    out: AfterCommit,
    instance: Instance,
    run: ChainRun,
    link: Link,
    now: Instant,
) -> timedelta | None:
    """Start a link, or say on its row what keeps it; gives when to try again (None: it runs)."""
    check = instance.catalog.checks[run.key]
    found = _rung(check, link)
    if found is None:
        return _keep(tx, link, "there is no runbook start-link to start it with")
    rung = plans.dated(found, run.business_date)
    plan = plan_for(instance, check, rung, [link.name])
    refused = plan.problem or _refused(tx, instance, check, rung, plan, link, now)
    if refused:
        return _keep(tx, link, refused)
    attempt = _attempt(instance, check, run, link, rung, plan, now)
    number = tx.add_attempt(attempt)
    holder = tx.take_locks(number, plan.locks)
    if holder is not None:  # the guard saw it free in this same transaction
        raise AssertionError(f"lock {holder} was taken between guard and plan")
    tx.move_link(
        link.id,
        _S.WAITING,
        _S.RUNNING,
        started=now,
        ended=None,
        exit_code=None,
        output="",
        attempt=number,
        tries=link.tries + 1,
        waiting_for="",
    )
    tx.add_audit(now, attempt.by, "act", check.host, f"attempt {number}: {run.key}/{link.name}")
    log.info("link starts", chain=run.key, link=link.name, attempt=number)
    _intend(tx, out, instance, replace(attempt, id=number), 0, now)
    return None


def _rung(check: Check, link: Link) -> Rung | None:
    """Give what starts it: for a try after another one, what a rerun does."""
    wanted = [*check.starts]
    if link.tries:
        wanted = [*(rung for rung in check.remediate if rung.runbook == "rerun-link"), *wanted]
    return next(iter(wanted), None)


def _keep(tx: Tx, link: Link, why: str) -> timedelta:
    if link.waiting_for != why:
        log.warning("link is not started", link=link.name, chain=link.key, reason=why)
        tx.change_link(link.id, _S.WAITING, waiting_for=why)
    return _AGAIN


def _refused(
    tx: Tx,
    instance: Instance,
    check: Check,
    rung: Rung,
    plan: ExactPlan,
    link: Link,
    now: Instant,
    attempt: Attempt | None = None,
) -> str:
    """Say which guard refuses a start; empty: none."""
    if instance.catalog.settings.observe:
        return "observe: nothing is let out"
    facts = situation(
        tx, instance, _imagined(check, link, now), rung, plan, now=now, attempt=attempt
    )
    bars = _BARS if link.by in ("", BY_ITSELF) else _BARS_FOR_PEOPLE
    verdicts = evaluate(facts, [guard for guard in GUARDS if guard.name in bars])
    refused = first_refusal(verdicts)
    return "" if refused is None else f"{refused[0]}: {refused[1].reason}"


def _imagined(check: Check, link: Link, now: Instant) -> Incident:
    """Give the incident that a start does not have, as the guards read it."""
    return Incident(
        IncidentId(0),
        check.key,
        IncidentStatus.OPEN,
        Status.CRITICAL,
        f"start of {link.name}",
        now,
        now,
        None,
        items=(state_key(check.key, link.name),),
        host=check.host,
    )


def _attempt(
    instance: Instance,
    check: Check,
    run: ChainRun,
    link: Link,
    rung: Rung,
    plan: ExactPlan,
    now: Instant,
) -> Attempt:
    work = sum((step.timeout for step in plan.steps), timedelta())
    return Attempt(
        id=AttemptId(0),  # the store numbers it
        incident=IncidentId(0),
        key=check.key,
        host=check.host,
        runbook=rung.runbook,
        runbook_hash=instance.catalog.runbooks[rung.runbook].hash,
        catalog=instance.catalog.hash,
        mode=rung.mode if link.by in ("", BY_ITSELF) else "auto",
        status=_A.LINK,
        plan=plans.to_text(plan.steps),
        targets=(check.host,),
        locks=tuple(name for name, exclusive in plan.locks if exclusive),
        planned=now,
        due_at=None,
        deadline=after(now, work),
        started=now,
        groups=instance.catalog.hosts[check.host].groups,
        epoch=instance.epoch,
        by=link.by or BY_ITSELF,
        items=(state_key(check.key, link.name),),
        business_date=run.business_date,
    )


def _intend(
    tx: Tx,
    out: AfterCommit,
    instance: Instance,
    attempt: Attempt,
    position: int,
    now: Instant,
) -> None:
    """Commit the intent of one step; the work begins when this transaction is durable."""
    planned = plans.from_text(attempt.plan)[position]
    step = Step(
        id=StepId(0),
        attempt=attempt.id,
        position=position,
        phase=Phase(planned.phase),
        kind=planned.kind,
        target=planned.target,
        effect=to_json(planned.effect),
        idempotent=planned.idempotent,
        status=StepStatus.INTENT,
        intended=now,
        deadline=after(now, planned.timeout),
        epoch=instance.epoch,
    )
    intended = replace(step, id=tx.add_step(step))
    if step.phase is Phase.STEP and attempt.effect_at is None:
        tx.change_attempt(attempt.id, _A.LINK, effect_at=now)
    if isinstance(planned.effect, Pause):  # nothing is to run before this link
        _settle(tx, out, instance, intended, StepOutcome(StepStatus.DONE))
        return
    log.info("link step", attempt=attempt.id, does=describe(planned.effect))
    work = partial(_perform, instance, intended)
    out.works.append((f"attempt {attempt.id} step {intended.id}", work))


async def _perform(instance: Instance, step: Step) -> None:
    await _record(instance, step, await have_done(instance, step, _never_again))


async def _adopt(instance: Instance, step: Step) -> None:
    await _record(instance, step, await learn(instance, step, _never_again))


async def _never_again() -> str:
    """An intent that never began is not begun late: its link waits, and is started anew."""
    return "monitord ended before it began"


async def adopt_links(instance: Instance) -> None:
    """Learn what became of links that nobody waits for any more."""

    def look(view: View) -> list[Step]:
        steps = [(step, view.attempt(step.attempt)) for step in view.open_steps()]
        return [step for step, of in steps if of is not None and of.status is _A.LINK]

    for step in await instance.store.read(look):
        instance.start(f"attempt {step.attempt} step {step.id}", _adopt(instance, step))


async def _record(instance: Instance, step: Step, outcome: StepOutcome) -> None:
    out = AfterCommit()
    await instance.insist(lambda tx: _settle(tx, out, instance, step, outcome))
    out.run(instance)
    instance.wake()


def _settle(
    tx: Tx,
    out: AfterCommit,
    instance: Instance,
    step: Step,
    outcome: StepOutcome,
) -> None:
    """Write a step's outcome; then the next step, or how the link ended."""
    now, attempt = instance.now(), tx.attempt(step.attempt)
    link = tx.link_of(step.attempt)
    end = {"finished": now, "exit_code": outcome.exit_code, "error": outcome.error}
    begun = None if outcome.never_started else step.intended
    moved = tx.move_step(
        step.id, StepStatus.INTENT, outcome.status, started=begun, output=outcome.output, **end
    )
    if not moved or attempt is None or attempt.status is not _A.LINK:
        return
    if outcome.status is StepStatus.DONE and step.position + 1 < len(plans.from_text(attempt.plan)):
        refused = _stopped(tx, instance, attempt, now)
        if not refused:
            _intend(tx, out, instance, attempt, step.position + 1, now)
            return
        outcome = StepOutcome(StepStatus.FAILED, error=f"stopped before its next step: {refused}")
    finish = {
        StepStatus.DONE: _A.DONE,
        StepStatus.UNKNOWN: _A.INTERRUPTED,
    }.get(outcome.status, _A.FAILED)
    why = outcome.error or f"exit {outcome.exit_code}"
    tx.move_attempt(attempt.id, _A.LINK, finish, finished=now, outcome=why)
    tx.release_locks(attempt.id)
    instance.counters.attempts[finish.value.lower()] += 1
    if link is not None:
        end_link(tx, link, step, outcome, now)
        instance.chain_moved(tx, out, link.run)


def _stopped(tx: Tx, instance: Instance, attempt: Attempt, now: Instant) -> str:
    """Say what people's orders bar the next step of a start; empty: none."""
    check, link = instance.check(attempt.key), tx.link_of(attempt.id)
    rungs = (*check.starts, *check.remediate) if check is not None else ()
    rung = next((rung for rung in rungs if rung.runbook == attempt.runbook), None)
    if check is None or link is None or rung is None:
        return "it is no longer configured"
    locks = tuple((name, True) for name in attempt.locks)
    plan = ExactPlan(plans.from_text(attempt.plan), locks)
    return _refused(tx, instance, check, rung, plan, link, now, attempt)


def begin_again(turn: AttemptTurn) -> None:
    """Note on its row that a repair runs a failed link again."""
    link, attempt = _of_repair(turn), turn.attempt
    if link is None or link.status not in BROKEN:
        return
    fresh = {"ended": None, "exit_code": None, "output": "", "waiting_for": ""}
    turn.tx.move_link(
        link.id,
        link.status,
        _S.RUNNING,
        started=turn.now,
        attempt=attempt.id,
        tries=link.tries + 1,
        by=attempt.by,
        **fresh,
    )
    turn.instance.chain_moved(turn.tx, turn.after, link.run)


def end_again(turn: AttemptTurn, step: Step, outcome: StepOutcome) -> None:
    """Note how a step of a repair ended its link, unless it went well and others follow."""
    link = turn.tx.link_of(turn.attempt.id)
    steps = plans.from_text(turn.attempt.plan)
    last = max(place for place, one in enumerate(steps) if one.phase == Phase.STEP)
    well = outcome.status is StepStatus.DONE and step.position != last
    if link is None or link.status is not _S.RUNNING or step.phase is not Phase.STEP or well:
        return
    if outcome.never_started:  # it was noted as begun with its intent
        outcome = replace(outcome, never_started=False)
    end_link(turn.tx, link, step, outcome, turn.now)
    turn.instance.chain_moved(turn.tx, turn.after, link.run)


def _of_repair(turn: AttemptTurn) -> Link | None:
    names = {split_state_key(StateKey(item))[1] for item in turn.attempt.items}
    runs = turn.tx.chain_runs(turn.attempt.key, limit=1)
    links = turn.tx.links(runs[0].id) if runs else []
    return next((link for link in links if link.name in names), None)


def end_link(tx: Tx, link: Link, step: Step, outcome: StepOutcome, now: Instant) -> None:
    """Write how a link's step ended it: what never began waits, what nobody knows is in doubt."""
    output = outcome.output[-_OUTPUT:] or outcome.error
    told = {"ended": now, "exit_code": outcome.exit_code, "output": output}
    if outcome.status is StepStatus.DONE:
        status = _S.DONE
    elif outcome.status is StepStatus.UNKNOWN:
        status = _S.INTERRUPTED
    elif outcome.never_started and step.phase is Phase.STEP and step.position == 0:
        why = outcome.error or "it was not begun"
        fresh = {"started": None, "tries": max(0, link.tries - 1), "waiting_for": why}
        tx.move_link(link.id, _S.RUNNING, _S.WAITING, **fresh)
        return
    else:
        status = _S.FAILED
    tx.move_link(link.id, _S.RUNNING, status, **told)
