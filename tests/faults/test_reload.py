"""Reloads: a broken file changes nothing and is an incident; a good one is applied by name."""

from __future__ import annotations

import os
import pwd
import signal

import pytest

from monitord.model.incident import AttemptStatus
from tests.faults.conftest import SCENARIO
from tests.scenarios.house import FOUND, PREFACE, House
from tests.world.until import until

UNTIL_GO = "until test -e $folder/go; do sleep 0.05; done"
GOOD = SCENARIO.replace("$until_go", UNTIL_GO)
BROKEN = GOOD.replace("notice: {file:", "notice: {fiel:")
TORN = GOOD.replace("every: 1s}\n      gated", "every: 1s\n      gated")
WITHOUT_NOTICE = GOOD.replace("      notice: {file: {path: $folder/notice}, every: 1s}\n", "")


def me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [(BROKEN, "scenario.yaml:10:16", "fiel"), (TORN, "scenario.yaml:10:", "is not closed")],
    ids=["a wrong key", "no YAML"],
)
def test_a_broken_file_changes_nothing_and_is_an_incident(
    house: House, text: str, place: str, said: str
) -> None:
    before = house.get("/v1/status")["catalog"]
    house.write("scenario.yaml", text)
    refusal = house.cli("reload", check=False)
    assert place in refusal
    assert said in refusal
    status = house.cli("status", check=False)  # its exit code tells that something is bad
    assert status["catalog"] == before, "a person must still get at the daemon"
    incident = house.incident("here/monitord-health")
    assert place in incident.summary
    house.await_ok("here/marker", "here/notice")
    (house.folder / "marker").unlink()
    assert house.incident("here/marker", "RESOLVED").cause == "verified", "it no longer repairs"
    house.write("scenario.yaml", GOOD)
    house.cli("reload")
    assert house.incident("here/monitord-health", "RESOLVED").cause == "recovered"
    assert house.violations() == []


def test_a_signal_reloads_too_and_tells_a_broken_file(house: House) -> None:
    house.write("scenario.yaml", BROKEN)
    os.kill(house.core.pid, signal.SIGHUP)
    house.incident("here/monitord-health")
    house.write("scenario.yaml", GOOD.replace("$folder/notice", "$folder/other"))
    os.kill(house.core.pid, signal.SIGHUP)
    house.incident("here/monitord-health", "RESOLVED")
    incident = house.incident("here/notice")
    assert "other" in incident.summary, "the new path is not looked at"


def test_a_check_that_is_removed_closes_its_incident_in_the_name_of_who_reloaded(
    house: House,
) -> None:
    (house.folder / "notice").unlink()
    incident = house.incident("here/notice", "ESCALATED")
    house.write("scenario.yaml", WITHOUT_NOTICE)
    lines = house.cli("plan")
    assert "here/notice" in str(lines)
    house.cli("reload")
    closed = house.incident("here/notice", "CLOSED")
    assert closed.id == incident.id
    assert (closed.closed_by, closed.close_reason) == (me(), "here/notice was removed")
    assert house.ticket(closed)["status"] == "CLOSED"
    (link,) = [row for row in house.get("/v1/audit")["rows"] if row["act"] == "reload"]
    assert link["actor"] == me()
    assert house.violations() == []


def test_a_repair_under_way_keeps_the_plan_it_began_with(house: House) -> None:
    (house.folder / "gated").unlink()
    effects = house.folder / "gated-effects"
    until(effects.exists, within=FOUND, what="the first step")
    house.write("scenario.yaml", GOOD.replace("touch $folder/gated", "touch $folder/elsewhere"))
    house.cli("reload")
    (house.folder / "go").touch()
    incident = house.incident("here/gated", "RESOLVED")
    (attempt,) = house.tried(incident)
    assert attempt.status is AttemptStatus.FIXED
    assert not (house.folder / "elsewhere").exists()
    assert effects.read_text() == "made\n"
    assert house.violations() == []


def test_defaults_that_suit_no_shipped_check_are_no_mistake(house: House) -> None:
    """`web-site` warns after seconds that a check of every 500 ms never waits; nobody uses it."""
    house.write("monitord.yaml", PREFACE.replace("every: 2s, retry_every: 1s", "every: 500ms"))
    house.cli("reload")
