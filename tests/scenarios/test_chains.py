"""A chain over a real executor: a job that others start, one that fails once, and what follows."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

from tests.scenarios.house import House
from tests.world.until import until

SCENARIO = """
hosts:
  here: {address: 127.0.0.1, login: {local: {act: true}}}
chains:
  nightly:
    host: here
    starts: "%s"
    done_by: "%s"
    timezone: UTC
    remediate: [rerun-link: {mode: auto, verify: {settle: 1s, oks: 1, within: 20s}}]
    jobs:
      file: {}
      load:
        after: [file]
        run: [sh, "$folder/load.sh", "{business_date}"]
        rerun: {safe_after: [touch, "$folder/taken-back"]}
      mail: {after: [load], run: [touch, "$folder/mail-{business_date}"]}
"""
LOAD = 'echo "$1" >>"$0.runs"; test -e "${0%/*}/taken-back" || exit 3'


def test_a_chain_is_begun_by_a_report_and_goes_on_from_the_link_that_failed() -> None:
    begins = datetime.now(UTC) + timedelta(minutes=8)
    clock = [f"{one:%H:%M}" for one in (begins, begins + timedelta(hours=1))]
    with House(SCENARIO % tuple(clock)) as house:
        script = house.folder / "load.sh"
        script.write_text(LOAD)
        words = [*house.names["monitord"].split(), "job", "run", "nightly/file", "--", "true"]
        assert subprocess.run(words, check=False, timeout=30).returncode == 0
        incident = house.incident("here/nightly", "RESOLVED")
        assert incident.cause == "verified"
        date = begins.date().isoformat()
        until((house.folder / f"mail-{date}").exists, within=20, every=0.1, what="the last link")
        assert (house.folder / "load.sh.runs").read_text() == f"{date}\n" * 2
