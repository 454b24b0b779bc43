"""Checks that a service has itself: one key each, no machine, mistakes at their lines."""

from pathlib import Path

import pytest

from monitord.actions import ACTIONS
from monitord.config import assemble, read
from monitord.config.explain import explain
from monitord.config.sources import Sources
from monitord.errors import ConfigError
from monitord.model.ids import CheckKey
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.tickets import BACKENDS

KINDS = Kinds(PROBES, ACTIONS, BACKENDS)
SHOP = """\
hosts:
  "web[1-3]": {checks: {site: {tcp: {port: 80}}}}
services:
  shop:
    impact: high
    checks:
      order: {http: {url: "https://shop.example.com/order"}}
      farm: {composite: {at_least: 2, of: "web*/site"}}
"""


def sources(folder: Path, text: str) -> Sources:
    main = folder / "monitord.yaml"
    main.write_text(text)
    return read(main, shipped=folder / "none", system=folder / "etc")


def test_they_belong_to_the_service_once_and_stand_on_no_machine(tmp_path: Path) -> None:
    catalog = assemble(sources(tmp_path, SHOP), KINDS)

    order = catalog.checks[CheckKey("shop/order")]
    assert catalog.services["shop"].checks == ("shop/order", "shop/farm")
    assert (order.services, order.impact) == (("shop",), "high")
    assert catalog.hosts["shop"].of_service
    assert not catalog.hosts["web1"].of_service
    assert catalog.hosts["shop"].login.kind == "none"


def test_what_its_rules_name_is_part_of_it_too(tmp_path: Path) -> None:
    text = f"{SHOP}    down_when: [shop/order, all of web*/site]\n"

    shop = assemble(sources(tmp_path, text), KINDS).services["shop"]

    assert shop.checks == ("shop/order", "shop/farm", "web1/site", "web2/site", "web3/site")


def test_explain_gives_the_line_of_each_setting(tmp_path: Path) -> None:
    rows = explain(sources(tmp_path, SHOP), KINDS, "shop/order")

    told = {name: (value, place) for name, value, place in rows}
    assert told["http.url"][0] == "https://shop.example.com/order"
    assert ":7" in told["http.url"][1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SHOP.replace("web[1-3]", "shop"),
            ":4:3: service shop has checks of its own, and there is",
        ),
        (
            SHOP.replace("order: {http", "order: {htp"),
            ":7:15: order: unknown key htp (did you mean http?)",
        ),
        (
            SHOP.replace(
                'order: {http: {url: "https://shop.example.com/order"}}', "disk: {disk: {}}"
            ),
            "disk: disk looks inside a host, and shop is a service (write it under the hosts",
        ),
        (SHOP.replace("checks:\n", "checks: 7\n    x:\n"), "shop.checks: 7 is"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        assemble(sources(tmp_path, text), KINDS)

    assert told in str(caught.value)
