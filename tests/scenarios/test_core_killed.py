"""The core killed by SIGKILL at the commits of a repair: it is proven all the same, and done once.

tests/scenarios/dying.py does the killing, at commits that are counted in a run without a kill.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from monitord.model.incident import AttemptStatus, StepStatus
from tests.scenarios.house import FOUND, REPAIRED, House
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.process import PeerError
from tests.world.until import until

pytestmark = requires("hosts")
SCENARIO = """
hosts:
  victim:
    address: $victim
    groups: [fleet]
    checks:
      marker:
        file: {path: $place/marker}
        every: 500ms
        retry_every: 500ms
        attempts: 2
        remediate: [two-steps]
runbooks:
  two-steps:
    collect:
      - command: [ls, -la, $place]
    require:
      - command: [test, -d, $place]
    steps:
      - command: [sh, -c, "echo one >>$place/effects; sleep 0.5"]
      - wait: 200ms
      - command: [sh, -c, "echo two >>$place/effects; touch $place/marker"]
    verify: {settle: 500ms, oks: 2, within: 20s}
    limits: {per_incident: 1, cooldown: 0s}
"""
REPAIR = [
    *("transition", "opened", "attempt-planned", "attempt-started step-intended"),
    *("step-done", "step-intended", "step-done", "step-intended", "step-done"),
    *("step-intended", "step-done", "step-intended", "step-done", "verifying"),
    "transition fixed resolved",
]
"""The commits of a repair, by the timeline lines that each writes."""
POINTS = [
    *("after transition 1", "after attempt-planned 1"),
    *("after step-intended 1", "after step-intended 3", "after step-done 3"),
    *("after step-intended 5", "after verifying 1", "after fixed 1"),
    # What was done, and never written down.
    *("before step-done 3", "before step-done 5", "before fixed 1"),
]
places = itertools.count(1)


@pytest.fixture(scope="module")
def victim(module_world: World) -> Host:
    return module_world.host("victim")


@pytest.fixture
def house(module_world: World, victim: Host) -> Iterator[House]:
    """Give a house that does not run yet; its file is there, in a folder of its own."""
    place = f"/srv/{next(places)}"
    victim.write(f"{place}/marker", "here\n")
    victim.run(["chown", "-R", "monitord:", place])
    house = House(SCENARIO, world=module_world, hosts=[victim], names={"place": place})
    yield house
    house.close()


def break_it(house: House, victim: Host) -> None:
    """Remove the file; from now on the commits are counted."""
    house.await_ok("victim/marker")
    house.await_ok("victim/ssh")  # or its first OK is counted where the machine is slow
    house.commits.touch()
    victim.run(["rm", f"{house.names['place']}/marker"])


def must_be_well(house: House, victim: Host) -> None:
    """Wait for the end and look whether all was done once and holds together."""
    incident = house.incident("victim/marker", "RESOLVED", "ESCALATED")
    assert incident.status == "RESOLVED", "a kill is no reason to wake anybody"
    assert incident.cause == "verified"
    assert victim.read(f"{house.names['place']}/effects") == "one\ntwo\n"
    assert [one.id for one in house.incidents("victim/marker")] == [incident.id]
    (attempt,) = house.tried(incident)
    assert attempt.status is AttemptStatus.FIXED
    assert {step.status for step in house.steps(attempt)} == {StepStatus.DONE}
    assert house.violations() == []


def test_a_repair_has_the_commits_at_which_it_is_killed(house: House, victim: Host) -> None:
    house.executor.start()
    house.start_mortal("never any 0")
    break_it(house, victim)
    must_be_well(house, victim)
    lived = house.commits.read_text().splitlines()
    # What the host answers to "what changed?" comes whenever it comes.
    assert [commit for commit in lived if commit != "changed"] == REPAIR
    assert lived.count("changed") == 1


@pytest.mark.parametrize("point", POINTS)
def test_one_kill(house: House, victim: Host, point: str) -> None:
    house.executor.start()
    house.start_mortal(point)
    break_it(house, victim)
    until(lambda: not house.core.is_running, within=REPAIRED, what=f"the end {point}")
    house.core.start()
    must_be_well(house, victim)


def test_a_kill_every_second_commit(house: House, victim: Host) -> None:
    house.executor.start()
    house.start_mortal("never any 0")
    break_it(house, victim)
    house.core.kill()
    lives = 0
    while [one.status for one in house.incidents()] != ["RESOLVED"]:
        lives += 1
        assert lives < len(REPAIR), "it does not get on"
        try:
            house.start_mortal("after any 2")
        except PeerError:
            continue  # it died before it answered
        until(lambda: is_over(house), within=FOUND, every=0.1, what="its end")
    assert lives >= len(REPAIR) // 2
    must_be_well(house, victim)


def is_over(house: House) -> bool:
    resolved = [one.status for one in house.incidents()] == ["RESOLVED"]
    return resolved or not house.core.is_running
