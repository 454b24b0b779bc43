"""The Prometheus text: what is in it, and what is not unless asked for."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitord.decisions.ledger import Line
from monitord.metrics import Counters, Rows, Snapshot, Timing, render
from monitord.model.ids import StateKey
from monitord.model.kinds import Health
from monitord.model.result import Status
from monitord.model.state import CheckState

HEALTH = Health(0.001, 2, 1000, 10, ("the disk is full",))
STATES = [
    CheckState(StateKey("web1/site"), Status.CRITICAL, Status.CRITICAL, flapping=True),
    CheckState(StateKey("web1/disk"), Status.WARNING, Status.OK),
    CheckState(StateKey("web1/load")),
]


def samples(
    counters: Counters, rows: Rows | None = None, *, per_check: bool = False
) -> dict[str, float]:
    """Render, and read back as Prometheus would: `name{label=value}` to number."""
    snapshot = Snapshot(counters, STATES, 1, 3, HEALTH, rows, "here", per_check=per_check)
    found = {}
    for family in text_string_to_metric_families(render(snapshot).decode()):
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}"] = one.value
    return found


def test_states_are_counted_by_hard_status_and_mark() -> None:
    found = samples(Counters())
    assert found["monitord_states{status=critical}"] == 1
    assert found["monitord_states{status=ok}"] == 1
    assert found["monitord_states{status=pending}"] == 1
    assert found["monitord_states{status=unknown}"] == 0
    assert found["monitord_states_marked{mark=soft}"] == 1
    assert found["monitord_states_marked{mark=flapping}"] == 1


def test_counters_are_what_the_engine_bumped() -> None:
    counters = Counters(epoch=7, executor_up=True)
    counters.checks_run += 5
    counters.refusals["cooldown"] += 1
    counters.results[Status.WARNING] += 2
    found = samples(counters)
    assert found["monitord_checks_run_total{}"] == 5
    assert found["monitord_refusals_total{guard=cooldown}"] == 1
    assert found["monitord_results_total{status=warning}"] == 2
    assert found["monitord_epoch{}"] == 7
    assert found["monitord_executor_up{}"] == 1


def test_a_delay_falls_into_its_bucket_and_all_above() -> None:
    counters = Counters()
    for seconds in (0.001, 0.015, 99.0):
        counters.start_delay.observe(seconds)
    found = samples(counters)
    name = "monitord_check_start_delay_seconds"
    assert found[f"{name}_bucket{{le=0.001}}"] == 1
    assert found[f"{name}_bucket{{le=0.02}}"] == 2
    assert found[f"{name}_bucket{{le=+Inf}}"] == 3
    assert found[f"{name}_sum{{}}"] == pytest.approx(99.016)


def test_buckets_grow_and_end_with_all() -> None:
    timing = Timing((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 3.0):
        timing.observe(seconds)
    assert timing.cumulated() == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]


def test_a_database_that_does_not_answer_shows_as_down_and_hides_nothing_else() -> None:
    found = samples(Counters())
    assert found["monitord_store_up{}"] == 0
    assert "monitord_outbox_pending{}" not in found
    assert samples(Counters(), Rows(outbox_pending=3))["monitord_outbox_pending{}"] == 3


def test_there_is_a_series_per_check_only_when_asked() -> None:
    assert not [name for name in samples(Counters()) if "web1" in name]
    assert samples(Counters(), per_check=True)["monitord_check_status{key=web1/site}"] == 2


def test_what_runbooks_are_worth_has_the_runbook_as_its_only_label() -> None:
    line = Line("restart-nginx", attempts=4, verified=3, refused={"cooldown": 2, "lock": 1})
    found = samples(Counters(), Rows(runbooks=[line]))
    assert found["monitord_runbook_attempts{runbook=restart-nginx}"] == 4
    assert found["monitord_runbook_refused{runbook=restart-nginx}"] == 3
    assert "monitord_runbook_repair_seconds_p50{runbook=restart-nginx}" not in found
