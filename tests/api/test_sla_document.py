"""What `monitord sla` tells, made of the rows of a real store."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitord.api import sla
from monitord.clock import after
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.sla import DEFAULT, Corrected, Paused, Sla, Target
from monitord.model.ticket import Event, Order, Verb
from monitord.store import OpenStore, open_store
from monitord.store.contract import Tx
from tests.api.fake_rows import NOON, STATES, fill, make_catalog

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GOLD = Sla("gold", {"P3": Target(HOUR, 4 * HOUR)}, availability=0.999)
SITE, NIGHTLY = CheckKey("web1/site"), CheckKey("db1/nightly")
FIRST = IncidentId(1)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    plain = make_catalog(tmp_path)
    services = {
        "shop": Service("shop", sla="gold", checks=(SITE,)),
        "jobs": Service("jobs", checks=(NIGHTLY,)),
    }
    checks = {**plain.checks, SITE: replace(plain.checks[SITE], services=("shop",))}
    levels = {"gold": GOLD, "default": DEFAULT}
    return replace(plain, checks=checks, services=services, slas=levels)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OpenStore]:
    opened = open_store(tmp_path / "state.db", durable=False)
    opened.write_now(fill)
    yield opened
    asyncio.run(opened.close())


def told(store: OpenStore, catalog: Catalog, at: Instant, service: str = "") -> dict[str, Any]:
    return store.read_now(lambda view: sla.document(view, catalog, STATES, service=service, now=at))


def test_every_level_is_told_with_who_has_it(store: OpenStore, catalog: Catalog) -> None:
    levels = {one["sla"]: one for one in told(store, catalog, NOON)["slas"]}
    assert levels["gold"]["services"] == ["shop"]
    assert levels["default"]["services"] == ["jobs"]
    assert levels["gold"]["targets"] == {
        "P3": {"respond": "1h", "resolve": "4h", "calendar": "24x7"}
    }
    assert levels["gold"]["open"] is True


def test_an_open_incident_has_the_clocks_of_its_services(
    store: OpenStore, catalog: Catalog
) -> None:
    (one,) = told(store, catalog, after(NOON, 50 * MINUTE))["incidents"]
    assert (one["incident"], one["key"], one["services"]) == (FIRST, SITE, ["shop"])
    respond, resolve = one["clocks"]
    assert (respond["promise"], respond["remaining"], respond["breached"]) == (
        "respond",
        600,
        False,
    )
    assert respond["breaks_at"] == respond["due"] == "2026-11-27T13:00:00Z"
    assert resolve["due"] == "2026-11-27T16:00:00Z"
    assert one["says"] == "SLA gold is in danger: 80% of 1h to respond are used"
    assert one["next_call"] == respond["due"]


def test_who_acknowledges_has_responded(store: OpenStore, catalog: Catalog) -> None:
    at = after(NOON, 20 * MINUTE)
    store.write_now(lambda tx: tx.add_events([Event(FIRST, at, "ack", "known", "kim")]))
    (one,) = told(store, catalog, after(NOON, 2 * HOUR))["incidents"]
    assert one["responded"] == "2026-11-27T12:20:00Z"
    respond, resolve = one["clocks"]
    assert (respond["stopped"], respond["breached"]) == (one["responded"], False)
    assert resolve["remaining"] == 7200


def test_recorded_steps_of_the_clock_do_not_count(store: OpenStore, catalog: Catalog) -> None:
    """Half an hour after noon the clock went forward by one hour."""
    step = [after(NOON, 90 * MINUTE), 3_600_000_000]
    store.write_now(lambda tx: tx.put_meta("clock_steps", json.dumps([step])))
    (one,) = told(store, catalog, after(NOON, 100 * MINUTE))["incidents"]
    assert one["clocks"][0]["elapsed"] == 40 * 60


def test_a_service_is_told_alone_with_its_availability(store: OpenStore, catalog: Catalog) -> None:
    """Its check has been CRITICAL since noon, and before that nothing is known of it."""
    answer = told(store, catalog, after(NOON, HOUR), "shop")
    assert [one["sla"] for one in answer["slas"]] == ["gold"]
    assert [one["key"] for one in answer["incidents"]] == [SITE]
    found = answer["availability"]
    assert (found["from"], found["until"]) == ("2026-11-01T00:00:00Z", "2026-11-27T13:00:00Z")
    assert found["times_s"]["down"] == 3600
    assert found["times_s"]["no_data"] == found["agreed_s"] - 3600
    assert (found["share"], found["met"]) == (0, False)
    assert len(found["seal"]) == 64
    assert told(store, catalog, after(NOON, HOUR), "jobs")["incidents"] == []


def test_maintenance_and_our_own_outage_are_named(store: OpenStore, catalog: Catalog) -> None:
    def work(tx: Tx) -> None:
        until = after(NOON, HOUR)
        order = Order(0, Verb.MAINTENANCE, "web1", "switch", "kim", NOON, NOON, until)
        tx.add_order(order)
        outage = [after(NOON, 2 * HOUR), after(NOON, 3 * HOUR)]
        tx.put_meta("outages", json.dumps([outage]))

    store.write_now(work)
    shop = told(store, catalog, after(NOON, 4 * HOUR), "shop")["availability"]["times_s"]
    assert [shop[name] for name in ("maintenance", "outage", "down")] == [3600, 3600, 7200]
    jobs = told(store, catalog, after(NOON, 4 * HOUR), "jobs")["availability"]
    assert [jobs["times_s"][name] for name in ("outage", "up")] == [3600, 3 * 3600]
    assert (jobs["target"], jobs["met"]) == (None, None)


def test_a_service_that_is_not_there_is_told_with_those_that_are(
    store: OpenStore, catalog: Catalog
) -> None:
    with pytest.raises(NotFoundError, match="there is no service shp; there are: jobs, shop"):
        told(store, catalog, NOON, "shp")


def test_each_correction_and_excuse_is_named_with_the_figure(
    store: OpenStore, catalog: Catalog
) -> None:
    """Three hours down since noon: one was up by a person's word, one was agreed not to count."""

    def work(tx: Tx) -> None:
        first, second = after(NOON, HOUR), after(NOON, 2 * HOUR)
        row = Corrected(0, SITE, NOON, first, "up", "probe cut off", "kim", second, "ann")
        tx.add_correction(row)
        tx.add_correction(replace(row, about="jobs", said="down"))
        revoked = tx.add_correction(replace(row, about="shop", said="down"))
        tx.revoke_correction(revoked, second, "ann")
        order = Order(0, Verb.MAINTENANCE, "web1", "switch", "kim", NOON, first, second)
        tx.add_order(replace(order, excused=True))

    store.write_now(work)
    found = told(store, catalog, after(NOON, 3 * HOUR), "shop")["availability"]
    times = found["times_s"]
    assert [times[name] for name in ("up", "excused", "down")] == [3600, 3600, 3600]
    assert found["corrections"] == [
        {
            "correction": 1,
            "about": "web1/site",
            "from": "2026-11-27T12:00:00Z",
            "until": "2026-11-27T13:00:00Z",
            "as": "up",
            "reason": "probe cut off",
            "by": "kim",
            "approved_by": "ann",
        }
    ]
    assert [one["reason"] for one in found["excused"]] == ["switch"]


