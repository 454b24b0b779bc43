"""What results come to over time: state runs, buckets of min, max, mean and count. Pure.

A result tells something for `fresh` seconds at most, or until the next one. All other time is a
gap: it is in no run and in no bucket, and nobody may take it for up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from monitord.history.samples import TICK, Column, Samples
from monitord.model.ids import Instant
from monitord.model.result import Status

_SECOND = 1_000_000 // TICK  # ticks
STATS = ("min", "max", "mean", "count")
STATUSES = (Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN)


class Point(NamedTuple):
    """One bucket of a chart that has data; `at` is its begin."""

    at: Instant
    min: float
    max: float
    mean: float
    samples: int


@dataclass(frozen=True, slots=True)
class Run:
    """A time in which all results had one status. `attempt` is 0 outside of one."""

    start: Instant
    end: Instant
    status: Status
    attempt: int
    summary: str


@dataclass(slots=True)
class Bucket:
    """What falls into one bucket."""

    low: float
    high: float
    total: float
    count: int

    def add(self, low: float, high: float, mean: float, count: int) -> None:
        """Take in a value, or what another bucket holds."""
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.total += mean * count
        self.count += count

    @property
    def mean(self) -> float:
        """The mean, which rounding of the sum must not push out of the values' span."""
        return min(max(self.total / self.count, self.low), self.high)


@dataclass(slots=True)
class Buckets:
    """Buckets of `width` from `start` on, both in ticks, by their place."""

    start: int
    width: int
    found: dict[int, Bucket] = field(default_factory=dict)

    def add(self, at: int, low: float, high: float, mean: float, count: int) -> None:
        """Put a value of a time into its bucket."""
        place = (at - self.start) // self.width
        bucket = self.found.get(place)
        if bucket is None:
            self.found[place] = Bucket(low, high, mean * count, count)
        else:
            bucket.add(low, high, mean, count)

    def points(self) -> list[Point]:
        """Give the buckets that have data, in order of time."""
        return [
            Point(
                Instant((self.start + place * self.width) * TICK),
                bucket.low,
                bucket.high,
                bucket.mean,
                bucket.count,
            )
            for place, bucket in sorted(self.found.items())
        ]


def runs(samples: Samples, since: int = 0) -> Iterator[Run]:
    """Give the state runs of results from `since` (ticks) on, in order of time."""
    order = [place for place, at in enumerate(samples.times) if at >= since]
    if any(b < a for a, b in zip(samples.times, samples.times[1:], strict=False)):
        order.sort(key=samples.times.__getitem__)  # a step back of the clock
    texts = _texts(samples)
    begun: Run | None = None
    for here, following in _pairs(order):
        start = samples.times[here]
        end = start + samples.fresh[here] * _SECOND
        if following is not None:
            end = min(end, samples.times[following])
        run = Run(
            Instant(start * TICK),
            Instant(end * TICK),
            Status(samples.statuses[here]),
            samples.attempts[here],
            texts[here],
        )
        if begun is not None and _goes_on(begun, run):
            begun = Run(begun.start, run.end, run.status, run.attempt, begun.summary)
            continue
        if begun is not None:
            yield begun
        begun = run
    if begun is not None:
        yield begun


def _pairs(order: Iterable[int]) -> Iterator[tuple[int, int | None]]:
    before: int | None = None
    for place in order:
        if before is not None:
            yield before, place
        before = place
    if before is not None:
        yield before, None


def _texts(samples: Samples) -> list[str]:
    texts: list[str] = []
    for place, text in samples.summaries:
        texts += [texts[-1] if texts else ""] * (place - len(texts))
        texts.append(text)
    return texts + [texts[-1] if texts else ""] * (len(samples.times) - len(texts))


def _goes_on(one: Run, other: Run) -> bool:
    same = (one.status, one.attempt, one.summary) == (other.status, other.attempt, other.summary)
    return same and one.end == other.start


def rolled(samples: Samples, width: int, end: int) -> Samples:
    """Give buckets of `width` seconds as samples: columns `name/min`, /max, /mean, /count.

    With buckets of an hour come the seconds in each status (`/OK`, …), up to `end` (ticks).
    """
    ticks = width * _SECOND
    times = samples.times
    found: dict[str, Buckets] = {}
    for name, column in samples.columns.items():
        buckets = found[name] = Buckets(0, ticks)
        for place, value in zip(column.places, column.values, strict=True):
            buckets.add(times[place], value, value, value, 1)
    seconds = _seconds(samples, ticks, end) if width == 3600 else {}  # noqa: PLR2004 - an hour
    places = sorted({*seconds, *(place for each in found.values() for place in each.found)})
    row = {place: at for at, place in enumerate(places)}
    out = Samples([place * ticks for place in places])
    out.statuses, out.attempts, out.fresh = ([0] * len(places) for _ in range(3))
    for name, buckets in found.items():
        _columns(out, name, samples.columns[name].unit, buckets, row)
    for status in STATUSES:
        some = {place: each[status] for place, each in seconds.items() if each[status]}
        if some:
            at = sorted(some)
            out.columns[f"/{status.name}"] = Column(
                "s", [row[place] for place in at], [some[place] for place in at]
            )
    return out


def _columns(out: Samples, name: str, unit: str, buckets: Buckets, row: dict[int, int]) -> None:
    at = sorted(buckets.found)
    places = [row[place] for place in at]
    for stat, values in (
        ("min", [buckets.found[place].low for place in at]),
        ("max", [buckets.found[place].high for place in at]),
        ("mean", [buckets.found[place].mean for place in at]),
        ("count", [float(buckets.found[place].count) for place in at]),
    ):
        out.columns[f"{name}/{stat}"] = Column(unit, places, values)


def _seconds(samples: Samples, ticks: int, end: int) -> dict[int, list[float]]:
    """Give the seconds in each status, by bucket; what reaches beyond the end is cut."""
    found: dict[int, list[float]] = {}
    for run in runs(samples):
        at, until = run.start // TICK, min(run.end // TICK, end)
        while at < until:
            place = at // ticks
            upto = min(until, (place + 1) * ticks)
            found.setdefault(place, [0.0] * len(STATUSES))[run.status] += (upto - at) / _SECOND
            at = upto
    return found


def hours(samples: Samples) -> Iterator[tuple[Instant, dict[Status, float]]]:
    """Give what `rolled` kept of the hours: seconds in each status; the rest is a gap."""
    known: list[dict[Status, float]] = [{} for _ in samples.times]
    for status in STATUSES:
        column = samples.columns.get(f"/{status.name}")
        if column is not None:
            for place, value in zip(column.places, column.values, strict=True):
                known[place][status] = value
    for at, spent in zip(samples.times, known, strict=True):
        if spent:
            yield Instant(at * TICK), spent
