"""A history in a folder of the test's own, whose writer takes its time from `now`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.history import Reader, Writer
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement, Status

DAY = 86_400_000_000
HOUR = 3_600_000_000
SECOND = 1_000_000
NOON = Instant(20_000 * DAY + 12 * HOUR)  # of some day
KEY = StateKey("web1/site")


class Kept:
    """One history: `put` results, `tidy` puts files together, `reader` reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON
        self.writer = Writer(folder, now=lambda: self.now)
        self.reader = Reader(folder)

    def put(
        self,
        at: int,
        value: float | None = None,
        status: Status = Status.OK,
        key: StateKey = KEY,
        summary: str = "",
        attempt: int = 0,
    ) -> None:
        found = () if value is None else (Measurement("time", value, "s"),)
        self.writer.put(key, Instant(at), status, summary, found, attempt, fresh=60)

    def flush(self) -> None:
        assert self.writer.flush(60)

    def tidy(self, now: int) -> None:
        for _ in self.keeper(now):
            pass

    def keeper(self, now: int) -> Iterator[None]:
        return self.writer._keeper.work(Instant(now))

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    history = Kept(tmp_path / "history")
    yield history
    history.writer.close()
