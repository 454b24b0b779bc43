"""Decides what one result does to one state: soft or hard, flapping, unreachable, stale.

Every path to a hard status goes through here; docs/decisions/states.md has the rules as a table and
where Nagios and Icinga differ. It never looks at incidents, holds or orders: results that must not
count (during an attempt) are simply not handed in.
"""

from dataclasses import replace

from monitord.decisions import flapping
from monitord.decisions.reach import Reach
from monitord.model.ids import Instant, split_state_key
from monitord.model.result import Cause, Result, Status
from monitord.model.state import Change, CheckState, StatePolicy, Transition

_OK, _UNKNOWN, _PENDING = Status.OK, Status.UNKNOWN, Status.PENDING
_NOT_BAD = frozenset({_OK, _PENDING})

Judgement = tuple[CheckState, tuple[Transition, ...]]


def judge(
    state: CheckState, result: Result, policy: StatePolicy, *, at: Instant, reach: Reach
) -> Judgement:
    """Take one result into the belief; the transitions come in the order in which they happened.

    `reach` matters for bad results only (an OK is always believed), so that a caller need not ask
    for it before an OK. Compare with `changed` whether the row must be written.
    """
    if result.status is state.status is state.hard is _OK and not (
        state.flapping or state.unreachable or state.stale
    ):
        return _steady(state, result, at), ()
    if result.status is _PENDING:
        return _sampled(state, result, at), ()
    if result.status is not _OK and (
        reach is Reach.DOWN or (reach is Reach.UNSURE and state.unreachable)
    ):
        return _excused(state, result, at)
    return _counted(state, result, policy, at, reach)


def begun_anew(state: CheckState) -> CheckState:
    """Forget the soft failures of a state: a parent was away in the meantime, and is back.

    What was hard before that stays so.
    """
    return _back(state) if state.hard in _NOT_BAD else state


def verified(state: CheckState, *, at: Instant, summary: str) -> tuple[CheckState, Transition]:
    """Make it hard OK at once, because verification has proven the repair.

    The flap bits stay and the next OK is no change: a repair's own effect is not counted.
    """
    after = replace(
        state,
        status=_OK,
        hard=_OK,
        attempt=0,
        since=at,
        first_failed=None,
        summary=summary,
        cause=None,
        unreachable=False,
        stale=False,
        last_seen=at,
        judged=_OK,
    )
    return after, transition(Change.VERIFIED, state, after, at=at)


def gone(
    state: CheckState, policy: StatePolicy, *, at: Instant, reach: Reach = Reach.UP
) -> Judgement:
    """Take note that the check ran and this item was not among what it saw.

    Counts like any UNKNOWN, so that one short listing raises nothing, and a hard WARNING or
    CRITICAL stays on until a person forgets the key.
    """
    check, item = split_state_key(state.key)
    result = Result.unknown(f"no longer present: {item or check}", Cause.GONE, item=item)
    return judge(state, result, policy, at=at, reach=reach)


def retired(state: CheckState, *, at: Instant) -> Judgement:
    """End a belief in a check as a whole, now that its items are seen one by one.

    What it was bad for is over with it; the row is to be deleted with its transition.
    """
    after = replace(state, status=_OK, hard=_OK, attempt=0, since=at, first_failed=None, cause=None)
    after = replace(after, summary="its items report now", flapping=False, stale=False)
    if state.hard not in _NOT_BAD:
        return after, (transition(Change.HARD, state, after, at=at),)
    if state.flapping:
        return after, (transition(Change.STEADY, state, after, at=at),)
    return after, ()


def reset_soft(state: CheckState) -> CheckState:
    """Forget what was counted and remembered of another target; the hard status stays."""
    fresh = CheckState(state.key)
    return replace(
        state,
        status=state.hard,
        attempt=0,
        first_failed=None if state.hard in _NOT_BAD else state.first_failed,
        memory=fresh.memory,
        judged=fresh.judged,
    )


