"""What others tell of passive checks becomes beliefs; what names no check of ours does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import pytest

from monitord.clock import SystemClock
from monitord.decisions.state import verified
from monitord.engine.hold import Hold
from monitord.engine.passive import Passive
from monitord.engine.prober import Prober
from monitord.errors import NotFoundError
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, CheckKey, Instant, StateKey
from monitord.model.inbound import Taken, Told, Waiting
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
        self.rows: dict[tuple[str, str, str], Told | None] = {}
        self.passive = Passive(self.beliefs, self.counters, self._store)

    def _store(self, check: str, reports: Mapping[tuple[str, str], Told | None]) -> None:
        self.rows |= {(check, *place): report for place, report in reports.items()}

    def stored(self) -> list[Waiting]:
        """Give the rows as another core reads them."""
        return [
            Waiting(number, CheckKey(check), item, alert, json.loads(json.dumps(asdict(report))))
            for number, ((check, item, alert), report) in enumerate(self.rows.items())
            if report is not None
        ]

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
    assert [each.status for each in house.passive.believed(check, at(70)).results] == [
        Status.UNKNOWN
    ]
    house.tell(fires())
    for _ in range(2):
        assert [each.status for each in house.passive.believed(check, at(70)).results] == [
            Status.CRITICAL
        ]


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
        house.passive.believed(check, at(70))
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


SITE = CheckKey("web1/alertmanager")


def held(house: House, attempt: int = 1) -> None:
    house.beliefs.hold(Hold(AttemptId(attempt), 1, at(600), frozenset({SITE})))


def repaired(house: House, seconds: float) -> None:
    """Prove a repair, and end its attempt."""
    state = house.beliefs.states[StateKey(SITE)]
    house.beliefs.restore([verified(state, at=at(seconds), summary="verified")[0]])
    house.beliefs.release(AttemptId(1), at(seconds))


def test_what_waits_is_stored_and_another_core_believes_it_when_the_hold_ends(
    house: House, catalog: Callable[[str], Catalog]
) -> None:
    held(house)
    house.tell(fires(alert="a", began=at(3)), fires(item="/srv", alert="b"))
    house.tell(fires(alert="a", summary="worse", at=at(20)), now=at(20))
    assert [(row.item, row.alert, row.report["summary"]) for row in house.stored()] == [
        ("", "a", "worse"),
        ("/srv", "b", "it burns"),
    ]
    after = House(catalog(HOUSE))
    after.rows = dict(house.rows)
    after.passive.restore(house.stored(), at(30))
    after.passive.arrived(after.catalog.checks[SITE], at(40))
    assert after.hard("web1/alertmanager//srv") is Status.CRITICAL
    assert after.beliefs.states[StateKey(SITE)].summary == "worse"
    assert after.stored() == []


def test_the_whole_truth_of_an_item_takes_the_place_of_what_waits(house: House) -> None:
    held(house)
    house.tell(fires(alert="a"), fires(alert="b"), fires(alert="", status=Status.OK))
    assert [row.alert for row in house.stored()] == [""]


def test_what_waits_is_bounded_and_the_oldest_goes(house: House) -> None:
    held(house)
    house.tell(*(fires(alert=str(number)) for number in range(2001)))
    found = house.stored()
    assert (len(found), found[0].alert) == (2000, "1")


def test_what_waits_goes_with_its_check(house: House, catalog: Callable[[str], Catalog]) -> None:
    held(house)
    house.tell(fires())
    house.passive.use(house.catalog)
    assert len(house.stored()) == 1
    house.passive.use(catalog(HOUSE.replace("alertmanager: {passive: }, ", "", 1)))
    assert house.stored() == []


def test_what_waits_follows_a_new_name(house: House) -> None:
    held(house)
    house.tell(fires())
    house.passive.rename({StateKey(SITE): StateKey("web1/prometheus")})
    house.rows = {
        ("web1/prometheus", item, alert): of for (_, item, alert), of in house.rows.items()
    }
    house.beliefs.release(AttemptId(1), at(60))
    house.passive.use(house.catalog)
    assert house.stored() == []


def test_an_alert_told_again_right_after_its_repair_counts_a_quarter_of_an_hour_later(
    house: House,
) -> None:
    check = house.catalog.checks[SITE]
    house.tell(fires(alert="a", began=at(3)), fires(alert="b", began=at(3)))
    repaired(house, 60)
    again = {"began": at(3), "at": at(90)}
    house.tell(fires(alert="a", **again), fires(alert="b", status=Status.OK, **again), now=at(90))
    assert house.hard(SITE) is Status.OK
    assert [row.alert for row in house.stored()] == ["a"]
    house.passive.arrived(check, at(60 + 899))
    assert house.hard(SITE) is Status.OK
    house.passive.arrived(check, at(60 + 900))
    assert house.hard(SITE) is Status.CRITICAL
    assert house.stored() == []


@pytest.mark.parametrize(
    "told",
    [
        fires(alert="a", began=at(61), at=at(90)),
        fires(alert="a", began=None, at=at(90)),
        fires(alert="another", began=at(3), at=at(90)),
        fires(alert="another", began=at(3), at=at(30)),
    ],
    ids=["began after it", "nobody knows since when", "another", "another, told during it"],
)
def test_a_repair_says_nothing_of_an_alert_that_it_was_not_for(house: House, told: Told) -> None:
    house.tell(fires(alert="a", began=at(3)))
    held(house)
    if told.at < at(60):
        house.tell(told, now=told.at)
    repaired(house, 60)
    if told.at > at(60):
        house.tell(told, now=told.at)
    house.passive.arrived(house.catalog.checks[SITE], at(91))
    assert house.hard(SITE) is Status.CRITICAL


def test_what_the_sender_itself_called_resolved_counts_at_once_when_it_fires_again(
    house: House,
) -> None:
    house.tell(fires(alert="a", began=at(3)))
    repaired(house, 60)
    house.tell(fires(alert="a", status=Status.OK, at=at(80)), now=at(80))
    house.tell(fires(alert="a", began=at(3), at=at(90)), now=at(90))
    assert house.hard(SITE) is Status.CRITICAL
