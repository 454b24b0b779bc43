"""What `/v1/services` tells, made of the rows of a real store."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitord.api import services, sla
from monitord.clock import after
from monitord.decisions.expressions import rule
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, Instant
from monitord.model.service import ServiceChange, ServiceState
from monitord.model.sla import Corrected, Sla
from monitord.model.ticket import Order, Verb
from monitord.store import OpenStore, open_store
from monitord.store.contract import Tx
from tests.api.fake_rows import NOON, STATES, fill, make_catalog

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SITE, DISK, NIGHTLY = CheckKey("web1/site"), CheckKey("web1/disk"), CheckKey("db1/nightly")
BEGAN = after(NOON, -10 * HOUR)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    plain = make_catalog(tmp_path)
    down = (rule("site", lambda _: [SITE]),)
    worse = (rule("any of disk, jobs not ok", lambda _: [DISK, NIGHTLY]),)
    shop = Service("shop", "high", "gold", "", (SITE, DISK, NIGHTLY), down, worse)
    checks = {key: replace(one, services=("shop",)) for key, one in plain.checks.items()}
    levels = {"gold": Sla("gold", availability=0.999)}
    found = {"shop": shop, "jobs": Service("jobs", checks=(NIGHTLY,))}
    return replace(plain, checks=checks, services=found, slas=levels)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OpenStore]:
    def rows(tx: Tx) -> None:
        fill(tx)
        for at, state in ((BEGAN, ServiceState.UP), (NOON, ServiceState.DOWN)):
            tx.add_service_change(
                ServiceChange(0, "shop", at, state, state.lower(), "site: it is", (SITE,))
            )
        tx.add_service_change(ServiceChange(0, "jobs", BEGAN, ServiceState.UP, "up", ""))

    opened = open_store(tmp_path / "state.db", durable=False)
    opened.write_now(rows)
    yield opened
    asyncio.run(opened.close())


def told(store: OpenStore, catalog: Catalog, name: str, at: Instant) -> dict[str, Any]:
    return store.read_now(lambda view: services.document(view, catalog, STATES, name, now=at))


def test_what_is_worst_stands_first(store: OpenStore, catalog: Catalog) -> None:
    rows = store.read_now(lambda view: services.listed(view, catalog, STATES, now=NOON))
    assert [(row["service"], row["state"]) for row in rows["services"]] == [
        ("shop", "DOWN"),
        ("jobs", "UP"),
    ]


def test_a_service_says_since_when_by_what_and_which_incidents(
    store: OpenStore, catalog: Catalog
) -> None:
    found = told(store, catalog, "shop", after(NOON, 20 * MINUTE))
    assert (found["since"], found["for_s"]) == ("2026-11-27T12:00:00Z", 1200)
    assert (found["by"], found["blamed"]) == ("site: it is", [SITE])
    assert [one["key"] for one in found["incidents"]] == [SITE]
    assert found["checks"] == {"ok": 1, "warning": 1, "critical": 1, "unknown": 0}
    assert [(one["rule"], one["holds"], one["counted"]) for one in found["rules"]] == [
        ("down_when", True, ["1 of 1 critical"]),
        ("degraded_when", True, ["1 of 2 critical or unknown or warning"]),
    ]
    assert [one["key"] for one in found["members"]] == [SITE, DISK, NIGHTLY]
    assert [one["state"] for one in found["changes"]] == ["DOWN", "UP"]


def test_the_budget_is_what_the_whole_month_may_be_away_less_what_it_was(
    store: OpenStore, catalog: Catalog
) -> None:
    """November has 30 days of which 0.1 % is 2592 s; before its first row nothing is known."""
    found = told(store, catalog, "shop", after(NOON, 20 * MINUTE))
    times = found["availability"]["times_s"]
    assert (times["up"], times["down"]) == (36000, 1200)
    unknown = times["no_data"]
    assert found["budget_s"] == {
        "allowed": 2592, "used": 1200 + unknown, "left": 2592 - 1200 - unknown,
    }  # fmt: skip
    assert told(store, catalog, "jobs", NOON)["budget_s"] is None


def test_only_a_correction_of_the_service_itself_counts_where_it_has_rules(
    store: OpenStore, catalog: Catalog
) -> None:
    def row(about: str) -> Corrected:
        return Corrected(0, about, NOON, after(NOON, HOUR), "up", "a drill", "kim", NOON, "lee")

    store.write_now(lambda tx: tx.add_correction(row(SITE)))
    at = after(NOON, 20 * MINUTE)
    assert told(store, catalog, "shop", at)["availability"]["times_s"]["down"] == 1200
    store.write_now(lambda tx: tx.add_correction(row("shop")))
    assert told(store, catalog, "shop", at)["availability"]["times_s"]["down"] == 0


def test_maintenance_is_named_and_says_of_how_many(store: OpenStore, catalog: Catalog) -> None:
    until = after(NOON, HOUR)
    order = Order(0, Verb.MAINTENANCE, "web1", "new switch", "kim", NOON, NOON, until)
    store.write_now(lambda tx: tx.add_order(order))
    (one,) = told(store, catalog, "shop", NOON)["maintenance"]
    assert (one["by"], one["reason"], one["checks"]) == ("kim", "new switch", 2)
    assert told(store, catalog, "shop", until)["maintenance"] == []


def test_a_service_that_is_not_there_is_told_with_those_that_are(
    store: OpenStore, catalog: Catalog
) -> None:
    with pytest.raises(NotFoundError, match="there is no service shp; there are: jobs, shop"):
        told(store, catalog, "shp", NOON)


def test_its_figure_is_that_of_the_service_levels(store: OpenStore, catalog: Catalog) -> None:
    at = after(NOON, 20 * MINUTE)
    levels = store.read_now(
        lambda view: sla.document(view, catalog, STATES, service="shop", now=at)
    )
    assert told(store, catalog, "shop", at)["availability"] == levels["availability"]
