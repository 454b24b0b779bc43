"""What people change of shifts, as rows: the same on both engines."""

from dataclasses import replace
from typing import Any

from monitord.model.oncall import Override, ShiftKind
from monitord.store.contract import Store
from tests.store.rows import at


def change(**changes: Any) -> Override:
    made = Override(
        0, "linux", "kim", at(100), at(200), ShiftKind.SWAP, "ann", at(0), "dentist",
        instead="ann", beside=False, pair=0,
    )  # fmt: skip
    return replace(made, **changes)


def test_a_change_is_found_while_it_reaches_into_the_time_asked_for(store: Store) -> None:
    first = store.write_now(lambda tx: tx.add_shift_change(change()))
    store.write_now(lambda tx: tx.add_shift_change(change(rotation="desk", beside=True)))
    kept = store.read_now(lambda view: view.shift_change(first))
    assert kept == change(id=first)
    for since, until, count in ((0, 100, 0), (0, 101, 2), (199, 300, 2), (200, 300, 0)):
        found = store.read_now(
            lambda view, low=since, high=until: view.shift_changes(since=at(low), until=at(high))
        )
        assert len(found) == count, (since, until)
    (own,) = store.read_now(lambda view: view.shift_changes(rotation="linux", since=at(0)))
    assert own.id == first
    assert store.read_now(lambda view: view.shift_change(99)) is None


def test_a_swap_is_agreed_to_once_and_not_after_its_end(store: Store) -> None:
    first, other = (store.write_now(lambda tx: tx.add_shift_change(change())) for _ in range(2))
    assert store.write_now(lambda tx: tx.agree_shift_change(first, at(5), "kim"))
    assert not store.write_now(lambda tx: tx.agree_shift_change(first, at(6), "eve"))
    assert store.write_now(lambda tx: tx.end_shift_change(other, at(7), "ann"))
    assert not store.write_now(lambda tx: tx.end_shift_change(other, at(8), "ann"))
    assert not store.write_now(lambda tx: tx.agree_shift_change(other, at(9), "kim"))
    found = store.read_now(lambda view: view.shift_changes(since=at(0)))
    assert [(one.agreed, one.agreed_by, one.ended, one.ended_by) for one in found] == [
        (at(5), "kim", None, ""),
        (None, "", at(7), "ann"),
    ]


def test_what_is_long_over_is_pruned(store: Store) -> None:
    store.write_now(lambda tx: tx.add_shift_change(change()))
    left = store.write_now(lambda tx: tx.add_shift_change(change(starts=at(300), ends=at(400))))
    cut = {"incidents_before": at(250), "evidence_before": at(250)}
    assert store.write_now(lambda tx: tx.prune(at(1000), **cut)) == 1
    assert [one.id for one in store.read_now(lambda view: view.shift_changes(since=at(0)))] == [
        left
    ]
