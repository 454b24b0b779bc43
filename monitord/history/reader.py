"""Reads a history: charts, state runs, names of measurements. Any process may, while it is written.

No lock is taken and nothing is kept between two questions. A file that goes away meanwhile was put
together with others: then the folder is looked at again. Damage is a gap and a line in the log.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from monitord.history import names
from monitord.history.frames import Frame, frames, number_of, payload_at
from monitord.history.opening import Look
from monitord.history.pieces import DAY, ROLLUPS, Piece
from monitord.history.rollup import STATS, Buckets, Point, Run, hours, runs
from monitord.history.samples import TICK, Samples, extend
from monitord.log import get_logger
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status

log = get_logger(__name__)

_LOOK_BACK = 21_600_000_000  # µs before the begin whose last result may still tell something
_TOLD = 1000  # damages that are told of, so that a bad disk does not fill a good one


class Known(NamedTuple):
    """A measurement that a history has."""

    name: str
    unit: str


class Reader:
    """The history in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: set[tuple[str, int]] = set()

    def series(
        self, key: StateKey, measurement: str, start: Instant, end: Instant, points: int
    ) -> list[Point]:
        """Give a chart of some `points` buckets of equal width; those without data are left out.

        Buckets of more than five minutes or an hour are whole ones of these. Each day comes from
        its hours, its five minutes or its results, whichever is the coarsest that is no wider than
        a bucket; where that is not kept any more, from the next coarser one.
        """
        if end <= start or points < 1:
            return []
        found = _buckets(start // TICK, end // TICK, points)
        width = found.width * TICK // 1_000_000
        look = Look(self._folder)
        for named, began, ended in self._named(key, start, end):
            span = began // TICK, ended // TICK
            for day in look.days(began, ended):
                samples, level = self._day(look, named.key, day, measurement, width)
                _add(found, samples, measurement, level, span)
        return found.points()

    def states(self, key: StateKey, start: Instant, end: Instant) -> list[Run]:
        """Give the state runs of a time; what lies between two runs is a gap: no data.

        They are kept as long as the results; `hours` tells of what is older.
        """
        found: list[Run] = []
        look = Look(self._folder)
        for named, began, ended in self._named(key, start, end):
            early = Instant(max(0, began - _LOOK_BACK))
            samples = Samples()
            for day in look.days(early, ended):
                self._raw(samples, look, named.key, day, ())
            for run in runs(samples, named.start // TICK):
                if run.end > began and run.start < ended:
                    cut = Instant(max(run.start, began)), Instant(min(run.end, ended))
                    found.append(Run(*cut, run.status, run.attempt, run.summary))
        return found

    def hours(
        self, key: StateKey, start: Instant, end: Instant
    ) -> list[tuple[Instant, dict[Status, float]]]:
        """Give by hour the seconds in each status, of days that are over; the rest is a gap."""
        found = []
        look = Look(self._folder)
        for named, began, ended in self._named(key, start, end):
            for day in look.days(began, ended):
                samples = Samples()
                wanted = [f"/{status.name}" for status in Status]
                with look.files(day, "1h") as files:
                    self._take(samples, files, named.key, wanted)
                found += [row for row in hours(samples) if began <= row[0] < ended]
        return found

    def measurements(self, key: StateKey) -> list[Known]:
        """Give the measurements of the newest day on which the key has any, by name."""
        spans = names.of(self._folder, key)
        look = Look(self._folder)
        for day in reversed(look.days(Instant(0), Instant(2**62))):
            found: dict[str, str] = {}
            for named, began, ended in spans:
                if began < (day + 1) * DAY and ended > day * DAY:
                    samples = Samples()
                    self._raw(samples, look, named, day, None)
                    found |= {name: column.unit for name, column in samples.columns.items()}
                    if not samples.times:
                        found |= self._rolled_names(look, named, day)
            if found:
                return [Known(name, unit) for name, unit in sorted(found.items())]
        return []

    def _rolled_names(self, look: Look, key: StateKey, day: int) -> dict[str, str]:
        samples = Samples()
        with look.files(day, "1h") as files:
            self._take(samples, files, key, None)
        columns = ((name.removesuffix("/count"), c) for name, c in samples.columns.items())
        return {name: c.unit for name, c in columns if name and f"{name}/count" in samples.columns}

    def _named(
        self, key: StateKey, start: Instant, end: Instant
    ) -> Iterator[tuple[names.Named, Instant, Instant]]:
        """Give the names under which a time was written, and its parts."""
        start = max(start, Instant(0))
        for named in names.of(self._folder, key):
            began, ended = max(start, named.start), min(end, named.end)
            if began < ended:
                yield named, began, ended

    def _day(
        self, look: Look, key: StateKey, day: int, measurement: str, width: int
    ) -> tuple[Samples, str]:
        """Give what is wanted of a day at the level that fits buckets of `width` seconds."""
        samples = Samples()
        wanted = [f"{measurement}/{stat}" for stat in STATS]
        fitting = [kind for kind, seconds in ROLLUPS.items() if seconds <= width]
        for kind in reversed(fitting):
            with look.files(day, kind) as files:
                if files:
                    self._take(samples, files, key, wanted)
                    return samples, kind
        if self._raw(samples, look, key, day, (measurement,)):
            return samples, "raw"
        for kind in ROLLUPS:
            with look.files(day, kind) as files:
                if files:
                    self._take(samples, files, key, wanted)
                    return samples, kind
        return samples, "raw"

    def _raw(
        self,
        samples: Samples,
        look: Look,
        key: StateKey,
        day: int,
        only: Collection[str] | None,
    ) -> bool:
        """Append a day's results; tells whether there are files of them."""
        with look.files(day, "raw") as files:
            self._take(samples, files, key, only)
            return bool(files)

    def _take(
        self,
        samples: Samples,
        files: Sequence[tuple[Piece, int]],
        key: StateKey,
        only: Collection[str] | None,
    ) -> None:
        number = number_of(key)
        for piece, descriptor in files:
            for frame in frames(descriptor, partial(self._tell, piece), searched=True):
                self._append(samples, piece, frame, number, only)

    def _append(
        self,
        samples: Samples,
        piece: Piece,
        frame: Frame,
        number: int,
        only: Collection[str] | None,
    ) -> None:
        for place in frame.find(number):
            found = payload_at(frame.descriptor, place)
            if found is None or found[0] != number:
                self._tell(piece, place)
                continue
            try:
                extend(samples, found[1], only)
            except ValueError:
                self._tell(piece, place)

    def _tell(self, piece: Piece, at: int) -> None:
        """Say once that a place is damaged; what stood there is a gap."""
        if (piece.name, at) not in self._told and len(self._told) < _TOLD:
            self._told.add((piece.name, at))
            log.warning("history is damaged; that part is a gap", file=piece.name, at=at)


def _buckets(first: int, last: int, points: int) -> Buckets:
    """Give empty buckets; wide ones begin and end where those of roll-ups do."""
    width = max(1, -(-(last - first) // points))
    for seconds in sorted(ROLLUPS.values(), reverse=True):
        whole = seconds * 1_000_000 // TICK
        if width >= whole:
            return Buckets(first // whole * whole, -(-width // whole) * whole)
    return Buckets(first, width)


def _add(
    found: Buckets, samples: Samples, measurement: str, level: str, span: tuple[int, int]
) -> None:
    """Put a day into the buckets; of roll-ups those count that begin within the time."""
    begin, end = span
    times = samples.times
    if level == "raw":
        column = samples.columns.get(measurement)
        for place, value in zip(column.places, column.values, strict=True) if column else ():
            if begin <= times[place] < end:
                found.add(times[place], value, value, value, 1)
        return
    rolled = [samples.columns.get(f"{measurement}/{stat}") for stat in STATS]
    if any(column is None for column in rolled):
        return
    lows, highs, means, counts = ([*column.values] for column in rolled if column is not None)
    places = rolled[0].places if rolled[0] is not None else []
    for place, low, high, mean, count in zip(places, lows, highs, means, counts, strict=True):
        if begin <= times[place] < end:
            found.add(times[place], low, high, mean, int(count))
