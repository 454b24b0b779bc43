"""Counts what runbooks are worth: attempts, verified success, time to repair, recurrence. Pure.

It reads attempt rows and lines of timelines, and decides nothing: what follows from the numbers is
trust.py's. The interval is Wilson's score interval (E. B. Wilson, JASA 22, 1927) at 95 %.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from math import ceil, sqrt
from typing import TypeVar

from monitord.model.ids import EPOCH, IncidentId, Instant, split_state_key
from monitord.model.incident import LIVE_ATTEMPTS, Attempt, AttemptStatus
from monitord.model.ticket import Event

_Row = TypeVar("_Row")
TOLD = ("refused", "opened", "reopened", "shadow", "shadow-ended")
"""The kinds of timeline lines that are counted here."""

OPENINGS = ("opened", "reopened")
"""Those of them that say that something is bad (again)."""

_Z = 1.959963984540054  # of the normal distribution, for 95 % on both sides
_RECURS_WITHIN = timedelta(hours=24) // timedelta(microseconds=1)
_PRECONDITION = "precondition"


class By(StrEnum):
    """What a line of the ledger stands for."""

    RUNBOOK = "runbook"
    CHECK = "check"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Only:
    """What is looked at; an empty text is all. `since`: planned or told at or after it."""

    runbook: str = ""
    check: str = ""
    host: str = ""
    since: Instant = EPOCH


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one runbook, check or host.

    `attempts` reached an effect and ended; `verified` of them were FIXED and no person called them
    wrong. `low` and `high` bound the true rate of success (0 to 1). `repair_p50` and `repair_p95`
    are seconds from an attempt's start to its proof (None without any). `recurred` counts fixed
    attempts whose check had an incident again within 24 h. `refused` counts by guard. `shadowed` is
    how often it would have acted in shadow, `alone` how often the fault then went away by itself in
    the time in which the repair would have had to prove itself.
    """

    name: str
    attempts: int = 0
    verified: int = 0
    wrong: int = 0
    low: float = 0.0
    high: float = 1.0
    repair_p50: float | None = None
    repair_p95: float | None = None
    recurred: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    shadowed: int = 0
    alone: int = 0


def verified(attempt: Attempt) -> bool | None:
    """Tell whether an attempt is a verified success; None when it tells nothing.

    One that never reached an effect, or has not ended, tells nothing. All that ended otherwise
    than FIXED is no success, whatever the reason: nobody proved it.
    """
    if attempt.effect_at is None or attempt.status in LIVE_ATTEMPTS:
        return None
    return attempt.status is AttemptStatus.FIXED and not attempt.wrong


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Give the bounds between which the true rate lies with 95 % confidence; 0 to 1 for none."""
    if trials == 0:
        return 0.0, 1.0
    rate, z2 = successes / trials, _Z * _Z
    middle = rate + z2 / (2 * trials)
    spread = _Z * sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials))
    low, high = ((middle + side) / (1 + z2 / trials) for side in (-spread, spread))
    # At both ends the bound is exact, which rounding must not spoil.
    return (low if successes else 0.0), (high if successes < trials else 1.0)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give the smallest value that `share` of all do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def lines(
    by: By,
    attempts: Iterable[Attempt],
    told: Iterable[Event],
    keys: Mapping[IncidentId, str],
    only: Only | None = None,
) -> list[Line]:
    """Give one line for each runbook, check or host that anything is known of, by name.

    Args:
        by: what a line stands for; a check is its name, whatever the host.
        attempts: rows.
        told: lines of timelines, of the kinds in `TOLD`.
        keys: the incidents' keys (`host/check`); what is told of others is left out.
        only: what to look at.
    """
    only = only or Only()
    named = _Name(by, only)
    own: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        name = named(attempt.runbook, attempt.key, attempt.planned)
        if name:
            own.setdefault(name, []).append(attempt)
    events: dict[str, list[Event]] = {}
    again: dict[str, list[Instant]] = {}
    for event in told:
        key = keys.get(event.incident, "")
        if event.kind in OPENINGS:
            again.setdefault(key, []).append(event.at)
            continue
        name = named(str(event.data.get("runbook", "")), key, event.at)
        if name:
            events.setdefault(name, []).append(event)
    return [
        _line(name, own.get(name, ()), events.get(name, ()), again)
        for name in sorted({*own, *events})
    ]


@dataclass(frozen=True, slots=True)
class _Name:
    """Gives the line that something belongs to; empty: it is not looked at."""

    by: By
    only: Only

    def __call__(self, runbook: str, key: str, at: Instant) -> str:
        host, check = _parts(key)
        found = {By.RUNBOOK: runbook, By.CHECK: check, By.HOST: host}
        wanted = {By.RUNBOOK: self.only.runbook, By.CHECK: self.only.check}
        wanted[By.HOST] = self.only.host
        fits = all(not text or found[part] == text for part, text in wanted.items())
        return found[self.by] if runbook and key and fits and at >= self.only.since else ""


def _parts(key: str) -> tuple[str, str]:
    if "/" not in key:
        return "", ""
    check, _ = split_state_key(key)  # type: ignore[arg-type]  # an incident's key is a check's
    host, _, name = check.partition("/")
    return host, name


def _line(
    name: str,
    attempts: Sequence[Attempt],
    told: Sequence[Event],
    again: Mapping[str, Sequence[Instant]],
) -> Line:
    judged = [attempt for attempt in attempts if verified(attempt) is not None]
    good = [attempt for attempt in judged if verified(attempt)]
    low, high = wilson(len(good), len(judged))
    seconds = [_seconds(attempt) for attempt in good]
    refused = Counter(str(e.data.get("guard", "")) for e in told if e.kind == "refused")
    refused[_PRECONDITION] += _count(attempts, _stopped_by_precondition)
    return Line(
        name,
        attempts=len(judged),
        verified=len(good),
        wrong=_count(attempts, lambda attempt: bool(attempt.wrong)),
        low=low,
        high=high,
        repair_p50=percentile(seconds, 0.5),
        repair_p95=percentile(seconds, 0.95),
        recurred=_count(good, lambda attempt: _recurred(attempt, again.get(attempt.key, ()))),
        refused={guard: count for guard, count in sorted(refused.items()) if count},
        shadowed=_count(told, lambda event: event.kind == "shadow" and bool(event.data["acts"])),
        alone=_count(told, lambda e: e.kind == "shadow-ended" and bool(e.data["alone"])),
    )


def _count(rows: Iterable[_Row], fits: Callable[[_Row], bool]) -> int:
    return sum(1 for row in rows if fits(row))


def _seconds(attempt: Attempt) -> float:
    began = attempt.started if attempt.started is not None else attempt.planned
    return max(0, (attempt.finished or began) - began) / 1e6


def _stopped_by_precondition(attempt: Attempt) -> bool:
    return attempt.status is AttemptStatus.FAILED and attempt.effect_at is None


def _recurred(attempt: Attempt, again: Iterable[Instant]) -> bool:
    end = attempt.finished or attempt.planned
    return any(end < at <= end + _RECURS_WITHIN for at in again)