def changed(before: CheckState, after: CheckState) -> bool:
    """Tell whether the row must be written.

    Not for `last_seen`, the summary of an OK, or flap bits that only moved on: a change bit never
    comes without another status, and older bits after a crash merely let flapping end later.
    """
    if before is after:
        return False
    return (
        before.status is not after.status
        or before.hard is not after.hard
        or before.attempt != after.attempt
        or before.cause is not after.cause
        or before.first_failed != after.first_failed
        or before.since != after.since
        or before.flapping is not after.flapping
        or before.unreachable is not after.unreachable
        or before.stale is not after.stale
        or before.judged is not after.judged
        or (after.status is not _OK and before.summary != after.summary)
        or before.memory != after.memory
    )


def transition(change: Change, before: CheckState, after: CheckState, *, at: Instant) -> Transition:
    """Give the transition between two beliefs.

    HARD and VERIFIED go from the hard status before to the one after, with the first failed probe
    of the run that begins or ends; the others report a side of the hard status that is on.
    """
    moves = change in (Change.HARD, Change.VERIFIED)
    return Transition(
        key=after.key,
        change=change,
        before=before.hard if moves else after.hard,
        after=after.hard,
        at=at,
        first_failed=before.first_failed if after.first_failed is None else after.first_failed,
        summary=after.summary,
        cause=after.cause,
        flapping=after.flapping,
        unreachable=after.unreachable,
    )


def _steady(state: CheckState, result: Result, at: Instant) -> CheckState:
    """Take one more OK after OK. `replace` would take twice as long (bench_judge.py)."""
    bits = state.flap_bits
    return CheckState(
        key=state.key,
        status=_OK,
        hard=_OK,
        since=state.since,
        summary=result.summary,
        flap_bits=flapping.push(bits, changed=False) if bits else 0,
        last_seen=at,
        memory=result.memory or state.memory,
        judged=_OK,
    )


def _sampled(state: CheckState, result: Result, at: Instant) -> CheckState:
    """Take a result that only laid the ground for the next one (the first sample of a rate)."""
    return replace(
        state,
        summary=result.summary if state.status is _PENDING else state.summary,
        memory=result.memory or state.memory,
        last_seen=at,
    )


def _excused(state: CheckState, result: Result, at: Instant) -> Judgement:
    """Take a bad result that a parent's outage explains: it is shown, and counts nowhere."""
    after = replace(
        state,
        status=result.status,
        summary=result.summary,
        cause=state.cause if state.hard is _UNKNOWN else result.cause,
        unreachable=True,
        last_seen=at,
        memory=result.memory or state.memory,
    )
    if state.unreachable:
        return after, ()
    return after, (transition(Change.UNREACHABLE, state, after, at=at),)


def _counted(
    state: CheckState, result: Result, policy: StatePolicy, at: Instant, reach: Reach
) -> Judgement:
    before = _back(state) if state.unreachable else state
    hard, attempt, cause = _hard(before, result, policy, reach)
    bits, judged = _flap(before, result.status, reach)
    after = CheckState(
        key=before.key,
        status=result.status,
        hard=hard,
        attempt=attempt,
        since=before.since if hard is before.hard else at,
        first_failed=_first_failed(before, result.status, hard, at),
        summary=result.summary,
        cause=cause,
        flap_bits=bits,
        flapping=_flaps(before, bits, policy),
        unreachable=False,
        stale=_stale(before, result.status, hard, attempt >= policy.attempts),
        last_seen=at,
        memory=result.memory or before.memory,
        judged=judged,
    )
    found = _transitions(before, after, back=state.unreachable, at=at)
    if result.details and found:
        found = tuple(replace(each, details=result.details) for each in found)
    return after, found


def _back(state: CheckState) -> CheckState:
    """End an outage of a parent: what failed before or during it was no fault of the child."""
    first_failed = None if state.hard in _NOT_BAD else state.first_failed
    return replace(state, unreachable=False, attempt=0, first_failed=first_failed)


