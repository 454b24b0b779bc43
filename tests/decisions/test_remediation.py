import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.guards import Refusal, Then, Verdict
from monitord.decisions.remediation import (
    Climb,
    HandOver,
    Start,
    Wait,
    begin,
    decide,
    next_rung,
    queued_since,
    without_rung,
)
from monitord.model.ids import IncidentId
from monitord.model.result import Status
from monitord.model.ticket import Event
from tests.decisions.cases import at, check, incident, runbook, rung

WARNING, CRITICAL, UNKNOWN = Status.WARNING, Status.CRITICAL, Status.UNKNOWN
RESTART, CLEAN, RESTORE = rung("restart"), rung("clean"), rung("restore")
LADDER = check(RESTART, CLEAN, RESTORE)
BOOKS = {
    "restart": runbook("restart"),
    "clean": runbook("clean", WARNING, CRITICAL),
    "restore": runbook("restore"),
}

# Which rung is next.


@pytest.mark.parametrize(
    ("position", "severity", "expected"),
    [
        (0, CRITICAL, (0, RESTART)),
        (1, CRITICAL, (1, CLEAN)),
        (2, CRITICAL, (2, RESTORE)),
        (3, CRITICAL, None),
        (0, WARNING, (1, CLEAN)),
        (2, WARNING, None),
        (0, UNKNOWN, None),
        (9, CRITICAL, None),
    ],
)
def test_the_next_rung_is_the_first_that_answers(
    position: int, severity: Status, expected: object
) -> None:
    assert next_rung(incident(rung=position, severity=severity), LADDER, BOOKS) == expected


@given(st.integers(0, 5), st.sampled_from([WARNING, CRITICAL, UNKNOWN]))
def test_a_position_never_goes_back(position: int, severity: Status) -> None:
    found = next_rung(incident(rung=position, severity=severity), LADDER, BOOKS)
    assert found is None or found[0] >= position


# Whether it is time.

MOMENT = "systemd and supervisors get a moment to repair it themselves"
SETTLE = "after maintenance what was worked on gets ten minutes to settle"


@pytest.mark.parametrize(
    ("now", "changes", "expected"),
    [
        (60, {}, Wait(MOMENT, at(90))),
        (89.9, {}, Wait(MOMENT, at(90))),
        (90, {}, None),
        (60, {"rung": 1}, None),
        (60, {"reopened": 1}, Wait(MOMENT, at(90))),
        (90, {"reopened": 1}, None),
        (60, {"reopened": 2}, Wait(MOMENT, at(90))),  # quick ups and downs: it may be flapping
    ],
)
def test_before_the_first_rung_it_may_recover_by_itself(
    now: float, changes: dict[str, int], expected: Wait | None
) -> None:
    assert begin(incident(**changes), LADDER, now=at(now), bad_since=at(60)) == expected


@pytest.mark.parametrize(("reopened", "waits"), [(0, True), (1, True), (2, False), (9, False)])
def test_what_comes_and_goes_for_a_quarter_of_an_hour_gets_no_moment_any_more(
    reopened: int, waits: bool
) -> None:
    began = incident(reopened=reopened).opened
    now = at(began / 1e6 + 900)
    found = begin(incident(reopened=reopened), LADDER, now=now, bad_since=now)
    assert isinstance(found, Wait) is waits


def test_a_clock_set_back_does_not_make_the_moment_longer() -> None:
    assert begin(incident(), LADDER, now=at(10), bad_since=at(3600)) is None


@pytest.mark.parametrize(
    ("position", "now", "waits"), [(0, 700, True), (2, 700, True), (0, 800, False)]
)
def test_after_maintenance_every_rung_waits_ten_minutes(
    position: int, now: float, waits: bool
) -> None:
    found = begin(
        incident(rung=position),
        LADDER,
        now=at(now),
        bad_since=at(60),
        maintained_until=at(200),
    )
    assert found == (Wait(SETTLE, at(800)) if waits else None)


def test_what_has_no_ladder_waits_for_nothing() -> None:
    assert begin(incident(), check(), now=at(60), bad_since=at(60), maintained_until=at(50)) is None


def test_nothing_is_ever_begun_on_unknown() -> None:
    for of in (LADDER, None):
        found = begin(incident(severity=UNKNOWN), of, now=at(9999), bad_since=at(0))
        assert isinstance(found, Wait)
        assert found.until is None


