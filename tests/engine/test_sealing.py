"""A month that is over is sealed once; a correction makes another seal, and the first one stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from monitord.api import months
from monitord.clock import after
from monitord.decisions import seals
from monitord.engine.sealing import Sealing
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.service import ServiceChange, ServiceState
from monitord.model.sla import Corrected, Sealed
from monitord.store import TEMPORARY, OpenStore, open_store

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = Instant(1_796_083_200_000_000)  # 2026-12-01T00:00:00Z
SHOP = """
hosts:
  web1: {address: 127.0.0.1, login: none, checks: {site: {tcp: {port: 80}}}}
services:
  shop: {down_when: [web1/site]}
"""


@pytest.fixture
def store() -> Iterator[OpenStore]:
    opened = open_store(TEMPORARY, durable=False)
    for days, state in ((-40, ServiceState.UP), (-3, ServiceState.DOWN), (-2, ServiceState.UP)):
        at = after(FIRST, days * DAY)
        row = ServiceChange(0, "shop", at, state, state.lower(), "site", ())
        opened.write_now(lambda tx, row=row: tx.add_service_change(row))
    yield opened
    asyncio.run(opened.close())


class Month:
    """One store and one catalog, looked at at a time of the story."""

    def __init__(self, store: OpenStore, catalog: Catalog) -> None:
        self.store, self.catalog, self.at = store, catalog, FIRST
        self._instance: Any = SimpleNamespace(store=store, catalog=catalog, now=lambda: self.at)
        self._sealing = Sealing(self._instance)

    def look(self, at: Instant, *, restarted: bool = False) -> list[Sealed]:
        self.at = at
        if restarted:
            self._sealing = Sealing(self._instance)
        asyncio.run(self._sealing.look())
        return self.store.read_now(lambda view: view.seals(month="2026-11"))

    def told(self, catalog: Catalog | None = None) -> dict[str, Any]:
        found = self.store.read_now(
            lambda view: months.document(view, catalog or self.catalog, (), "2026-11", now=self.at)
        )
        one: dict[str, Any] = found["services"][0]
        return one


@pytest.fixture
def month(store: OpenStore, catalog: Callable[[str], Catalog]) -> Month:
    return Month(store, catalog(SHOP))


def test_a_month_is_sealed_an_hour_after_its_end_and_once(month: Month) -> None:
    assert month.look(after(FIRST, 0.9 * HOUR)) == []
    (first,) = month.look(after(FIRST, 1.1 * HOUR))
    assert seals.holds(first)
    assert month.look(after(FIRST, 2 * HOUR)) == [first]
    assert month.look(after(FIRST, 9 * DAY), restarted=True) == [first]
    found = month.told()
    assert (found["seal"], found["recomputed"], found["differs"]) == (first.seal, first.seal, [])


def test_what_ended_while_the_daemon_was_down_is_sealed_when_it_is_up(month: Month) -> None:
    assert len(month.look(after(FIRST, 45 * DAY))) == 1
    months_of = month.store.read_now(lambda view: [one.month for one in view.seals()])
    assert months_of == ["2026-10", "2026-11", "2026-12"]  # nothing is known of what is before


def test_a_correction_makes_a_seal_that_replaces_the_first(month: Month) -> None:
    (first,) = month.look(after(FIRST, DAY))
    before = month.told()
    down = (after(FIRST, -3 * DAY), after(FIRST, -2 * DAY))
    said = Corrected(0, "shop", *down, "up", "it answered", "kim", after(FIRST, 2 * DAY), "ann")
    number = month.store.write_now(lambda tx: tx.add_correction(said))
    waiting = month.told()
    assert (waiting["seal"], waiting["share"]) == (first.seal, before["share"])
    assert waiting["differs"] == [
        "correction 1 of kim (it answered; yes of ann) came; a new seal follows within a minute"
    ]
    kept, second = month.look(after(FIRST, 3 * DAY))
    assert (kept, second.replaces) == (first, first.id)
    found = month.told()
    assert (found["seal"], found["share"], found["differs"]) == (second.seal, 1, [])
    month.store.write_now(lambda tx: tx.revoke_correction(number, after(FIRST, 4 * DAY), "lee"))
    third = month.look(after(FIRST, 4 * DAY))[-1]
    assert (third.seal, third.reason) == (first.seal, "correction 1 was taken back")
    told = month.store.read_now(lambda view: [row.detail for row in view.audit_found(act="seal")])
    assert sum(f"replaces seal {second.id}" in each for each in told) == 1


def test_what_a_reload_changes_is_told_and_the_seal_stays(month: Month) -> None:
    (first,) = month.look(after(FIRST, DAY))
    shop = replace(month.catalog.services["shop"], down_when=())
    found = month.told(replace(month.catalog, services={"shop": shop}))
    assert found["seal"] == first.seal
    assert found["differs"] == [
        "service shop was part of it and is not any more",
        "web1/site is part of it and was not",
    ]


def test_a_row_that_somebody_changed_is_told(month: Month) -> None:
    (first,) = month.look(after(FIRST, DAY))
    account = replace(seals.account_in(first), service="other")
    month.store.write_now(
        lambda tx: tx.add_seal(replace(first, replaces=first.id, account=seals.packed(account)))
    )
    assert "somebody has changed the row" in month.told()["differs"][0]
