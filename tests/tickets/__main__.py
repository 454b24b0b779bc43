"""`make tickets`: 200 escalations through a failing proxy to a real Request Tracker.

    python -m tests.tickets [--incidents 200] [--seed N]

Ends with exit code 1 where an incident has no ticket, or two, or a server that came back was not
served within two minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.tickets.real import RequestTracker
from tests.tickets.storm import BACK_WITHIN, storm


def main() -> int:
    """Let the storm pass and print what came of it."""
    options = argparse.ArgumentParser(prog="tests.tickets")
    options.add_argument("--incidents", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--crashes", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, RequestTracker() as rt:
        outcome = storm(
            Path(folder), rt, incidents=given.incidents, seed=given.seed, crashes=given.crashes
        )
    faults = ", ".join(f"{count} {name}" for name, count in outcome.faults.most_common())
    print(f"{outcome.incidents} incidents, {sum(outcome.tickets.values())} tickets")
    print(f"  lost {outcome.lost}, double {outcome.double}")
    print(f"  resolved {outcome.resolved}, in RT {outcome.resolved_there}")
    print(f"  requests: {faults}; killed {outcome.crashes} times; {outcome.tries} tries")
    print(f"  after an hour down: all served {outcome.back:.0f} s after its return")
    print(f"  seed {given.seed}, {outcome.seconds:.0f} s")
    late = outcome.back > BACK_WITHIN or outcome.resolved != outcome.resolved_there
    return int(bool(outcome.lost or outcome.double or late))


if __name__ == "__main__":
    sys.exit(main())
