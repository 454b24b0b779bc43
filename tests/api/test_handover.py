"""The page of a hand-over, from rows: what is on it, what is not, and what falls due by morning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitord.api.handover import document
from monitord.decisions.ticket_document import iso
from monitord.model.ids import Instant
from monitord.model.incident import AttemptStatus, IncidentStatus
from monitord.model.ticket import Verb
from monitord.store import OpenStore, open_store
from monitord.store.contract import Tx
from tests.api.fake_rows import NOON, make_catalog
from tests.store import rows

HOUR = 3_600_000_000
SINCE = Instant(NOON - 8 * HOUR)


def at(hours: float) -> Instant:
    """Give an instant so many hours after noon, 13:00 in Berlin, on a Friday."""
    return Instant(NOON + round(hours * HOUR))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OpenStore]:
    found = open_store(tmp_path / "state.db")
    yield found
    found.close_now()


def page(store: OpenStore, tmp_path: Path, zone: str = "Europe/Berlin") -> dict[str, Any]:
    catalog = make_catalog(tmp_path)
    catalog = replace(catalog, settings=replace(catalog.settings, timezone=zone))
    found: dict[str, Any] = store.read_now(
        lambda view: document(view, catalog, since=SINCE, now=NOON)
    )
    return found


def order(verb: Verb, starts: float, ends: float, **more: Any) -> Any:
    return rows.order(verb, given=at(-24), starts=at(starts), expires=at(ends), **more)


def test_a_quiet_night_is_an_empty_page(store: OpenStore, tmp_path: Path) -> None:
    found = page(store, tmp_path)
    names = ("open", "taken", "muted", "repaired_twice", "approvals", "due")
    assert [found[name] for name in names] == [[]] * len(names)
    assert (found["repaired"], found["signed"]) == (0, None)
    assert (found["since"], found["now"]) == (iso(SINCE), iso(NOON))


@pytest.mark.parametrize(
    ("zone", "morning"), [("Europe/Berlin", 20), ("UTC", 21), ("America/Chicago", 3)]
)
def test_the_morning_is_the_next_nine_o_clock_of_the_instance(
    store: OpenStore, tmp_path: Path, zone: str, morning: float
) -> None:
    assert page(store, tmp_path, zone)["morning"] == iso(at(morning))


def test_what_is_open_tells_whether_it_is_new(store: OpenStore, tmp_path: Path) -> None:
    def fill(tx: Tx) -> None:
        tx.add_incident(rows.incident("web1/old", opened=at(-9)))
        tx.add_incident(rows.incident("web1/new", opened=at(-1), page_at=at(2)))
        gone = tx.add_incident(rows.incident("web1/gone", opened=at(-1)))
        tx.move_incident(gone, IncidentStatus.OPEN, IncidentStatus.CLOSED, closed=at(0))

    store.write_now(fill)
    found = page(store, tmp_path)
    assert [(one["key"], one["new"]) for one in found["open"]] == [
        ("web1/old", False),
        ("web1/new", True),
    ]
    assert found["due"] == [
        {"at": iso(at(2)), "what": "the next people are told: incident 2, web1/new"}
    ]


def test_orders_stand_where_they_belong_and_their_ends_are_due(
    store: OpenStore, tmp_path: Path
) -> None:
    def fill(tx: Tx) -> None:
        tx.add_order(order(Verb.TAKE, -1, 30))
        tx.add_order(order(Verb.ACK, -1, 5, selector="web1/site"))
        tx.add_order(order(Verb.MUTE, -1, 20, selector="db1"))
        tx.add_order(order(Verb.MAINTENANCE, 4, 21, reason="kernel"))
        tx.add_order(order(Verb.MUTE, -4, -2, selector="gone"))
        ended = tx.add_order(order(Verb.MUTE, -4, 2, selector="ended"))
        tx.end_order(ended, at(-1), "kim")

    store.write_now(fill)
    found = page(store, tmp_path)
    assert [one["verb"] for one in found["taken"]] == ["take", "ack"]
    assert [one["selector"] for one in found["muted"]] == ["db1"]
    assert [(one["at"], one["what"]) for one in found["due"]] == [
        (iso(at(4)), "begins: maintenance on web1 (kim: kernel)"),
        (iso(at(5)), "ends: ack on web1/site (kim: new disk)"),
        (iso(at(20)), "ends: mute on db1 (kim: new disk)"),
    ]


def test_what_was_repaired_twice_comes_back_and_what_waits_is_asked_for(
    store: OpenStore, tmp_path: Path
) -> None:
    def fixed(tx: Tx, incident: int, hours: float, key: str = "web1/site") -> None:
        made = rows.attempt(incident, key=key, planned=at(hours), deadline=at(hours + 1))
        number = tx.add_attempt(made)
        steps = [AttemptStatus.RUNNING, AttemptStatus.VERIFYING, AttemptStatus.FIXED]
        for before, then in zip([AttemptStatus.PLANNED, *steps], steps, strict=False):
            tx.move_attempt(number, before, then)

    def fill(tx: Tx) -> None:
        incident = tx.add_incident(rows.incident(opened=at(-30)))
        for hours in (-20, -3, -2):
            fixed(tx, incident, hours)
        fixed(tx, incident, -1, "web2/site")
        asked = tx.add_attempt(rows.attempt(incident, planned=at(-0.1), deadline=at(0.25)))
        tx.move_attempt(asked, AttemptStatus.PLANNED, AttemptStatus.APPROVAL)

    store.write_now(fill)
    found = page(store, tmp_path)
    assert found["repaired"] == 3
    assert found["repaired_twice"] == [{"key": "web1/site", "runbook": "restart-nginx", "times": 2}]
    assert [(one["attempt"], one["until"]) for one in found["approvals"]] == [(5, iso(at(0.25)))]
    (due,) = found["due"]
    assert due["what"] == "expires to the next tier: attempt 5, restart-nginx on web1/site"


def test_it_names_who_is_on_call_and_who_comes(store: OpenStore, tmp_path: Path) -> None:
    linux, desk = sorted(
        page(store, tmp_path)["on_call"], key=lambda one: one["rotation"] == "desk"
    )
    assert (linux["on"], linux["next"]) == (["kim"], "ann")
    assert linux["at"] == "2026-11-30T08:00:00Z"
    assert (desk["on"], desk["next"], desk["at"]) == (["kim"], "kim", "2026-11-30T07:00:00Z")


def test_without_a_configuration_it_still_tells_the_rows(store: OpenStore) -> None:
    store.write_now(lambda tx: tx.add_incident(rows.incident(opened=at(-1))))
    found = store.read_now(lambda view: document(view, None, since=SINCE, now=NOON))
    assert ([one["key"] for one in found["open"]], found["on_call"]) == (["web1/site"], [])
    assert found["morning"] == iso(at(21))
