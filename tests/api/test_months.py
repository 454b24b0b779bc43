"""The report of a month, made of the rows of a real store: sealed, and computed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.event import listen

from monitord.api import months
from monitord.api.bodies import BadBodyError
from monitord.api.months_table import COLUMNS, rows
from monitord.clock import after
from monitord.decisions import promises
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog
from monitord.model.ids import EPOCH, CheckKey, IncidentId, Instant
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.service import ServiceChange, ServiceState
from monitord.model.sla import Paused
from monitord.model.table import csv_of
from monitord.model.ticket import Event, Order, Verb
from monitord.store import OpenStore, open_store
from monitord.store.around import clock_facts, clock_facts_of
from monitord.store.contract import Tx, View
from monitord.store.view import RowView
from tests.api.fake_rows import NOON, STATES, fill, make_catalog, with_services

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = after(NOON, 10 * DAY)  # 2026-12-07
FIRST = IncidentId(1)


def story(tx: Tx) -> None:
    """The shop was up all November but for two hours on the 27th; kim answered after one."""
    fill(tx)
    for at, state in (
        (after(NOON, -60 * DAY), ServiceState.UP),
        (NOON, ServiceState.DOWN),
        (after(NOON, 2 * HOUR), ServiceState.UP),
        (after(NOON, 6 * DAY), ServiceState.DOWN),
    ):
        tx.add_service_change(ServiceChange(0, "shop", at, state, state.lower(), "site", ()))
    tx.add_events([Event(FIRST, after(NOON, HOUR), "ack", "kim acknowledged", "kim", {})])
    resolved = {"resolved": after(NOON, 2 * HOUR), "cause": "recovered"}
    tx.move_incident(FIRST, IncidentStatus.ESCALATED, IncidentStatus.RESOLVED, **resolved)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return with_services(make_catalog(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OpenStore]:
    opened = open_store(tmp_path / "state.db", durable=False)
    opened.write_now(story)
    yield opened
    opened.close_now()


def told(store: OpenStore, catalog: Catalog, month: str = "", now: Instant = LATER) -> Any:
    return store.read_now(lambda view: months.document(view, catalog, STATES, month, now=now))


def test_a_month_tells_of_services_and_outages_as_they_were_in_it(
    store: OpenStore, catalog: Catalog
) -> None:
    found = told(store, catalog)
    assert (found["month"], found["over"], found["whole"]) == ("2026-11", True, True)
    shop = next(one for one in found["services"] if one["service"] == "shop")
    assert shop["times_s"]["down"] == 7200
    assert shop["share"] == round(1 - 2 / (30 * 24), 6)
    assert (shop["target"], shop["met"]) == (0.999, False)
    assert found["incidents"]["opened"] == 1
    assert found["incidents"]["acknowledged"]["mean"] == 3600
    assert found["incidents"]["repaired"]["mean"] == 7200
    assert found["incidents"]["ended"]["by itself"] == 1
    assert told(store, catalog, "2026-12")["incidents"]["opened"] == 0


def test_the_seal_is_of_what_the_figure_is_made_of(store: OpenStore, catalog: Catalog) -> None:
    seal = {one["service"]: one["seal"] for one in told(store, catalog)["services"]}["shop"]
    found = store.read_now(
        lambda view: months.account(view, catalog, STATES, "2026-11", "shop", now=LATER)
    )
    assert found["seal"] == seal
    assert hashlib.sha256(found["account"].encode()).hexdigest() == seal
    assert json.loads(found["account"])["service"] == "shop"
    later = told(store, catalog, "2026-11", after(LATER, 20 * DAY))["services"]
    assert seal in {one["seal"] for one in later}  # a month that is over stays what it was


def test_the_table_has_a_row_for_each_figure(store: OpenStore, catalog: Catalog) -> None:
    text = csv_of(COLUMNS, rows(told(store, catalog)))
    for row in (
        "service,shop,down_s,7200.0\r\n",
        "service,shop,met,false\r\n",
        "incidents,repaired,mean_s,7200.0\r\n",
        "incidents,ended,by itself,1\r\n",
    ):
        assert row in text


def test_a_month_that_nobody_watched_keeps_and_breaks_no_promise(
    store: OpenStore, catalog: Catalog
) -> None:
    shop = next(one for one in told(store, catalog)["services"] if one["service"] == "shop")
    assert shop["watched"]
    long_ago = told(store, catalog, "2026-01")["services"]
    blind = next(one for one in long_ago if one["service"] == "shop")
    assert (blind["watched"], blind["met"]) == (False, None)


def test_restore_drills_are_told_with_what_failed_in_the_month(
    store: OpenStore, catalog: Catalog
) -> None:
    key = CheckKey("web1/site")
    drill = replace(catalog.checks[key], kind="drill")
    drilled = replace(catalog, checks={**catalog.checks, key: drill})
    (one,) = told(store, drilled)["drills"]
    assert (one["key"], one["failed"]) == (key, 1)
    assert one["summary"]
    assert told(store, drilled, "2026-12")["drills"][0]["failed"] == 0
    assert "drill,web1/site,failed,1\r\n" in csv_of(COLUMNS, rows(told(store, drilled)))
    assert told(store, catalog)["drills"] == []


OUTAGE = Incident(
    id=IncidentId(0),
    key="web1/site",
    status=IncidentStatus.OPEN,
    severity=Status.CRITICAL,
    summary="no answer within 5 s",
    opened=NOON,
    first_failed=NOON,
    due_at=None,
    items=("web1/site",),
    host="web1",
)
WORK = Order(
    0, Verb.MAINTENANCE, "web1", "new disks", "kim",
    EPOCH, NOON, after(NOON, HOUR), excused=True,
)  # fmt: skip


def many(store: OpenStore, count: int) -> None:
    """So many outages of the shop, each answered after 3 h and over after 5, paused for the first.

    Each has opened a minute before the one before it; the first at noon.
    """

    def write(tx: Tx) -> None:
        tx.add_order(WORK)
        tx.move_incident(FIRST, IncidentStatus.RESOLVED, IncidentStatus.CLOSED, closed=LATER)
        for number in range(count):
            at = after(NOON, -timedelta(minutes=number))
            one = tx.add_incident(replace(OUTAGE, opened=at, first_failed=at))
            lines = {"opened": at, "ack": after(at, 3 * HOUR), "noted": after(at, 4 * HOUR)}
            tx.add_events([Event(one, told, kind, "x", "kim", {}) for kind, told in lines.items()])
            tx.add_pause(Paused(0, one, at, after(at, HOUR), "no key", "kim"))
            over = {"resolved": after(at, 5 * HOUR), "cause": "recovered"}
            tx.move_incident(one, IncidentStatus.OPEN, IncidentStatus.RESOLVED, **over)
            tx.move_incident(one, IncidentStatus.RESOLVED, IncidentStatus.CLOSED, closed=LATER)

    store.write_now(write)


def statements(store: OpenStore, catalog: Catalog) -> tuple[int, Any]:
    """Give what the report of the month asks the database, counted, and the report."""
    asked: list[str] = []

    def work(view: View) -> Any:
        assert isinstance(view, RowView)
        listen(view.connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
        return months.document(view, catalog, STATES, "2026-11", now=LATER)

    found = store.read_now(work)
    return len(asked), found


def test_a_month_of_many_outages_asks_no_more_than_one_of_few(
    store: OpenStore, catalog: Catalog
) -> None:
    """Asked incident by incident, ten thousand of them ran into the reader's time limit."""
    many(store, 1)
    few, _ = statements(store, catalog)
    many(store, 300)
    lots, found = statements(store, catalog)
    assert lots == few > 0
    shop = next(one for one in found["services"] if one["service"] == "shop")
    assert sum(shop["promises"]["respond"].values()) == 302
    assert found["incidents"]["acknowledged"]["count"] == 302


