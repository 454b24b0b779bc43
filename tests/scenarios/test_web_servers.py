"""Web servers that die, are misconfigured or lose their files, repaired over SSH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitord.model.incident import AttemptStatus, Phase, StepStatus
from tests.scenarios.conftest import Took
from tests.scenarios.house import House, now
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import web_site

pytestmark = requires("hosts", "nginx")
SUDOERS = (
    "monitord ALL=(root) NOPASSWD: /usr/bin/timeout -k 5 60 systemctl start nginx.service,"
    " /usr/bin/timeout -k 5 60 nginx -t"
)
SCENARIO = """
checks:
  site: {http: {url: "http://{address}/", body: shop}, remediate: [start-nginx]}
hosts:
  killed:    {address: $killed, groups: [fleet], checks: {site: }}
  broken:    {address: $broken, groups: [fleet], checks: {site: }}
  emptied:
    address: $emptied
    groups: [fleet]
    checks: {site: {remediate: [start-nginx, restore-pages]}}
  modest:
    address: $modest
    groups: [rootless]
    checks:
      site:
      cron-service: {every: 2s, remediate: [start-cron]}
  left:      {address: $left, groups: [fleet, pair], checks: {site: }}
  right:     {address: $right, groups: [fleet, pair], checks: {site: }}
groups:
  rootless:
    login: {ssh: {user: monitord, key: $key, known_hosts: $known_hosts, act: {sudo: true}}}
  pair: {keep_healthy: 0}
runbooks:
  start-nginx:
    collect:
      - command: [systemctl, status, --no-pager, nginx]
    require:
      - command: {run: [nginx, -t], sudo: true}   # only root can test it
    steps:
      - systemd: {unit: nginx, do: start}
        idempotent: true
    verify: {settle: 1s, oks: 2, within: 5s}
    limits: {per_incident: 1, cooldown: 0s}
  start-cron:
    steps:
      - systemd: {unit: cron, do: start}
    verify: {settle: 1s, oks: 2, within: 5s}
    limits: {per_incident: 1, cooldown: 0s}
  restore-pages:
    steps:
      - restore: {tar: /var/backups/www.tar.gz, to: /srv/www, expect: [index.html]}
    verify: {settle: 1s, oks: 2, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
"""
NAMES = ("killed", "broken", "emptied", "modest", "left", "right")


@pytest.fixture(scope="module")
def hosts(module_world: World) -> dict[str, Host]:
    booted = module_world.hosts(*NAMES, sudoers=SUDOERS)
    for host in booted:
        web_site(host)
        host.start("cron")
    return {host.name: host for host in booted}


@pytest.fixture(scope="module")
def house(module_world: World, hosts: dict[str, Host]) -> Iterator[House]:
    with House(SCENARIO, world=module_world, hosts=hosts.values()) as house:
        house.await_ok(*(f"{name}/site" for name in NAMES), "modest/cron-service")
        yield house


def kill_nginx(host: Host) -> int:
    """Kill the master and every worker, as the kernel does when memory runs out."""
    host.run(["systemctl", "kill", "--signal=KILL", "nginx"])
    return now()


def test_a_killed_server_is_started_and_proven(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    broken = kill_nginx(hosts["killed"])
    incident = house.incident("killed/site", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert incident.ticket is None, "nobody was woken for what was repaired"
    (attempt,) = house.tried(incident)
    assert attempt.status is AttemptStatus.FIXED
    assert [step.phase for step in house.steps(attempt)] == ["collect", "require", "step"]
    assert hosts["killed"].is_active("nginx")


def test_a_broken_configuration_is_not_restarted_and_the_ticket_names_the_error(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    host = hosts["broken"]
    host.write("/etc/nginx/conf.d/zz.conf", "bogus;\n")
    broken = kill_nginx(host)
    incident = house.incident("broken/site", "ESCALATED")
    took(incident, broken)
    (attempt,) = house.tried(incident)
    assert attempt.status is AttemptStatus.FAILED
    assert attempt.effect_at is None
    assert Phase.STEP not in {step.phase for step in house.steps(attempt)}, "it was started"
    ticket = house.ticket(incident)
    assert 'unknown directive "bogus"' in ticket["tried"][0]["steps"][0]["output"]
    assert "precondition" in ticket["tried"][0]["outcome"]
    assert ticket["says"] == "I have stopped, it is yours."
    starts = host.run(["systemctl", "show", "-p", "NRestarts,ActiveState", "nginx"]).stdout
    assert starts.split() == ["NRestarts=0", "ActiveState=failed"]
    assert host.read("/etc/nginx/conf.d/zz.conf") == "bogus;\n", "the evidence was touched"


def test_lost_pages_come_back_from_the_backup_when_a_start_does_not_help(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    host = hosts["emptied"]
    host.run(["tar", "-C", "/srv/www", "-czf", "/var/backups/www.tar.gz", "."])
    before = host.read("/srv/www/index.html")
    host.run(["rm", "-r", "/srv/www"])
    broken = now()
    incident = house.incident("emptied/site", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    first, second = house.tried(incident)
    assert (first.runbook, first.status) == ("start-nginx", AttemptStatus.FAILED)
    assert (second.runbook, second.status) == ("restore-pages", AttemptStatus.FIXED)
    assert host.read("/srv/www/index.html") == before
    left = host.run(["ls", "-A", "/srv"]).stdout.split()
    assert not [name for name in left if name.startswith(".monitord-new")], "a half copy is left"


def test_an_unprivileged_login_does_exactly_what_sudoers_lists(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    broken = kill_nginx(hosts["modest"])
    incident = house.incident("modest/site", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    (attempt,) = house.tried(incident)
    (step,) = [step for step in house.steps(attempt) if step.phase is Phase.STEP]
    assert step.status is StepStatus.DONE
    assert hosts["modest"].read("/etc/sudoers.d/monitord").strip() == SUDOERS


def test_what_sudoers_does_not_list_is_refused_and_the_ticket_says_so(
    house: House, hosts: dict[str, Host]
) -> None:
    hosts["modest"].run(["systemctl", "stop", "cron"])
    incident = house.incident("modest/cron-service", "ESCALATED")
    (step,) = house.ticket(incident)["tried"][0]["steps"]
    assert step["status"] == "FAILED"
    assert "sudo" in step["error"]
    assert "sudoers" in step["error"]
    assert not hosts["modest"].is_active("cron")


def test_two_servers_of_one_group_are_repaired_one_after_the_other(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    kill_nginx(hosts["left"])
    broken = kill_nginx(hosts["right"])
    incidents = [house.incident(f"{name}/site", "RESOLVED") for name in ("left", "right")]
    for incident in incidents:
        took(incident, broken)
        assert incident.cause == "verified"
    first, second = sorted(
        (attempt for one in incidents for attempt in house.tried(one)), key=lambda a: a.planned
    )
    assert first.finished is not None
    assert second.planned >= first.finished, "both were repaired at once"


def test_the_journal_of_all_this_holds_every_invariant(house: House) -> None:
    assert house.violations() == []
    assert house.cli("audit")["violations"] == []
    house.core.stop()
    assert house.cli("audit")["violations"] == [], "from the database alone"
