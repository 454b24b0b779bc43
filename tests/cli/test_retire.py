"""`monitord retire`: nothing is left blind by a host that goes, and nobody is paged meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

CONFIG = """\
hosts:
  web1: {address: 10.0.0.1, login: {ssh: {user: watch, key: /k, act: {user: act}}}}
  web2: {address: 10.0.0.2, checks: {site: }}
  gate: {address: 10.0.0.3, login: {ssh: {user: watch, key: /k}}}
  inner: {address: 10.0.1.1, behind: gate, login: {ssh: {user: w, via: gate}}, checks: {memory: }}
  db[1-2]: {groups: [db], checks: {port: }}
groups: {db: {keep_healthy: 1}}
checks:
  site: {http: {url: "http://{address}/"}, needs: db1/port}
  port: {tcp: {port: 5432}}
  memory: {memory: {}}
services:
  shop: {checks: [web2/site]}
  stock: {checks: [db1/port, db2/port], down_when: "db2/port is critical"}
"""


@pytest.fixture
def retire(cli: Cli, tmp_path: Path) -> Any:
    file = tmp_path / "monitord.yaml"
    file.write_text(CONFIG)

    def _retire(host: str, *words: str) -> Any:
        command = ("--config", str(file), "retire", host, "--reason", "old", *words)
        return cli(*command)

    return _retire


def test_a_host_on_which_nothing_hangs_gets_maintenance_and_a_list(cli: Cli, retire: Any) -> None:
    said = retire("web1", "--yes")
    assert said.code == 0, said.err
    (order,) = cli.core.calls("maintenance")
    assert (order["selector"], order["reason"]) == ("web1", "retired: old")
    assert "monitord.yaml:2" in said.out
    assert "ssh-keygen -R '10.0.0.1' -f ~/.ssh/known_hosts" in said.out
    assert "remove the logins watch, act" in said.out
    assert "incident 1: web1/site" in said.out


@pytest.mark.parametrize(
    ("host", "first"),
    [
        (
            "gate",
            ["inner stands behind gate (behind:)", "inner is logged into through gate (via:)"],
        ),
        ("web2", ["service shop has no other checks (checks:)"]),
        (
            "db1",
            [
                "web2/site needs db1/port (needs:)",
                "group db keeps 1 healthy and has 1 without it (keep_healthy:)",
            ],
        ),
    ],
)
def test_while_something_hangs_on_it_nothing_is_done(
    cli: Cli, retire: Any, host: str, first: list[str]
) -> None:
    said = retire(host, "--yes", "--json")
    answer = json.loads(said.out)
    assert (said.code, answer["first"], answer["order"]) == (1, first, None)
    assert cli.core.calls() == []


def test_a_rule_of_a_service_hangs_on_it(retire: Any) -> None:
    told = json.loads(retire("db2", "--json", "--preview").out)["first"]
    assert "service stock is judged by its checks (down_when:, degraded_when:)" in told


def test_a_host_that_is_not_there_is_told_with_the_nearest(retire: Any) -> None:
    said = retire("web3", "--preview")
    assert said.code != 0
    assert "there is no host web3 (did you mean web" in said.err
