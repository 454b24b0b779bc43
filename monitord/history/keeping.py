"""Housekeeping of a history: what is put together when, and what is not kept any more.

All of it in small steps, so that who runs it stays free. It decides by the files' names and the
time it is given; a crash between two steps leaves what the next pass finds.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from monitord.history import merging, pieces
from monitord.history.pieces import DAY, HOUR, Piece
from monitord.log import get_logger
from monitord.model.ids import Instant

log = get_logger(__name__)

_HOUR_SETTLES = 120_000_000  # µs after an hour's end until it is put together
_DAY_SETTLES = 600_000_000
_GO_AT_ONCE = 3  # days whose files one pass removes: a clock that is years ahead removes no more


class Keeper:
    """Keeps the folder in order. `raw` and `rollups` are how long results and hours are kept."""

    def __init__(self, folder: Path, raw: timedelta, rollups: timedelta) -> None:
        self._folder = folder
        self.raw, self.rollups = raw, rollups
        self._sealed: dict[int, int] = {}

    def tail(self, day: int, hour: int) -> Piece:
        """Give the piece that results of an hour are appended to; nobody is merging that one."""
        known = pieces.listed(self._folder).get(day, [])
        sealed = self._sealed.get(day, 0)
        tails = [
            piece
            for piece in pieces.living(known).raw
            if piece.kind == "tail" and piece.hour == hour and piece.number > sealed
        ]
        if tails:
            return tails[-1]
        return Piece(day, hour, max(pieces.next_number(known), sealed + 1), "tail")

    def work(self, now: Instant) -> Iterator[None]:
        """Do everything that is due at `now`, a small step at a time.

        Raises:
            OSError: a file cannot be read or written; nothing is lost by it.
        """
        merging.remove(self._folder, merging.unfinished(self._folder))
        for day in sorted(pieces.listed(self._folder)):
            yield from self._put_together(day, now)
            self._clear(day)
            yield
        self._expire(now)

    def _put_together(self, day: int, now: Instant) -> Iterator[None]:
        if now >= (day + 1) * DAY + _DAY_SETTLES:
            raw = pieces.living(self._pieces(day)).raw
            if any(piece.hour is not None for piece in raw):
                yield from self._merge(day, None, raw)
            return
        for hour in range(24):
            over = day * DAY + (hour + 1) * HOUR + _HOUR_SETTLES
            parts = [piece for piece in pieces.living(self._pieces(day)).raw if piece.hour == hour]
            if now >= over and any(piece.kind == "tail" for piece in parts):
                yield from self._merge(day, hour, parts)
                self._clear(day)

    def _merge(self, day: int, hour: int | None, sources: Sequence[Piece]) -> Iterator[None]:
        number = pieces.next_number(self._pieces(day))
        self._sealed[day] = number  # what comes meanwhile goes to a tail of a higher one
        try:
            ordered = sorted(sources, key=lambda piece: (piece.hour or 0, piece.number))
            yield from merging.merge(self._folder, ordered, Piece(day, hour, number, "raw"))
        finally:
            self._sealed = {known: n for known, n in self._sealed.items() if known >= day - 1}

    def _clear(self, day: int) -> None:
        gone = [piece.name for piece in pieces.superseded(self._pieces(day))]
        merging.remove(self._folder, gone)

    def _expire(self, now: Instant) -> None:
        """Remove what is not kept any more, few days at once: the clock may be wrong."""
        for kinds, kept in ((("tail", "raw", "5m"), self.raw), (("1h",), self.rollups)):
            oldest = (now - kept // timedelta(microseconds=1)) // DAY
            found = [
                (day, [piece.name for piece in known if piece.kind in kinds])
                for day, known in sorted(pieces.listed(self._folder).items())
                if day < oldest
            ]
            for day, gone in [each for each in found if each[1]][:_GO_AT_ONCE]:
                merging.remove(self._folder, gone)
                log.info("history not kept any more", day=day, files=len(gone))

    def _pieces(self, day: int) -> list[Piece]:
        return pieces.listed(self._folder).get(day, [])
