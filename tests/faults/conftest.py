"""A house that watches this very machine, and may repair it: most faults of ours need no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import pytest_runtest_makereport, took
from tests.scenarios.house import House

__all__ = ["CHECKS", "FILES", "a_house", "house", "pytest_runtest_makereport", "took"]

SCENARIO = """
checks:
  monitord-health: {every: 1s, retry_every: 1s, attempts: 1}
hosts:
  here:
    address: 127.0.0.1
    login: {local: {act: true}}
    checks:
      marker: {file: {path: $folder/marker}, every: 1s, remediate: [make-marker]}
      notice: {file: {path: $folder/notice}, every: 1s}
      gated: {file: {path: $folder/gated}, every: 1s, remediate: [make-gated]}
      export: {job: {every: 24h}}
      monitord-health:
runbooks:
  make-gated:                     # its step goes on when there is a file `go`
    steps:
      - command: [sh, -c, "echo made >>$folder/gated-effects; $until_go; touch $folder/gated"]
    verify: {settle: 1s, oks: 2, within: 20s}
    limits: {per_incident: 5, cooldown: 0s}
  make-marker:
    steps:
      - command: [sh, -c, "echo made >>$folder/effects; touch $folder/marker"]
    verify: {settle: 1s, oks: 2, within: 20s}
    limits: {per_incident: 5, cooldown: 0s}
"""


FILES = ("marker", "notice", "gated")
CHECKS = ("here/marker", "here/notice", "here/gated", "here/monitord-health")


def a_house(store: str = "") -> House:
    """Make a house that does not run yet; its FILES are in its folder."""
    until_go = "until test -e $folder/go; do sleep 0.05; done"
    house = House(SCENARIO.replace("$until_go", until_go), store=store)
    for name in FILES:
        (house.folder / name).touch()
    return house


@pytest.fixture
def house() -> Iterator[House]:
    """Give a running house where all is well."""
    with a_house() as house:
        house.await_ok(*CHECKS)
        yield house
