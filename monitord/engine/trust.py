"""Moves the trust in runbooks: promotes by a person's word, demotes by the record or by a "wrong".

A demotion and a repair that was wrong open a ticket of their own, about the runbook. What the
record allows is decided in decisions/trust.py; the word about the mode is one meta row.
"""

from dataclasses import dataclass, replace
from typing import Any

from monitord.clock import after
from monitord.decisions import trust
from monitord.decisions.ledger import verified, wilson
from monitord.engine import ticketing
from monitord.engine.held import (
    PREFIX,
    as_held,
    broken,
    record,
    shadowed,
    since_word,
    word_about,
)
from monitord.engine.instance import Instance
from monitord.engine.turn import AfterCommit, AttemptTurn
from monitord.engine.undoing import begin_undo
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Runbook, Trust
from monitord.model.ids import AttemptId, IncidentId, Instant
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.ticket import Event
from monitord.store.contract import Tx, View


def judge(turn: AttemptTurn) -> None:
    """Demote the runbook of an attempt that has just ended, if its record says so."""
    tx, instance, name = turn.tx, turn.instance, turn.attempt.runbook
    runbook = instance.catalog.runbooks.get(name)
    if runbook is None or runbook.trust is None:
        return
    word = word_about(tx, name)
    window = after(turn.now, -runbook.trust.window)
    since = max(since_word(word), window)
    outcomes = [bool(verified(one)) for one in record(tx, instance, name, since)]
    reason = trust.falls(runbook.trust, outcomes)
    if reason and mode_now(tx, instance, runbook) != trust.MODES[0]:
        turn.after.events.extend(_demote(tx, instance, runbook, turn.now, "monitord", reason))


def mode_now(view: View, instance: Instance, runbook: Runbook) -> str:
    """Give the highest mode that holds for a runbook on any ladder; without one, its own."""
    modes = [
        as_held(view, instance, rung).mode
        for rung in {
            (rung.mode, rung.ceiling): rung
            for check in instance.catalog.checks.values()
            for rung in check.remediate
            if rung.runbook == runbook.name
        }.values()
    ]
    return max(modes or [runbook.mode], key=trust.MODES.index)


def _demote(
    tx: Tx, instance: Instance, runbook: Runbook, now: Instant, by: str, reason: str
) -> list[Event]:
    before = mode_now(tx, instance, runbook)
    mode = trust.below(before)
    word = trust.Word(mode, promoted=False, at=now, by=by, reason=reason, hash=runbook.hash)
    tx.put_meta(PREFIX + runbook.name, word.text())
    tx.add_audit(now, by, "demote", runbook.name, f"{before} → {mode}: {reason}")
    told = f"demoted from {before} to {mode}" if mode != before else "stays in shadow"
    return _problem(tx, instance, runbook.name, f"{runbook.name} {told}: {reason}", now, by)


def _problem(
    tx: Tx, instance: Instance, runbook: str, text: str, now: Instant, by: str
) -> list[Event]:
    """Open a ticket about a runbook, or say it on the one that is open; a person closes it."""
    key = f"runbook/{runbook}"
    live = tx.live_incident(key)
    number = live.id if live is not None else _open(tx, key, text, now)
    event = Event(number, now, "problem", text, by)
    tx.add_events([event])
    if live is not None:
        tx.change_incident(live.id, live.status, summary=text)
    return [event, *ticketing.open_or_update(tx, instance, number, now)]


def _open(tx: Tx, key: str, text: str, now: Instant) -> IncidentId:
    """Write an incident that is a person's from the start: no check stands for it."""
    status = IncidentStatus.OPEN
    made = Incident(
        IncidentId(0), key, status, Status.WARNING, text, now, now, None, tier="L3", priority="P3"
    )
    number = tx.add_incident(made)
    tx.move_incident(number, status, IncidentStatus.ESCALATED, escalated=now, due_at=None)
    tx.add_audit(now, "monitord", "escalate", f"incident {number}", text)
    return number


