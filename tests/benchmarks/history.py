"""`make history-bench`: what a history costs on the disk, to write and to read, at 10,000 checks.

A day of realistic values at 30 s for the bytes; an hour of 10,000 checks through the real writer
and its housekeeping; a month of 10,000 checks for charts, whose days but the last are copies.
"""

from __future__ import annotations

import asyncio
import math
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

import uvloop

from monitord.history import Reader, Writer
from monitord.history.frames import frames, number_of, payload_at
from monitord.history.keeping import Keeper
from monitord.history.merging import Making
from monitord.history.pieces import Piece, listed, living
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement, Status

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
TODAY = 20_000
BEGIN = TODAY * DAY
CHECKS, EVERY, DAYS = 10_000, 30, 30
Values = Iterator[float]


def latency(rng: random.Random) -> Values:
    """Log-normal noise over a daily wave, as perf_counter gives it."""
    for n in range(10**9):
        wave = 1 + 0.3 * math.sin(n * EVERY / 86_400 * math.tau)
        yield rng.lognormvariate(math.log(0.012), 0.25) * wave


def load(rng: random.Random) -> Values:
    """A load that wanders, two decimals."""
    level = 1.0
    while True:
        level += 0.1 * (1.0 - level) + rng.gauss(0, 0.12)
        yield round(abs(level), 2)


