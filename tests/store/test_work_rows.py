"""Rows of the work with people: orders, tickets, messages, jobs, changes, reports that wait."""

from dataclasses import replace

from monitord.model.ids import (
    CheckKey,
    IncidentId,
    StateKey,
    TicketId,
)
from monitord.model.inbound import Waiting
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.ticket import Event, Operation, OutboxStatus, TicketStatus, Verb
from monitord.store import OpenStore
from monitord.store.contract import Store, Tx
from monitord.store.tx import RowTx
from tests.store import rows
from tests.store.rows import at


def test_orders_are_in_force_between_start_and_end(store: OpenStore) -> None:
    number = store.write_now(
        lambda tx: tx.add_order(rows.order(starts=at(10), expires=at(20), until_ok=True))
    )
    store.write_now(lambda tx: tx.add_order(rows.order(Verb.HALT)))

    def found(verb: Verb | None, seconds: float | None) -> list[Verb]:
        instant = None if seconds is None else at(seconds)
        return [o.verb for o in store.read_now(lambda view: view.orders(verb=verb, at=instant))]

    assert found(Verb.MAINTENANCE, 9) == []
    assert found(Verb.MAINTENANCE, 10) == [Verb.MAINTENANCE]
    assert found(Verb.MAINTENANCE, 20) == []
    assert found(None, 15) == [Verb.MAINTENANCE, Verb.HALT]
    assert store.write_now(lambda tx: tx.end_order(number, at(12), "kim"))
    assert not store.write_now(lambda tx: tx.end_order(number, at(13), "lee"))
    assert found(Verb.MAINTENANCE, 12) == []
    assert found(Verb.MAINTENANCE, 11) == [Verb.MAINTENANCE]
    assert found(None, None) == [Verb.MAINTENANCE, Verb.HALT]


def test_tickets_and_the_timeline_come_back(store: OpenStore) -> None:
    def fill(tx: Tx) -> TicketId:
        number = tx.add_incident(rows.incident())
        tx.add_events([Event(number, at(10), "opened", "it broke", data={"why": [1, "x"]})])
        tx.add_events([Event(number, at(11), "noted", "yes", actor="kim")])
        return tx.add_ticket(rows.ticket(number))

    ticket = store.write_now(fill)
    assert store.write_now(
        lambda tx: tx.move_ticket(ticket, TicketStatus.OPEN, TicketStatus.ACKED, tier="L2")
    )
    found = store.read_now(lambda view: view.ticket(ticket))
    assert found is not None
    assert (found.status, found.tier) == (TicketStatus.ACKED, "L2")
    assert store.read_now(lambda view: view.tickets([TicketStatus.OPEN])) == []
    assert store.read_now(lambda view: view.tickets()) == [found]
    events = store.read_now(lambda view: view.events(found.incident))
    assert [(e.kind, e.actor, dict(e.data)) for e in events] == [
        ("opened", "monitord", {"why": [1, "x"]}),
        ("noted", "kim", {}),
    ]


def test_messages_of_one_incident_leave_in_order(store: OpenStore) -> None:
    def fill(tx: Tx) -> list[int]:
        return [
            tx.add_outbox(rows.message(1, due_at=at(90))),
            tx.add_outbox(rows.message(1, operation=Operation.UPDATE)),
            tx.add_outbox(rows.message(1, "mail")),
            tx.add_outbox(rows.message(2)),
        ]

    first, second, mail, other = store.write_now(fill)

    def due(seconds: float) -> list[int]:
        query = at(seconds)
        found = store.read_now(lambda v: v.outbox(status=OutboxStatus.PENDING, due_by=query))
        return [one.id for one in found]

    assert due(60) == [mail, other]  # the second waits for the first, which is not due yet
    assert due(90) == [first, mail, other]
    store.write_now(
        lambda tx: tx.move_outbox(first, OutboxStatus.PENDING, OutboxStatus.SENT, external="X-1")
    )
    assert due(90) == [second, mail, other]
    assert store.write_now(lambda tx: tx.change_outbox(second, OutboxStatus.PENDING, tries=1))
    assert store.read_now(lambda view: view.external("hook", IncidentId(1))) == "X-1"
    assert store.read_now(lambda view: view.external("mail", IncidentId(1))) == ""


