"""The executor killed by SIGKILL around a step: the run record tells, and the step is done once.

The check is one that the core performs by itself, so that it goes on without the executor.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import pytest

from monitord.model.incident import AttemptStatus, StepStatus
from tests.scenarios.house import FOUND, House
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import web_site
from tests.world.until import until

pytestmark = requires("hosts", "nginx")
SCENARIO = """
hosts:
  victim:
    address: $victim
    groups: [fleet]
    checks:
      page:
        http: {url: "http://{address}/$place/page"}
        every: 500ms
        retry_every: 500ms
        attempts: 1
        remediate: [two-steps]
runbooks:
  two-steps:
    steps:
      - command: [sh, -c, "cd /srv/www/$place; echo one >>effects; $until_go"]
      - wait: 1s
      - command: [sh, -c, "cd /srv/www/$place; echo two >>effects; touch page"]
    verify: {settle: 1s, oks: 2, within: 20s}
    limits: {per_incident: 1, cooldown: 0s}
"""
UNTIL_GO = "until test -e go; do sleep 0.05; done"
places = itertools.count(1)


@pytest.fixture(scope="module")
def victim(module_world: World) -> Host:
    host = module_world.host("victim")
    web_site(host)
    return host


@pytest.fixture
def house(module_world: World, victim: Host) -> Iterator[House]:
    """Give a house that runs; its page is there, in a folder of its own."""
    place = f"case{next(places)}"
    victim.write(f"/srv/www/{place}/page", "here\n")
    names = {"place": place, "until_go": UNTIL_GO}
    with House(SCENARIO, world=module_world, hosts=[victim], names=names) as house:
        house.await_ok("victim/page")
        yield house


def path(house: House, name: str) -> str:
    return f"/srv/www/{house.names['place']}/{name}"


def await_first_step(house: House, victim: Host) -> None:
    """Break the page, and wait until the first step has had its effect and stands still."""
    victim.run(["rm", path(house, "page")])
    until(
        lambda: victim.exists(path(house, "effects")),
        within=FOUND,
        every=0.1,
        what="the first step",
    )


def freeze(house: House) -> None:
    os.kill(house.executor.pid, signal.SIGSTOP)


def open_steps(house: House) -> list[StepStatus]:
    return [step.status for step in house.rows(lambda view: view.open_steps())]


def await_record(victim: Host) -> None:
    """Wait until every run record on the host tells an end."""
    count = "ls /home/monitord/.monitord/runs/*/{name} | wc -l"
    ended = f"test $({count.format(name='intent')}) = $({count.format(name='exit')})"
    until(
        lambda: victim.run(["sh", "-c", ended], check=False).returncode == 0,
        every=0.1,
        what="the record",
    )


def must_be_well(house: House, victim: Host) -> None:
    """Wait for the end and look whether all was done once and holds together."""
    incident = house.incident("victim/page", "RESOLVED", "ESCALATED")
    assert (incident.status, incident.cause) == ("RESOLVED", "verified")
    assert victim.read(path(house, "effects")) == "one\ntwo\n"
    (attempt,) = house.tried(incident)
    assert attempt.status is AttemptStatus.FIXED
    assert {step.status for step in house.steps(attempt)} == {StepStatus.DONE}
    assert house.violations() == []


def test_killed_before_it_read_the_request(house: House, victim: Host) -> None:
    victim.write(path(house, "go"), "")
    freeze(house)
    victim.run(["rm", path(house, "page")])
    until(lambda: open_steps(house), within=FOUND, what="the intent")
    house.executor.kill()
    assert not victim.exists(path(house, "effects"))
    house.executor.start()
    must_be_well(house, victim)


def test_killed_while_the_step_runs(house: House, victim: Host) -> None:
    await_first_step(house, victim)
    house.executor.kill()
    house.executor.start()
    victim.write(path(house, "go"), "")
    must_be_well(house, victim)


def test_killed_while_the_step_runs_and_back_after_its_end(house: House, victim: Host) -> None:
    await_first_step(house, victim)
    house.executor.kill()
    victim.write(path(house, "go"), "")
    await_record(victim)
    house.executor.start()
    must_be_well(house, victim)


def test_killed_before_it_could_tell_the_end(house: House, victim: Host) -> None:
    await_first_step(house, victim)
    freeze(house)
    victim.write(path(house, "go"), "")
    await_record(victim)
    house.executor.kill()
    assert open_steps(house) == [StepStatus.INTENT]
    house.executor.start()
    must_be_well(house, victim)


def test_killed_between_two_steps(house: House, victim: Host) -> None:
    await_first_step(house, victim)
    victim.write(path(house, "go"), "")

    def pausing() -> bool:
        kinds = house.rows(lambda view: [step.kind for step in view.open_steps()])
        return kinds == ["wait"]

    until(pausing, within=FOUND, what="the pause")
    house.executor.kill()
    house.executor.start()
    must_be_well(house, victim)


def test_killed_while_the_repair_is_being_proven(house: House, victim: Host) -> None:
    victim.write(path(house, "go"), "")
    victim.run(["rm", path(house, "page")])
    incident = house.incident("victim/page", "REPAIRING")
    until(
        lambda: [one.status for one in house.tried(incident)] == ["VERIFYING"],
        within=FOUND,
        what="verification",
    )
    house.executor.kill()
    must_be_well(house, victim)
    house.executor.start()


def test_both_killed_while_the_step_runs(house: House, victim: Host) -> None:
    await_first_step(house, victim)
    house.core.kill()
    house.executor.kill()
    victim.write(path(house, "go"), "")
    house.executor.start()
    house.core.start()
    must_be_well(house, victim)


def test_both_stopped_in_order_while_the_step_runs(house: House, victim: Host) -> None:
    await_first_step(house, victim)
    house.core.stop()
    house.executor.stop()
    house.executor.start()
    house.core.start()
    until(lambda: house.status("victim/page") != "PENDING", within=FOUND, what="a first look")
    victim.write(path(house, "go"), "")
    must_be_well(house, victim)


def test_what_a_dying_host_left_undone_is_not_repeated_but_told(house: House, victim: Host) -> None:
    """Nobody can know how far the step came, it is not idempotent, and the check still fails."""
    house.write("scenario.yaml", SCENARIO.replace("within: 20s", "within: 4s"))
    house.cli("reload")
    await_first_step(house, victim)
    victim.crash()
    victim.power_on()
    victim.start("nginx")
    incident = house.incident("victim/page", "ESCALATED")
    assert victim.read(path(house, "effects")) == "one\n"
    (attempt,) = house.tried(incident)
    assert [step.status for step in house.steps(attempt)] == [StepStatus.UNKNOWN]
    (step,) = house.ticket(incident)["tried"][0]["steps"]
    assert "restarted" in step["error"]
    assert house.violations() == []
