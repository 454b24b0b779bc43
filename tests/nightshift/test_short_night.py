"""A short night: a fault to repair, one to leave to a person, and an everyday event, on real hosts.

`make nightshift` plays all of them, each on a day of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nightshift.fault import Stage
from tests.nightshift.machines import machines
from tests.nightshift.night import FAULTS, play
from tests.nightshift.ours import Monitord
from tests.nightshift.scenarios import load
from tests.world.needs import need, requires

pytestmark = requires(
    "hosts", "nginx", "postgresql", "supervisor", "redis", "snmpd", "snmpget", "borg", "plugins"
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    need("hosts")
    with machines() as ground:
        tool = Monitord(ground, every="3s", settle="1s", within="8s", recoveries="1")
        try:
            yield Stage(ground, tool, patience=0.1)
        finally:
            tool.end()


@pytest.mark.parametrize("name", ["F06", "F02", "N05"])
def test_what_the_night_brings_ends_as_it_should(stage: Stage, name: str) -> None:
    row = play(stage, load()[name])
    assert (row.wrong, row.short) == ((), ()), row.story


def test_every_scenario_is_played_by_the_whole_night() -> None:
    assert set(load()) == set(FAULTS)