@dataclass(frozen=True, slots=True)
class Trusting:
    """What people say about runbooks: promote one, call an attempt of one wrong."""

    instance: Instance

    async def promotion(self, name: str, *, by: str) -> dict[str, Any]:
        """Give what `promote` would change, by whose record, and what stands against it.

        Raises:
            NotFoundError: there is no such runbook.
        """
        runbook = self._runbook(name)

        def look(view: View) -> dict[str, Any]:
            found = _promotion(view, self.instance, runbook)
            return {**found, "why_not": _not_by(runbook, by) or found["why_not"]}

        return await self.instance.store.read(look)

    async def promote(self, name: str, *, by: str, reason: str) -> str:
        """Raise a runbook by one mode; gives the new one.

        Raises:
            NotFoundError: there is no such runbook.
            CommandRefusedError: its record, its owner or the profile stands against it.
        """
        runbook = self._runbook(name)
        if not reason.strip():
            raise CommandRefusedError("a promotion needs a reason; add --reason '…'")
        if not_by := _not_by(runbook, by):
            raise CommandRefusedError(not_by)
        return await self.instance.store.write(lambda tx: self._promote(tx, runbook, by, reason))

    async def wrong(self, number: AttemptId, *, by: str, reason: str) -> str:
        """Call an attempt wrong: undo it, demote its runbook, open a ticket about it.

        Returns:
            Why nothing is undone, or an empty text while its undo runs.

        Raises:
            NotFoundError: there is no such attempt.
            CommandRefusedError: it changed nothing, or was called wrong before.
        """
        if not reason.strip():
            raise CommandRefusedError("say what was wrong; add --reason '…'")
        instance, out = self.instance, AfterCommit()

        def work(tx: Tx) -> str:
            attempt = tx.attempt(number)
            incident = tx.incident(attempt.incident) if attempt is not None else None
            if attempt is None or incident is None:
                raise NotFoundError(f"there is no attempt {number}; `monitord ledger` counts them")
            turn = AttemptTurn(tx, instance, incident, instance.now(), out, attempt=attempt)
            return _wrong(turn, by, reason)

        told = await instance.store.write(work)
        out.run(instance)
        instance.wake()
        return told

    async def standing(self) -> list[dict[str, Any]]:
        """Give of every runbook its mode, the next one, and what stands in the way of it."""
        return await self.instance.store.read(self._standing)

    def _standing(self, view: View) -> list[dict[str, Any]]:
        instance, now = self.instance, self.instance.now()
        rows = []
        for name, runbook in sorted(instance.catalog.runbooks.items()):
            mode, why_not = standing(view, instance, runbook)
            rows.append(
                {
                    "runbook": name,
                    "mode": mode,
                    "next": trust.above(mode),
                    "why_not": why_not,
                    "broken": broken(view, instance, name, now),
                }
            )
        return rows

    def _runbook(self, name: str) -> Runbook:
        found = self.instance.catalog.runbooks.get(name)
        if found is None:
            known = ", ".join(sorted(self.instance.catalog.runbooks))
            raise NotFoundError(f"there is no runbook {name}; known are {known}")
        return found

    def _promote(self, tx: Tx, runbook: Runbook, by: str, reason: str) -> str:
        instance, now = self.instance, self.instance.now()
        mode, why_not = standing(tx, instance, runbook)
        if why_not:
            raise CommandRefusedError(f"{runbook.name} stays in {mode}: {why_not}")
        higher = trust.above(mode)
        word = trust.Word(higher, promoted=True, at=now, by=by, reason=reason, hash=runbook.hash)
        tx.put_meta(PREFIX + runbook.name, word.text())
        tx.add_audit(now, by, "promote", runbook.name, f"{mode} → {higher}: {reason}")
        return higher


def _not_by(runbook: Runbook, by: str) -> str:
    """Say why this person may not promote a runbook; empty: they may."""
    if not runbook.owner or by != runbook.owner:
        return ""
    return f"{by} wrote {runbook.name} and may not promote it; ask somebody else"


def _promotion(view: View, instance: Instance, runbook: Runbook) -> dict[str, Any]:
    """Give the mode of a runbook and the next, its record, and of each check both its modes."""
    mode, why_not = standing(view, instance, runbook)
    higher, word = trust.above(mode), word_about(view, runbook.name)
    since = since_word(word)
    outcomes = [bool(verified(one)) for one in record(view, instance, runbook.name, since)]
    low, high = wilson(sum(outcomes), len(outcomes))
    said = trust.Word(higher, promoted=True, at=since, by="", reason="", hash=runbook.hash)
    checks = [
        {
            "key": check.key,
            "mode": trust.mode_of(rung, runbook.hash, word),
            "next": trust.mode_of(rung, runbook.hash, said if higher else word),
        }
        for _, check in sorted(instance.catalog.checks.items())
        for rung in check.remediate
        if rung.runbook == runbook.name
    ]
    return {
        "runbook": runbook.name,
        "mode": mode,
        "next": higher,
        "why_not": why_not,
        "tried": len(outcomes),
        "verified": sum(outcomes),
        "low": low,
        "high": high,
        "shadowed": shadowed(view, instance, runbook.name, since),
        "checks": checks,
    }


def standing(view: View, instance: Instance, runbook: Runbook) -> tuple[str, str]:
    """Give the mode that holds for a runbook, and why it may not rise (empty: it may)."""
    mode = mode_now(view, instance, runbook)
    higher = trust.above(mode)
    if not higher:
        return mode, "there is no mode above auto"
    rungs = [r for c in instance.catalog.checks.values() for r in c.remediate]
    ceilings = {rung.ceiling for rung in rungs if rung.runbook == runbook.name}
    if not any(trust.MODES.index(one) >= trust.MODES.index(higher) for one in ceilings):
        return mode, "neither the profile nor any check that names it allows more"
    since = since_word(word_about(view, runbook.name))
    outcomes = [bool(verified(one)) for one in record(view, instance, runbook.name, since)]
    cases = shadowed(view, instance, runbook.name, since)
    return mode, trust.not_yet(runbook.trust or Trust(), mode, outcomes, cases)


def _wrong(turn: AttemptTurn, by: str, reason: str) -> str:
    tx, instance, now, attempt = turn.tx, turn.instance, turn.now, turn.attempt
    if attempt.effect_at is None:
        raise CommandRefusedError(f"attempt {attempt.id} changed nothing: it cannot be wrong")
    if attempt.wrong:
        raise CommandRefusedError(f"{attempt.wrong_by} called it wrong already: {attempt.wrong}")
    tx.change_attempt(attempt.id, attempt.status, wrong=reason, wrong_by=by)
    turn.attempt = replace(attempt, wrong=reason, wrong_by=by)
    tx.add_audit(now, by, "wrong", f"attempt {attempt.id}", reason)
    text = f"attempt {attempt.id} was wrong, says {by}: {reason}"
    turn.note("wrong", text, attempt=attempt.id, runbook=attempt.runbook)
    not_undone = begin_undo(turn, text)
    if not_undone:
        turn.note("not-undone", f"nothing is undone: {not_undone}", attempt=attempt.id)
    runbook = instance.catalog.runbooks.get(attempt.runbook)
    if runbook is None:
        turn.after.events.extend(_problem(tx, instance, attempt.runbook, text, now, by))
    else:
        turn.after.events.extend(_demote(tx, instance, runbook, now, by, text))
    return not_undone