def test_what_is_no_longer_configured_is_left_alone() -> None:
    found = begin(incident(), None, now=at(9999), bad_since=at(0))
    assert found == Wait("the check is no longer configured", None)


@pytest.mark.parametrize(
    ("of", "changes", "expected"),
    [
        (check(), {}, HandOver("no runbook is attached to this check")),
        (check(CLEAN), {}, HandOver("no runbook on the ladder answers this status")),
        (LADDER, {"rung": 3}, HandOver("the ladder is at its end")),
        (
            LADDER,
            {"severity": WARNING, "rung": 3},
            Wait("no runbook answers a WARNING here: it is on the ticket", None),
        ),
    ],
)
def test_without_a_rung(of: object, changes: dict[str, object], expected: object) -> None:
    assert without_rung(incident(**changes), of) == expected  # type: ignore[arg-type]  # a check


# What a refusal leads to.


def refused(guard: str, then: Then, until: float | None = 130) -> list[Verdict]:
    end = None if until is None else at(until)
    return [Verdict("other", None), Verdict(guard, Refusal("it is so", then, end))]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict("mode", None)], Start(1, CLEAN)),
        (refused("mode", Then.NEXT), Climb(2, "mode", "it is so")),
        (refused("halt", Then.PERSON), HandOver("halt: it is so")),
        (refused("lock", Then.WAIT), Wait("lock: it is so", at(130), "lock")),
        (
            refused("maintenance", Then.WAIT, None),
            Wait("maintenance: it is so", None, "maintenance"),
        ),
    ],
)
def test_a_refusal_waits_climbs_or_goes_to_a_person(
    verdicts: list[Verdict], expected: object
) -> None:
    assert decide(1, CLEAN, verdicts, now=at(100)) == expected


@pytest.mark.parametrize("guard", ["lock", "at once"])
def test_who_queues_for_a_quarter_of_an_hour_gets_a_person(guard: str) -> None:
    verdicts = refused(guard, Then.WAIT)
    early = decide(0, RESTART, verdicts, now=at(999.9), queued_since=at(100))
    late = decide(0, RESTART, verdicts, now=at(1000), queued_since=at(100))
    assert isinstance(early, Wait)
    assert late == HandOver(f"waited 15 min; {guard}: it is so")


@pytest.mark.parametrize("guard", ["maintenance", "unreachable", "still failing"])
def test_what_ends_by_itself_may_take_its_time(guard: str) -> None:
    found = decide(0, RESTART, refused(guard, Then.WAIT), now=at(99_999), queued_since=at(0))
    assert isinstance(found, Wait)


def line(second: float, kind: str, guard: str = "") -> Event:
    return Event(IncidentId(1), at(second), kind, "", data={"guard": guard} if guard else {})


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ([], None),
        ([line(1, "waiting")], None),
        ([line(1, "waiting", "maintenance")], None),
        ([line(1, "waiting", "lock")], 1),
        ([line(1, "waiting", "lock"), line(9, "waiting", "at once")], 1),
        ([line(1, "waiting", "lock"), line(5, "refused", "mode"), line(9, "waiting", "lock")], 1),
        ([line(1, "waiting", "lock"), line(9, "waiting", "maintenance")], None),
        ([line(1, "waiting", "lock"), line(9, "attempt-planned")], None),
        ([line(1, "waiting", "lock"), line(5, "resolved"), line(7, "reopened")], None),
        (
            [
                line(1, "waiting", "lock"),
                line(5, "resolved"),
                line(7, "reopened"),
                line(8, "waiting"),
                line(9, "waiting", "lock"),
            ],
            5,  # four seconds were waited before the flap
        ),
        (
            [
                line(1, "waiting", "lock"),
                line(3, "waiting", "maintenance"),
                line(9, "waiting", "lock"),
                line(9, "attempt-planned"),
                line(20, "waiting", "lock"),
            ],
            20,
        ),
    ],
)
def test_the_queue_is_read_from_the_timeline(timeline: list[Event], expected: float | None) -> None:
    assert queued_since(timeline) == (None if expected is None else at(expected))


@given(st.permutations(list(Then)), st.integers(0, 5))
def test_no_other_refusal_keeps_a_person_waiting(order: list[Then], place: int) -> None:
    verdicts = [Verdict(f"guard {then}", Refusal("so", then)) for then in order]
    assert decide(place, RESTART, verdicts, now=at(9)) == HandOver(f"guard {Then.PERSON}: so")
