"""What must not be repaired: noise, what heals by itself, what flaps, and whatever is halted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import Took
from tests.scenarios.house import FOUND, REPAIRED, House, now
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import web_site
from tests.world.until import until

pytestmark = requires("hosts", "nginx")
SCENARIO = """
checks:
  site: {http: {url: "http://{address}/health"}, every: 1s, remediate: [start-nginx]}
hosts:
  calm:
    address: $calm
    groups: [fleet]
    checks:
      site:
      ping: {every: 1s}
      nginx-service: {remediate: [start-nginx]}
      cron-service: {remediate: [start-nginx]}
      memory: {remediate: [start-nginx]}
      load: {load: {warning: 50, critical: 100}, remediate: [start-nginx]}  # of this machine
      failed-units: {remediate: [start-nginx]}
      sleepers: {process: {name: sleep, min: 0, max: 5}, attempts: 5, remediate: [start-nginx]}
  healing: {address: $healing, groups: [fleet], checks: {site: {first_rung_after: 10s}}}
  nervous:
    address: $nervous
    groups: [fleet]
    checks:
      site: {every: 500ms, retry_every: 500ms, recoveries: 2, first_rung_after: 12s}
  halted:
    address: $halted
    groups: [fleet]
    checks:
      site:
      marker: {file: {path: /srv/marker}, remediate: [two-steps]}
      sign: {file: {path: /srv/sign}, remediate: [hang]}
