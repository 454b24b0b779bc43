from dataclasses import replace
from datetime import timedelta

import pytest

from monitord.decisions.orders import ended_by_ok, in_force, touched
from monitord.model.catalog import (
    Catalog,
    Check,
    Host,
    Limits,
    Rung,
    Settings,
    VerifyPolicy,
)
from monitord.model.ids import CheckKey, Instant
from monitord.model.spec import Spec
from monitord.model.state import StatePolicy
from monitord.model.ticket import BadSelectorError, Order, Verb
from tests.decisions.rows import last, run

WEB1 = Host("web1", "10.1.1.11", groups=("linux", "web"))
SITE = Check(
    key=CheckKey("web1/site"),
    host="web1",
    name="site",
    kind="http",
    spec=Spec(),
    every=timedelta(minutes=1),
    retry_every=timedelta(seconds=15),
    timeout=timedelta(seconds=10),
    policy=StatePolicy(),
    services=("shop",),
)


def order(  # one keyword for each column that a case is about
    *,
    selector: str = "web1",
    verb: Verb = Verb.MAINTENANCE,
    starts: int = 10,
    expires: int = 20,
    ended: int | None = None,
    until_ok: bool = False,
    number: int = 1,
) -> Order:
    return Order(
        id=number,
        verb=verb,
        selector=selector,
        reason="kernel update",
        by="kim",
        given=Instant(starts),
        starts=Instant(starts),
        expires=Instant(expires),
        until_ok=until_ok,
        ended=None if ended is None else Instant(ended),
    )


def found(*orders: Order, now: int = 15, verb: Verb = Verb.MAINTENANCE, runbook: str = "") -> int:
    """Give the id of the order in force for web1/site, 0 for none."""
    best = in_force(orders, verb, WEB1, SITE, Instant(now), runbook=runbook)
    return best.id if best else 0


@pytest.mark.parametrize(
    ("now", "on"), [(9, False), (10, True), (19, True), (20, False), (21, False)]
)
def test_an_order_is_on_from_its_start_until_it_expires(now: int, on: bool) -> None:
    assert bool(found(order(), now=now)) is on


@pytest.mark.parametrize(("now", "on"), [(11, True), (12, False), (13, False)])
def test_an_order_that_a_person_ended_is_off(now: int, on: bool) -> None:
    assert bool(found(order(ended=12), now=now)) is on


@pytest.mark.parametrize("verb", Verb)
def test_only_orders_with_the_verb_count(verb: Verb) -> None:
    assert found(order(verb=verb), verb=verb)
    for other in set(Verb) - {verb}:
        assert not found(order(verb=other), verb=verb)


@pytest.mark.parametrize(
    ("selector", "covered"),
    [
        ("*", True),
        ("web1", True),
        ("group=web", True),
        ("web1/site", True),
        ("check=site", True),
        ("service=shop", True),
        ("web1/disk", False),
        ("db1", False),
    ],
)
def test_an_order_covers_what_its_selector_names(selector: str, covered: bool) -> None:
    assert bool(found(order(selector=selector))) is covered


def test_without_a_check_only_orders_for_the_whole_host_count() -> None:
    orders = [order(selector="web1/site"), order(selector="check=*"), order(selector="service=*")]
    assert in_force(orders, Verb.MAINTENANCE, WEB1, None, Instant(15)) is None
    orders.append(order(selector="group=web", number=9))
    assert in_force(orders, Verb.MAINTENANCE, WEB1, None, Instant(15)) is orders[-1]


def test_of_several_orders_the_one_that_lasts_longest_is_given() -> None:
    long, short = order(expires=90, number=1), order(expires=30, number=2)
    assert found(short, long) == 1
    assert found(long, short) == 1
    assert found(order(number=3), order(number=4)) == 4


def test_a_halt_can_name_a_runbook() -> None:
    halt = order(verb=Verb.HALT, selector="runbook=restart-nginx")
    assert found(halt, verb=Verb.HALT, runbook="restart-nginx")
    assert not found(halt, verb=Verb.HALT, runbook="restore-web-root")
    assert not found(halt, verb=Verb.HALT)


