"""Looks up how far a runbook is trusted: the word about its mode, and the record it stands on.

It reads rows and judges nothing; what follows from them is decided in decisions/trust.py.
"""

from dataclasses import replace

from monitord.clock import after
from monitord.decisions import trust
from monitord.decisions.ledger import verified
from monitord.engine.instance import Instance
from monitord.model.catalog import Check, Rung
from monitord.model.ids import EPOCH, Instant
from monitord.model.incident import Attempt
from monitord.store.contract import View

PREFIX = "trust/"


def word_about(view: View, runbook: str) -> trust.Word | None:
    """Give what was last decided about a runbook's mode."""
    return trust.read_word(view.meta(PREFIX + runbook))


def as_held(view: View, instance: Instance, rung: Rung) -> Rung:
    """Give a rung with the mode that holds for it now."""
    runbook = instance.catalog.runbooks[rung.runbook]
    word = word_about(view, rung.runbook)
    return replace(rung, mode=trust.mode_of(rung, runbook.hash, word))


def ladder_of(view: View, instance: Instance, check: Check) -> list[dict[str, str]]:
    """Give the rungs of a check with the mode that holds, and where that comes from."""
    rows = []
    for rung in check.remediate:
        own, word = instance.catalog.runbooks[rung.runbook].hash, word_about(view, rung.runbook)
        mode, place = trust.mode_of(rung, own, word), trust.where_from(rung, own, word)
        rows.append({"runbook": rung.runbook, "mode": mode, "from": place})
    return rows


def record(view: View, instance: Instance, runbook: str, since: Instant) -> list[Attempt]:
    """Give the judged attempts of a runbook as it is written now, planned at or after `since`."""
    own = instance.catalog.runbooks[runbook].hash
    return [
        attempt
        for attempt in view.attempts(runbook=runbook, since=since)
        if attempt.runbook_hash == own and verified(attempt) is not None
    ]


def shadowed(view: View, instance: Instance, runbook: str, since: Instant) -> int:
    """Count how often a runbook as it is written now would have acted in shadow."""
    own = instance.catalog.runbooks[runbook].hash
    told = (event.data for event in view.told(["shadow"], since))
    return sum(
        1 for data in told if (data["runbook"], data["hash"], data["acts"]) == (runbook, own, True)
    )


def since_word(word: trust.Word | None) -> Instant:
    """Give from when on a record counts: from the last decision about the mode."""
    return word.at if word is not None else EPOCH


def broken(view: View, instance: Instance, runbook: str, now: Instant) -> str:
    """Say why the circuit breaker of a runbook is open; empty: it is closed."""
    window = -trust.BREAKER_WINDOW
    ended = record(view, instance, runbook, after(now, 2 * window))
    pairs = [(attempt.finished or attempt.planned, bool(verified(attempt))) for attempt in ended]
    return trust.breaks(pairs, after(now, window))
