"""The files of a history: what their names say, and which of them count.

    2026-11-23T07.12.tail   results of an hour as they came, in frames of some seconds
    2026-11-23T07.13.raw    the same, put together by key
    2026-11-23.40.raw       a whole day; with it 2026-11-23.40.5m and .1h, its roll-ups

A file that is put together holds all that was there of its hour or day under lower numbers. So a
crash between its making and the removal of the others shows nothing twice, and no list is kept.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from monitord.model.ids import Instant

DAY = 86_400_000_000  # µs
HOUR = 3_600_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal() - _EPOCH
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T([01]\d|2[0-3]))?\.(\d{1,12})\.(tail|raw|5m|1h)")
ROLLUPS: Mapping[str, int] = {"5m": 300, "1h": 3600}
"""Kinds of roll-ups and their width in seconds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file. `day` counts from the epoch; `hour` is None where it holds a whole day."""

    day: int
    hour: int | None
    number: int
    kind: str

    @property
    def name(self) -> str:
        """The file's name."""
        hour = "" if self.hour is None else f"T{self.hour:02}"
        return f"{date.fromordinal(_EPOCH + self.day)}{hour}.{self.number}.{self.kind}"


@dataclass(frozen=True, slots=True)
class Day:
    """What counts of one day: `raw` in the order of their numbers, and roll-ups by kind."""

    raw: tuple[Piece, ...]
    rollups: Mapping[str, Piece]


def day_and_hour(at: Instant) -> tuple[int, int] | None:
    """Give day and hour (UTC) of an instant; None where no file can be named for it."""
    day, rest = divmod(at, DAY)
    return (day, rest // HOUR) if 0 <= day <= _LAST else None


def parse(name: str) -> Piece | None:
    """Read a file's name; None: it is none of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    text, hour, number, kind = found.groups()
    try:
        day = date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        return None
    if (kind == "tail" and hour is None) or (kind in ROLLUPS and hour is not None):
        return None
    return Piece(day, None if hour is None else int(hour), int(number), kind)


def listed(folder: Path) -> dict[int, list[Piece]]:
    """Give all pieces in a folder by day; none where there is no folder yet."""
    found: dict[int, list[Piece]] = defaultdict(list)
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names alone are wanted, hundreds of them
    except FileNotFoundError:
        return {}
    for name in names:
        piece = parse(name)
        if piece is not None:
            found[piece.day].append(piece)
    return dict(found)


def living(pieces: Iterable[Piece]) -> Day:
    """Give what counts of one day's pieces: nothing that a later one holds as well."""
    pieces = sorted(pieces, key=lambda piece: piece.number)
    raw = [piece for piece in pieces if piece.kind in ("tail", "raw")]
    whole = max((p.number for p in raw if p.hour is None), default=-1)
    hours: dict[int | None, int] = {None: whole}
    for piece in raw:
        if piece.kind == "raw" and piece.hour is not None:
            hours[piece.hour] = max(hours.get(piece.hour, -1), piece.number)
    kept = tuple(
        piece
        for piece in raw
        if piece.number >= hours.get(piece.hour, -1)
        and (piece.hour is None or piece.number > whole)
    )
    newest = max((piece.number for piece in kept), default=-1)
    rollups = {p.kind: p for p in pieces if p.kind in ROLLUPS and p.number >= newest}
    return Day(kept, rollups)


def superseded(pieces: Iterable[Piece]) -> list[Piece]:
    """Give the pieces of one day that may go: what counts is in others."""
    pieces = list(pieces)
    day = living(pieces)
    counts = {*day.raw, *day.rollups.values()}
    return [piece for piece in pieces if piece not in counts]


def next_number(pieces: Iterable[Piece]) -> int:
    """Give the number of the next piece of a day."""
    return 1 + max((piece.number for piece in pieces), default=0)
