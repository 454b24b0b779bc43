"""Units: each named one an item, each failed one an item, and what every word of systemd means."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from monitord.model.facts import Facts, Section, UnitFact
from monitord.model.result import Cause, Result, Status
from monitord.probes.host.systemd import SystemdSpec, sections
from tests.probes_facts.judging import judged, unit

OFF: dict[str, Any] = {"active": "inactive", "sub": "dead", "main_pid": 0}


def nginx(fact: UnitFact, memory: dict[str, Any] | None = None, **given: Any) -> Result:
    facts = Facts("h", units={"nginx": fact})
    remembered = {"nginx": memory} if memory else {}
    return judged("systemd", facts, {"units": ["nginx"], **given}, remembered)["nginx"]


@pytest.mark.parametrize(
    ("fact", "given", "status", "summary"),
    [
        (unit(), {}, 0, "nginx: active (running)"),
        (unit(active="reloading", sub="reload"), {}, 0, "nginx: reloading (reload)"),
        (unit(**OFF), {}, 2, "nginx: is inactive (dead; must be active)"),
        (
            unit(active="failed", sub="failed", result="exit-code"),
            {},
            2,
            "nginx: has failed (result: exit-code)",
        ),
        (unit(active="activating", sub="start-pre"), {}, 1, "nginx: is activating (start-pre)"),
        (
            unit(active="activating", sub="auto-restart", restarts=7),
            {},
            2,
            "nginx: dies at once each time it starts (7 restarts)",
        ),
        (unit(load="masked", **OFF), {}, 2, "nginx: is masked, so that nothing can start it"),
        (unit(load="not-found", **OFF), {}, 2, "nginx: there is no such unit on the host"),
        (unit(load="not-found", **OFF), {"state": "inactive"}, 0, "nginx: inactive (dead)"),
        (unit(**OFF), {"state": "inactive"}, 0, "nginx: inactive (dead)"),
        (unit(), {"state": "inactive"}, 2, "nginx: is active (must be inactive)"),
        (unit(**OFF), {"state": "not-failed"}, 0, "nginx: inactive (dead)"),
        (
            unit(active="failed", result="timeout"),
            {"state": "not-failed"},
            2,
            "nginx: has failed (result: timeout)",
        ),
        (
            unit(enabled="disabled"),
            {"enabled": True},
            1,
            "nginx: is disabled, so it would not start at boot",
        ),
        (unit(enabled="static"), {"enabled": True}, 0, "nginx: active (running)"),
        (
            unit(),
            {"enabled": False},
            1,
            "nginx: is enabled, so it would start at boot",
        ),
    ],
)
def test_one_unit(fact: UnitFact, given: dict[str, Any], status: int, summary: str) -> None:
    result = nginx(fact, **given)
    assert (result.status, result.summary) == (status, summary)


def test_restarts_are_counted_from_the_last_look() -> None:
    first = nginx(unit(restarts=5), max_restarts=1)
    assert first.status is Status.OK, "the first sample has nothing to be compared with"
    assert first.memory == {"restarts": 5}
    assert nginx(unit(restarts=6), {"restarts": 5}, max_restarts=1).status is Status.OK
    often = nginx(unit(restarts=8), {"restarts": 5}, max_restarts=1)
    assert often.status is Status.WARNING
    assert often.summary == "nginx: 3 automatic restarts since the last look (limit 1)"
    assert nginx(unit(restarts=0), {"restarts": 5}, max_restarts=0).status is Status.OK
    assert nginx(unit(restarts=8), {"restarts": 5}).status is Status.OK


def test_each_named_unit_is_an_item() -> None:
    facts = Facts("h", units={"nginx": unit(), "cron": unit("cron", **OFF)})
    results = judged("systemd", facts, {"units": ["nginx", "cron", "gone"]})
    assert [(item, result.status.name) for item, result in results.items()] == [
        ("nginx", "OK"),
        ("cron", "CRITICAL"),
        ("gone", "UNKNOWN"),
    ]


def test_only_what_is_needed_is_asked() -> None:
    both = SystemdSpec(units=("nginx", "cron"), failed=True)
    assert sections(both) == (Section("unit", ("nginx", "cron")), Section("failed-units"))
    assert sections(SystemdSpec(failed=True)) == (Section("failed-units"),)


def failed(*units: str, memory: dict[str, Any] | None = None, **given: Any) -> dict[str, Result]:
    return judged("systemd", Facts("h", failed_units=units), {"failed": True, **given}, memory)


def test_no_failed_units_is_one_ok() -> None:
    results = failed()
    assert list(results) == [""]
    assert (results[""].status, results[""].summary) == (Status.OK, "no failed units")


def test_each_failed_unit_is_an_item_and_heals_as_one() -> None:
    results = failed("a.service", "b.mount")
    assert [(item, result.status.name) for item, result in results.items()] == [
        ("", "OK"),
        ("a.service", "CRITICAL"),
        ("b.mount", "CRITICAL"),
    ]
    assert results["a.service"].summary == "a.service: has failed"
    memory = {item: dict(result.memory) for item, result in results.items()}
    healed = failed("b.mount", memory=memory)
    assert healed["a.service"].status is Status.OK
    assert healed["a.service"].summary == "a.service: no longer failed"
    assert healed["b.mount"].status is Status.CRITICAL
    later = {item: dict(result.memory) for item, result in healed.items()}
    assert failed("b.mount", memory=later)["a.service"].status is Status.OK
    assert failed("a.service", memory=later)["a.service"].status is Status.CRITICAL


def test_a_failed_unit_that_does_not_matter_is_left_out() -> None:
    results = failed("a.service", "b.mount", ignore=["a", "b.mount"])
    assert list(results) == [""]


def test_a_host_without_systemd_is_unknown() -> None:
    facts = Facts("h", errors={"unit": "systemctl cannot be run: No such file or directory"})
    (result,) = judged("systemd", facts, {"units": ["nginx"]}).values()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert "systemctl cannot be run" in result.summary


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "says no unit: give units: [nginx] or failed: true"),
        ({"units": ["--force"]}, "'--force' is not a unit name"),
        ({"units": ["a b"]}, "'a b' is not a unit name"),
        ({"units": ["ng*"]}, "'ng*' is not a unit name"),
        ({"units": ["x"], "state": "up"}, "'active', 'inactive' or 'not-failed'"),
    ],
)
def test_what_a_user_cannot_mean_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SystemdSpec.model_validate(given)
    assert sentence in str(caught.value)
