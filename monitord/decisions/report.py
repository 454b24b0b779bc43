"""Counts what a month was like: outages and how they ended, how long people and repairs took. Pure.

An incident belongs to the month in which it opened. Those that another one tells people of are
counted apart, or one outage would count many times.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitord.decisions.availability import Period
from monitord.decisions.calendars import instant_of, wall_time
from monitord.decisions.ledger import percentile
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Attempt, AttemptStatus, Incident

_MICRO = 1_000_000
_VERIFIED, _RECOVERED = "verified", "recovered"
_AUTOMATION = "automation"


class Ended(StrEnum):
    """How an outage ended."""

    ALONE = "automation"  # repaired and proven, and no person did anything
    HELPED = "with a person"  # repaired and proven; a person approved, began or acknowledged it
    RECOVERED = "by itself"
    CLOSED = "by a person"
    OPEN = "not yet"


@dataclass(frozen=True, slots=True)
class Took:
    """How long something took, in seconds, over `count` of them; None of none."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Recurring:
    """What had more than one outage: how many, and the seconds that they lasted."""

    key: str
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Month:
    """What a month was like.

    `acknowledged` is from the first failed probe to the first ack or take, of those that a person
    answered (MTTA); `repaired` from the first failed probe to the end, of all that are over (MTTR).
    `automation` is the share (0 to 1) of those over that ended as `Ended.ALONE`; None of none.
    `unanswered` were handed to people and ended without an answer, `parts` are told of by others.
    """

    incidents: int
    parts: int
    priorities: Mapping[str, int]
    ended: Mapping[Ended, int]
    automation: float | None
    acknowledged: Took
    unanswered: int
    repaired: Took
    recurring: tuple[Recurring, ...]


def month_of(zone: ZoneInfo, year: int, month: int) -> Period:
    """Give a month on the wall clock of a zone."""
    first = year * 12 + month - 1
    start, end = (
        instant_of(zone, datetime(n // 12, n % 12 + 1, 1))  # noqa: DTZ001 - a time on the wall
        for n in (first, first + 1)
    )
    return start, end


def month_at(zone: ZoneInfo, at: Instant, *, back: int = 0) -> tuple[int, int]:
    """Give the year and month around an instant, or so many months before."""
    wall = wall_time(zone, at)
    months = wall.year * 12 + wall.month - 1 - back
    return months // 12, months % 12 + 1


def count(
    incidents: Sequence[Incident],
    attempts: Iterable[Attempt],
    answered: Mapping[IncidentId, Instant],
    *,
    most: int = 20,
) -> Month:
    """Count the incidents of a month.

    Args:
        incidents: those that opened in it.
        attempts: theirs.
        answered: when a person first acknowledged or took each that somebody did.
        most: of what came back, so many.
    """
    own = [one for one in incidents if not one.part_of]
    helped = {one.incident for one in attempts if _helped(one)}
    ended = Counter(_ended(one, answered, helped) for one in own)
    over = len(own) - ended[Ended.OPEN]
    waits = [_seconds(one, answered[one.id]) for one in own if one.id in answered]
    lasted = [_seconds(one, end) for one in own if (end := _end(one)) is not None]
    unanswered = (one for one in own if one.escalated is not None and _end(one) is not None)
    return Month(
        incidents=len(own),
        parts=len(incidents) - len(own),
        priorities=dict(sorted(Counter(one.priority for one in own).items())),
        ended={how: ended[how] for how in Ended},
        automation=ended[Ended.ALONE] / over if over else None,
        acknowledged=_took(waits),
        unanswered=sum(one.id not in answered for one in unanswered),
        repaired=_took(lasted),
        recurring=tuple(_recurring(own)[:most]),
    )


def _helped(attempt: Attempt) -> bool:
    """Tell whether a repair that was proven needed a person: to approve it, or to begin it."""
    fixed = attempt.status is AttemptStatus.FIXED
    return fixed and bool(attempt.approved_by or attempt.by != _AUTOMATION)


def _ended(
    incident: Incident, answered: Mapping[IncidentId, Instant], helped: set[IncidentId]
) -> Ended:
    if incident.status in OPEN_STATUSES:
        return Ended.OPEN
    if incident.cause == _VERIFIED:
        person = incident.id in answered or incident.id in helped
        return Ended.HELPED if person else Ended.ALONE
    return Ended.RECOVERED if incident.cause == _RECOVERED else Ended.CLOSED


def _end(incident: Incident) -> Instant | None:
    if incident.status in OPEN_STATUSES:
        return None
    return incident.resolved if incident.resolved is not None else incident.closed


def _seconds(incident: Incident, at: Instant) -> float:
    return max(0, at - incident.first_failed) / _MICRO


def _took(seconds: Sequence[float]) -> Took:
    mean = sum(seconds) / len(seconds) if seconds else None
    return Took(len(seconds), mean, percentile(seconds, 0.5), percentile(seconds, 0.95))


def _recurring(incidents: Iterable[Incident]) -> list[Recurring]:
    found: dict[str, list[Incident]] = {}
    for one in incidents:
        found.setdefault(one.key, []).append(one)
    rows = [
        Recurring(
            key,
            sum(1 + one.reopened for one in own),
            sum(_seconds(one, end) for one in own if (end := _end(one)) is not None),
        )
        for key, own in found.items()
    ]
    again = [row for row in rows if row.count > 1]
    return sorted(again, key=lambda row: (-row.count, -row.seconds, row.key))
