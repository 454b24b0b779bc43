"""What others tell of passive checks becomes beliefs; what names no check of ours does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from monitord.clock import SystemClock
from monitord.decisions.state import verified
from monitord.engine.hold import Hold
from monitord.engine.passive import Passive
from monitord.engine.prober import Prober
from monitord.errors import NotFoundError
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, Instant
from monitord.model.inbound import Taken, Told
from monitord.model.result import Status
from monitord.probes import PROBES
from tests.engine.conftest import Kept, at

HOUSE = """
hosts:
  web1:
    address: 10.1.1.11
    checks: {alertmanager: {passive: }, site: {tcp: {port: 80}}}
  db1: {address: 10.1.2.11, login: none, checks: {alertmanager: {passive: }}}
inbound:
  prom: {kind: alertmanager, token: !secret env:T, hosts: web*}
"""

NOW = at(10)


class House:
    """A catalog, its beliefs, and what others tell."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.kept, self.counters = catalog, Kept(), Counters()
        self.beliefs = self.kept.beliefs()
        self.beliefs.use(catalog, at(0))
        self.passive = Passive(self.beliefs, self.counters)

    def tell(self, *reports: Told, now: Instant = NOW) -> Taken:
        return self.passive.take(self.catalog, "prom", reports, now)

    def hard(self, key: str) -> Status | None:
        state = self.beliefs.states.get(key)  # type: ignore[call-overload]  # a text is enough
        return None if state is None else state.hard


@pytest.fixture
def house(catalog: Callable[[str], Catalog]) -> House:
    return House(catalog(HOUSE))


def fires(host: str = "web1", item: str = "", alert: str = "a", **more: object) -> Told:
    told = Told(host, ("alertmanager",), Status.CRITICAL, "it burns", at(10), item, alert=alert)
    return replace(told, **more)  # type: ignore[arg-type]  # its own fields


def test_an_alert_is_hard_at_once_and_its_end_too(house: House) -> None:
    assert house.tell(fires()) == Taken(1, 0)
    assert house.hard("web1/alertmanager") is Status.CRITICAL
    house.tell(fires(status=Status.OK, at=at(20)), now=at(20))
    assert house.hard("web1/alertmanager") is Status.OK


def test_a_host_is_known_by_its_address_too(house: House) -> None:
    assert house.tell(fires(host="10.1.1.11")).taken == 1


@pytest.mark.parametrize(
    "told",
    [
        fires(host="nobody"),
        fires(host=""),
        fires(checks=("no-such",)),
        fires(checks=("site",)),
        fires(host="db1"),
    ],
    ids=["host", "no host", "check", "a check of ours", "a host of another source"],
)
def test_what_nobody_may_report_makes_nothing_and_is_told(house: House, told: Told) -> None:
    before = dict(house.beliefs.states)
    assert house.tell(told) == Taken(0, 1)
    assert house.beliefs.states == before
    assert house.counters.inbound["unknown"] == 1
    (sentence,) = house.passive.troubles(at(20))
    assert "prom reported 1 times what no check takes" in sentence
    assert house.passive.troubles(at(10 + 3601)) == []


def test_a_source_that_is_none_is_refused(house: House) -> None:
    with pytest.raises(NotFoundError):
        house.passive.take(house.catalog, "nobody", [fires()], at(10))


def test_an_item_is_bad_until_the_last_of_its_alerts_is_over(house: House) -> None:
    house.tell(fires(alert="a"), fires(alert="b", status=Status.WARNING))
    house.tell(fires(alert="a", status=Status.OK, at=at(20)), now=at(20))
    assert house.hard("web1/alertmanager") is Status.WARNING
    house.tell(fires(alert="b", status=Status.OK, at=at(30)), now=at(30))
    assert house.hard("web1/alertmanager") is Status.OK


def test_items_have_lives_of_their_own_and_an_unknown_end_makes_none(house: House) -> None:
    house.tell(fires(item="/"), fires(item="/srv"))
    house.tell(fires(item="/", status=Status.OK, at=at(20)), now=at(20))
    assert house.hard("web1/alertmanager/") is None
    assert house.hard("web1/alertmanager//") is Status.OK
    assert house.hard("web1/alertmanager//srv") is Status.CRITICAL
    house.tell(fires(item="/var", status=Status.OK))
    assert house.hard("web1/alertmanager//var") is None


