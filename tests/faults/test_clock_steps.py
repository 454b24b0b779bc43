"""The wall clock set by two hours under a running monitord: nothing fires, nothing is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.faults.conftest import CHECKS, a_house
from tests.scenarios.house import FOUND, House
from tests.world.until import until

FILE = r"file: {path: (\S+)}"
PLUGIN = r'nagios: {command: [sh, -c, "test -e \1 || exit 2"]}'


@pytest.fixture
def house() -> Iterator[House]:
    """Give a running house whose wall clock follows the file `clock`.

    Plugins look for its files: to the file probe, those would be of the future after a step back.
    """
    house = a_house()
    text = (house.folder / "scenario.yaml").read_text()
    (house.folder / "scenario.yaml").write_text(re.sub(FILE, PLUGIN, text))
    set_clock(house, 0)
    for process in (house.core, house.executor):
        python, _, _, *rest = process.argv
        process.argv = [python, "-m", "tests.faults.clocked", *rest]
        clock = str(house.folder / "clock")
        process.environment = {**(process.environment or {}), "MONITORD_CLOCK": clock}
    with house:
        house.await_ok(*CHECKS)
        yield house


def set_clock(house: House, hours: int) -> None:
    """Set the clock of all processes by so much against the real one."""
    fresh = house.folder / "clock.new"
    fresh.write_text(f"{hours * 3600}\n")
    fresh.rename(house.folder / "clock")


@pytest.mark.parametrize("hours", [2, -2])
def test_a_repair_goes_on_over_a_step_of_the_clock(house: House, hours: int) -> None:
    (house.folder / "gated").unlink()
    until((house.folder / "gated-effects").exists, within=FOUND, what="the step")
    set_clock(house, hours)
    stepped = "the wall clock stepped"
    until(lambda: stepped in house.core.log.read_text(), within=FOUND, what="its notice")
    (house.folder / "go").touch()
    assert house.incident("here/gated", "RESOLVED").cause == "verified"
    assert (house.folder / "gated-effects").read_text() == "made\n"
    (house.folder / "marker").unlink()
    assert house.incident("here/marker", "RESOLVED").cause == "verified", "it checks no more"
    assert {one.key for one in house.incidents()} == {"here/gated", "here/marker"}
