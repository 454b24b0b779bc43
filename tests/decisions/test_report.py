"""What a month was like, counted: what automation ended alone, how long people and repairs took."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from monitord.decisions.report import Ended, Took, count, month_at, month_of
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Attempt, AttemptStatus, Incident, IncidentStatus
from tests.store import rows

MINUTE = 60_000_000
OVER = IncidentStatus.CLOSED


def incident(number: int, lasted: int | None = 10, **changes: object) -> Incident:
    """One that began at 0; `lasted` in minutes, None: it is on."""
    base = rows.incident(id=IncidentId(number), first_failed=Instant(0), opened=Instant(MINUTE))
    if lasted is not None:
        changes = {"status": OVER, "resolved": Instant(lasted * MINUTE), **changes}
    return replace(base, **changes)  # type: ignore[arg-type] # each test gives its own


def fixed(of: int, **changes: object) -> Attempt:
    return rows.attempt(of, status=AttemptStatus.FIXED, **changes)


def test_what_automation_ended_alone_is_what_no_person_touched() -> None:
    incidents = [
        incident(1, cause="verified"),
        incident(2, cause="verified"),
        incident(3, cause="verified"),
        incident(4, cause="verified"),
        incident(5, cause="recovered"),
        incident(6, cause="closed"),
        incident(7, None),
        incident(8, cause="verified", part_of=1),
    ]
    attempts = [fixed(1), fixed(2, approved_by="kim"), fixed(3, by="lee"), fixed(4)]
    found = count(incidents, attempts, {IncidentId(4): Instant(5 * MINUTE)})
    assert found.ended == {
        Ended.ALONE: 1,
        Ended.HELPED: 3,
        Ended.RECOVERED: 1,
        Ended.CLOSED: 1,
        Ended.OPEN: 1,
    }
    assert (found.incidents, found.parts, found.automation) == (7, 1, 1 / 6)


def test_times_begin_with_the_first_failed_probe() -> None:
    incidents = [incident(n, minutes) for n, minutes in enumerate((10, 20, 60), 1)]
    answered = {IncidentId(3): Instant(6 * MINUTE)}
    found = count(incidents, [], answered)
    assert found.acknowledged == Took(1, 360.0, 360.0, 360.0)
    assert found.repaired == Took(3, 1800.0, 1200.0, 3600.0)
    handed = [replace(one, escalated=Instant(2 * MINUTE)) for one in incidents]
    assert count(handed, [], answered).unanswered == 2


def test_what_comes_back_is_counted_with_its_returns() -> None:
    incidents = [
        incident(1, key="web1/site"),
        incident(2, key="web1/site", reopened=2),
        incident(3, key="db1/pg", reopened=1),
        incident(4, key="db1/disk"),
    ]
    found = [(one.key, one.count, one.seconds) for one in count(incidents, [], {}).recurring]
    assert found == [("web1/site", 4, 1200.0), ("db1/pg", 2, 600.0)]


def test_a_month_in_which_nothing_was_has_no_shares() -> None:
    found = count([], [], {})
    assert (found.automation, found.repaired) == (None, Took(0, None, None, None))


def test_a_month_is_that_of_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = month_of(berlin, 2026, 10)
    assert (end - start) // (3600 * 1_000_000) == 31 * 24 + 1
    assert month_of(berlin, 2026, 12)[1] == month_of(berlin, 2027, 1)[0]
    assert month_at(berlin, start) == (2026, 10)
    assert month_at(berlin, Instant(start - 1)) == (2026, 9)
    assert month_at(berlin, start, back=10) == (2025, 12)
