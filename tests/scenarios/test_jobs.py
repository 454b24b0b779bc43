"""Nightly jobs that fail, are missed or hang, on this machine and on a host that pings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.model.incident import AttemptStatus
from tests.scenarios.conftest import Took
from tests.scenarios.house import House, now
from tests.world.host import Host
from tests.world.hosts import World
from tests.world.needs import requires
from tests.world.services import nightly_job, run_job

SCENARIO = """
runbooks:
  rerun:
    steps: [{job: {words: "{command}"}, timeout: 30s}]
    verify: {settle: 1s, oks: 1, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
  make-marker:
    steps: [{command: [touch, "$folder/marker"]}]
    verify: {settle: 1s, oks: 2, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
hosts:
  here:
    address: 127.0.0.1
    login: {local: {act: true}}
    checks:
      shaky:
        job: {every: 24h}
        remediate: [rerun: {with: {command: "$monitord job run shaky -- sh $folder/shaky.sh"}}]
      doomed:
        job: {every: 24h}
        remediate: [rerun: {with: {command: "$monitord job run doomed -- sh $folder/doomed.sh"}}]
      missed: {job: {every: 1s, grace: 2s}, means: Nothing was exported.}
      marker: {file: {path: "$folder/marker"}, remediate: [make-marker]}
"""
REMOTE = """
runbooks:
  rerun:
    steps: [{job: {run: [/usr/local/bin/report], sudo: true}, timeout: 30s}]
    verify: {settle: 1s, oks: 1, within: 10s}
    limits: {per_incident: 1, cooldown: 0s}
hosts:
  batch:
    address: $batch
    groups: [fleet]
    checks:
      report: {job: {every: 24h}, remediate: [rerun]}
      endless: {job: {every: 24h, takes: 1s}}
"""
SHAKY = 'echo run >>"$0.runs"; test "$(wc -l <"$0.runs")" -ge 2 || { echo no space left; exit 3; }'


@pytest.fixture(scope="module")
def here() -> Iterator[House]:
    """Give a house that watches this machine, without SSH."""
    house = House(SCENARIO)
    (house.folder / "shaky.sh").write_text(SHAKY)
    (house.folder / "doomed.sh").write_text("echo no such table: orders; exit 7")
    (house.folder / "marker").touch()
    with house:
        # It fails by the clock alone: in the midst of a repair it would look like its harm.
        house.incident("here/missed", "ESCALATED")
        yield house


@pytest.fixture(scope="module")
def batch(module_world: World) -> Host:
    return module_world.host("batch")


@pytest.fixture(scope="module")
def there(module_world: World, batch: Host) -> Iterator[House]:
    """Give a house with a web process that takes the pings of a host."""
    with House(REMOTE, world=module_world, hosts=[batch], web=True) as house:
        yield house


def run_wrapped(house: House, name: str) -> int:
    """Run the job under the wrapper, as cron would; give its exit code."""
    words = [*house.names["monitord"].split(), "job", "run", name]
    script = str(house.folder / f"{name}.sh")
    return subprocess.run([*words, "--", "sh", script], check=False, timeout=30).returncode


def ping_script(house: House, name: str, body: str) -> str:
    """Give the text of a job that tells its start and its exit code by curl."""
    url = house.cli("job", "url", name)["url"]
    return f"curl -fsS {url}/start\ncode=0\n({body}) || code=$?\ncurl -fsS {url}/$code\n"


def test_a_failed_job_is_run_again_and_proven(here: House, took: Took) -> None:
    here.await_ok("here/shaky")
    assert run_wrapped(here, "shaky") == 3, "the wrapper changed the exit code"
    broken = now()
    incident = here.incident("here/shaky", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert Path(here.folder / "shaky.sh.runs").read_text() == "run\nrun\n"


def test_a_job_that_fails_again_is_a_ticket_with_what_it_said(here: House, took: Took) -> None:
    assert run_wrapped(here, "doomed") == 7
    broken = now()
    incident = here.incident("here/doomed", "ESCALATED")
    took(incident, broken)
    (attempt,) = here.tried(incident)
    assert attempt.status is AttemptStatus.FAILED
    ticket = here.ticket(incident)
    assert "exit code 7" in ticket["summary"]
    assert "no such table: orders" in ticket["tried"][0]["steps"][0]["output"]


def test_a_job_that_does_not_come_is_a_ticket(here: House) -> None:
    incident = here.incident("here/missed", "ESCALATED")
    assert "has not run at all" in incident.summary
    assert here.ticket(incident)["means"] == "Nothing was exported."


def test_a_command_repairs_this_very_machine(here: House, took: Took) -> None:
    here.await_ok("here/marker")
    (here.folder / "marker").unlink()
    broken = now()
    incident = here.incident("here/marker", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert (here.folder / "marker").exists()


@requires("hosts")
def test_a_job_of_a_host_that_pings_its_failure_is_run_again_there(
    there: House, batch: Host, took: Took
) -> None:
    fails_once = "echo run >>/srv/runs; test $(wc -l </srv/runs) -ge 2"
    nightly_job(batch, "report", ping_script(there, "report", fails_once))
    run_job(batch, "report")
    broken = now()
    incident = there.incident("batch/report", "RESOLVED")
    took(incident, broken)
    assert incident.cause == "verified"
    assert batch.read("/srv/runs") == "run\nrun\n"


@requires("hosts")
def test_a_job_that_hangs_is_a_ticket(there: House, batch: Host, took: Took) -> None:
    nightly_job(batch, "endless", ping_script(there, "endless", "exec sleep 1000"))
    batch.run(["systemd-run", "--quiet", "--unit=endless", "/usr/local/bin/endless"])
    broken = now()
    incident = there.incident("batch/endless", "ESCALATED")
    took(incident, broken)
    assert "still runs" in incident.summary
    assert batch.is_active("endless"), "it was ended, and nobody had asked for that"


@requires("hosts")
def test_the_journals_of_all_this_hold_every_invariant(here: House, there: House) -> None:
    assert here.violations() == []
    assert there.violations() == []
