"""The results of one key over a span, as columns in memory, and as bytes in a chunk.

A chunk holds one result (a row, quick to write) or many (columns, small on the disk). A summary is
kept when the status or its words, numbers aside, change: what varies each time are measurements.
"""

import json
import struct
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from monitord.history import numbers
from monitord.model.ids import Instant
from monitord.model.result import Measurement

TICK = 100_000
"""µs: the grain of time in a history. No chart shows a finer one; jitter would fill the disk."""

_ROW = struct.Struct("<cqQIBHH")  # kind, ticks, attempt, fresh, status, summary, measurements
_NUMBER = struct.Struct("<dHH")  # value, length of its name, of its unit
_COLUMNS = struct.Struct("<cI")  # kind, length of the head
_MOST = 200  # measurements of one result that are kept
_LONGEST = 500  # characters of a summary, a name
_DIGITS = str.maketrans("", "", "0123456789.")


@dataclass(slots=True)
class Column:
    """One measurement: its unit, which results have it, and the values."""

    unit: str
    places: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Samples:
    """Results in the order in which they came. `times` are ticks, `fresh` seconds.

    `attempts` is 0 outside of an attempt. `summaries` are (place of the result, text).
    """

    times: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)
    summaries: list[tuple[int, str]] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One result. `fresh` is for how many seconds it tells something."""

    at: Instant
    status: int
    fresh: int
    attempt: int
    summary: str  # empty: as before
    measurements: Sequence[Measurement]


def words(summary: str) -> str:
    """Give a summary without its numbers: what has to change for it to be kept anew."""
    return summary.translate(_DIGITS)


def pack_row(row: Row) -> bytes:
    """Give one result as a chunk's bytes."""
    text = _bytes(row.summary)
    kept = [one for one in row.measurements if _finite(one.value)][:_MOST]
    ticks, attempt = row.at // TICK, max(0, row.attempt)
    fresh = min(max(row.fresh, 0), 2**32 - 1)
    parts = [_ROW.pack(b"R", ticks, attempt, fresh, row.status, len(text), len(kept)), text]
    for one in kept:
        name, unit = _bytes(one.name), _bytes(one.unit)
        parts += (_NUMBER.pack(float(one.value), len(name), len(unit)), name, unit)
    return b"".join(parts)


def pack(samples: Samples) -> bytes:
    """Give many results as a chunk's bytes."""
    times = numbers.pack_whole(samples.times)
    packed = {name: numbers.pack(column.values) for name, column in samples.columns.items()}
    head = [
        len(samples.times),
        len(times),
        _runs(samples.statuses),
        _runs(samples.attempts),
        _runs(samples.fresh),
        samples.summaries,
        [
            [name, column.unit, len(packed[name]), _spans(column.places)]
            for name, column in samples.columns.items()
        ],
    ]
    small = zlib.compress(json.dumps(head, separators=(",", ":")).encode(), 6)
    return b"".join([_COLUMNS.pack(b"C", len(small)), small, times, *packed.values()])


def extend(samples: Samples, data: bytes, only: Collection[str] | None = None) -> None:
    """Append what a chunk holds; `only` names the measurements that are wanted.

    Raises:
        ValueError: it holds nothing that we wrote; then nothing is appended.
    """
    try:
        part = _row(data) if data[:1] == b"R" else _columns(data, only)
    except (struct.error, zlib.error, LookupError, TypeError) as error:
        raise ValueError(f"no chunk of results: {error}") from error
    first = len(samples.times)
    samples.times += part.times
    samples.statuses += part.statuses
    samples.attempts += part.attempts
    samples.fresh += part.fresh
    _add_summaries(samples, first, part.summaries)
    for name, column in part.columns.items():
        if only is not None and name not in only:
            continue
        known = samples.columns.setdefault(name, Column(column.unit))
        known.unit = column.unit
        known.places += [first + place for place in column.places]
        known.values += column.values


def _add_summaries(samples: Samples, first: int, more: Iterable[tuple[int, str]]) -> None:
    """Append summaries without one that only repeats the last: each file begins with one."""
    for place, text in more:
        last = samples.summaries[-1] if samples.summaries else None
        same = last is not None and words(last[1]) == words(text)
        if not (same and samples.statuses[first + place] == samples.statuses[first + place - 1]):
            samples.summaries.append((first + place, text))


def _row(data: bytes) -> Samples:
    _kind, ticks, attempt, fresh, status, length, count = _ROW.unpack_from(data)
    at = _ROW.size + length
    text = data[_ROW.size : at].decode()
    part = Samples([ticks], [status], [attempt], [fresh], [(0, text)] if text else [])
    for _ in range(count):
        value, name_length, unit_length = _NUMBER.unpack_from(data, at)
        at += _NUMBER.size
        name = data[at : at + name_length].decode()
        unit = data[at + name_length : at + name_length + unit_length].decode()
        at += name_length + unit_length
        part.columns[name] = Column(unit, [0], [value])  # a name that comes twice counts once
    return part


def _columns(data: bytes, only: Collection[str] | None) -> Samples:
    _kind, length = _COLUMNS.unpack_from(data)
    at = _COLUMNS.size + length
    head = json.loads(zlib.decompress(data[_COLUMNS.size : at]))
    count, times_length, statuses, attempts, fresh, summaries, columns = head
    part = Samples(
        numbers.unpack_whole(data[at : at + times_length], count),
        _flat(statuses),
        _flat(attempts),
        _flat(fresh),
        [(place, text) for place, text in summaries],
    )
    at += times_length
    for name, unit, size, spans in columns:
        if only is None or name in only:
            places = [place for first, many in spans for place in range(first, first + many)]
            values = numbers.unpack(data[at : at + size], len(places))
            part.columns[name] = Column(unit, places, values)
        at += size
    return part


def _runs(values: Sequence[int]) -> list[list[int]]:
    """Give [value, how many in a row]."""
    runs: list[list[int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1][1] += 1
        else:
            runs.append([value, 1])
    return runs


def _flat(runs: Iterable[Sequence[int]]) -> list[int]:
    flat: list[int] = []
    for value, many in runs:
        flat += [value] * many
    return flat


def _spans(places: Sequence[int]) -> list[list[int]]:
    """Give [first place, how many in a row]."""
    spans: list[list[int]] = []
    for place in places:
        if spans and spans[-1][0] + spans[-1][1] == place:
            spans[-1][1] += 1
        else:
            spans.append([place, 1])
    return spans


def _bytes(text: str) -> bytes:
    return text[:_LONGEST].encode(errors="replace")


def _finite(value: float) -> bool:
    return value - value == 0  # neither a NaN nor an infinity: those are no data
