"""Holds of attempts: each keeps its checks blind for as long as it lasts, and no longer."""

from __future__ import annotations

from collections.abc import Callable

from monitord.engine.beliefs import Beliefs
from monitord.engine.hold import Hold
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, CheckKey, StateKey
from monitord.model.result import Result, Status
from tests.engine.conftest import Kept, at

HOUSE = """
hosts:
  "db[1-2]": {address: 127.0.0.1, login: none, checks: {pg: }}
  web1: {address: 127.0.0.1, login: none, checks: {site: }}
checks:
  pg: {tcp: {port: 5432}, every: 30s}
  site: {tcp: {port: 80}, every: 30s, attempts: 1, needs: {any: [db1/pg, db2/pg]}}
"""
SITE = CheckKey("web1/site")
SICK = [Result.critical("its database is being restarted")]


def two_holds(catalog: Catalog, kept: Kept) -> Beliefs:
    """Attempts 1 and 2 repair the two databases that web1/site needs."""
    beliefs = kept.beliefs()
    beliefs.use(catalog, at(0))
    for number, host in ((1, "db1"), (2, "db2")):
        checks = beliefs.disturbed_by(host)
        beliefs.hold(Hold(AttemptId(number), number, at(1000), checks))
    return beliefs


def status(beliefs: Beliefs) -> Status:
    return beliefs.states[StateKey(SITE)].status


def test_a_check_is_held_until_the_last_attempt_that_disturbs_it_has_ended(
    catalog: Callable[[str], Catalog],
) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = two_holds(house, kept)
    beliefs.release(AttemptId(2), at(50))
    assert kept.rechecked == ["db2/pg"]
    beliefs.absorb(house.checks[SITE], SICK, at(60))
    assert status(beliefs) is Status.PENDING
    beliefs.release(AttemptId(1), at(70))
    assert sorted(kept.rechecked) == ["db1/pg", "db2/pg", "web1/site"]
    beliefs.absorb(house.checks[SITE], SICK, at(80))
    assert status(beliefs) is Status.CRITICAL


def test_each_attempt_is_shown_what_it_held(catalog: Callable[[str], Catalog]) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = two_holds(house, kept)
    beliefs.absorb(house.checks[SITE], SICK, at(60))
    seen = [(StateKey(SITE), SICK[0])]
    assert beliefs.seen_during(AttemptId(1)) == seen
    assert beliefs.seen_during(AttemptId(2)) == seen
    assert beliefs.seen_during(AttemptId(3)) == []


def test_a_hold_that_is_taken_again_keeps_what_it_saw(catalog: Callable[[str], Catalog]) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = two_holds(house, kept)
    beliefs.absorb(house.checks[SITE], SICK, at(60))
    beliefs.hold(Hold(AttemptId(1), 1, at(2000), beliefs.disturbed_by("db1")))
    assert beliefs.seen_during(AttemptId(1)) == [(StateKey(SITE), SICK[0])]
    beliefs.release(AttemptId(1), at(70))
    beliefs.release(AttemptId(2), at(70))
    beliefs.absorb(house.checks[SITE], SICK, at(80))
    assert status(beliefs) is Status.CRITICAL


def test_a_hold_ends_at_its_deadline_while_another_goes_on(
    catalog: Callable[[str], Catalog],
) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = two_holds(house, kept)
    beliefs.hold(Hold(AttemptId(1), 1, at(100), beliefs.disturbed_by("db1")))
    beliefs.release_overdue(at(100))
    assert beliefs.held == frozenset({AttemptId(2)})
    beliefs.absorb(house.checks[SITE], SICK, at(110))
    assert status(beliefs) is Status.PENDING


def test_a_hold_follows_a_rename(catalog: Callable[[str], Catalog]) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = two_holds(house, kept)
    beliefs.absorb(house.checks[SITE], SICK, at(60))
    house = catalog(
        HOUSE.replace("checks: {site: }", "checks: {shop: }").replace(
            "site: {tcp", "shop: {was: site, tcp"
        )
    )
    shop = CheckKey("web1/shop")
    beliefs.rename({StateKey(SITE): StateKey(shop)})
    beliefs.use(house, at(61))
    beliefs.absorb(house.checks[shop], SICK, at(62))
    assert beliefs.states[StateKey(shop)].status is Status.PENDING
    assert beliefs.seen_during(AttemptId(1)) == [(StateKey(shop), SICK[0])]
    beliefs.release(AttemptId(1), at(70))
    beliefs.release(AttemptId(2), at(70))
    beliefs.absorb(house.checks[shop], SICK, at(80))
    assert beliefs.states[StateKey(shop)].status is Status.CRITICAL