def test_a_halt_of_a_host_holds_every_runbook_there() -> None:
    assert found(order(verb=Verb.HALT, selector="web1"), verb=Verb.HALT, runbook="restart-nginx")


@pytest.mark.parametrize(
    ("selector", "covered"),
    [("web1", True), ("group=web", True), ("*", True), ("web1/site", False), ("check=*", False)],
)
def test_a_take_covers_whole_hosts_only(selector: str, covered: bool) -> None:
    assert bool(found(order(verb=Verb.TAKE, selector=selector), verb=Verb.TAKE)) is covered


_RUNG = Rung("restart-nginx", "auto", Limits(), VerifyPolicy(timedelta(0), 1, timedelta(minutes=1)))
_DISK = replace(SITE, key=CheckKey("web1/disk"), name="disk", services=())
CATALOG = Catalog(
    "c0ffee",
    Settings("test", "lab", observe=False, state="", store="", web=""),
    {"web1": WEB1},
    {SITE.key: replace(SITE, remediate=(_RUNG,)), _DISK.key: _DISK},
    {},
)


@pytest.mark.parametrize(
    ("selector", "verb", "keys"),
    [
        ("web1", Verb.ACK, ["web1/disk", "web1/site"]),
        ("web1/site", Verb.MUTE, ["web1/site"]),
        ("service=shop", Verb.MAINTENANCE, ["web1/site"]),
        ("web1", Verb.TAKE, ["web1/disk", "web1/site"]),
        ("web1/site", Verb.TAKE, []),
        ("runbook=restart-*", Verb.HALT, ["web1/site"]),
        ("runbook=restart-* & web2", Verb.HALT, []),
        ("runbook=restart-*", Verb.MUTE, []),
        ("runbook=*", Verb.TAKE, []),
    ],
)
def test_an_order_touches_the_checks_that_it_will_bear_on(
    selector: str, verb: Verb, keys: list[str]
) -> None:
    assert touched(CATALOG, selector, verb) == keys


def test_nobody_acts_on_a_selector_that_cannot_be_read() -> None:
    with pytest.raises(BadSelectorError):
        found(order(selector="grup=web"))


def test_no_order_is_no_order() -> None:
    assert found() == 0


def over(*rows: str, starts: int = 2, until_ok: bool = True) -> bool:
    """Judge rows of results (one a second) and ask whether an order from `starts` is over."""
    given = order(starts=starts * 1_000_000, expires=99_000_000, until_ok=until_ok)
    return ended_by_ok(given, [last(row) for row in rows])


@pytest.mark.parametrize(
    ("rows", "ended"),
    [
        (["C C C O O"], True),
        (["C C C O"], False),  # soft: one OK is not enough
        (["C C C"], False),
        (["C C C O O", "O O O"], True),
        (["C C C O O", "C C C"], False),
        (["C C C O O", "O C"], False),
        (["C C C O O", "P"], False),
        (["C C C O O", "U U U"], False),
        (["C C C O O", "O C!"], False),
        (["O O O"], False),  # nothing has failed since: the work has not begun yet
        ([], False),
    ],
)
def test_an_order_until_ok_is_over_when_all_it_touches_came_back(
    rows: list[str], ended: bool
) -> None:
    assert over(*rows) is ended


def test_a_stale_ok_does_not_end_an_order() -> None:
    given = order(starts=2, expires=99, until_ok=True)
    state = last("C C C O O")
    assert ended_by_ok(given, [state])
    assert not ended_by_ok(given, [replace(state, stale=True)])


def test_an_order_that_is_not_until_ok_is_never_ended_by_an_ok() -> None:
    assert not over("C C C O O", until_ok=False)


def test_an_outage_that_was_over_before_the_order_does_not_end_it() -> None:
    states, _ = run("C C C O O O O O")
    assert not ended_by_ok(order(starts=7_000_000, expires=99_000_000, until_ok=True), states[-1:])
