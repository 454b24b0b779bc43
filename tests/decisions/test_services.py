"""How a service stands by what is believed of its checks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.config.names import glob
from monitord.decisions.availability import Time
from monitord.decisions.expressions import rule
from monitord.decisions.services import Standing, began, members, standing
from monitord.model.catalog import Service
from monitord.model.ids import CheckKey, Instant, StateKey
from monitord.model.result import Status
from monitord.model.service import ServiceState
from monitord.model.state import CheckState

WEBS = tuple(CheckKey(f"web{number}/site") for number in range(1, 9))
VIP = CheckKey("www/vip")
KEYS = (*WEBS, VIP)
UP, DEGRADED, DOWN, UNKNOWN = ServiceState


def find(selector: str) -> list[CheckKey]:
    return [key for key in KEYS if glob(selector)(key)]


def service(
    down: Sequence[str] = (), degraded: Sequence[str] = (), checks: Sequence[CheckKey] = ()
) -> Service:
    falls, sinks = (tuple(rule(text, find) for text in texts) for texts in (down, degraded))
    made = members(checks, (*falls, *sinks))
    return Service("shop", checks=made, down_when=falls, degraded_when=sinks)


SHOP = service(["www/vip"], ["web*/site fewer than 6 ok"])


class World:
    """What is believed; a check of which nothing is said is OK."""

    def __init__(self) -> None:
        self.states: dict[CheckKey, list[CheckState]] = {}

    def says(self, *keys: CheckKey, hard: Status = Status.OK, **more: Any) -> "World":
        for key in keys:
            self.states[key] = [CheckState(StateKey(key), hard=hard, **more)]
        return self

    def look(self, key: CheckKey) -> Sequence[CheckState]:
        return self.states.get(key, [CheckState(StateKey(key), hard=Status.OK)])

    def of(self, one: Service = SHOP) -> Standing:
        return standing(one, self.look)


def test_it_is_up_while_no_rule_holds() -> None:
    assert World().of() == Standing(UP, Time.UP)
    assert World().says(*WEBS[:2], hard=Status.CRITICAL).of().state is UP


def test_it_is_degraded_by_its_rule_and_says_which_checks() -> None:
    found = World().says(*WEBS[:3], hard=Status.CRITICAL).of()
    assert (found.state, found.time, found.checks) == (DEGRADED, Time.UP, WEBS[:3])
    assert found.text == (
        "web*/site fewer than 6 ok: web1/site is critical, web2/site is critical, "
        "web3/site is critical"
    )
    assert (found.down, found.degraded) == (frozenset(), frozenset(WEBS[:3]))
    assert World().says(*WEBS[:5], hard=Status.CRITICAL).of().text.endswith(" and 2 more")


def test_down_goes_before_all_and_unknown_before_degraded() -> None:
    world = World().says(*WEBS[:3], hard=Status.CRITICAL)
    assert world.says(VIP, hard=Status.OK, stale=True).of().state is UNKNOWN
    assert world.of().degraded == frozenset(WEBS[:3])
    found = world.says(VIP, hard=Status.CRITICAL).of()
    assert (found.state, found.time, found.checks) == (DOWN, Time.DOWN, (VIP,))
    assert (found.down, found.degraded) == ({VIP}, set(WEBS[:3]))


@pytest.mark.parametrize(
    ("belief", "time", "says"),
    [
        ({"hard": Status.PENDING}, Time.NO_DATA, "www/vip has no result"),
        ({"hard": Status.OK, "stale": True}, Time.STALE, "www/vip is stale"),
        ({"hard": Status.UNKNOWN}, Time.UNKNOWN, "www/vip is unknown"),
        ({"hard": Status.CRITICAL, "unreachable": True}, Time.UNREACHABLE, "www/vip is unreach"),
    ],
)
def test_what_is_not_seen_is_never_up(belief: dict[str, Any], time: Time, says: str) -> None:
    found = World().says(VIP, **belief).of()
    assert (found.state, found.time, found.sure) == (UNKNOWN, time, False)
    assert found.text.startswith(f"cannot tell whether www/vip: {says}")
    assert (found.down, found.checks) == (frozenset(), ())


def test_what_may_be_degraded_but_is_not_down_was_up() -> None:
    found = World().says(*WEBS[:3], stale=True, hard=Status.OK).of()
    assert (found.state, found.time, found.sure) == (UNKNOWN, Time.UP, False)
    assert World().says(*WEBS[:2], stale=True, hard=Status.OK).of().state is UP


def test_without_rules_every_check_must_be_up_and_none_is_urgent() -> None:
    plain = service(checks=WEBS[:3])
    assert World().of(plain).state is UP
    assert World().says(WEBS[0], hard=Status.WARNING).of(plain).state is UP
    found = World().says(WEBS[1], hard=Status.CRITICAL).of(plain)
    assert (found.state, found.text, found.checks) == (
        DOWN, "web2/site is critical", (WEBS[1],),
    )  # fmt: skip
    assert (found.down, found.degraded) == (frozenset(), frozenset())
    assert World().says(WEBS[0], hard=Status.PENDING).of(plain).time is Time.NO_DATA


def test_without_a_rule_for_degraded_a_critical_check_is_that() -> None:
    some = service(["all of web*/site"])
    found = World().says(WEBS[0], hard=Status.CRITICAL).of(some)
    assert (found.state, found.checks, found.degraded) == (DEGRADED, (WEBS[0],), frozenset())


def test_a_service_of_which_nothing_is_here_is_unknown() -> None:
    found = World().of(service())
    assert (found.state, found.time, found.sure) == (UNKNOWN, Time.NO_DATA, False)


def test_a_check_is_what_the_worst_of_its_items_is() -> None:
    world = World().says(VIP, hard=Status.OK)
    stale = CheckState(StateKey("www/vip/b"), hard=Status.OK, stale=True)
    world.states[VIP].append(stale)
    assert world.of().time is Time.STALE
    world.states[VIP].append(replace(stale, hard=Status.CRITICAL, stale=False))
    assert world.of().state is DOWN


def test_it_began_with_the_first_failed_probe_that_sufficed() -> None:
    world = World()
    for at, key in enumerate(WEBS[:5], 1):
        world.says(key, hard=Status.CRITICAL, first_failed=Instant(at * 100))
    assert began(SHOP, world.look, world.of()) == 300
    world.says(VIP, hard=Status.CRITICAL, first_failed=Instant(250))
    assert began(SHOP, world.look, world.of()) == 250
    assert began(SHOP, World().look, World().of()) is None
    either = service(["www/vip or web*/site more than 3 critical"])
    assert began(either, world.look, world.of(either)) == 250


_BELIEFS = st.lists(
    st.tuples(st.sampled_from(list(Status)), st.booleans(), st.booleans()), min_size=9, max_size=9
)


@given(_BELIEFS)
def test_up_means_that_enough_was_seen_to_be_well(
    beliefs: list[tuple[Status, bool, bool]],
) -> None:
    world = World()
    for key, (hard, stale, unreachable) in zip(KEYS, beliefs, strict=True):
        world.says(key, hard=hard, stale=stale, unreachable=unreachable)
    seen = [key for key in KEYS if not (world.look(key)[0].stale or world.look(key)[0].unreachable)]
    well = [key for key in seen if world.look(key)[0].hard is Status.OK]
    found = world.of()
    if found.state is UP:
        assert len([key for key in WEBS if key in well]) >= 6
    if found.time is Time.UP:
        assert world.look(VIP)[0].hard in (Status.OK, Status.WARNING)
        assert VIP in seen
    assert (found.state is DOWN) is (found.time is Time.DOWN)
