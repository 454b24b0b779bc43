"""Hosts that nobody can reach or trust: one incident each, and no hand is laid on anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import Took
from tests.scenarios.house import House, now
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import web_site

pytestmark = requires("hosts", "nginx")
SCENARIO = """
checks:
  site: {http: {url: "http://{address}/health"}, remediate: [start-nginx]}
  nginx-service: {remediate: [start-nginx]}
  cron-service: {remediate: [start-cron]}
  memory:
groups:
  linux: {checks: {nginx-service: , cron-service: , memory: }}
hosts:
  deaf:     {address: $deaf, groups: [fleet, linux]}
  stranger: {address: $stranger, groups: [fleet, linux]}
  silent:   {address: $silent, groups: [fleet], checks: {site: }}
  cut:
    address: $cut
    groups: [fleet, linux]
    checks: {reach: {icmp: {}}, ssh: {needs: cut/reach}, site: {needs: cut/reach}}
runbooks:
  start-nginx:
    steps: [{systemd: {unit: nginx, do: start}}]
    verify: {settle: 1s, oks: 2, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
  start-cron:
    steps: [{systemd: {unit: cron, do: start}}]
    verify: {settle: 1s, oks: 2, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
"""
NAMES = ("deaf", "stranger", "silent", "cut")
LINUX = ("nginx-service", "cron-service", "memory")


@pytest.fixture(scope="module")
def hosts(module_world: World) -> dict[str, Host]:
    booted = module_world.hosts(*NAMES)
    for host in booted:
        web_site(host)
        host.start("cron")
    return {host.name: host for host in booted}


@pytest.fixture(scope="module")
def house(module_world: World, hosts: dict[str, Host]) -> Iterator[House]:
    with House(SCENARIO, world=module_world, hosts=hosts.values()) as house:
        for name in ("deaf", "stranger", "cut"):
            house.await_ok(f"{name}/ssh", *(f"{name}/{check}" for check in LINUX))
        house.await_ok("cut/reach", "cut/site", "silent/site")
        yield house


def kill_sshd(host: Host) -> None:
    """End the server and every session; stopped first, or systemd would start it again."""
    host.run(["systemctl", "stop", "ssh"])
    host.run(["pkill", "-KILL", "-x", "sshd"], check=False)


def keys_of(house: House, host: str) -> list[str]:
    """Give the keys of all incidents that name this host, in one way or another."""
    found = [one for one in house.incidents() if any(i.startswith(f"{host}/") for i in one.items)]
    return [one.key for one in found]


def test_a_dead_sshd_is_one_incident_and_what_is_behind_it_waits(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    deaf = hosts["deaf"]
    deaf.run(["systemctl", "stop", "nginx"])
    kill_sshd(deaf)
    broken = now()
    incident = house.incident("deaf/ssh", "ESCALATED")
    took(incident, broken)
    house.await_status("UNREACHABLE", *(f"deaf/{check}" for check in LINUX))
    assert keys_of(house, "deaf") == ["deaf/ssh"]
    assert "refused" in incident.summary
    assert not deaf.is_active("nginx"), "somebody acted on a host that cannot be seen"


def test_what_waited_is_repaired_when_the_login_works_again(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    broken = now()
    hosts["deaf"].start("ssh")
    assert house.incident("deaf/ssh", "RESOLVED").cause == "recovered"
    incident = house.incident("deaf/nginx-service", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    house.await_ok(*(f"deaf/{check}" for check in LINUX))


def test_a_changed_host_key_is_critical_and_nothing_is_done_there(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    stranger = hosts["stranger"]
    stranger.run(["systemctl", "stop", "cron"])
    key = "/etc/ssh/ssh_host_ed25519_key"
    stranger.run(["sh", "-c", f"rm {key}*; ssh-keygen -q -t ed25519 -N '' -f {key}"])
    kill_sshd(stranger)
    stranger.start("ssh")
    broken = now()
    incident = house.incident("stranger/ssh", "ESCALATED")
    took(incident, broken)
    assert "CHANGED" in incident.summary
    house.await_status("UNREACHABLE", *(f"stranger/{check}" for check in LINUX))
    assert keys_of(house, "stranger") == ["stranger/ssh"]
    assert not stranger.is_active("cron")
    assert "ssh-keygen -R" in house.ticket(incident)["summary"]


def test_a_cut_cable_is_one_incident(house: House, hosts: dict[str, Host], took: Took) -> None:
    hosts["cut"].cut()
    broken = now()
    incident = house.incident("cut/reach", "ESCALATED")
    took(incident, broken)
    house.await_status("UNREACHABLE", "cut/ssh", "cut/site", *(f"cut/{check}" for check in LINUX))
    assert keys_of(house, "cut") == ["cut/reach"]
    hosts["cut"].restore()
    assert house.incident("cut/reach", "RESOLVED").cause == "recovered"
    house.await_ok("cut/site", "cut/ssh", *(f"cut/{check}" for check in LINUX))
    assert keys_of(house, "cut") == ["cut/reach"]


def test_a_repair_that_cannot_log_in_becomes_a_ticket(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    silent = hosts["silent"]
    kill_sshd(silent)
    silent.run(["systemctl", "stop", "nginx"])
    broken = now()
    incident = house.incident("silent/site", "ESCALATED")
    took(incident, broken)
    (step,) = house.ticket(incident)["tried"][0]["steps"]
    assert "refused" in step["error"]


def test_the_journal_of_all_this_holds_every_invariant(house: House) -> None:
    assert [attempt.key for one in house.incidents() for attempt in house.tried(one)] == [
        "deaf/nginx-service",
        "silent/site",
    ]
    assert house.violations() == []
