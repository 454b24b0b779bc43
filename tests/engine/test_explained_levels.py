"""What `monitord explain` says of promises: the services of a check and the levels that hold."""

from __future__ import annotations

from collections.abc import Callable

from monitord.engine.commands import _promised
from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey

TEXT = """
hosts: {web1: {address: 127.0.0.1, checks: {site: {tcp: {port: 80}}, mail: {tcp: {port: 25}}}}}
slas: {gold: {}}
services: {shop: {sla: gold, checks: [web1/site]}, wiki: {checks: [web1/site]}}
"""


def test_a_check_is_told_with_its_services_and_their_levels(
    catalog: Callable[[str], Catalog],
) -> None:
    loaded = catalog(TEXT)
    site, mail = (loaded.checks[CheckKey(f"web1/{name}")] for name in ("site", "mail"))
    assert _promised(loaded, site) == {"services": "shop, wiki", "sla": "gold, default"}
    assert _promised(loaded, mail) == {"services": "none", "sla": "default"}