def _hard(
    state: CheckState, result: Result, policy: StatePolicy, reach: Reach
) -> tuple[Status, int, Cause | None]:
    """Give the hard status, the attempt and the cause after a result that counts."""
    if result.status is _UNKNOWN and state.hard not in _NOT_BAD:
        return _blind(state, result.cause, policy, reach)
    if result.status is _OK:
        hard, attempt = _recover(state, policy)
    elif state.hard in _NOT_BAD:
        hard, attempt = _fail(state, result.status, policy, reach)
    else:  # between bad statuses it is hard at once, unless a parent may be to blame
        hard, attempt = (result.status if reach is Reach.UP else state.hard), 0
    if hard is _UNKNOWN and state.hard is _UNKNOWN:
        return hard, attempt, state.cause
    return hard, attempt, result.cause


def _recover(state: CheckState, policy: StatePolicy) -> tuple[Status, int]:
    if state.hard in _NOT_BAD:
        return _OK, 0
    run = state.attempt + 1 if state.status is _OK else 1
    return (_OK, 0) if run >= policy.recoveries else (state.hard, run)


def _fail(
    state: CheckState, status: Status, policy: StatePolicy, reach: Reach
) -> tuple[Status, int]:
    run = state.attempt + 1
    if reach is Reach.UNSURE:
        return state.hard, min(run, policy.attempts - 1)
    return (status, 0) if run >= policy.attempts else (state.hard, run)


def _blind(
    state: CheckState, cause: Cause | None, policy: StatePolicy, reach: Reach
) -> tuple[Status, int, Cause | None]:
    """Count UNKNOWNs over a bad hard status: they never change it, only its cause.

    Over WARNING and CRITICAL the attempt stops at `attempts` (then the evidence is stale); over
    UNKNOWN those of another cause count, and when there were enough, theirs is the cause.
    """
    if state.hard is _UNKNOWN and cause is state.cause:
        return _UNKNOWN, 0, cause
    run = state.attempt + 1 if state.status is _UNKNOWN else 1
    run = min(run, policy.attempts if reach is Reach.UP else policy.attempts - 1)
    if state.hard is not _UNKNOWN:
        return state.hard, run, cause
    return (_UNKNOWN, 0, cause) if run >= policy.attempts else (_UNKNOWN, run, state.cause)


def _first_failed(state: CheckState, status: Status, hard: Status, at: Instant) -> Instant | None:
    if status is _OK:
        return None if hard is _OK else state.first_failed
    return at if state.first_failed is None else state.first_failed


def _flap(state: CheckState, status: Status, reach: Reach) -> tuple[int, Status]:
    """Give the flap bits and the status to compare the next one with."""
    if status is _UNKNOWN or (status is not _OK and reach is not Reach.UP):
        return state.flap_bits, state.judged
    moved = state.judged is not _PENDING and status is not state.judged
    return flapping.push(state.flap_bits, changed=moved), status


def _flaps(state: CheckState, bits: int, policy: StatePolicy) -> bool:
    return policy.flapping and flapping.is_flapping(
        state.flapping, flapping.percent(bits), low=policy.flap_low, high=policy.flap_high
    )


def _stale(state: CheckState, status: Status, hard: Status, spent: bool) -> bool:
    """Tell whether what we believe is old evidence: an UNKNOWN alone does not refresh it."""
    if status is not _UNKNOWN or hard is _UNKNOWN:
        return False
    return state.stale or spent


def _transitions(
    before: CheckState, after: CheckState, *, back: bool, at: Instant
) -> tuple[Transition, ...]:
    other_cause = after.hard is _UNKNOWN and after.cause is not before.cause
    happened = (
        (Change.HARD, after.hard is not before.hard or other_cause),
        (Change.REACHABLE, back),
        (Change.STALE, after.stale and not before.stale),
        (Change.FRESH, before.stale and not after.stale),
        (Change.FLAPPING, after.flapping and not before.flapping),
        (Change.STEADY, before.flapping and not after.flapping),
    )
    return tuple(transition(change, before, after, at=at) for change, true in happened if true)
