"""The stage that proves repairs: it looks at the check, and decisions/verification.py judges.

FIXED writes the states hard OK, the attempt and the incident in one transaction; memory follows
after the commit. A look never counts as an ordinary result.
"""

from collections.abc import Sequence
from datetime import timedelta

from monitord.clock import after, between
from monitord.decisions import verification
from monitord.decisions.harm import doubtful
from monitord.decisions.state import verified
from monitord.engine import closing, ladder, ticketing
from monitord.engine.harming import did_harm, neighbours
from monitord.engine.instance import Instance
from monitord.engine.outside import begin, look, whole
from monitord.engine.settling import finish, rung_of
from monitord.engine.turn import AfterCommit, AttemptTurn
from monitord.model.catalog import Check, Rung
from monitord.model.ids import CheckKey, StateKey
from monitord.model.incident import Attempt, AttemptStatus, IncidentStatus
from monitord.model.result import Status
from monitord.model.state import CheckState, Transition
from monitord.model.ticket import Event
from monitord.store.contract import Tx

_A = AttemptStatus


class Verifying:
    """Looks at what was repaired until it is proven or the time is over."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def carry_on(self, turn: AttemptTurn) -> None:
        """Begin a look at a VERIFYING attempt whose time has come."""
        found = rung_of(turn)
        if found is None:
            finish(turn, _A.FAILED, "its check or runbook is no longer configured")
            if turn.incident.status is IncidentStatus.REPAIRING:
                ladder.hand_over(turn, "the repair could not be verified: its check is gone")
            return
        check, rung = found
        attempt, items = turn.attempt, turn.incident.items or turn.attempt.items
        look_around = self._instance.beliefs.look_around
        turn.after.calls.append(lambda: look_around(attempt.id))
        begin(turn, lambda: self._look(attempt, check, rung, items))

    async def _look(self, attempt: Attempt, check: Check, rung: Rung, items: Sequence[str]) -> None:
        instance = self._instance
        proof = _proof(instance, check, rung)
        statuses = await (
            look(instance, check, items) if proof is check else whole(instance, proof)
        )
        committed = AfterCommit()

        def work(tx: Tx) -> None:
            live, incident = tx.attempt(attempt.id), tx.incident(attempt.incident)
            if live is None or incident is None or live.status is not _A.VERIFYING:
                return
            if live.undoing:  # called off while this look was under way
                return
            now = instance.now()
            if not set(incident.items) <= set(items):  # one more joined since: look at all of them
                tx.change_attempt(live.id, _A.VERIFYING, due_at=now)
                return
            turn = AttemptTurn(tx, instance, incident, now, committed, attempt=live)
            judge(turn, proof or check, rung, items, statuses)

        await instance.insist(work)
        committed.run(instance)


def _proof(instance: Instance, check: Check, rung: Rung) -> Check | None:
    """Give the check that proves the repair; None: it is no longer there, so nothing is proven."""
    if not rung.verify.check:
        return check
    return instance.catalog.checks.get(CheckKey(rung.verify.check))


def judge(
    turn: AttemptTurn,
    check: Check,
    rung: Rung,
    items: Sequence[str],
    statuses: Sequence[Status],
) -> None:
    """Write what one look means."""
    attempt = turn.attempt
    beside = neighbours(turn)
    if did_harm(turn, beside):
        return
    verdict = verification.look(
        rung.verify,
        check.every,
        began=attempt.verifying or turn.now,
        oks=attempt.oks,
        statuses=statuses,
        now=turn.now,
        doubts=bool(doubtful(beside)),
    )
    match verdict:
        case verification.Fixed():
            _fixed(turn, items, verdict.oks)
        case verification.Again():
            turn.tx.change_attempt(attempt.id, _A.VERIFYING, oks=verdict.oks, due_at=verdict.at)
            _tell_look(turn, verdict.oks, rung.verify.oks)
        case verification.GaveUp():
            _gave_up(turn, verdict.reason)


def _tell_look(turn: AttemptTurn, oks: int, wanted: int) -> None:
    """Let those who watch know how far the proof has come; the timeline keeps only its end."""
    attempt, incident = turn.attempt.id, turn.incident.id
    text = f"attempt {attempt}: {oks} of {wanted} OKs in a row"
    data = {"attempt": attempt, "oks": oks, "wanted": wanted}
    turn.after.events.append(Event(incident, turn.now, "looked", text, data=data))


def _fixed(turn: AttemptTurn, items: Sequence[str], oks: int) -> None:
    tx, now, attempt, incident = turn.tx, turn.now, turn.attempt, turn.incident
    summary = f"verified: {oks} OK{'s' if oks > 1 else ''} after {attempt.runbook}"
    states: list[CheckState] = []
    transitions: list[Transition] = []
    for item in items:
        key = StateKey(item)
        believed = turn.instance.beliefs.states.get(key) or tx.state(key) or CheckState(key)
        state, transition = verified(believed, at=now, summary=summary)
        states.append(state)
        transitions.append(transition)
    tx.put_states(states)
    for number in tx.add_transitions(transitions):
        tx.settle_transition(number, f"verified by attempt {attempt.id}")
    finish(turn, _A.FIXED, summary)
    took = between(attempt.effect_at or attempt.planned, now)
    resolved = tx.move_incident(
        incident.id,
        IncidentStatus.REPAIRING,
        IncidentStatus.RESOLVED,
        cause="verified",
        resolved=now,
        rung=incident.rung + 1,
        due_at=after(now, turn.instance.catalog.settings.reopen_within),
        waiting_for="",
    )
    turn.after.calls.insert(0, lambda: turn.instance.beliefs.restore(states))
    text = f"attempt {attempt.id}: {attempt.runbook} fixed it in {_seconds(took)}, {summary}"
    turn.note("fixed", text, attempt=attempt.id, runbook=attempt.runbook)
    if resolved:
        turn.note("resolved", "resolved: verified")
        ticketing.resolve(tx, turn.instance, incident.id, now)
        closing.let_go(tx, incident.id, now)


def _gave_up(turn: AttemptTurn, reason: str) -> None:
    finish(turn, _A.FAILED, f"not fixed: {reason}")
    text = f"attempt {turn.attempt.id} did not fix it: {reason}"
    turn.note("attempt-failed", text, attempt=turn.attempt.id)
    if turn.incident.status is IncidentStatus.REPAIRING:
        ladder.follow(turn, rung=turn.incident.rung + 1)


def _seconds(took: timedelta) -> str:
    return f"{took.total_seconds():.0f} s"
