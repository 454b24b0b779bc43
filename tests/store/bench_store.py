"""By hand: what state rows cost, and how long an intent waits for its commit beside them.

    python -m tests.store.bench_store [seconds] [rows per second] [folder]

Prints ratios against a bare sqlite3 loop in the same run: the machine's own speed cancels out.
"""

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import uvloop

from monitord.store import OpenStore, open_store
from tests.store import rows

_BATCH = 200


def bare(path: Path, count: int) -> float:
    """Give CPU seconds per row of sqlite3's own executemany, a batch per commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = full")
    connection.execute("CREATE TABLE s (key TEXT PRIMARY KEY, status INTEGER, summary TEXT)")
    sql = (
        "INSERT INTO s VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET summary = excluded.summary"
    )
    before = time.process_time()
    for start in range(0, count, _BATCH):
        connection.execute("BEGIN IMMEDIATE")
        some = [(f"h{n % 2000}/site", 0, f"{n} ms") for n in range(start, start + _BATCH)]
        connection.executemany(sql, some)
        connection.execute("COMMIT")
    spent = time.process_time() - before
    connection.close()
    return spent / count


async def bare_commits(path: Path, seconds: float) -> list[float]:
    """Commit one row every 5 ms with sqlite3 itself; gives the seconds that each took."""
    connection = sqlite3.connect(path, isolation_level=None)
    took: list[float] = []
    connection.execute("PRAGMA synchronous = full")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO s VALUES (?, 1, 'x')", (f"i{len(took)}",))
        connection.execute("COMMIT")
        took.append(time.perf_counter() - before)
        await asyncio.sleep(0.005)
    connection.close()
    return took


async def feed(store: OpenStore, seconds: float, rate: int) -> int:
    """Queue batches of state rows at `rate` per second; gives how many rows were committed."""
    states = [rows.state(f"h{n}/site") for n in range(2000)]
    loop, count, waits = asyncio.get_running_loop(), 0, []
    start = loop.time()
    while loop.time() - start < seconds:
        first = count % len(states)
        some = [replace(state, summary=f"{count} ms") for state in states[first : first + _BATCH]]
        waits.append(store.write(lambda tx, some=some: tx.put_states(some), urgent=False))  # type: ignore[misc] # binds the loop's value
        count += len(some)
        await asyncio.sleep(max(0.0, start + count / rate - loop.time()))
    await asyncio.gather(*waits)
    return count


async def intents(store: OpenStore, seconds: float) -> list[float]:
    """Commit an intent every 5 ms; gives the seconds that each took."""
    loop, took = asyncio.get_running_loop(), []
    end = loop.time() + seconds
    while loop.time() < end:
        before = time.perf_counter()
        await store.write(lambda tx: tx.add_step(rows.step(1)))
        took.append(time.perf_counter() - before)
        await asyncio.sleep(0.005)
    return took


def line(name: str, took: list[float]) -> str:
    """Give p50 and p99 in ms."""
    cuts = statistics.quantiles(took, n=100)
    return f"{name}: p50 {cuts[49] * 1000:.2f} ms, p99 {cuts[98] * 1000:.2f} ms ({len(took)})"


async def measure(folder: Path, seconds: float, rate: int) -> None:
    """Run the three measurements and print them."""
    floor = bare(folder / "bare.db", 20_000)
    commits = await bare_commits(folder / "bare.db", seconds)
    store = open_store(folder / "state.db")
    alone = await intents(store, seconds)
    before = time.process_time()
    count = await feed(store, seconds, rate)
    cost = (time.process_time() - before) / count
    _, beside = await asyncio.gather(feed(store, seconds, rate), intents(store, seconds))
    await store.close()
    share = cost * count / seconds * 100
    report = [
        f"bare sqlite3: {floor * 1e6:.1f} µs CPU a row (3 columns)",
        f"put_states at {count / seconds:.0f} rows/s: {cost * 1e6:.1f} µs CPU a row (19 columns),",
        f"  {cost / floor:.1f} × bare, {share:.1f} % of a core",
        line("bare sqlite3, a row per commit", commits),
        line("intent alone", alone),
        line(f"intent beside {rate} rows/s", beside),
    ]
    print("\n".join(report))  # noqa: T201 - a bench is for the person who runs it


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    arguments = [float(text) for text in sys.argv[1:3]]
    duration = arguments[0] if arguments else 4.0
    per_second = int(arguments[1]) if len(arguments) > 1 else 5000
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as made:
        uvloop.run(measure(Path(made), duration, per_second))
