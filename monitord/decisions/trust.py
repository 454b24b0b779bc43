"""Decides how far a runbook is trusted: which mode holds, when it rises, when it falls. Pure.

A runbook rises by a person's word and only when its measured success allows it; it falls by itself.
Which bound of the interval is used for what, and why: docs/decisions/trust.md.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from monitord.decisions.ledger import wilson
from monitord.model.catalog import Rung, Trust
from monitord.model.ids import Instant
from monitord.model.spec import format_duration

MODES = ("shadow", "approve", "auto")
"""From the least trust to the most."""

_FEWEST = 3  # attempts before a record says anything: one failure is an accident
_BREAKER_LAST = 5
BREAKER_WINDOW = timedelta(hours=24)
"""How far back the circuit breaker looks."""


@dataclass(frozen=True, slots=True)
class Word:
    """What was last decided about a runbook's mode, as it is stored: by whom, when and why.

    `hash` is the runbook that was judged. `promoted` is False for a demotion.
    """

    mode: str
    promoted: bool
    at: Instant
    by: str
    reason: str
    hash: str

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_word(text: str | None) -> Word | None:
    """Read what `Word.text` gave."""
    return Word(**json.loads(text)) if text else None


def mode_of(rung: Rung, runbook_hash: str, word: Word | None) -> str:
    """Give the mode that holds for a rung.

    A demotion holds for every later version of the runbook; a promotion only for the one that was
    measured. Neither exceeds what the profile, or the check itself, allows (`Rung.ceiling`).
    """
    if word is None:
        return rung.mode
    if not word.promoted:
        return _lower(rung.mode, word.mode)
    if word.hash != runbook_hash:
        return rung.mode
    return _lower(max(rung.mode, word.mode, key=MODES.index), rung.ceiling)


def where_from(rung: Rung, runbook_hash: str, word: Word | None) -> str:
    """Say in a few words where the mode of a rung comes from."""
    if word is None:
        return "configuration and profile"
    moved = "promoted" if word.promoted else "demoted"
    told = f"{moved} to {word.mode} by {word.by}: {word.reason}"
    if word.promoted and word.hash != runbook_hash:
        return f"configuration and profile (was {told}, and has been changed since)"
    if mode_of(rung, runbook_hash, word) != word.mode:
        return f"configuration and profile ({told})"
    return told


def _lower(one: str, other: str) -> str:
    return min(one, other, key=MODES.index)


def above(mode: str) -> str:
    """Give the next mode up, or an empty text."""
    place = MODES.index(mode) + 1
    return MODES[place] if place < len(MODES) else ""


def below(mode: str) -> str:
    """Give the next mode down; shadow has none and stays."""
    return MODES[max(0, MODES.index(mode) - 1)]


def not_yet(trust: Trust, mode: str, outcomes: Sequence[bool], shadowed: int) -> str:
    """Say why a runbook in `mode` may not rise yet; empty: its record allows it.

    Args:
        trust: its bars.
        mode: the mode that holds.
        outcomes: of each judged attempt in that mode, whether it was a verified success.
        shadowed: how often it would have acted in shadow.
    """
    if mode == "shadow":
        if shadowed >= trust.after:
            return ""
        return f"it was seen in shadow {shadowed} times, and needs {trust.after}"
    tried, good = len(outcomes), sum(outcomes)
    if tried < trust.after:
        return f"it was tried {tried} times, and needs {trust.after}"
    low, _ = wilson(good, tried)
    if good / tried < trust.success:
        return f"{good} of {tried} were verified, and it needs {trust.success:.0%}"
    if low < trust.below:
        return (
            f"{good} of {tried} were verified: the true rate may be as low as {low:.0%},"
            f" and must surely be above {trust.below:.0%}"
        )
    return ""


def falls(trust: Trust, outcomes: Sequence[bool]) -> str:
    """Say why a runbook must fall: its success is surely below the bar; empty: it is not."""
    tried, good = len(outcomes), sum(outcomes)
    _, high = wilson(good, tried)
    if tried < _FEWEST or high >= trust.below:
        return ""
    window = format_duration(trust.window)
    return (
        f"{good} of {tried} attempts in {window} were verified: the true rate is at most"
        f" {high:.0%}, and the bar is {trust.below:.0%}"
    )


def breaks(ended: Sequence[tuple[Instant, bool]], since: Instant) -> str:
    """Say why the circuit breaker is open, by (end, verified success) of attempts, or nothing.

    It opens when of the last 5 that ended since `since` (24 h ago) fewer than half were verified;
    it closes as they age, or when the runbook is changed.
    """
    recent = sorted(pair for pair in ended if pair[0] >= since)[-_BREAKER_LAST:]
    good = sum(success for _, success in recent)
    if len(recent) < _BREAKER_LAST or 2 * good >= _BREAKER_LAST:
        return ""
    hours = format_duration(BREAKER_WINDOW)
    return f"of its last {_BREAKER_LAST} attempts in {hours} only {good} were verified"
