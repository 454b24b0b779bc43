"""Whatever ends or fails in the midst of a repair or an undo: nothing is lost, nothing done twice.

A few of the many trials of `make faults` (see tests/faults/yard.py, which judges each).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.injected import FSYNC, SPAWN, WRITE
from tests.faults.yard import Trouble, Yard, failing, killed, locked
from tests.world.needs import requires

pytestmark = requires("strace")
TROUBLES = {
    "the core is killed": killed("core", 0.3),
    "the executor is killed": killed("executor", 0.4),
    "a write fails": failing(WRITE, 20),
    "a sync fails": failing(FSYNC, 6),
    "no process can be started": failing(SPAWN, 2),
    "the database is locked": locked(2),
}
HAND_OVER = {"the executor is killed", "no process can be started"}
"""After these a person may have it instead: what cannot be looked at is not acted on."""


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with Yard(len(TROUBLES)) as yard:
        yield yard


@pytest.mark.parametrize("name", TROUBLES)
def test_it_ends_as_if_nothing_had_befallen_it(yard: Yard, name: str) -> None:
    trouble: Trouble = TROUBLES[name]
    ended = yard.trial(trouble)
    assert ended.as_if_calm or name in HAND_OVER, ended
