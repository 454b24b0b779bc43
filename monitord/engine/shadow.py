"""The record of a runbook in shadow: what it would have done, and whether it was needed.

Both are lines of the incident's timeline, which the ledger counts; nothing on any host depends on
them. "By itself" means: within the time in which the repair would have had to prove itself, and
without any repair. A person's hand cannot be told from it, so the line says no more than that.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from monitord.clock import between
from monitord.decisions.guards import Situation, evaluate, first_refusal
from monitord.engine.turn import Turn
from monitord.model.ids import Instant
from monitord.model.incident import Attempt, Incident
from monitord.model.spec import format_duration
from monitord.model.ticket import Event
from monitord.store.contract import Tx

_BEGINS = frozenset({"opened", "reopened"})


def record(turn: Turn, facts: Situation, plan: Sequence[dict[str, str]]) -> None:
    """Write what the rung of a situation would have done, were it not in shadow."""
    rung = facts.rung
    refused = first_refusal(evaluate(replace(facts, rung=replace(rung, mode="auto"))))
    would = "would have run its plan now"
    if refused is not None:
        would = f"would not have run either: {refused[0]}: {refused[1].reason}"
    turn.note(
        "shadow",
        f"{rung.runbook} in shadow {would}",
        runbook=rung.runbook,
        hash=turn.instance.catalog.runbooks[rung.runbook].hash,
        acts=refused is None,
        within=rung.verify.within.total_seconds(),
        plan=list(plan),
    )


def ended(tx: Tx, incident: Incident, now: Instant) -> list[Event]:
    """Give the lines that say of each shadow whether the fault went away without it."""
    attempts = tx.attempts(incident=incident.id)
    return [_line(one, attempts, incident, now) for one in _open(tx.events(incident.id))]


def _open(events: Sequence[Event]) -> list[Event]:
    """Give the shadows of the outage that ends now, which would have acted."""
    begin = max((n for n, event in enumerate(events) if event.kind in _BEGINS), default=0)
    return [one for one in events[begin:] if one.kind == "shadow" and one.data["acts"]]


def _line(shadow: Event, attempts: Sequence[Attempt], incident: Incident, now: Instant) -> Event:
    runbook, took = shadow.data["runbook"], between(shadow.at, now)
    helped = any(one.effect_at is not None and one.effect_at >= shadow.at for one in attempts)
    alone = not helped and took <= timedelta(seconds=shadow.data["within"])
    seconds = format_duration(timedelta(seconds=max(0, round(took.total_seconds()))))
    if helped:
        how = "after another repair"
    else:
        how = "by itself" if alone else "too late to be called by itself"
    return Event(
        incident.id,
        now,
        "shadow-ended",
        f"{runbook} in shadow: the fault went away {seconds} later, {how}",
        data={"runbook": runbook, "hash": shadow.data["hash"], "alone": alone},
    )
