"""Sixty hosts behind three switches: whatever befalls a cable, one cause is named, and one ticket.

What stands behind is UNREACHABLE, and nobody hears of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.house import House
from tests.world.needs import requires
from tests.world.switches import Switches
from tests.world.until import until

pytestmark = requires("hosts")
EACH, SWITCHES = 20, 3
SCENARIO = """
checks:
  pings: {icmp: {count: 10, gap: 20ms, wait: 500ms, loss: {warning: 20%, critical: 40%},
                 warning: 200ms, critical: 400ms}}
  port: {tcp: {port: 80}, timeout: 2s}
groups:
  switches: {login: none, checks: {reach: {recoveries: 3, icmp: {count: 10, gap: 20ms, wait: 500ms,
             loss: {warning: 20%, critical: 40%}, warning: 200ms, critical: 400ms}}}}
  one: {behind: sw1, login: none, checks: {pings: , port: }}
  two: {behind: sw2, login: none, checks: {pings: , port: }}
  three: {behind: sw3, login: none, checks: {pings: , port: }}
hosts:
  "sw[1-3]": {address: "$net.{1+n}", groups: [switches]}
  "a[1-20]": {address: "$net.{10+n}", groups: [one]}
  "b[1-20]": {address: "$net.{30+n}", groups: [two]}
  "c[1-20]": {address: "$net.{50+n}", groups: [three]}
"""
BEHIND = {"sw1": "a", "sw2": "b", "sw3": "c"}


@pytest.fixture(scope="module")
def net() -> Iterator[Switches]:
    with Switches(hosts=EACH, switches=SWITCHES) as net:
        yield net


@pytest.fixture(scope="module")
def house(net: Switches) -> Iterator[House]:
    with House(SCENARIO, names={"net": f"10.99.{net.network.number}"}) as house:
        await_all_ok(house)
        yield house


def statuses(house: House) -> dict[str, str]:
    """Give the status of each check, UNREACHABLE among them."""
    return {
        check["key"]: "UNREACHABLE"
        if any(item["unreachable"] for item in check["items"])
        else check["status"]
        for check in house.get("/v1/checks")["checks"]
    }


def await_all_ok(house: House) -> None:
    def bad() -> dict[str, str]:
        return {key: status for key, status in statuses(house).items() if status != "OK"}

    until(lambda: not bad(), within=40, every=0.2, what="all checks OK")


def the_new_incident(house: House, before: int, key: str) -> None:
    """Say that one incident came, of this key, that it got a ticket, and that no other came."""
    incident = house.incident(key, "ESCALATED")
    house.ticket(incident)
    assert [one.key for one in house.incidents()[before:]] == [key]


def all_tickets(house: House) -> list[int]:
    return [one.ticket for one in house.incidents() if one.ticket is not None]


def test_a_cut_switch_is_the_cause_and_its_hosts_are_unreachable(
    house: House, net: Switches
) -> None:
    before = len(house.incidents())
    net.cut(1)
    the_new_incident(house, before, "sw1/reach")
    behind = [f"a{n}/{check}" for n in range(1, EACH + 1) for check in ("pings", "port")]
    until(
        lambda: {statuses(house)[key] for key in behind} == {"UNREACHABLE"},
        within=30,
        every=0.2,
        what="forty checks behind the switch",
    )
    others = {s for key, s in statuses(house).items() if key not in behind and key[:3] != "sw1"}
    assert others == {"OK"}
    net.restore(1)
    assert house.incident("sw1/reach", "RESOLVED").cause == "recovered"
    await_all_ok(house)
    assert len(house.incidents()) == before + 1


def test_a_switch_that_loses_most_frames_is_the_cause(house: House, net: Switches) -> None:
    before = len(house.incidents())
    net.lose(2, 70)
    the_new_incident(house, before, "sw2/reach")
    until(
        lambda: sum(s == "UNREACHABLE" for s in statuses(house).values()) >= EACH,
        within=30,
        every=0.2,
        what="the hosts behind it",
    )
    assert "lost" in house.incidents()[-1].summary or "loss" in house.incidents()[-1].summary
    net.lose(2, 0)
    assert house.incident("sw2/reach", "RESOLVED").cause == "recovered"
    await_all_ok(house)
    assert len(house.incidents()) == before + 1


def test_a_slow_line_is_the_cause_and_not_what_is_slow_behind_it(
    house: House, net: Switches
) -> None:
    before = len(house.incidents())
    net.delay(0.22)
    the_new_incident(house, before, "sw3/reach")
    slow = [f"c{n}/pings" for n in range(1, EACH + 1)]
    until(
        lambda: {statuses(house)[key] for key in slow} == {"UNREACHABLE"},
        within=30,
        every=0.2,
        what="what is slow behind it",
    )
    net.delay(0)
    assert house.incident("sw3/reach", "RESOLVED").cause == "recovered"
    await_all_ok(house)
    assert len(house.incidents()) == before + 1


def test_one_host_alone_is_its_own_cause(house: House, net: Switches) -> None:
    before = len(house.incidents())
    net.cut_host(1, 7)
    until(lambda: len(house.incidents()) > before, within=30, every=0.2, what="an incident of a7")
    house.incident(house.incidents()[before].key, "ESCALATED")
    assert {one.key.partition("/")[0] for one in house.incidents()[before:]} == {"a7"}
    net.restore_host(1, 7)
    await_all_ok(house)


def test_there_are_as_many_tickets_as_causes_and_every_invariant_holds(house: House) -> None:
    assert len(all_tickets(house)) == len(house.incidents())
    assert house.violations() == []
