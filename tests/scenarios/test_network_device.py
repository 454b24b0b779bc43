"""A router whose neighbour was shut down: found, opened, proven; and left alone without its key."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.house import House
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.router import Router

pytestmark = requires("hosts", "frr", "netmiko")
CHECKS = """
      bgp-neighbours:
        every: 2s
        retry_every: 1s
        attempts: 2
        remediate:
          - open-bgp-neighbour:
              mode: auto
              with: {as: "65001"}
              verify: {settle: 1s, oks: 2, within: 25s}
              limits: {cooldown: 0s}
"""
LOGIN = "dialect: frr, user: look, key: $key, act: {user: act}"
SCENARIO = f"""
hosts:
  r1:
    address: $r1
    login: {{device: {{{LOGIN}, known_hosts: $known_hosts}}}}
    checks: {CHECKS}
  stranger:
    address: $r1
    login: {{device: {{{LOGIN}, known_hosts: /dev/null}}}}
    checks: {CHECKS}
"""


@pytest.fixture(scope="module")
def router(module_world: World) -> Router:
    return Router(module_world.host("r1"))


def test_a_neighbour_that_was_shut_down_is_opened_and_the_session_proven(
    module_world: World, router: Router
) -> None:
    key = "r1/bgp-neighbours"
    with House(SCENARIO, world=module_world, hosts=[router.host]) as house:
        house.await_status("OK", key)
        router.shut()
        began = time.monotonic()
        incident = house.incident(key, "RESOLVED", "ESCALATED", within=60)
        (attempt,) = house.tried(incident)
        assert (incident.status, incident.cause) == ("RESOLVED", "verified"), attempt.outcome
        assert time.monotonic() - began < 60
        assert router.is_established()
        collected, *_ = house.steps(attempt)
        assert "Administratively shut down" in collected.output
        assert house.status("stranger/bgp-neighbours") == "UNKNOWN"
        assert not house.incidents("stranger/bgp-neighbours"), "what cannot be seen is not repaired"
        (unknown,) = house.incidents("unknown/login")
        assert not house.tried(unknown)
        assert house.violations() == []