def memory(rng: random.Random) -> Values:
    """Bytes available, in pages: a walk of some megabytes a step."""
    level = 8e9
    while True:
        level = min(max(level + rng.gauss(0, 4e6), 1e9), 1.6e10)
        yield float(int(level) // 4096 * 4096)


def disk(rng: random.Random) -> Values:
    """Percent used of a disk that fills slowly and is cleaned at times."""
    used = 50.0
    while True:
        used = used + abs(rng.gauss(0, 0.003)) if rng.random() > 0.0005 else used - 5
        yield round(used, 1)


def counter(rng: random.Random) -> Values:
    """Bytes that a network card has sent."""
    total = 10**12
    while True:
        total += int(rng.lognormvariate(14, 0.6))
        yield float(total)


def steady(_rng: random.Random) -> Values:
    """A value that stays: days until a certificate ends."""
    while True:
        yield 61.0


KINDS: dict[str, Callable[[random.Random], Values]] = {
    "latency, s": latency,
    "load": load,
    "memory available, B": memory,
    "disk used, %": disk,
    "bytes sent, counter": counter,
    "a steady value": steady,
}


def result(rng: random.Random, value: float) -> tuple[Status, str]:
    """Give status and summary: one in 300 is bad."""
    if rng.random() < 1 / 300:
        return Status.CRITICAL, "no answer within 5 s"
    return Status.OK, f"200 in {value * 1000:.0f} ms"


def space(folder: Path) -> None:
    """Print what a day costs, by kind of value."""
    print(f"a day at {EVERY} s, bytes per measurement and check (the index is in it)")
    print(f"  {'':22}{'results':>9}{'5 min':>9}{'1 h':>9}")
    whole = []
    for kind, make in KINDS.items():
        there = folder / kind.replace(", ", "-").replace(" ", "-")
        rng, checks = random.Random(kind), 10  # noqa: S311 - the same noise each time
        writer = Writer(there, now=lambda: Instant(BEGIN))
        sources = [make(rng) for _ in range(checks)]
        for n in range(86_400 // EVERY):
            for number, source in enumerate(sources):
                value = next(source)
                status, text = result(rng, value)
                at = Instant(BEGIN + n * EVERY * SECOND + number * 50_000 + int(value) % 9000)
                found = (Measurement("value", value),)
                writer.put(StateKey(f"h{number}/c"), at, status, text, found, fresh=90)
            if n % 60 == 0:
                writer.flush(60)
        writer.close()
        for _ in Keeper(there, *_kept()).work(Instant(BEGIN + 2 * DAY)):
            pass
        size = {p.name.rpartition(".")[2]: p.stat().st_size / checks for p in there.iterdir()}
        whole.append(size["raw"])
        print(f"  {kind:22}{size['raw']:9.0f}{size['5m']:9.0f}{size['1h']:9.0f}")
    print(f"  target: results about 6000; the mean of these kinds is {sum(whole) / len(whole):.0f}")


def write(folder: Path) -> None:
    """Print what an hour of 10,000 checks costs to write and to put together."""
    rng = random.Random(1)  # noqa: S311 - as above
    writer = Writer(folder, now=lambda: Instant(BEGIN))
    sources = [latency(rng) for _ in range(CHECKS)]
    spent, rounds = 0.0, 3600 // EVERY
    for n in range(rounds):
        rows = []
        for number, source in enumerate(sources):
            value = next(source)
            status, text = result(rng, value)
            at = Instant(BEGIN + 12 * HOUR + n * EVERY * SECOND + number * 3000)
            found = (Measurement("time", value, "s"),)
            rows.append((StateKey(f"host{number}/site"), at, status, text, found))
        for part in range(3):  # as every 10 s
            begun = time.thread_time()
            for row in rows[part::3]:
                writer.put(*row, fresh=90)
            spent += time.thread_time() - begun
            writer.flush(60)
    results = CHECKS * rounds
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"an hour of {CHECKS} checks: {results} results, {writer.stats.dropped} dropped")
    print(f"  put, in the loop's thread      {spent / results * 1e6:6.2f} µs a result")
    print(f"  the writer's thread            {writer.stats.busy / results * 1e6:6.2f} µs a result")
    print(f"  as they come, before merging   {size / results:6.0f} bytes a result")
    writer.close()
    print("charts of the hour that is being written, 360 frames")
    charts(folder, ((1, 300),))
    begun = time.thread_time()
    for _ in Keeper(folder, *_kept()).work(Instant(BEGIN + 13 * HOUR + HOUR // 2)):
        pass
    took = time.thread_time() - begun
    print(
        f"  put together by key            {took / results * 1e6:6.2f} µs a result ({took:.1f} s)"
    )
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"  an hour, put together          {size / results:6.1f} bytes a result")
    print("  (a check itself costs 142 µs of the core: docs/decisions/http-probe.md)")


def month(folder: Path) -> None:
    """Make a month of 10,000 checks: copies of what the writer made of one hour and one day."""
    numbers = sorted(number_of(StateKey(f"host{n}/site")) for n in range(CHECKS))
    model = folder.parent / "latency-s"
    for kind in ("5m", "1h"):
        payloads = payloads_of(next(model.glob(f"*.{kind}")))
        for day in range(TODAY - DAYS + 1, TODAY):
            copy(folder, Piece(day, None, 1, kind), numbers, moved(payloads, day))
    hour = [piece for piece in living(listed(folder)[TODAY]).raw if piece.hour == 12]
    payloads = payloads_of(folder / hour[0].name)[:200]
    for n in range(12):
        copy(folder, Piece(TODAY, n, 20 + n, "raw"), numbers, payloads)


def charts(folder: Path, spans: tuple[tuple[int, int], ...]) -> None:
    """Print how long charts take; the files are in the page cache."""
    rng = random.Random(2)  # noqa: S311 - as above
    end = BEGIN + 13 * HOUR
    for days, points in spans:
        times = []
        for _ in range(200):
            key = StateKey(f"host{rng.randrange(CHECKS)}/site")
            name = "value" if days > 1 else "time"
            begun = time.perf_counter()
            Reader(folder).series(key, name, Instant(end - days * DAY), Instant(end), points)
            times.append((time.perf_counter() - begun) * 1000)
        p95 = quantiles(times, n=20)[-1]
        print(
            f"  {days:3} days, {points:5} points   p50 {median(times):6.1f} ms   p95 {p95:6.1f} ms"
        )


def delay(folder: Path) -> None:
    """Print how late a loop wakes up beside the writer and its housekeeping."""
    rates = (("no history", 0), ("333 results/s", 333), ("2,500 results/s", 2500))
    for label, rate in (*rates, *rates):  # twice: the machine has other work too
        late = uvloop.run(_ticks(Path(tempfile.mkdtemp(dir=folder)), rate, 10.0))
        cut = quantiles(late, n=1000)
        print(
            f"  {label:16} p50 {median(late):5.2f} ms  p99 {cut[989]:5.2f} ms  p99.9 {cut[-1]:5.2f}"
        )


async def _ticks(folder: Path, rate: int, seconds: float) -> list[float]:
    writer = Writer(folder, now=lambda: Instant(BEGIN + 20 * HOUR)) if rate else None
    if writer is not None:
        for n in range(60_000):  # something to put together meanwhile
            key, at = StateKey(f"host{n % 1000}/site"), Instant(BEGIN + n * SECOND)
            writer.put(key, at, Status.OK, "well", (Measurement("time", n / 7),), fresh=90)
        await asyncio.to_thread(writer.flush, 60)
        writer._next_house = 0.0
    late, put, begun = [], 0, time.perf_counter()
    while (now := time.perf_counter()) < begun + seconds:
        while writer is not None and put < (now - begun) * rate:
            found = (Measurement("time", put / 7),)
            at = Instant(BEGIN + 20 * HOUR + put * 3000)
            key = StateKey(f"host{put % CHECKS}/site")
            writer.put(key, at, Status.OK, f"200 in {put} ms", found, fresh=90)
            put += 1
        planned = time.perf_counter() + 0.002
        await asyncio.sleep(0.002)
        late.append((time.perf_counter() - planned) * 1000)
    if writer is not None:
        writer.close()
    return late


def _kept() -> tuple[object, object]:
    from datetime import timedelta

    return timedelta(days=40_000), timedelta(days=40_000)


def payloads_of(path: Path) -> list[bytes]:
    """Give what a file of a history holds of each key."""
    with path.open("rb") as file:
        places = [at for one in frames(file.fileno(), print) for _, at in one.entries()]
        found = [payload_at(file.fileno(), at) for at in places]
    return [each[1] for each in found if each is not None]


def moved(payloads: list[bytes], day: int) -> list[bytes]:
    """Give roll-ups of another day."""
    from monitord.history.samples import TICK, Samples, extend, pack

    found = []
    for payload in payloads:
        samples = Samples()
        extend(samples, payload)
        samples.times = [at + (day - TODAY) * DAY // TICK for at in samples.times]
        found.append(pack(samples))
    return found


def copy(folder: Path, piece: Piece, numbers: list[int], payloads: list[bytes]) -> None:
    """Write a piece that holds these payloads in turn under all keys."""
    making = Making(folder, piece)
    for place, number in enumerate(numbers):
        making.add(number, payloads[place % len(payloads)])
    making.finish()
    making.close()


def main() -> int:
    """Run all parts."""
    import sys

    sys.setswitchinterval(0.0005)  # as the daemon does
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        space(folder)
        write(folder / "fleet")
        month(folder / "fleet")
        print(f"charts of one of {CHECKS} checks")
        charts(folder / "fleet", ((1, 300), (7, 300), (30, 300), (30, 720), (30, 5000)))
        print("  target: 30 days in under 50 ms")
        print("how late a loop wakes up that asks to be woken each 2 ms")
        delay(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory at the most: {peak} MiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