def test_a_job_is_replaced_and_an_unknown_one_is_none(store: OpenStore) -> None:
    first = JobRecord(at(1), None, None, "", running=True, watched_since=at(0))
    last = JobRecord(at(1), at(2), 3, "tail\0", running=False, watched_since=at(0))
    store.write_now(lambda tx: tx.put_job("web1/nightly", first))
    store.write_now(lambda tx: tx.put_job("web1/nightly", last))
    found = store.read_now(lambda view: view.job("web1/nightly"))
    assert found == replace(last, output="tail\u2400")
    assert store.read_now(lambda view: view.job("web1/none")) is None


def test_told_changes_are_given_from_an_instant_on_and_pruned_with_the_rest(
    store: OpenStore,
) -> None:
    for second, text in ((1, "deploy 41"), (2, "deploy 42"), (3, "deploy 43")):
        marker = Marker(0, at(second), "ci", "group=web", text)
        store.write_now(lambda tx, marker=marker: tx.add_marker(marker))  # type: ignore[misc]  # bound at once
    found = store.read_now(lambda view: view.markers(at(2)))
    assert [(m.at, m.text) for m in found] == [(at(2), "deploy 42"), (at(3), "deploy 43")]
    assert len(store.read_now(lambda view: view.markers(at(0), limit=1))) == 1
    store.write_now(lambda tx: tx.prune(at(9), incidents_before=at(3), evidence_before=at(3)))
    assert [m.text for m in store.read_now(lambda view: view.markers(at(0)))] == ["deploy 43"]


def test_the_epoch_rises_by_one(store: OpenStore) -> None:
    assert [store.write_now(lambda tx: tx.next_epoch()) for _ in range(3)] == [1, 2, 3]
    store.write_now(lambda tx: tx.put_meta("instance", "here"))
    store.write_now(lambda tx: tx.put_meta("instance", "there"))
    assert store.read_now(lambda view: view.meta("instance")) == "there"
    assert store.read_now(lambda view: view.meta("none")) is None


def test_rows_say_where_they_come_from(store: OpenStore) -> None:
    def fill(tx: RowTx) -> list[tuple[object, ...]]:
        tx.next_epoch()
        tx.put_states([rows.state("web1/site")])
        tx.add_ticket(rows.ticket(tx.add_incident(rows.incident())))
        ask = tx.connection.exec_driver_sql
        return [
            tuple(ask(f"SELECT customer, site, node, epoch FROM {table}").one())  # noqa: S608 - fixed names
            for table in ("states", "incidents", "tickets")
        ]

    assert store.write_now(fill) == [  # type: ignore[arg-type] # the test looks below the contract
        ("of web1", "ulm", "n1", 1),
        ("acme", "ulm", "n1", 1),
        ("acme", "ulm", "n1", 1),
    ]


def test_attempts_and_lines_are_found_by_runbook_and_time(store: OpenStore) -> None:
    def fill(tx: Tx) -> None:
        number = tx.add_incident(rows.incident())
        tx.add_attempt(rows.attempt(number, planned=at(40)))
        tx.add_attempt(rows.attempt(number, planned=at(50), runbook="other"))
        kinds = enumerate(("opened", "refused", "note"))
        tx.add_events([Event(number, at(when), kind, kind) for when, kind in kinds])

    store.write_now(fill)
    found = store.read_now(
        lambda view: (
            [one.runbook for one in view.attempts(since=at(41))],
            [one.planned for one in view.attempts(runbook="restart-nginx")],
            [one.kind for one in view.told(["opened", "refused"], at(1))],
        )
    )
    assert found == (["other"], [at(40)], ["refused"])


def test_of_each_alert_the_newest_report_waits_in_the_order_of_their_telling(store: Store) -> None:
    def told(tx: Tx) -> None:
        for alert, text in (("a", "old"), ("b", "it"), ("a", "new"), ("c", "gone")):
            tx.put_waiting(Waiting(0, CheckKey("web1/alerts"), "/", alert, {"summary": text}))
        tx.end_waiting(CheckKey("web1/alerts"), "/", "c")
        tx.end_waiting(CheckKey("web1/alerts"), "", "a")

    store.write_now(told)
    store.write_now(lambda tx: tx.rename_states({StateKey("web1/alerts"): StateKey("web1/am")}))
    found = store.read_now(lambda view: view.waiting())
    assert [(row.key, row.alert, row.report["summary"]) for row in found] == [
        ("web1/am", "b", "it"),
        ("web1/am", "a", "new"),
    ]
