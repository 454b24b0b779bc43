"""The one thread that writes a history: takes results from a bounded queue, appends them in frames.

Whoever hands a result over only appends to a queue. Where the disk is full or fails, results wait
up to a bound and are then dropped and counted; nobody is held up and nothing is raised. Between two
frames it keeps house, a twentieth of the time.
"""

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from monitord.history import names
from monitord.history.frames import chunk, frame, number_of
from monitord.history.keeping import Keeper
from monitord.history.merging import MODE
from monitord.history.pieces import day_and_hour
from monitord.history.samples import Row, pack_row, words
from monitord.log import get_logger
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement, Status

log = get_logger(__name__)

EVERY = 10.0  # seconds between two frames: what a kill may cost
_SYNC = 60.0  # seconds between two flushes to the disk: what a power cut may cost besides
_MOST = 100_000  # results that wait; those after them are dropped
_FRAME = 20_000  # results of one frame
_KEEP_HOUSE = 60.0  # seconds between two looks for what is to be done
_SLICE, _REST = 0.001, 0.025  # seconds of work, and of rest after them: a twentieth of a core
_LOOK, _PART = 0.5, 100  # seconds between two looks at a queue that is shorter than so many results
_FREE_BYTES, _FREE_SHARE = 256 * 1024 * 1024, 0.05  # room left to the database: the smaller of both
_TELL_DROPS = 60.0  # seconds between two lines about drops
_FOLDER = 0o750


@dataclass(slots=True)
class Stats:
    """What the writer has done since it began. It alone writes, others read."""

    written: int = 0
    dropped: int = 0
    bytes: int = 0
    busy: float = 0.0  # seconds of its thread's time


@dataclass(slots=True)
class _Renamed:
    """Stands in the queue where keys change their names."""

    at: Instant
    names: Mapping[StateKey, StateKey]


@dataclass(frozen=True, slots=True)
class _Put:
    key: StateKey
    at: Instant
    status: Status
    summary: str
    measurements: Sequence[Measurement]
    attempt: int
    fresh: int


@dataclass(slots=True)
class _Said:
    """The last summary of each key, its numbers aside, since the hour began."""

    hour: tuple[int, int] = (-1, -1)
    words: dict[StateKey, tuple[int, str]] = field(default_factory=dict)


