"""What settling a storm of transitions costs: alone, in one group, at one site, behind switches.

`python -m tests.benchmarks.settling` prints, for each shape and size, the CPU milliseconds of one
transition, and the ratio of the largest storm's to the smallest's: 1 is linear.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from monitord.clock import SystemClock
from monitord.config import assemble, read
from monitord.daemon.kinds import KINDS
from monitord.engine import incidents
from monitord.engine.core import Core
from monitord.engine.turn import AfterCommit
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from monitord.model.state import Change, CheckState, Transition
from monitord.store import open_store
from monitord.store.store import OpenDoor

SIZES = (500, 5_000)
_CHILDREN = 50  # behind each switch
_HOST: dict[str, Any] = {"address": "127.0.0.1", "login": "none"}
_TCP = {"tcp": {"port": 80}}


def house(shape: str, size: int) -> dict[str, Any]:
    """Give a configuration of so many hosts with a check each."""
    place = {"group": {"groups": ["web"]}, "site": {"site": "ulm"}}.get(shape, {})
    found: dict[str, Any] = {"checks": {"x": _TCP}, "hosts": {}}
    if shape == "group":
        found["groups"] = {"web": {}}
    for number in range(size):
        behind = {"behind": f"sw{number // _CHILDREN}"} if shape == "switches" else {}
        found["hosts"][f"h{number}"] = {**_HOST, **place, **behind, "checks": {"x": None}}
        if behind:
            found["hosts"].setdefault(behind["behind"], {**_HOST, "checks": {"reach": _TCP}})
    return found


def catalog(shape: str, size: int, folder: Path) -> Catalog:
    """Give it as the daemon would read it."""
    main = folder / "monitord.yaml"
    main.write_text(yaml.safe_dump(house(shape, size)), encoding="utf-8")
    return assemble(read(main, system=folder), KINDS)


def settle(shape: str, size: int) -> float:
    """Let all that is watched fail, the switches last; gives the CPU seconds that settling took."""
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as name:
        folder = Path(name)
        store = open_store(str(folder / "state.db"))
        made = catalog(shape, size, folder)
        core = Core(
            made,
            KINDS,
            store,
            object(),  # type: ignore[arg-type]  # no host is asked: none has a login
            SystemClock(),
            state=folder,
            door=OpenDoor(),
            counters=Counters(),
        )
        now = core.instance.now()
        keys = sorted(made.checks, key=lambda key: key.endswith("/reach"))
        core.instance.beliefs.use(made, now)
        core.instance.beliefs.restore(_failing(StateKey(key), now) for key in keys)
        moves = [_failed(StateKey(key), now) for key in keys]
        store.write_now(lambda tx: tx.add_transitions(moves))
        began = time.process_time()
        while store.read_now(lambda view: bool(view.pending_transitions(1))):
            store.write_now(
                lambda tx: incidents.settle_transitions(tx, core.instance, now, AfterCommit())
            )
        return time.process_time() - began


def _failing(key: StateKey, at: Instant) -> CheckState:
    bad = Status.CRITICAL
    return CheckState(key, status=bad, hard=bad, first_failed=at, since=at, last_seen=at)


def _failed(key: StateKey, at: Instant) -> Transition:
    return Transition(key, Change.HARD, Status.OK, Status.CRITICAL, at, at, "no answer")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    for shape in ("alone", "group", "site", "switches"):
        each = [settle(shape, size) / size * 1000 for size in sizes]
        told = "  ".join(f"{size}: {ms:.2f} ms" for size, ms in zip(sizes, each, strict=True))
        print(f"{shape:9} {told}  ratio {each[-1] / each[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