def test_what_comes_during_an_attempt_waits_and_an_older_one_than_the_proof_is_nothing(
    house: House,
) -> None:
    check = house.catalog.checks["web1/alertmanager"]  # type: ignore[index]  # a text is enough
    house.tell(fires())
    house.beliefs.hold(Hold(AttemptId(1), 1, at(600), frozenset({check.key})))
    house.tell(fires(at=at(30)), now=at(30))
    assert house.passive.arrived(check, at(31)).results == ()
    state = house.beliefs.states["web1/alertmanager"]  # type: ignore[index]  # a text is enough
    house.beliefs.restore([verified(state, at=at(60), summary="verified")[0]])
    house.beliefs.release(AttemptId(1), at(60))
    assert house.passive.arrived(check, at(61)).results == ()
    assert house.hard("web1/alertmanager") is Status.OK
    house.tell(fires(at=at(90)), now=at(90))
    assert house.hard("web1/alertmanager") is Status.CRITICAL


def test_a_look_gives_what_is_believed_and_takes_nothing(house: House) -> None:
    check = house.catalog.checks["web1/alertmanager"]  # type: ignore[index]  # a text is enough
    assert [each.status for each in house.passive.believed(check).results] == [Status.UNKNOWN]
    house.tell(fires())
    for _ in range(2):
        assert [each.status for each in house.passive.believed(check).results] == [Status.CRITICAL]


def test_five_hundred_alerts_are_one_transition_each(house: House) -> None:
    storm = [fires(item=f"pod-{number}", alert=str(number)) for number in range(500)]
    assert house.tell(*storm) == Taken(500, 0)
    assert len([each for each in house.kept.transitions if each.key.count("/") > 1]) == 500
    house.tell(*storm)
    assert len([each for each in house.kept.transitions if each.key.count("/") > 1]) == 500


def test_a_check_has_at_most_a_thousand_items_and_old_good_ones_make_room(house: House) -> None:
    house.tell(*(fires(item=f"pod-{number}", alert=str(number)) for number in range(1001)))
    states = house.beliefs.of(house.catalog.checks["web1/alertmanager"].key)  # type: ignore[index]
    assert len([state for state in states if state.key.count("/") > 1]) == 1000
    over = [fires(item="pod-7", alert="7", status=Status.OK, at=at(20))]
    house.tell(*over, now=at(20))
    late = at(20 + 2 * 86_400)
    house.tell(fires(item="new", at=late), now=late)
    assert house.hard("web1/alertmanager/new") is Status.CRITICAL
    assert house.hard("web1/alertmanager/pod-7") is None


def test_nothing_new_is_not_a_result(house: House) -> None:
    check = house.catalog.checks["web1/alertmanager"]  # type: ignore[index]  # a text is enough
    house.tell(fires())
    seen = house.beliefs.states["web1/alertmanager"]  # type: ignore[index]  # a text is enough
    assert house.beliefs.absorb(check, house.passive.arrived(check, at(70)).results, at(70)) is None
    assert house.beliefs.states["web1/alertmanager"] is seen  # type: ignore[index]


def test_a_scheduled_run_takes_only_what_is_new_and_a_look_gives_all(house: House) -> None:
    check = house.catalog.checks["web1/alertmanager"]  # type: ignore[index]  # a text is enough
    house.tell(fires())
    ways = {"arrived": lambda: house.passive.arrived(check, at(70)), "passive": lambda: (
        house.passive.believed(check)
    )}  # fmt: skip
    prober = Prober(
        PROBES,
        None,  # type: ignore[arg-type]  # no executor is asked
        SystemClock(),
        Counters(),
        memory=lambda _: {},
        record=lambda _check, source: ways[source](),
    )
    assert asyncio.run(prober.single(check)) == []
    (seen,) = asyncio.run(prober.look([check]))[check.key]
    assert seen.status is Status.CRITICAL
