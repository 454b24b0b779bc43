"""Somebody is at work: what he stopped is not started under his hands, and the ticket names him."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.house import House
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import web_site

pytestmark = requires("hosts", "nginx")
SCENARIO = """
hosts:
  shop:
    address: $shop
    groups: [fleet]
    checks:
      site:
        http: {url: "http://{address}/health"}
        remediate: [start-nginx]
runbooks:
  start-nginx:
    collect: [evidence: {about: logs, unit: nginx}]
    steps: [{systemd: {unit: nginx, do: start}}]
    verify: {settle: 1s, oks: 2, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
"""


@pytest.fixture(scope="module")
def shop(module_world: World) -> Host:
    host = module_world.host("shop")
    host.run(["useradd", "kim"])
    host.write("/etc/sudoers.d/kim", "kim ALL=(root) NOPASSWD: ALL\n", mode=0o440)
    host.run(["usermod", "--append", "--groups", "adm,systemd-journal", "monitord"])
    web_site(host)
    return host


@pytest.fixture(scope="module")
def house(module_world: World, shop: Host) -> Iterator[House]:
    with House(SCENARIO, world=module_world, hosts=[shop]) as house:
        house.await_ok("shop/site")
        yield house


def test_what_kim_stopped_is_left_to_kim(house: House, shop: Host) -> None:
    house.cli("marker", "deploy 42 of the shop", "--on", "shop")
    shop.write("/etc/nginx/conf.d/limits.conf", "# tried something\n")
    shop.run(["sudo", "systemctl", "stop", "nginx"], user="kim")
    incident = house.incident("shop/site", "ESCALATED")
    ticket = house.ticket(incident)

    assert not shop.is_active("nginx")
    (refused,) = [one for one in ticket["refused"] if one["guard"] == "person"]
    assert "kim ran sudo 1 min ago and nginx was stopped cleanly" in refused["reason"]

    changed = {(row["kind"], row["who"]): row["text"] for row in ticket["changed"]["rows"]}
    assert changed["sudo", "kim"].endswith("systemctl stop nginx")
    assert changed["marker", "root"] == "deploy 42 of the shop"
    texts = [row["text"] for row in ticket["changed"]["rows"]]
    assert "nginx.service was stopped" in texts
    assert any(text.startswith("/etc/nginx/conf.d/limits.conf was written") for text in texts)
    (evidence,) = ticket["evidence"]
    assert evidence["title"] == "shop: evidence: logs nginx"
    assert "== log of nginx since 5 min before" in evidence["text"]
    assert [row.act for row in house.rows(lambda view: view.audit_rows())].count("marker") == 1
    assert house.violations() == []
