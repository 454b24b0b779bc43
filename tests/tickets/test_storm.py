"""A small storm of faults before a real Request Tracker; `make tickets` has the great one."""

from __future__ import annotations

from pathlib import Path

from tests.tickets.real import RequestTracker
from tests.tickets.storm import BACK_WITHIN, storm
from tests.world.needs import need


def test_each_incident_has_one_ticket_after_a_storm_of_faults(tmp_path: Path) -> None:
    need("request-tracker")
    with RequestTracker() as rt:
        outcome = storm(tmp_path, rt, incidents=5, seed=5, crashes=1, timeout=3, outage=600)
    assert (outcome.lost, outcome.double) == (0, 0), outcome
    assert outcome.resolved_there == outcome.resolved
    assert outcome.back <= BACK_WITHIN
    assert sum(outcome.faults.values()) > outcome.faults["none"]
