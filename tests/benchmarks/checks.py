"""The hot path: the real core (schedule → probe → state → store) against real sockets.

Prints, per offered rate: what was done, CPU per check, start delay p50 and p99, memory. The targets
run in a process of their own; the figures are of the core's process alone. The ratio to a bare loop
that only connects and reads in the same run says what the core adds to the wire.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import uvloop

from monitord.clock import SystemClock
from monitord.daemon.kinds import KINDS
from monitord.daemon.memory import settle
from monitord.engine.core import Core
from monitord.errors import ExecutorLostError
from monitord.history import HISTORY, Writer
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check, Host, Settings
from monitord.model.ids import CheckKey
from monitord.model.state import StatePolicy
from monitord.store import open_store
from monitord.store.store import OpenDoor

CHECKS = 10_000
RATES = (500, 2_500, 10_000)
_WARM_UP = 3.0  # seconds that are not counted


class ExactTiming:
    """Keeps every delay, where the product's histogram keeps buckets."""

    def __init__(self) -> None:
        self.seen = array("d")
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.seen.append(seconds)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seen)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class NoExecutor:
    """There are only network checks here: nobody asks."""

    connected = True

    def __getattr__(self, name: str) -> Any:
        raise ExecutorLostError(f"no executor in the benchmark: {name}")


def catalog(count: int, every: float, web: int, tcp: int, state: Path) -> Catalog:
    """Give `count` checks, half HTTP and half TCP, on as many loopback addresses as hosts."""
    hosts: dict[str, Host] = {}
    checks: dict[CheckKey, Check] = {}
    for number in range(count):
        host = number // 2
        name = f"h{host}"
        address = f"127.{1 + host // 62500}.{host // 250 % 250}.{1 + host % 250}"
        hosts[name] = Host(name, address)
        kind, mapping = (
            ("http", {"url": f"http://{address}:{web}/{number}"})
            if number % 2 == 0
            else ("tcp", {"port": tcp})
        )
        key = CheckKey(f"{name}/{kind}")
        checks[key] = Check(
            key,
            name,
            kind,
            kind,
            KINDS.probes[kind].spec.model_validate(mapping),
            every=timedelta(seconds=every),
            retry_every=timedelta(seconds=every),
            timeout=timedelta(seconds=5),
            policy=StatePolicy(attempts=3),
        )
    settings = Settings(
        "bench", "cautious", observe=False, state=str(state), store="", web="", concurrency=500
    )
    empty: MappingProxyType[str, Any] = MappingProxyType({})
    return Catalog("bench", settings, hosts, checks, empty)


@contextlib.contextmanager
def targets(every: float) -> Iterator[tuple[int, int]]:
    """Start the targets' process; gives the ports of web and tcp."""
    argv = [sys.executable, "-m", "tests.benchmarks.targets", str(every)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        web, tcp = process.stdout.readline().split()
        yield int(web), int(tcp)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def measure(
    count: int, rate: int, seconds: float, ports: tuple[int, int], *, history: bool = True
) -> dict[str, Any]:
    """Run the core for so long and give its figures."""
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as folder:
        state = Path(folder)
        every = count / rate
        counters = Counters()
        store = open_store(str(state / "state.db"))
        writer = Writer(state / HISTORY, now=SystemClock().now) if history else None
        core = Core(
            catalog(count, every, *ports, state),
            KINDS,
            store,
            NoExecutor(),
            SystemClock(),
            state=state,
            door=OpenDoor(),
            counters=counters,
            history=writer,
        )
        settle()
        await core.start(calendar=False)
        await asyncio.sleep(_WARM_UP + min(every, 15.0))
        settle()  # as the daemon does once all states are there
        timing = ExactTiming()
        counters.start_delay = timing  # type: ignore[assignment]  # the same call, exact
        thread = time.thread_time()
        before, begun, cpu = counters.checks_run, time.perf_counter(), time.process_time()
        transitions, refused = counters.transitions, counters.overlaps_refused
        await asyncio.sleep(seconds)
        took, used = time.perf_counter() - begun, time.process_time() - cpu
        done = counters.checks_run - before
        figures = {
            "offered": rate,
            "rate": done / took,
            "cpu_ms": used / done * 1000 if done else 0.0,
            "loop_ms": (time.thread_time() - thread) / done * 1000,
            "cores": used / took,
            "p50_ms": timing.quantile(0.5) * 1000,
            "p99_ms": timing.quantile(0.99) * 1000,
            "rss_mb": psutil.Process().memory_info().rss / 1e6,
            "transitions": counters.transitions - transitions,
            "refused": counters.overlaps_refused - refused,
            "critical": counters.results[2],
            "unknown": counters.results[3],
        }
        await core.stop()
        if writer is not None:
            writer.close()
        await store.close()
        return figures


def _child(
    count: int,
    rate: int,
    seconds: float,
    ports: tuple[int, int],
    out: Any,
    profile: str,
    history: bool,
) -> None:
    sys.setswitchinterval(0.0005)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    del soft
    if profile:
        import cProfile

        profiler = cProfile.Profile()
        profiler.enable()
        figures = uvloop.run(measure(count, rate, seconds, ports, history=history))
        profiler.disable()
        profiler.dump_stats(profile)
    else:
        figures = uvloop.run(measure(count, rate, seconds, ports, history=history))
    out.send(figures)


def one(
    count: int, rate: int, seconds: float, profile: str = "", *, history: bool = True
) -> dict[str, Any]:
    """Measure one rate in a fresh process."""
    with targets(every=count / rate) as ports:
        receiver, sender = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("spawn")
        arguments = (count, rate, seconds, ports, sender, profile, history)
        process = context.Process(target=_child, args=arguments)
        process.start()
        sender.close()
        try:
            figures: dict[str, Any] = receiver.recv()
        except EOFError:
            raise SystemExit(f"the core ended at {rate}/s without figures") from None
        process.join()
        return figures


def main() -> int:
    """Measure all rates and print one row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=CHECKS)
    parser.add_argument("--rates", type=int, nargs="*", default=list(RATES))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--profile", default="", help="write a cProfile of the last rate here")
    parser.add_argument("--no-history", action="store_true", help="keep no results for charts")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    print(f"{given.checks} checks, half HTTP, half TCP; {given.seconds:.0f} s a rate", flush=True)
    head = ("offered/s", "done/s", "CPU ms/check", "cores", "p50 ms", "p99 ms", "RSS MB", "changes")
    print(" ".join(f"{name:>12}" for name in head), flush=True)
    rows = []
    for rate in given.rates:
        figures = one(
            given.checks, rate, given.seconds, given.profile, history=not given.no_history
        )
        rows.append(figures)
        shown = (
            f"{figures['offered']}",
            f"{figures['rate']:.0f}",
            f"{figures['cpu_ms']:.3f}",
            f"{figures['cores']:.2f}",
            f"{figures['p50_ms']:.1f}",
            f"{figures['p99_ms']:.1f}",
            f"{figures['rss_mb']:.0f}",
            f"{figures['transitions']}",
        )
        print(" ".join(f"{text:>12}" for text in shown), flush=True)
    if given.json:
        print(json.dumps(rows))
    return 0