def test_excused_maintenance_and_pauses_do_not_count_for_the_clocks(
    store: OpenStore, catalog: Catalog
) -> None:
    """Noon to one is excused, one to two is paused; at three, one hour of four is used."""

    def work(tx: Tx) -> None:
        one, two = after(NOON, HOUR), after(NOON, 2 * HOUR)
        order = Order(0, Verb.MAINTENANCE, "web1", "switch", "kim", NOON, NOON, one, excused=True)
        tx.add_order(order)
        tx.add_order(replace(order, expires=after(NOON, 9 * HOUR), excused=False))
        tx.add_pause(Paused(0, FIRST, one, two, "no spare part", "kim"))

    store.write_now(work)
    (one,) = told(store, catalog, after(NOON, 90 * MINUTE))["incidents"]
    resolve = one["clocks"][1]
    assert (resolve["paused"], resolve["goes_on"]) == ("no spare part", "2026-11-27T14:00:00Z")
    assert resolve["breaks_at"] == "2026-11-27T18:00:00Z"  # it is known when the pause ends
    assert [row["reason"] for row in one["pauses"]] == ["no spare part"]
    (one,) = told(store, catalog, after(NOON, 3 * HOUR))["incidents"]
    resolve = one["clocks"][1]
    assert (resolve["elapsed"], resolve["paused"], one["pauses"]) == (3600, "", [])
