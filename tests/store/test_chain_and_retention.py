"""The audit chain shows every tampering, and retention takes only what is old and settled."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import IncidentStatus, StepStatus
from monitord.model.result import Status
from monitord.model.state import Change
from monitord.model.ticket import Event, OutboxStatus, Verb
from monitord.store import OpenStore, verify_chain
from monitord.store.chain import walk
from monitord.store.contract import Tx, View
from monitord.store.tx import RowTx
from tests.store import rows
from tests.store.rows import at

DAY = 86_400


def fill_chain(tx: Tx) -> None:
    for n in range(5):
        tx.add_audit(at(n * DAY), "kim", "halt", "*", f"reason {n}\0 größer")


def sql(statement: str) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        assert isinstance(tx, RowTx)
        tx.connection.exec_driver_sql(statement)

    return work


def prune(store: OpenStore, *, now: float, incidents: float, evidence: float) -> int:
    return store.write_now(
        lambda tx: tx.prune(at(now), incidents_before=at(incidents), evidence_before=at(evidence))
    )


def test_each_link_stands_on_the_one_before(store: OpenStore) -> None:
    store.write_now(fill_chain)
    links = store.read_now(lambda view: view.audit_rows())
    assert [one.before for one in links] == ["", *(one.digest for one in links[:-1])]
    assert {one.node for one in links} == {"n1"}
    assert store.read_now(lambda view: view.audit_rows(links[2].id, 1)) == [links[3]]
    assert store.read_now(verify_chain) == []


OTHER, CHANGED, END = "does not follow the link", "was changed after", "has lost its end"
SWAP = "UPDATE audit SET before = digest, digest = before WHERE id = 2"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET detail = 'x' WHERE id = 3", [f"link 3 {CHANGED}"]),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", [f"link 1 {CHANGED}"]),
        ("UPDATE audit SET node = 'n2' WHERE id = 5", [f"link 5 {OTHER}", CHANGED, END, END]),
        ("DELETE FROM audit WHERE id = 1", [f"link 2 {OTHER}"]),
        ("DELETE FROM audit WHERE id = 3", [f"link 4 {OTHER}"]),
        ("DELETE FROM audit WHERE id = 5", [END]),
        ("DELETE FROM audit", [END]),
        (SWAP, [f"link 2 {OTHER}", f"link 2 {CHANGED}", f"link 3 {OTHER}"]),
    ],
)
def test_tampering_shows(store: OpenStore, statement: str, said: list[str]) -> None:
    store.write_now(fill_chain)
    store.write_now(sql(statement))
    breaks = [one.text for one in store.read_now(verify_chain)]
    assert len(breaks) == len(said)
    for text, part in zip(breaks, said, strict=True):
        assert part in text


def test_a_chain_made_anew_holds_but_does_not_know_what_was_noted(store: OpenStore) -> None:
    store.write_now(fill_chain)
    (noted,) = store.read_now(lambda view: view.audit_ends())
    assert noted.id == 5
    assert store.read_now(lambda view: walk(view, [noted.digest])).known == {noted.digest}
    store.write_now(sql("DELETE FROM audit"))
    store.write_now(sql("DELETE FROM meta WHERE name IN ('audit-head/n1', 'audit-anchor/n1')"))
    store.write_now(lambda tx: tx.add_audit(at(9), "kim", "halt", "*", "another story"))
    found = store.read_now(lambda view: walk(view, [noted.digest]))
    assert (found.links, found.breaks, found.known) == (1, (), frozenset())


def test_a_noted_link_that_is_pruned_is_known_while_the_next_stands_on_it(store: OpenStore) -> None:
    store.write_now(fill_chain)
    links = store.read_now(lambda view: view.audit_rows())
    assert prune(store, now=9 * DAY, incidents=2 * DAY, evidence=0) == 2
    found = store.read_now(lambda view: walk(view, [one.digest for one in links]))
    assert found.known == {one.digest for one in links[1:]}


def test_links_are_found_by_who_what_and_a_text(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        for actor, act, detail in (
            ("kim", "mute", "50%_x"),
            ("lee", "mute", ""),
            ("kim", "ack", ""),
        ):
            tx.add_audit(at(1), actor, act, "web1/Site", detail)

    def found(**only: Any) -> list[int]:
        return [one.id for one in store.read_now(lambda view: view.audit_found(**only))]

    store.write_now(fill)
    assert found() == [3, 2, 1]
    assert found(actor="kim") == [3, 1]
    assert found(act="mute", before=2) == [1]
    assert found(text="SITE", limit=2) == [3, 2]
    assert (found(text="%_"), found(text="%%"), found(text="lee")) == ([1], [], [2])


def test_a_chain_loses_its_old_beginning_and_still_holds(store: OpenStore) -> None:
    store.write_now(fill_chain)
    assert prune(store, now=9 * DAY, incidents=2 * DAY, evidence=0) == 2
    assert [one.id for one in store.read_now(lambda view: view.audit_rows())] == [3, 4, 5]
    assert store.read_now(verify_chain) == []
    store.write_now(lambda tx: tx.add_audit(at(9), "kim", "resume", "*", ""))
    assert prune(store, now=9 * DAY, incidents=3 * DAY, evidence=0) == 1
    assert store.read_now(verify_chain) == []
    store.write_now(sql("DELETE FROM audit WHERE id = 4"))
    assert store.read_now(verify_chain) != []


def test_an_old_link_behind_a_newer_one_is_not_cut_out(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        for day in (0, 5, 1, 6):  # the clock was set back
            tx.add_audit(at(day * DAY), "kim", "ack", "x", "")

    store.write_now(fill)
    assert prune(store, now=9 * DAY, incidents=3 * DAY, evidence=0) == 1
    assert len(store.read_now(lambda view: view.audit_rows())) == 3
    assert store.read_now(verify_chain) == []


def test_a_chain_that_was_pruned_whole_goes_on(store: OpenStore) -> None:
    store.write_now(fill_chain)
    assert prune(store, now=9 * DAY, incidents=8 * DAY, evidence=0) == 5
    assert store.read_now(verify_chain) == []
    store.write_now(fill_chain)
    assert store.read_now(verify_chain) == []


def closed_incident(tx: Tx, key: str, closed: Instant, message: OutboxStatus) -> IncidentId:
    """Store a closed incident with one of everything."""
    number = tx.add_incident(
        rows.incident(key, status=IncidentStatus.CLOSED, closed=closed, cause="recovered")
    )
    attempt = tx.add_attempt(rows.attempt(number, effect_at=at(41), finished=at(50)))
    tx.take_locks(attempt, [("web1:nginx", True)])
    tx.release_locks(attempt)
    tx.add_step(
        rows.step(attempt, status=StepStatus.DONE, finished=at(43), output="restarted", error="x")
    )
    tx.add_events([Event(number, at(10), "opened", "it broke")])
    tx.add_ticket(rows.ticket(number))
    tx.add_outbox(rows.message(number, status=message))
    return number


def test_an_old_closed_incident_goes_with_all_its_rows(store: OpenStore) -> None:
    def fill(tx: Tx) -> list[IncidentId]:
        return [
            closed_incident(tx, "old/a", at(DAY), OutboxStatus.SENT),
            closed_incident(tx, "unsent/a", at(DAY), OutboxStatus.PENDING),
            closed_incident(tx, "young/a", at(5 * DAY), OutboxStatus.SENT),
            tx.add_incident(rows.incident("live/a", opened=at(0))),
        ]

    old, unsent, young, live = store.write_now(fill)
    assert prune(store, now=9 * DAY, incidents=2 * DAY, evidence=-DAY) == 8
    assert prune(store, now=9 * DAY, incidents=2 * DAY, evidence=-DAY) == 0

    def look(view: View) -> None:
        left = view.incidents(IncidentStatus)
        assert [one.id for one in left] == [unsent, young, live]
        assert {one.incident for one in view.attempts()} == {unsent, young}
        assert {one.incident for one in view.tickets()} == {unsent, young}
        assert len(view.lock_history()) == 2
        assert view.events(old) == []
        assert len(view.events(young)) == 1

    store.read_now(look)


def test_evidence_is_cleared_before_its_incident(store: OpenStore) -> None:
    store.write_now(lambda tx: closed_incident(tx, "a/a", at(DAY), OutboxStatus.SENT))
    assert prune(store, now=9 * DAY, incidents=0, evidence=2 * DAY) == 2

    def look(view: View) -> None:
        attempt = view.attempts()[0]
        assert [(s.output, s.error) for s in view.steps(attempt.id)] == [("", "x")]
        assert [m.body for m in view.outbox(status=OutboxStatus.SENT)] == [""]

    store.read_now(look)


def test_transitions_go_but_for_the_newest_of_a_key_and_the_undecided(store: OpenStore) -> None:
    def fill(tx: Tx) -> list[int]:
        some = [
            rows.transition(),  # replaced by the second
            rows.transition(after=Status.OK),
            rows.transition(change=Change.FLAPPING),
            rows.transition("b/b"),  # undecided
            rows.transition("b/b"),
        ]
        numbers = tx.add_transitions(some)
        for number in (*numbers[:3], numbers[4]):
            tx.settle_transition(number, "suppressed: a test")
        return numbers

    numbers = store.write_now(fill)
    assert prune(store, now=9 * DAY, incidents=DAY, evidence=0) == 1
    left = store.read_now(lambda view: view.transitions("", at(0)))
    assert [one.id for one in left] == numbers[1:]


def test_orders_and_messages_go_when_they_are_over(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        tx.add_order(rows.order())
        tx.add_order(rows.order(expires=at(30 * DAY), ended=at(5)))
        tx.add_order(rows.order(Verb.HALT, expires=at(30 * DAY)))
        live = tx.add_incident(rows.incident())
        tx.add_outbox(rows.message(live, status=OutboxStatus.SENT, external="X-1"))
        gone = tx.add_incident(
            rows.incident("a/a", status=IncidentStatus.CLOSED, closed=at(8 * DAY))
        )
        tx.add_outbox(rows.message(gone, status=OutboxStatus.DEAD))
        tx.add_outbox(rows.message(gone, "mail"))

    store.write_now(fill)
    assert prune(store, now=9 * DAY, incidents=DAY, evidence=-DAY) == 3
    assert [one.verb for one in store.read_now(lambda view: view.orders())] == [Verb.HALT]
    assert store.read_now(lambda view: view.external("hook", IncidentId(1))) == "X-1"
    pending = store.read_now(lambda view: view.outbox(status=OutboxStatus.PENDING))
    assert [one.backend for one in pending] == ["mail"]


def test_a_retention_in_the_future_takes_nothing_of_today(store: OpenStore) -> None:
    store.write_now(lambda tx: tx.add_order(replace(rows.order(), expires=at(10 * DAY))))
    assert prune(store, now=9 * DAY, incidents=99 * DAY, evidence=99 * DAY) == 0


def test_one_prune_is_a_bounded_slice(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        for n in range(250):
            tx.add_incident(rows.incident(f"h{n}/a", status=IncidentStatus.CLOSED, closed=at(DAY)))

    store.write_now(fill)
    taken = [prune(store, now=9 * DAY, incidents=2 * DAY, evidence=0) for _ in range(3)]
    assert taken == [200, 50, 0]