class Writer:
    """The history in one folder. `trouble` says why nothing is written now; else empty."""

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], Instant],
        raw: timedelta = timedelta(days=30),
        rollups: timedelta = timedelta(days=400),
    ) -> None:
        self.folder = folder
        self.trouble = ""
        self.stats = Stats()
        self._now = now
        self._keeper = Keeper(folder, raw, rollups)
        self._queue: deque[_Put | _Renamed] = deque()
        self._ready: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
        self._waiting = 0  # how many are ready
        self._said = _Said()
        self._house: Iterator[None] | None = None
        self._synced = self._drained = self._told_drops = time.monotonic()
        self._next_house = time.monotonic() + _KEEP_HOUSE  # a start has other work
        self._drops_told = 0
        self._asked = threading.Condition()
        self._orders, self._done, self._closing = 0, 0, False
        self._thread = threading.Thread(target=self._live, name="monitord-history", daemon=True)
        self._thread.start()

    def put(
        self,
        key: StateKey,
        at: Instant,
        status: Status,
        summary: str,
        measurements: Sequence[Measurement],
        attempt: int = 0,
        *,
        fresh: int,
    ) -> None:
        """Hand over a result; `fresh` is for how many seconds it tells something. Never waits."""
        if len(self._queue) + self._waiting >= _MOST:
            self.stats.dropped += 1
            return
        self._queue.append(_Put(key, at, status, summary, measurements, attempt, fresh))

    def rename(self, renamed: Mapping[StateKey, StateKey], at: Instant) -> None:
        """Let histories go by other keys from `at` on; one of a reload is never dropped."""
        if renamed:
            self._queue.append(_Renamed(at, dict(renamed)))

    def keep(self, raw: timedelta, rollups: timedelta) -> None:
        """Change how long results and hours are kept."""
        self._keeper.raw, self._keeper.rollups = raw, rollups

    @property
    def lag(self) -> float:
        """Seconds since the queue was last taken and written; 0 while nothing waits."""
        return time.monotonic() - self._drained if self.waiting else 0.0

    @property
    def waiting(self) -> int:
        """Results that are not in a file yet."""
        return len(self._queue) + self._waiting

    def flush(self, seconds: float = 10.0) -> bool:
        """Wait until what was put before is in a file, or was tried; False: it took too long."""
        with self._asked:
            self._orders += 1
            order = self._orders
            self._asked.notify_all()
            return self._asked.wait_for(lambda: self._done >= order, seconds)

    def close(self, seconds: float = 10.0) -> None:
        """Write what waits, and end the thread; what is being put together is begun anew later."""
        with self._asked:
            self._closing = True
            self._asked.notify_all()
        self._thread.join(seconds)

    # --- in the thread

    def _live(self) -> None:
        next_frame = time.monotonic() + EVERY
        while True:
            order, closing = self._wait(next_frame)
            if order > self._done or closing or time.monotonic() >= next_frame:
                self._guarded(self._write)
                next_frame = time.monotonic() + EVERY
                with self._asked:
                    self._done = order
                    self._asked.notify_all()
            if closing:
                return
            self._guarded(self._encode if self._queue else self._keep_house)
            self._tell_drops()
            self.stats.busy = time.thread_time()

    def _wait(self, next_frame: float) -> tuple[int, bool]:
        """Wait for an order, the next frame, or the next slice of housekeeping."""
        until = next_frame - time.monotonic()
        busy = self._house is not None or len(self._queue) > _PART
        rest = _REST if busy else _LOOK
        with self._asked:
            if self._orders == self._done and not self._closing:
                self._asked.wait(max(0.0, min(until, rest)))
            return self._orders, self._closing

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a piece of work; whatever fails, the thread lives on and the history says so."""
        try:
            work()
        except OSError as error:
            self._house, self._next_house = None, time.monotonic() + _KEEP_HOUSE
            self._note(f"the history in {self.folder} pauses: {error.strerror or error}")
        except Exception:
            self._house, self._next_house = None, time.monotonic() + _KEEP_HOUSE
            self._ready, self._waiting, self._said = {}, 0, _Said()
            log.exception("history failed")  # our bug must end neither the thread nor the checks

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            log.error("history pauses; checks and alerts go on", reason=trouble)
        if self.trouble and not trouble:
            log.info("history is written again", dropped=self.stats.dropped)
        self.trouble = trouble

    def _encode(self) -> None:
        """Turn queued results into chunks for their hour's next frame, for a slice of time."""
        until = time.monotonic() + _SLICE
        while self._queue and time.monotonic() < until:
            first = self._queue[0]
            if isinstance(first, _Renamed):
                self._make_folder()
                names.note(self.folder, first.names, first.at)
                self._said.words.clear()
            elif (hour := day_and_hour(first.at)) is not None:
                if hour != self._said.hour:
                    self._said = _Said(hour)
                number = number_of(first.key)
                row = chunk(number, pack_row(self._row(first)))
                self._ready.setdefault(hour, []).append((number, row))
                self._waiting += 1
            self._queue.popleft()

    def _write(self) -> None:
        """Append all that waits, in frames."""
        while self._queue:
            self._encode()
        if self._ready:
            self._make_folder()
            self._need_room()
        for hour in list(self._ready):
            rows = self._ready[hour]
            while rows:
                self._append(hour, rows[:_FRAME])
                del rows[:_FRAME]
                self._waiting = sum(map(len, self._ready.values()))
            del self._ready[hour]
        self._drained = time.monotonic()
        self._note("")

    def _append(self, hour: tuple[int, int], rows: Sequence[tuple[int, bytes]]) -> None:
        data = frame(rows)
        piece = self._keeper.tail(*hour)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.folder / piece.name, flags, MODE)
        try:
            os.fchmod(descriptor, MODE)  # whatever the umask says
            self._append_whole(descriptor, data)
            if time.monotonic() - self._synced >= _SYNC:
                os.fdatasync(descriptor)
                self._synced = time.monotonic()
        finally:
            os.close(descriptor)
        self.stats.written += len(rows)
        self.stats.bytes += len(data)

    def _append_whole(self, descriptor: int, data: bytes) -> None:
        """Append a frame, or nothing of it: the disk may be full in the middle."""
        before, written = os.fstat(descriptor).st_size, 0
        try:
            written = os.write(descriptor, data)
        finally:
            if written < len(data):
                os.ftruncate(descriptor, before)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _row(self, put: _Put) -> Row:
        """Make a row, without the summary where it says what the last one said, numbers aside."""
        now, said = (int(put.status), words(put.summary)), self._said.words
        summary = "" if said.get(put.key) == now else put.summary
        said[put.key] = now
        return Row(put.at, int(put.status), put.fresh, put.attempt, summary, put.measurements)

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
            self.folder.chmod(_FOLDER)

    def _need_room(self) -> None:
        """Leave the last room to the database: incidents and tickets matter more."""
        room = os.statvfs(self.folder)
        least = min(_FREE_BYTES, int(room.f_blocks * room.f_frsize * _FREE_SHARE))
        free = room.f_bavail * room.f_frsize
        if free < least:
            text = f"{free >> 20} MiB are free and {least >> 20} MiB are left to the database"
            raise OSError(errno.ENOSPC, f"{text}; make room, it goes on by itself")

    def _keep_house(self) -> None:
        if self._house is None:
            if time.monotonic() < self._next_house or self.trouble or not self.folder.is_dir():
                return
            self._house = self._keeper.work(self._now())
        until = time.monotonic() + _SLICE
        while time.monotonic() < until:
            if next(self._house, self) is self:
                self._house, self._next_house = None, time.monotonic() + _KEEP_HOUSE
                return

    def _tell_drops(self) -> None:
        dropped, now = self.stats.dropped, time.monotonic()
        if dropped > self._drops_told and now >= self._told_drops:
            count = dropped - self._drops_told
            log.warning("history dropped results; charts have gaps there", count=count)
            self._drops_told, self._told_drops = dropped, now + _TELL_DROPS
