"""Opens the files that count, for one question, though they are put together with others meanwhile.

A file that is open stays readable when it is removed; one that is gone before that is looked for
again under what it became.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from monitord.history import pieces
from monitord.history.pieces import DAY, Piece
from monitord.log import get_logger
from monitord.model.ids import Instant

log = get_logger(__name__)

_TRIES = 5  # looks at the folder while its files change


class Look:
    """One look at a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = pieces.listed(folder)

    def days(self, start: Instant, end: Instant) -> list[int]:
        """Give the days between two instants of which there is anything, in order."""
        return sorted(day for day in self._known if start // DAY <= day <= (end - 1) // DAY)

    @contextlib.contextmanager
    def files(self, day: int, kind: str) -> Iterator[list[tuple[Piece, int]]]:
        """Give what counts of a day, open: its results (`raw`), or its roll-up of a kind."""
        with contextlib.ExitStack() as stack:
            for _ in range(_TRIES):
                try:
                    found = [(piece, self._open(stack, piece)) for piece in self._of(day, kind)]
                    break
                except FileNotFoundError:
                    self._known = pieces.listed(self._folder)
            else:
                log.warning("history changes too fast to be read", day=day)
                found = []
            yield found

    def _of(self, day: int, kind: str) -> Iterable[Piece]:
        found = pieces.living(self._known.get(day, ()))
        if kind == "raw":
            return found.raw
        return [found.rollups[kind]] if kind in found.rollups else []

    def _open(self, stack: contextlib.ExitStack, piece: Piece) -> int:
        descriptor = os.open(self._folder / piece.name, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, descriptor)
        return descriptor
