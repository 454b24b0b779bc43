"""A month of history for many checks, made quickly: each day is a copy of one that was written.

One day of ten checks goes through the real writer and its housekeeping; its roll-ups are then
packed again under every key and every day. Results themselves (of today) come by the checking.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from monitord.history import Writer
from monitord.history.frames import number_of
from monitord.history.keeping import Keeper
from monitord.history.pieces import Piece
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Measurement
from tests.benchmarks import history as one_day

_MODELS, _EVERY, _DAYS = 10, 60, 30


def fill(folder: Path, keys: Iterable[str], today: int) -> int:
    """Write the 30 days before `today` (days since 1970) for these keys; gives the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = sorted(number_of(StateKey(key)) for key in keys)
    with tempfile.TemporaryDirectory() as name:
        model = Path(name)
        _model(model)
        for kind in ("5m", "1h"):
            payloads = one_day.payloads_of(next(model.glob(f"*.{kind}")))
            for day in range(today - _DAYS, today):
                there = Piece(day, None, 1, kind)
                one_day.copy(folder, there, numbers, one_day.moved(payloads, day))
    return sum(path.stat().st_size for path in folder.iterdir())


def _model(folder: Path) -> None:
    writer = Writer(folder, now=lambda: Instant(one_day.BEGIN))
    rng = random.Random(3)  # noqa: S311 - the same noise each time
    sources = [one_day.latency(rng) for _ in range(_MODELS)]
    for n in range(86_400 // _EVERY):
        at = Instant(one_day.BEGIN + n * _EVERY * one_day.SECOND)
        for number, source in enumerate(sources):
            value = next(source)
            status, text = one_day.result(rng, value)
            found = (Measurement("time", value, "s"),)
            writer.put(StateKey(f"h{number}/c"), at, status, text, found, fresh=_EVERY * 3)
        if n % 60 == 0:
            writer.flush(60)
    writer.close()
    kept = timedelta(days=40_000)
    for _ in Keeper(folder, kept, kept).work(Instant(one_day.BEGIN + 2 * one_day.DAY)):
        pass
