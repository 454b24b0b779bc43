"""What both engines promise alike: rows come back as they went in, and moves compare and swap."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from monitord.errors import IllegalMoveError
from monitord.model.ids import (
    EPOCH,
    AttemptId,
    IncidentId,
    StateKey,
    StepId,
)
from monitord.model.incident import AttemptStatus, IncidentStatus, StepStatus
from monitord.model.kinds import JobRecord
from monitord.model.result import Status
from monitord.model.state import Change
from monitord.store import OpenStore
from monitord.store.contract import EffectCount, Store, Tx, View
from monitord.store.tx import RowTx
from monitord.store.view import RowView
from tests.store import rows
from tests.store.rows import SITE, at


def typed(store: OpenStore, tx: RowTx, view: RowView) -> tuple[Store, Tx, View]:
    """For mypy: the classes are what the contract says."""
    return store, tx, view


def test_a_state_comes_back_whole(store: OpenStore) -> None:
    wanted = rows.full_state()
    store.write_now(lambda tx: tx.put_states([rows.state(wanted.key)]))
    store.write_now(lambda tx: tx.put_states([wanted, rows.state("db1/pg")]))
    assert store.read_now(lambda view: view.state(wanted.key)) == wanted
    assert [one.key for one in store.read_now(lambda view: view.states())] == [
        "db1/pg",
        wanted.key,
    ]


def test_hostile_text_is_stored_on_both_engines(store: OpenStore) -> None:
    state = rows.state(summary="a\0b\ud800c", memory={"raw": "a\0b\ud800c"})
    store.write_now(lambda tx: tx.put_states([state]))
    found = store.read_now(lambda view: view.state(SITE))
    assert found is not None
    assert found.summary == "a\u2400b?c"
    assert found.memory == {"raw": "a\0b\ud800c"}


def test_a_forgotten_state_is_gone(store: OpenStore) -> None:
    store.write_now(lambda tx: tx.put_states([rows.state("a/b"), rows.state("a/c")]))
    store.write_now(lambda tx: tx.forget_states([StateKey("a/b"), StateKey("a/none")]))
    assert [one.key for one in store.read_now(lambda view: view.states())] == ["a/c"]


def test_a_rename_carries_state_and_history(store: OpenStore) -> None:
    old, new = StateKey("web1/old/x"), StateKey("web1/new/x")

    def fill(tx: Tx) -> None:
        tx.put_states([rows.state(old, Status.CRITICAL)])
        tx.add_transitions([rows.transition(old)])
        number = tx.add_incident(rows.incident("web1/old", items=(old,)))
        tx.add_attempt(rows.attempt(number, key="web1/old"))
        tx.put_job("web1/old", JobRecord(None, None, None, "", running=False, watched_since=at(0)))

    store.write_now(fill)
    store.write_now(lambda tx: tx.rename_states({old: new}))

    def check(view: View) -> None:
        state = view.state(new)
        assert state is not None
        assert state.hard is Status.CRITICAL
        assert view.state(old) is None
        assert [one.key for one in view.transitions("web1/new", EPOCH)] == [new]
        incident = view.live_incident("web1/new")
        assert incident is not None
        assert incident.items == (new,)
        assert view.attempts()[0].key == "web1/old", "its plan is of that name"
        assert view.job("web1/new") is not None

    store.read_now(check)


def test_two_states_can_change_names(store: OpenStore) -> None:
    one, two = StateKey("a/one"), StateKey("a/two")
    store.write_now(
        lambda tx: tx.put_states([rows.state(one, summary="1"), rows.state(two, summary="2")])
    )
    store.write_now(lambda tx: tx.rename_states({one: two, two: one}))
    found = store.read_now(lambda view: view.states())
    assert [(state.key, state.summary) for state in found] == [(one, "2"), (two, "1")]


def test_transitions_are_numbered_in_order_and_pending_until_settled(store: OpenStore) -> None:
    some = [rows.transition(f"web{n}/site") for n in range(5)]
    numbers = store.write_now(lambda tx: tx.add_transitions(some))
    assert numbers == sorted(numbers)
    pending = store.read_now(lambda view: view.pending_transitions())
    assert pending == [replace(t, id=n) for t, n in zip(some, numbers, strict=True)]
    store.write_now(lambda tx: tx.settle_transition(numbers[0], "opened incident 1"))
    assert len(store.read_now(lambda view: view.pending_transitions(2))) == 2
    assert store.read_now(lambda view: view.outcomes(numbers)) == {numbers[0]: "opened incident 1"}


def test_transitions_are_found_under_a_key_and_not_beside_it(store: OpenStore) -> None:
    keys = ["web1/disk", "web1/disk//", "web1/disk/a", "web1/disk-2", "web10/disk", "web1"]
    store.write_now(lambda tx: tx.add_transitions([rows.transition(key) for key in keys]))

    def under(prefix: str, limit: int = 200) -> list[str]:
        found = store.read_now(lambda view: view.transitions(prefix, at(0), limit))
        return [one.key for one in found]

    assert under("web1/disk") == ["web1/disk", "web1/disk//", "web1/disk/a"]
    assert under("web1/") == ["web1/disk", "web1/disk//", "web1/disk/a", "web1/disk-2", "web1"]
    assert under("", 2) == keys[:2]
    assert store.read_now(lambda view: view.transitions("", at(11))) == []


def test_the_last_change_of_a_key_is_that_of_its_hard_status(store: OpenStore) -> None:
    flap = rows.transition(change=Change.FLAPPING)
    some = [rows.transition(), rows.transition(after=Status.OK), flap]
    numbers = store.write_now(lambda tx: tx.add_transitions(some))
    assert store.read_now(lambda view: view.last_changes())[SITE].id == numbers[1]


def test_a_move_happens_only_from_the_status_that_was_read(store: OpenStore) -> None:
    number = store.write_now(lambda tx: tx.add_incident(rows.incident()))
    assert store.write_now(
        lambda tx: tx.move_incident(
            number, IncidentStatus.OPEN, IncidentStatus.REPAIRING, due_at=None, rung=1
        )
    )
    assert not store.write_now(
        lambda tx: tx.move_incident(number, IncidentStatus.OPEN, IncidentStatus.ESCALATED)
    )
    assert not store.write_now(
        lambda tx: tx.change_incident(number, IncidentStatus.OPEN, summary="x")
    )
    found = store.read_now(lambda view: view.incident(number))
    expected = rows.incident(id=number, status=IncidentStatus.REPAIRING, due_at=None, rung=1)
    assert found == expected


def test_an_unlisted_move_raises_and_an_unknown_column_too(store: OpenStore) -> None:
    number = store.write_now(lambda tx: tx.add_incident(rows.incident()))
    with pytest.raises(IllegalMoveError, match="ESCALATED → REPAIRING"):
        store.write_now(
            lambda tx: tx.move_incident(number, IncidentStatus.ESCALATED, IncidentStatus.REPAIRING)
        )
    with pytest.raises(TypeError, match="Incident has no colour"):
        store.write_now(lambda tx: tx.change_incident(number, IncidentStatus.OPEN, colour="red"))


def test_the_database_refuses_a_second_live_incident_of_one_key(store: OpenStore) -> None:
    number = store.write_now(lambda tx: tx.add_incident(rows.incident()))
    with pytest.raises(IntegrityError):
        store.write_now(lambda tx: tx.add_incident(rows.incident()))
    live = store.read_now(lambda view: view.live_incident(SITE))
    assert live is not None
    assert live.id == number
    store.write_now(lambda tx: tx.move_incident(number, IncidentStatus.OPEN, IncidentStatus.CLOSED))
    assert store.read_now(lambda view: view.live_incident(SITE)) is None
    assert store.write_now(lambda tx: tx.add_incident(rows.incident())) > number


def test_due_incidents_come_longest_due_first(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        for key, due in (("a/1", at(9)), ("a/2", at(5)), ("a/3", None), ("a/4", at(20))):
            tx.add_incident(rows.incident(key, due_at=due))
        tx.add_incident(rows.incident("a/5", due_at=at(1), status=IncidentStatus.WAITING))

    store.write_now(fill)
    due = store.read_now(lambda view: view.incidents([IncidentStatus.OPEN], due_by=at(9)))
    assert [one.key for one in due] == ["a/2", "a/1"]
    everyone = store.read_now(lambda view: view.incidents(IncidentStatus, limit=3))
    assert [one.key for one in everyone] == ["a/1", "a/2", "a/3"]


def test_attempts_and_steps_come_back_and_move(store: OpenStore) -> None:
    wanted = rows.attempt(7)

    def fill(tx: Tx) -> tuple[AttemptId, StepId]:
        number = tx.add_attempt(wanted)
        tx.move_attempt(number, AttemptStatus.PLANNED, AttemptStatus.RUNNING, effect_at=at(41))
        return number, tx.add_step(rows.step(number))

    number, step = store.write_now(fill)
    running = replace(wanted, id=number, status=AttemptStatus.RUNNING, effect_at=at(41))

    def check(view: View) -> None:
        assert view.attempt(AttemptId(number)) == running
        assert view.attempts(incident=IncidentId(7)) == [running]
        assert view.attempts(incident=IncidentId(8)) == []
        assert view.attempts(statuses=[AttemptStatus.PLANNED]) == []
        assert view.attempts(statuses=[AttemptStatus.RUNNING], due_by=at(39)) == []
        assert [one.id for one in view.steps(AttemptId(number))] == [step]
        assert [one.id for one in view.open_steps()] == [step]

    store.read_now(check)
    assert store.write_now(
        lambda tx: tx.move_step(
            step, StepStatus.INTENT, StepStatus.DONE, finished=at(43), exit_code=0, output="ok"
        )
    )
    assert store.read_now(lambda view: view.open_steps()) == []
    done = store.read_now(lambda view: view.step(step))
    assert done is not None
    assert (done.status, done.exit_code, done.output) == (StepStatus.DONE, 0, "ok")


def test_effects_are_counted_by_what_they_count_against(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        for changes in (
            {"effect_at": at(10)},
            {"effect_at": at(20), "host": "web2"},
            {"effect_at": at(30), "runbook": "other"},
            {"effect_at": at(40), "key": "web1/other", "incident": IncidentId(2)},
            {"effect_at": None},
            {"effect_at": at(5)},
        ):
            tx.add_attempt(replace(rows.attempt(1), **changes))

    store.write_now(fill)

    def count(view: View) -> EffectCount:
        return view.effects_since(
            at(10), incident=IncidentId(1), key=SITE, runbook="restart-nginx", host="web1"
        )

    assert store.read_now(count) == EffectCount(
        incident=3, runbook_on_key=2, runbook=3, host=3, fleet=4
    )
    last = store.read_now(lambda view: view.last_effect("restart-nginx", "web1"))
    assert last is not None
    assert last.effect_at == at(40)
    assert store.read_now(lambda view: view.last_effect("restart-nginx", "web9")) is None


def test_locks_are_taken_all_or_none(store: OpenStore) -> None:
    one, two, three = AttemptId(1), AttemptId(2), AttemptId(3)

    def take(who: AttemptId, *locks: tuple[str, bool]) -> str | None:
        return store.write_now(lambda tx: tx.take_locks(who, locks))

    assert take(one, ("web1:nginx", True), ("web1:host", False)) is None
    assert take(one, ("web1:nginx", True)) is None  # again, by the same
    assert take(two, ("web1:disk", True), ("web1:host", False)) is None  # the host is shared
    assert take(three, ("web1:free", True), ("web1:host", True)) == "web1:host"
    assert take(three, ("web1:nginx", False)) == "web1:nginx"
    assert store.read_now(lambda view: view.held_locks()) == {
        "web1:disk": (two, True),
        "web1:host": (one, False),
        "web1:nginx": (one, True),
    }
    store.write_now(lambda tx: tx.release_locks(one))
    store.write_now(lambda tx: tx.release_locks(two))
    assert store.read_now(lambda view: view.held_locks()) == {}
    assert take(three, ("web1:host", False), ("web1:host", True)) is None
    assert store.read_now(lambda view: view.held_locks()) == {"web1:host": (three, True)}
    assert ("web1:nginx", one, True) in store.read_now(lambda view: view.lock_history())
