"""Puts files of a history together: an hour's frames by key, then a day's hours with its roll-ups.

A generator, one key a step, so that who runs it can stop between two and be gone at any time: what
is not whole has another name. Memory holds one key and the new index. It never changes a file.
"""

import heapq
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from monitord.history import pieces
from monitord.history.frames import HEAD_LENGTH, chunk, frames, head_of, index_of, payload_at
from monitord.history.pieces import DAY, ROLLUPS, Piece
from monitord.history.rollup import rolled
from monitord.history.samples import TICK, Samples, extend, pack
from monitord.log import get_logger

log = get_logger(__name__)

MODE = 0o640
UNFINISHED = ".new"
_BUFFER = 256 * 1024


class Making:
    """One new file: chunks go in by key's number, and at the end it gets its name."""

    def __init__(self, folder: Path, piece: Piece) -> None:
        self._path = folder / piece.name
        self._new = folder / f"{piece.name}{UNFINISHED}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._descriptor = os.open(self._new, flags, MODE)
        os.fchmod(self._descriptor, MODE)  # whatever the umask says
        self._places: list[tuple[int, int]] = []
        self._buffer = bytearray(HEAD_LENGTH)
        self._at = 0  # how much is in the file already

    def add(self, number: int, payload: bytes) -> None:
        """Append a chunk."""
        self._places.append((number, self._at + len(self._buffer)))
        self._buffer += chunk(number, payload)
        if len(self._buffer) >= _BUFFER:
            self._flush()

    def finish(self) -> None:
        """Write the index and the head, have it on the disk, and give it its name."""
        table = index_of(self._places)
        index_at = self._at + len(self._buffer)
        self._buffer += table
        self._flush()
        os.pwrite(self._descriptor, head_of(len(self._places), index_at, table), 0)
        os.fsync(self._descriptor)
        self._new.rename(self._path)

    def close(self) -> None:
        """Close it; without `finish` it is nothing."""
        os.close(self._descriptor)

    def _flush(self) -> None:
        view = memoryview(self._buffer)
        while view:
            written = os.pwrite(self._descriptor, view, self._at)
            self._at += written
            view = view[written:]
        view.release()
        self._buffer = bytearray()


def merge(folder: Path, sources: Sequence[Piece], target: Piece) -> Iterator[None]:
    """Put pieces together; a target that holds a whole day gets its roll-ups too.

    Raises:
        OSError: the disk is full, or fails; the sources are as they were.
    """
    with ExitStack() as stack:
        streams = [_entries(stack, folder, piece, n) for n, piece in enumerate(sources)]
        kinds = ROLLUPS if target.hour is None else {}
        rollups = {kind: Piece(target.day, None, target.number, kind) for kind in kinds}
        files = {kind: _make(stack, folder, piece) for kind, piece in rollups.items()}
        whole = _make(stack, folder, target)
        end = (target.day + 1) * DAY // TICK
        for number, group in groupby(heapq.merge(*streams), key=itemgetter(0)):
            samples = _read(group)
            if not samples.times:
                continue
            whole.add(number, pack(samples))
            for kind, making in files.items():
                making.add(number, pack(rolled(samples, ROLLUPS[kind], end)))
            yield
        for making in (*files.values(), whole):  # the results last: only then the sources may go
            making.finish()
        _have_names_kept(folder)


def remove(folder: Path, names: Sequence[str]) -> None:
    """Remove files; one that is gone already is gone."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def unfinished(folder: Path) -> list[str]:
    """Give the files that an earlier run began and did not finish."""
    return [
        name
        for name in os.listdir(folder)  # noqa: PTH208 - names alone are wanted
        if name.endswith(UNFINISHED) and pieces.parse(name.removesuffix(UNFINISHED)) is not None
    ]


def _make(stack: ExitStack, folder: Path, piece: Piece) -> Making:
    making = Making(folder, piece)
    stack.callback(making.close)
    return making


def _entries(
    stack: ExitStack, folder: Path, piece: Piece, order: int
) -> Iterator[tuple[int, int, int, int]]:
    """Give (key's number, order of the file, place, descriptor) of all chunks, sorted."""
    descriptor = os.open(folder / piece.name, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)

    def damaged(at: int) -> None:
        log.warning("history is damaged; that part is a gap", file=piece.name, at=at)

    streams = [
        ((number, order, place, descriptor) for number, place in frame.entries())
        for frame in frames(descriptor, damaged)
    ]
    return heapq.merge(*streams)


def _read(group: Iterator[tuple[int, int, int, int]]) -> Samples:
    samples = Samples()
    for number, _order, place, descriptor in group:
        found = payload_at(descriptor, place)
        if found is None or found[0] != number:
            log.warning("history is damaged; that part is a gap", at=place)
            continue
        try:
            extend(samples, found[1])
        except ValueError as error:
            log.warning("history is damaged; that part is a gap", at=place, reason=str(error))
    return samples


def _have_names_kept(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