runbooks:
  start-nginx:
    steps: [{systemd: {unit: nginx, do: start}}]
    verify: {settle: 1s, oks: 2, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
  hang:
    steps:
      - command: [sh, -c, "echo one >>/srv/hung; exec sleep 77"]
      - command: [touch, /srv/sign]
    verify: {settle: 1s, oks: 2, within: 3s}
    limits: {per_incident: 1, cooldown: 0s}
  two-steps:
    steps:
      - command: [sh, -c, "echo one >>/srv/steps; until test -e /srv/go; do sleep 0.1; done"]
      - command: [sh, -c, "echo two >>/srv/steps; touch /srv/marker"]
    verify: {settle: 1s, oks: 2, within: 3s}
    limits: {per_incident: 1, cooldown: 0s}
"""
NAMES = ("calm", "healing", "nervous", "halted")


@pytest.fixture(scope="module")
def hosts(module_world: World) -> dict[str, Host]:
    booted = module_world.hosts(*NAMES)
    for host in booted:
        web_site(host)
        host.start("cron")
    for name in ("marker", "sign"):
        booted[-1].write(f"/srv/{name}", "here\n")
    return {host.name: host for host in booted}


@pytest.fixture(scope="module")
def house(module_world: World, hosts: dict[str, Host]) -> Iterator[House]:
    with House(SCENARIO, world=module_world, hosts=hosts.values()) as house:
        house.await_ok(*(f"{name}/site" for name in NAMES), "halted/marker", "halted/sign")
        house.await_ok("calm/nginx-service", "calm/sleepers", "calm/failed-units", "calm/load")
        yield house


def await_looks(house: House, count: int, *keys: str) -> None:
    """Wait until each check has been looked at so often from now on (in different seconds)."""
    seen: dict[str, set[str]] = {key: set() for key in keys}

    def enough() -> bool:
        for key, instants in seen.items():
            instants.update(item["last_seen"] for item in house.check(key)["items"])
        return all(len(instants) > count for instants in seen.values())

    until(enough, within=FOUND, every=0.1, what=f"{count} looks at {keys}")


def test_everyday_noise_opens_nothing(house: House, hosts: dict[str, Host]) -> None:
    calm = hosts["calm"]
    calm.run(["systemctl", "reload", "nginx"])
    calm.run(["systemctl", "restart", "cron"])
    calm.run(["sh", "-c", "head -c 100M /dev/zero | tail -c 1 >/dev/null"])  # a peak of memory
    calm.run(["sh", "-c", "for n in 1 2; do timeout 1 sh -c 'while :; do :; done' & done; wait"])
    calm.run(["sh", "-c", "echo rotated >/var/log/nginx/access.log; logger hello"])
    calm.run(["systemd-run", "--wait", "--quiet", "true"])
    calm.run(["sh", "-c", "fallocate -l 20M /tmp/scratch; rm /tmp/scratch"])
    with calm.ssh(user="monitord") as client:  # a person looks around
        client.exec_command("uptime")[1].read()
    await_looks(house, 2, "calm/site", "calm/nginx-service", "calm/failed-units", "calm/memory")
    assert [one.key for one in house.incidents() if one.host == "calm"] == []


def test_a_spike_that_is_over_before_the_attempts_are_opens_nothing(
    house: House, hosts: dict[str, Host]
) -> None:
    calm = hosts["calm"]
    calm.run(["sh", "-c", "for n in 1 2 3 4 5 6 7 8; do setsid sleep 300 >/dev/null 2>&1 & done"])

    def soft() -> bool:
        (state,) = house.check("calm/sleepers")["items"]
        return (state["status"], state["hard"]) == ("CRITICAL", "OK")

    until(soft, within=FOUND, every=0.1, what="a soft CRITICAL")
    calm.run(["pkill", "-x", "sleep"])
    until(lambda: not soft(), within=FOUND, every=0.1, what="the end of the spike")
    assert house.status("calm/sleepers") == "OK"
    assert [one.key for one in house.incidents() if one.host == "calm"] == []


def test_what_somebody_else_mends_in_time_is_left_to_them(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    hosts["healing"].run(["systemctl", "stop", "nginx"])
    broken = now()
    waiting = house.incident("healing/site", "WAITING")
    assert "a moment to repair it themselves" in waiting.waiting_for
    hosts["healing"].start("nginx")
    incident = house.incident("healing/site", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "recovered"
    assert house.tried(incident) == []
    assert incident.ticket is None


def test_a_flapping_port_is_not_repaired_but_told(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    nervous = hosts["nervous"]
    broken = now()

    def told_after_a_change() -> bool:
        """Turn the port over whenever the check has seen how it was, until somebody is told."""
        (state,) = house.check("nervous/site")["items"]
        if state["status"] == "OK" or state["hard"] == "OK":
            nervous.reject(80)
        else:
            nervous.heal()
        return [one.status for one in house.incidents("nervous/site")] == ["ESCALATED"]

    until(told_after_a_change, within=REPAIRED, every=0.1, what="a ticket")
    nervous.heal()
    incident = house.incident("nervous/site")
    took(incident, broken)
    assert house.tried(incident) == []
    (refused,) = house.ticket(incident)["refused"]
    assert refused["guard"] == "flapping"
    assert nervous.is_active("nginx")


def test_no_next_step_begins_after_a_halt(house: House, hosts: dict[str, Host], took: Took) -> None:
    halted = hosts["halted"]
    halted.run(["rm", "/srv/marker"])
    broken = now()
    until(lambda: halted.exists("/srv/steps"), within=FOUND, every=0.1, what="the first step")
    house.cli("halt", "--reason", "a person looks", "--for", "1h", "--yes")
    halted.write("/srv/go", "")
    incident = house.incident("halted/marker", "ESCALATED")
    took(incident, broken)
    assert halted.read("/srv/steps") == "one\n"
    (attempt,) = house.tried(incident)
    assert [step.status for step in house.steps(attempt)] == ["DONE"]
    assert any("stopped by halt before step 2" in event.text for event in house.events(incident))


def test_a_halt_now_ends_the_running_step(house: House, hosts: dict[str, Host], took: Took) -> None:
    house.cli("resume", "--yes")
    halted = hosts["halted"]
    halted.run(["rm", "/srv/sign"])
    broken = now()
    until(lambda: halted.exists("/srv/hung"), within=FOUND, every=0.1, what="the first step")
    said = house.cli("halt", "--now", "--reason", "it goes wrong", "--for", "1h", "--yes")
    assert len(said["killed"]) == 1
    assert halted.run(["pgrep", "-f", "sleep 77"], check=False).stdout == "", "it still runs"
    incident = house.incident("halted/sign", "ESCALATED")
    took(incident, broken)
    (attempt,) = house.tried(incident)
    assert [step.status for step in house.steps(attempt)] == ["UNKNOWN"]
    assert halted.read("/srv/hung") == "one\n"


def test_while_the_halt_file_exists_nothing_begins(
    house: House, hosts: dict[str, Host], took: Took
) -> None:
    house.cli("resume", "--yes")
    (house.state / "HALT").write_text("by hand, with an editor\n")
    hosts["halted"].run(["systemctl", "stop", "nginx"])
    broken = now()
    incident = house.incident("halted/site", "ESCALATED")
    took(incident, broken)
    assert house.tried(incident) == []
    (refused,) = house.ticket(incident)["refused"]
    assert (refused["guard"], refused["plan"][0]["text"]) == (
        "halt",
        "sudo systemctl start nginx.service",
    )
    assert not hosts["halted"].is_active("nginx")


def test_the_journal_of_all_this_holds_every_invariant(house: House) -> None:
    assert house.violations() == []
