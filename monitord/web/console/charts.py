"""How a history becomes a page's: columns for a chart, bands of states, and the same in words.

Pure: it shapes what GET /v1/history answers. No data is never drawn as a value: a line breaks where
no state run was, and a band is blank there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from monitord.model.text import one_line

WIDE = 1000.0
"""Units of a band's whole width."""

_RANK = {"OK": 0, "PENDING": 1, "WARNING": 2, "UNKNOWN": 3, "CRITICAL": 4}
_MOST_BANDS = 400
_MOST_TOLD = 50
_HOUR = 3600.0
_SUMMARY = 300

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of one status, in seconds since 1970."""

    start: float
    end: float
    status: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch as it is drawn: where it begins and how wide it is, of `WIDE`."""

    x: float
    width: float
    status: str


def columns(answer: Answer) -> dict[str, Any]:
    """Give a chart's data in columns; where there is a gap, a row of nulls stands between."""
    start, end = span_of(answer)
    rows = [[_finite(value) for value in point[:4]] for point in answer["points"]]
    gaps = _gaps([(one.start, one.end) for one in stretches(answer)], start, end)
    seen = [at for at, *_ in rows if at is not None]
    step = min((b - a for a, b in pairwise(seen)), default=0.0)
    blanks = [(a + b) / 2 for a, b in gaps if b - a > step]
    rows += [[at, None, None, None] for at in blanks]
    rows.sort(key=lambda row: row[0] or 0.0)
    at, low, high, mean = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        "measurement": one_line(answer["measurement"]),
        "unit": one_line(answer["unit"], 20),
        "from": start,
        "to": end,
        "at": at,
        "min": low,
        "max": high,
        "mean": mean,
    }


def stretches(answer: Answer) -> list[Stretch]:
    """Give the times of one status, in their order.

    Before the first result that is kept these are hours: of each the worst status, for as long as
    something is known of it.
    """
    start, end = span_of(answer)
    runs = [
        Stretch(seconds(one["from"]), seconds(one["to"]), one["status"], one["summary"])
        for one in answer["states"]
    ]
    first = min((one.start for one in runs), default=end)
    hours = []
    for row in answer["hours"]:
        at = seconds(row["at"])
        spent = {status: value for status, value in row["seconds"].items() if value > 0}
        if spent and first - at >= _HOUR:
            until = min(at + _HOUR, at + sum(spent.values()))
            hours.append(Stretch(max(at, start), until, max(spent, key=_rank)))
    return _joined([*hours, *sorted(runs, key=lambda one: one.start)])


def bands(answer: Answer) -> list[Band]:
    """Give the bands of a history; of many changes the worst in each small part."""
    start, end = span_of(answer)
    found = stretches(answer)
    if len(found) > _MOST_BANDS:
        found = _coarse(found, start, end)
    scale = WIDE / (end - start)
    return [
        Band(
            round((one.start - start) * scale, 2),
            round(max((one.end - one.start) * scale, 0.5), 2),  # what is short is seen, too
            one.status,
        )
        for one in found
    ]


def shares(answer: Answer) -> list[tuple[str, float]]:
    """Give what share of the time was which status, and how much was no data; 0 to 1."""
    start, end = span_of(answer)
    spent: dict[str, float] = {}
    runs = [seconds(one["from"]) for one in answer["states"]]
    first = min(runs, default=end)
    for row in answer["hours"]:
        if first - seconds(row["at"]) >= _HOUR:
            for status, value in row["seconds"].items():
                spent[status] = spent.get(status, 0.0) + value
    for one in answer["states"]:
        took = seconds(one["to"]) - seconds(one["from"])
        spent[one["status"]] = spent.get(one["status"], 0.0) + took
    told = [(name, spent[name] / (end - start)) for name in sorted(spent, key=_rank)]
    return [*told, ("no data", max(0.0, 1 - sum(share for _, share in told)))]


def not_ok(answer: Answer) -> list[dict[str, Any]]:
    """Give the newest times that were not OK, the newest first."""
    found = [one for one in stretches(answer) if one.status != "OK"]
    return [
        {
            "status": one.status,
            "from": iso(one.start),
            "to": iso(one.end),
            "took": one.end - one.start,
            "summary": one_line(one.summary, _SUMMARY),
        }
        for one in found[: -_MOST_TOLD - 1 : -1]
    ]


def table(answer: Answer) -> list[dict[str, Any]]:
    """Give the points as rows that people read."""
    unit = answer["unit"]
    return [
        {
            "at": iso(at),
            "mean": number(mean, unit),
            "min": number(low, unit),
            "max": number(high, unit),
            "results": int(results),
        }
        for at, low, high, mean, results in answer["points"]
    ]


def number(value: float, unit: str) -> str:
    """Give a measured value for people: four digits, bytes by 1024, short times as ms."""
    if not math.isfinite(value):
        return "–"
    if unit == "B":
        for name in ("B", "KiB", "MiB", "GiB", "TiB"):
            if abs(value) < 1024 or name == "TiB":  # noqa: PLR2004 - what a KiB has
                return f"{value:.4g} {name}"
            value /= 1024
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.4g} ms"
    return f"{value:.5g} {unit}".strip()


def span_of(answer: Answer) -> tuple[float, float]:
    """Give from when to when it is told; it is never empty."""
    start, end = seconds(answer["from"]), seconds(answer["to"])
    return start, max(end, start + 1)


def seconds(text: str) -> float:
    """Give a time as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def iso(at: float) -> str:
    """Give seconds since 1970 as a time."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _rank(status: str) -> int:
    return _RANK.get(status, len(_RANK))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _joined(found: Sequence[Stretch]) -> list[Stretch]:
    """Join what follows at once with the same status; the last words stand."""
    joined: list[Stretch] = []
    for one in found:
        last = joined[-1] if joined else None
        if last is not None and last.status == one.status and one.start - last.end <= 1:
            joined[-1] = Stretch(last.start, max(last.end, one.end), one.status, one.summary)
        else:
            joined.append(one)
    return joined


def _coarse(found: Sequence[Stretch], start: float, end: float) -> list[Stretch]:
    width = (end - start) / _MOST_BANDS
    worst: dict[int, str] = {}
    for one in found:
        first, last = int((one.start - start) / width), int((one.end - start) / width)
        for slot in range(max(first, 0), min(last, _MOST_BANDS - 1) + 1):
            if slot not in worst or _rank(one.status) > _rank(worst[slot]):
                worst[slot] = one.status
    return _joined(
        [
            Stretch(start + slot * width, start + (slot + 1) * width, status)
            for slot, status in sorted(worst.items())
        ]
    )


def _gaps(
    covered: Sequence[tuple[float, float]], start: float, end: float
) -> list[tuple[float, float]]:
    """Give the times between `start` and `end` of which nothing is known."""
    found, known = [], start
    for began, ended in covered:
        if began > known:
            found.append((known, began))
        known = max(known, ended)
    return [*found, (known, end)] if known < end else found
