"""A job that says `run:` needs nothing else to be run again and believed."""

from __future__ import annotations

import subprocess

from tests.scenarios.house import House

SCENARIO = """
hosts:
  here:
    address: 127.0.0.1
    login: {local: {act: true}}
    checks:
      nightly:
        job: {every: 24h, run: [sh, "$folder/nightly.sh", "two words"]}
        remediate: [rerun-job: {mode: auto, verify: {settle: 1s, oks: 1, within: 10s}}]
"""
NIGHTLY = 'echo "$1" >>"$0.runs"; test "$(wc -l <"$0.runs")" -ge 2'


def test_the_jobs_own_command_is_run_again_and_its_end_is_the_report() -> None:
    with House(SCENARIO) as house:
        script = house.folder / "nightly.sh"
        script.write_text(NIGHTLY)
        words = [*house.names["monitord"].split(), "job", "run", "nightly", "--"]
        failed = subprocess.run([*words, "sh", str(script), "two words"], check=False, timeout=30)
        assert failed.returncode == 1
        incident = house.incident("here/nightly", "RESOLVED")
        assert incident.cause == "verified"
        assert (house.folder / "nightly.sh.runs").read_text() == "two words\n" * 2
