"""Injected time. `Instant` is µs since the epoch, UTC; elapsed time comes from `monotonic`.

Only this module and the event loop read the machine's clock; everything else is handed a `Clock`
or an `Instant`. Calendar and zones are not its business.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from monitord.model.ids import Instant


class Clock(Protocol):
    """Where now comes from: the machine in production, the test's loop on virtual time."""

    def now(self) -> Instant:
        """Give the wall time, µs since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Give seconds of a clock that never steps; equal to the running loop's `time()`."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Instant:
        """Give the machine's wall time."""
        return Instant(time.time_ns() // 1000)

    def monotonic(self) -> float:
        """Give the machine's monotonic seconds."""
        return time.monotonic()


def after(start: Instant, wait: timedelta) -> Instant:
    """Give the instant `wait` later than `start`."""
    return Instant(start + wait // timedelta(microseconds=1))


def between(start: Instant, end: Instant) -> timedelta:
    """Give `end` − `start`; negative where the order is reversed."""
    return timedelta(microseconds=end - start)


def as_datetime(instant: Instant) -> datetime:
    """Give `instant` as an aware UTC datetime."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=instant)


def as_instant(moment: datetime) -> Instant:
    """Give an aware datetime as an instant; a naive one is a bug and raises ValueError."""
    if moment.tzinfo is None:
        msg = f"{moment} has no time zone"
        raise ValueError(msg)
    return Instant((moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1))
