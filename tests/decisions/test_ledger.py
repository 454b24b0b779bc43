"""What the ledger counts, and what it does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.ledger import By, Line, Only, lines, percentile, verified, wilson
from monitord.model.ids import AttemptId, IncidentId
from monitord.model.incident import Attempt, AttemptStatus
from monitord.model.ticket import Event
from tests.store import rows
from tests.store.rows import at

HOUR = 3600
KEYS = {IncidentId(1): "web1/site", IncidentId(2): "db1/pg/main"}
A = AttemptStatus


def tried(status: AttemptStatus = A.FIXED, **changes: Any) -> Attempt:
    """One attempt that acted 1 s after its start and ended 30 s after it."""
    sound = {"started": at(40), "effect_at": at(41), "finished": at(70), "status": status}
    return rows.attempt(1, **{"id": AttemptId(1), **sound, **changes})


def told(kind: str, of: int = 1, when: float = 50, **data: Any) -> Event:
    return Event(IncidentId(of), at(when), kind, "", data={"runbook": "restart-nginx", **data})


def only_line(*attempts: Attempt, events: tuple[Event, ...] = (), by: By = By.RUNBOOK) -> Line:
    (line,) = lines(by, attempts, events, KEYS)
    return line


@pytest.mark.parametrize(
    ("attempt", "counts"),
    [
        (tried(), True),
        (tried(A.FAILED), False),
        (tried(A.INTERRUPTED), False),
        (tried(wrong="it dropped the cache", wrong_by="kim"), False),
        (tried(A.VERIFYING), None),
        (tried(A.RUNNING), None),
        (tried(A.APPROVAL, effect_at=None), None),
        (tried(A.VOID, effect_at=None), None),
        (tried(A.FAILED, effect_at=None), None),
    ],
)
def test_only_what_acted_and_ended_is_judged(attempt: Attempt, counts: bool | None) -> None:
    assert verified(attempt) is counts


def test_a_failed_precondition_is_a_refusal_and_no_attempt() -> None:
    line = only_line(tried(A.FAILED, effect_at=None), events=(told("refused", guard="cooldown"),))
    assert line.attempts == 0
    assert line.refused == {"cooldown": 1, "precondition": 1}


def test_time_to_repair_is_from_the_start_to_the_proof_of_what_was_verified() -> None:
    quick = [tried(finished=at(40 + seconds)) for seconds in range(1, 21)]
    line = only_line(*quick, tried(A.FAILED, finished=at(9999)))
    assert (line.repair_p50, line.repair_p95) == (10, 19)
    assert only_line(tried(A.FAILED)).repair_p50 is None


@pytest.mark.parametrize(
    ("when", "kind", "key", "again"),
    [
        (70 + 24 * HOUR, "opened", 1, 1),
        (70 + 24 * HOUR + 1, "opened", 1, 0),
        (80, "reopened", 1, 1),
        (80, "opened", 2, 0),
        (60, "opened", 1, 0),
    ],
)
def test_a_fix_recurs_when_its_check_is_bad_again_within_a_day(
    when: float, kind: str, key: int, again: int
) -> None:
    assert only_line(tried(), events=(told(kind, key, when),)).recurred == again


def test_what_failed_cannot_recur() -> None:
    assert only_line(tried(A.FAILED), events=(told("reopened", 1, 80),)).recurred == 0


def test_shadow_counts_what_would_have_acted_and_what_went_away_alone() -> None:
    events = (
        told("shadow", acts=True),
        told("shadow", acts=False),
        told("shadow-ended", alone=True),
        told("shadow-ended", alone=False),
    )
    line = only_line(events=events)
    assert (line.shadowed, line.alone) == (1, 1)


def test_lines_are_by_runbook_check_or_host() -> None:
    some = [tried(), tried(key="db1/pg/main", host="db1", runbook="start-db")]
    assert [line.name for line in lines(By.RUNBOOK, some, (), KEYS)] == [
        "restart-nginx",
        "start-db",
    ]
    assert [line.name for line in lines(By.CHECK, some, (), KEYS)] == ["pg", "site"]
    assert [line.name for line in lines(By.HOST, some, (), KEYS)] == ["db1", "web1"]


@pytest.mark.parametrize(
    ("only", "left"),
    [
        (Only(runbook="start-db"), ["start-db"]),
        (Only(check="site"), ["restart-nginx"]),
        (Only(host="db1"), ["start-db"]),
        (Only(since=at(41)), []),
        (Only(since=at(40)), ["restart-nginx", "start-db"]),
    ],
)
def test_what_is_looked_at_can_be_narrowed(only: Only, left: list[str]) -> None:
    some = [tried(), tried(key="db1/pg", host="db1", runbook="start-db")]
    assert [line.name for line in lines(By.RUNBOOK, some, (), KEYS, only)] == left


def test_the_interval_is_wilson_s() -> None:
    assert wilson(0, 0) == (0, 1)
    assert wilson(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Wilson 1927, z = 1.96
    assert wilson(0, 3) == pytest.approx((0.0, 0.5615), abs=1e-4)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate_and_lies_in_0_to_1(trials: int, data: st.DataObject) -> None:
    good = data.draw(st.integers(0, trials))
    low, high = wilson(good, trials)
    assert 0 <= low <= good / trials + 1e-12
    assert good / trials - 1e-12 <= high <= 1
    assert wilson(good * 2, trials * 2)[0] >= low - 1e-12  # more of the same says more


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


@given(st.lists(st.tuples(st.sampled_from(list(A)), st.booleans(), st.booleans()), max_size=30))
def test_no_attempt_is_counted_twice_and_none_that_was_wrong_is_a_success(
    some: list[tuple[AttemptStatus, bool, bool]],
) -> None:
    attempts = [
        tried(status, effect_at=at(41) if acted else None, wrong="no" if wrong else "")
        for status, acted, wrong in some
    ]
    for line in lines(By.HOST, attempts, (), KEYS):
        assert line.verified + line.wrong <= len(attempts)
        assert line.verified <= line.attempts <= len(attempts)
