"""The audit finds nothing in a sound journal, and finds each broken promise that is planted."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from monitord.model.catalog import Budgets
from monitord.model.ids import AttemptId, IncidentId, StateKey
from monitord.model.incident import AttemptStatus, IncidentStatus, Phase, StepStatus
from monitord.model.result import Status
from monitord.model.ticket import Verb
from monitord.store import OpenStore, audit
from monitord.store.audit import Violation
from monitord.store.contract import Tx
from monitord.store.tx import RowTx
from tests.store import rows
from tests.store.rows import SITE, at

PG = StateKey("db1/pg")
FIXED, ESCALATED = IncidentId(1), IncidentId(2)  # as the story numbers them
HOUR = 3600


def story(tx: Tx) -> None:
    """A repair that was verified, an incident that went to a person, a failure held back."""
    some = [rows.transition(), rows.transition(PG), rows.transition("net1/ping")]
    first, second, third = tx.add_transitions(some)
    tx.put_states([rows.state(SITE), rows.state(PG, Status.CRITICAL)])
    tx.put_states([rows.state("net1/ping", Status.CRITICAL)])
    tx.settle_transition(first, "opened incident 1")
    tx.settle_transition(second, "opened incident 2")
    tx.settle_transition(third, "suppressed: its parent is down")
    fixed: dict[str, Any] = {
        "status": IncidentStatus.RESOLVED,
        "resolved": at(70),
        "cause": "verified",
    }
    tx.add_incident(rows.incident(**fixed))
    add_attempt(tx, FIXED, status=AttemptStatus.FIXED)
    up: dict[str, Any] = {"status": IncidentStatus.ESCALATED, "escalated": at(60), "host": "db1"}
    tx.add_incident(rows.incident(PG, **up))
    tx.add_ticket(rows.ticket(ESCALATED))
    tx.add_outbox(rows.message(ESCALATED))
    tx.add_order(rows.order(selector="web1", given=at(500), starts=at(500)))
    tx.add_audit(at(41), "monitord", "act", "web1", "attempt 1")


def add_attempt(tx: Tx, incident: int, *, start: float = 41, **changes: Any) -> AttemptId:
    """Store an attempt that acted for twenty seconds from `start`, with its lock and its step."""
    times = {"planned": at(start - 1), "effect_at": at(start), "finished": at(start + 20)}
    row = rows.attempt(incident, **{"status": AttemptStatus.FAILED, **times, **changes})
    number = tx.add_attempt(row)
    tx.take_locks(number, [(name, True) for name in row.locks])
    tx.release_locks(number)
    done = {"status": StepStatus.DONE, "started": at(start), "finished": at(start + 2)}
    tx.add_step(rows.step(number, intended=at(start), target=row.host, **done))
    return number


def sql(statement: str, then: float = 0) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        assert isinstance(tx, RowTx)
        tx.connection.execute(text(statement), {"then": then} if ":then" in statement else {})

    return work


def several(count: int, apart: float, **changes: Any) -> Callable[[Tx], None]:
    """Plant attempts of as many incidents, `apart` seconds from each other."""

    def work(tx: Tx) -> None:
        for n in range(count):
            some = {"locks": (f"lock {n}",), "groups": (), **changes}
            add_attempt(tx, 100 + n, start=10_000 + n * apart, **some)

    return work


def planted(store: OpenStore, *works: Callable[[Tx], object], **options: Any) -> list[Violation]:
    store.write_now(story)
    for work in works:
        store.write_now(work)
    return store.read_now(lambda view: audit(view, **{"backends": ["hook"], **options}))


def test_a_sound_journal_has_no_violation(store: OpenStore) -> None:
    assert planted(store) == []


def critical(tx: Tx) -> None:
    """A hard CRITICAL whose transition opened an incident that is no more."""
    tx.put_states([rows.state("web9/x", Status.CRITICAL)])
    tx.settle_transition(tx.add_transitions([rows.transition("web9/x")])[0], "opened incident 9")


def closed(by: str) -> Callable[[Tx], object]:
    changes = {"status": IncidentStatus.CLOSED, "closed": at(20), "cause": "closed"}
    return lambda tx: tx.add_incident(
        rows.incident("web9/x", closed_by=by, close_reason="known", **changes)
    )


def step(**changes: Any) -> Callable[[Tx], object]:
    done = {"status": StepStatus.DONE, "intended": at(41), "finished": at(50), "position": 1}
    return lambda tx: tx.add_step(rows.step(1, **{**done, **changes}))


def attempt(**changes: Any) -> Callable[[Tx], object]:
    def work(tx: Tx) -> None:
        locks = changes.get("locks", ("other",))
        add_attempt(tx, 50, **{"groups": (), "start": 90_000, **changes, "locks": locks})

    return work


UNDER_ONE_LOCK = {"locks": ("web1:nginx",)}
UNDOING = sql("UPDATE attempts SET undoing = 'step 2 failed'")
PLANTS: dict[str, tuple[Callable[[Tx], object], str, str]] = {
    "critical without an incident": (
        critical,
        "I1 web9/x",
        "CRITICAL without an open incident (opened incident 9)",
    ),
    "critical without a transition": (
        lambda tx: tx.put_states([rows.state("web9/x", Status.CRITICAL)]),
        "I1 web9/x",
        "no transition was recorded",
    ),
    "critical in two incidents": (
        lambda tx: tx.add_incident(rows.incident("unknown/timeout", items=(PG,))),
        "I1 db1/pg",
        "in several open incidents: 2, 3",
    ),
    "an effect without a step": (sql("DELETE FROM steps"), "I2 attempt 1", "without a step"),
    "a step that does not count": (
        sql("UPDATE attempts SET effect_at = NULL"),
        "I2 attempt 1",
        "counts as without effect",
    ),
    "an effect before its intent": (
        sql("UPDATE attempts SET effect_at = :then", at(40)),
        "I2 attempt 1",
        "older than its first intent",
    ),
    "a plan that nobody approved": (
        sql("UPDATE attempts SET mode = 'approve'"),
        "I2 attempt 1",
        "nobody said yes",
    ),
    "a step before its intent": (
        sql("UPDATE steps SET started = :then", at(40.9)),
        "I2 step 1",
        "began before its intent",
    ),
    "an unknown repair under way": (
        attempt(start=60, **UNDER_ONE_LOCK),
        "I3 lock web1:nginx",
        "attempts 1 and 2 acted under it at once",
    ),
    "acting without the lock": (
        sql("DELETE FROM locks"),
        "I3 attempt 1",
        "acted without its lock web1:nginx",
    ),
    "three rungs": (
        lambda tx: [
            add_attempt(tx, FIXED, start=50_000 * n, groups=(), locks=(f"l{n}",)) for n in (1, 2)
        ],
        "I4 incident 1",
        "3 attempts, 2 allowed",
    ),
    "four on a host in an hour": (
        several(4, HOUR / 3, host="web7", targets=("web7",)),
        "I4 host web7",
        "attempt 5 is number 4 in 1 h, 3 allowed",
    ),
    "seven on a host in a day": (
        several(7, 4 * HOUR, host="web7", targets=("web7",)),
        "I4 host web7",
        "number 7 in 24 h, 6 allowed",
    ),
    "two at once in a group": (
        several(2, 19, groups=("web",), host="web7", targets=("web7",)),
        "I4 group web",
        "number 2 at once, 1 allowed",
    ),
    "an end for no cause": (
        sql("UPDATE incidents SET cause = 'magic' WHERE id = 1"),
        "I5 incident 1",
        "RESOLVED for no known cause 'magic'",
    ),
    "closed by nobody": (closed(""), "I5 incident 3", "without a name and a reason"),
    "verified by nothing": (
        sql("UPDATE attempts SET status = 'FAILED'"),
        "I5 incident 1",
        "no attempt of it is FIXED",
    ),
    "resolved at no time": (
        sql("UPDATE incidents SET resolved = NULL WHERE id = 1"),
        "I5 incident 1",
        "RESOLVED without an instant",
    ),
    "escalated without a ticket": (
        sql("DELETE FROM tickets"),
        "I6 incident 2",
        "escalated without a ticket",
    ),
    "escalated, and nobody told": (
        sql("DELETE FROM outbox"),
        "I6 incident 2",
        "without a message to hook",
    ),
    "repeated blindly": (step(position=0), "I7 step 2", "repeats step 1, and is not idempotent"),
    "repeated though done": (
        step(position=0, idempotent=True),
        "I7 step 2",
        "repeats step 1, which was done",
    ),
    "undone for no reason": (
        step(phase=Phase.UNDO, intended=at(51), finished=at(52)),
        "I2 attempt 1",
        "is undone, and no row says why",
    ),
    "acting after the undo": (
        lambda tx: [
            UNDOING(tx),
            step(phase=Phase.UNDO, intended=at(51), finished=at(52))(tx),
            step(position=2, intended=at(53), finished=at(54))(tx),
        ],
        "I2 attempt 1",
        "acts after its undo has begun",
    ),
    "undone twice": (
        lambda tx: [
            UNDOING(tx),
            *(
                step(phase=Phase.UNDO, intended=at(n), finished=at(n + 1), idempotent=True)(tx)
                for n in (51, 53)
            ),
        ],
        "I7 step 3",
        "repeats step 2: an undo is done once",
    ),
    "undone under another's lock": (
        lambda tx: [
            UNDOING(tx),
            attempt(start=70, **UNDER_ONE_LOCK)(tx),
            step(phase=Phase.UNDO, intended=at(75), finished=at(76))(tx),
        ],
        "I3 lock web1:nginx",
        "attempts 2 and 1 acted under it at once",
    ),
    "acting in maintenance": (
        sql("UPDATE orders SET given = :then, starts = :then", at(30)),
        "I8 step 1",
        "intended on web1 during maintenance 1 (web1)",
    ),
    "acting during a halt": (
        lambda tx: tx.add_order(rows.order(Verb.HALT, selector="*", given=at(41))),
        "I8 step 1",
        "during halt 2 (*)",
    ),
    "no targets": (
        sql("UPDATE attempts SET targets = '[]', status = 'RUNNING' WHERE id = 1"),
        "I9 attempt 1",
        "has no targets",
    ),
    "another target": (step(target="db1"), "I9 step 2", "aims at db1, which is no target"),
    "a changed link": (
        sql("UPDATE audit SET actor = 'nobody'"),
        "I10 audit chain",
        "link 1 was changed",
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_is_found(store: OpenStore, name: str) -> None:
    work, subject, says = PLANTS[name]
    found = [str(violation) for violation in planted(store, work)]
    assert any(line.startswith(subject) and says in line for line in found), found
    invariants = {line.split()[0] for line in found}
    expected = {
        "verified by nothing": {"I5"},
        "no targets": {"I5", "I9"},
        "an effect without a step": {"I2"},
    }
    assert invariants == expected.get(name, {subject.split()[0]})


SOUND: dict[str, tuple[Callable[[Tx], object], ...]] = {
    "a person closed it while it was still bad": (critical, closed("kim")),
    "nobody has decided yet": (
        lambda tx: tx.put_states([rows.state("web9/x", Status.CRITICAL)]),
        lambda tx: tx.add_transitions([rows.transition("web9/x")]),
    ),
    "a lock that two share": (
        lambda tx: tx.take_locks(AttemptId(1), [("web1:host", False)]),
        attempt(start=50, locks=("web1:disk",)),
        lambda tx: tx.take_locks(AttemptId(2), [("web1:host", False)]),
    ),
    "one after the other under a lock": (attempt(start=61, **UNDER_ONE_LOCK),),
    "three on a host in an hour": (several(3, HOUR / 3, host="web7", targets=("web7",)),),
    "four on a host in more than an hour": (
        several(4, HOUR / 3 + 1, host="web7", targets=("web7",)),
    ),
    "an unknown outcome repeated, declared idempotent": (
        sql("UPDATE steps SET status = 'UNKNOWN'"),
        step(position=0, idempotent=True),
    ),
    "undone hours later, between two others": (
        UNDOING,
        attempt(start=70, **UNDER_ONE_LOCK),
        step(phase=Phase.UNDO, intended=at(95), finished=at(96)),
    ),
    "evidence collected during a halt": (
        lambda tx: tx.add_order(rows.order(Verb.HALT, selector="*", given=at(42))),
        step(phase=Phase.COLLECT, intended=at(43)),
    ),
    "a halt that had ended": (
        lambda tx: tx.add_order(rows.order(Verb.HALT, selector="*", ended=at(41))),
    ),
    "a mute": (lambda tx: tx.add_order(rows.order(Verb.MUTE, selector="*")),),
    "refused before it had a target": (
        lambda tx: tx.add_attempt(rows.attempt(1, targets=(), status=AttemptStatus.VOID)),
    ),
    "an attempt that has just begun": (
        lambda tx: tx.add_attempt(rows.attempt(2, status=AttemptStatus.RUNNING)),
    ),
    "one attempt verified items of a shared incident": (
        lambda tx: tx.add_incident(
            rows.incident(
                "unknown/timeout",
                status=IncidentStatus.RESOLVED,
                resolved=at(70),
                cause="verified",
            )
        ),
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_allowed_is_not_called_a_violation(store: OpenStore, name: str) -> None:
    assert planted(store, *SOUND[name]) == []


def test_the_fleet_has_limits_of_its_own(store: OpenStore) -> None:
    def fleet(tx: Tx) -> None:
        for n in range(4):
            place = {"host": f"h{n}", "targets": (f"h{n}",), "locks": (f"l{n}",), "groups": ()}
            add_attempt(tx, 100 + n, start=10_000 + n, **place)

    tight = Budgets(fleet_per_hour=3, fleet_per_day=4, fleet_at_once=2)
    found = [str(violation) for violation in planted(store, fleet, budgets=tight)]
    assert found == [
        "I4 fleet: attempt 5 is number 4 in 1 h, 3 allowed",
        "I4 fleet: attempt 5 is number 5 in 24 h, 4 allowed",
        "I4 fleet: attempt 4 is number 3 at once, 2 allowed",
        "I4 fleet: attempt 5 is number 4 at once, 2 allowed",
    ]


def test_the_selector_is_matched_as_the_caller_says(store: OpenStore) -> None:
    order = rows.order(Verb.HALT, selector="group=web", given=at(0))
    found = planted(
        store,
        lambda tx: tx.add_order(order),
        matches=lambda selector, host: (selector, host) == ("group=web", "web1"),
    )
    assert [one.invariant for one in found] == ["I8"]