def test_clocks_go_alike_read_at_once_or_one_by_one(store: OpenStore, catalog: Catalog) -> None:
    many(store, 3)

    def both(view: View) -> Any:
        span = (after(NOON, -2 * timedelta(minutes=1)), after(NOON, HOUR))
        incidents, gold = view.incidents_opened(*span), catalog.slas["gold"]
        return [
            [promises.running(one, [gold], {}, facts(one), LATER) for one in incidents]
            for facts in (
                clock_facts_of(view, catalog, *span),
                lambda one: clock_facts(view, catalog, one),
            )
        ]

    at_once, one_by_one = store.read_now(both)
    assert at_once == one_by_one
    # The first was answered while the work went on; the others' 3 h lack the hour of the pause,
    # and what of the hour of work lies past that.
    elapsed = [clocks[0].elapsed // timedelta(minutes=1) for clocks in at_once]
    assert elapsed == [0, 120, 119, 118]


def test_what_is_no_month_is_refused_and_what_is_not_kept_is_said(
    store: OpenStore, catalog: Catalog
) -> None:
    for month in ("2026-13", "soon", "1999-01", "2027-01", "2026-1", "9999-12"):
        with pytest.raises(BadBodyError, match=month):
            told(store, catalog, month)
    assert told(store, catalog, "2025-01")["whole"] is False
    with pytest.raises(NotFoundError, match="there are: jobs, shop"):
        store.read_now(lambda view: months.account(view, catalog, (), "2026-11", "x", now=LATER))
    bare = replace(catalog, services={})
    assert told(store, bare)["services"] == []
