"""The core's wall time: runs on by the monotonic clock, and follows the machine's when told to.

So a step of the machine's clock changes nothing by itself: `pulse` notices it, moves every due time
in one transaction, and only then lets this clock follow. In between nothing is early or late.
"""

from monitord.clock import Clock
from monitord.model.ids import Instant


class SteadyClock:
    """A Clock that keeps to another one's wall time without ever jumping by itself."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._wall: int = 0
        self._since = 0.0
        self.follow()

    def now(self) -> Instant:
        """Give the wall time, µs since the epoch, UTC."""
        return Instant(self._wall + int((self._machine.monotonic() - self._since) * 1_000_000))

    def monotonic(self) -> float:
        """Give the machine's monotonic seconds."""
        return self._machine.monotonic()

    def behind(self) -> int:
        """Give how far (µs) the machine's wall clock is ahead of this one."""
        return self._machine.now() - self.now()

    def follow(self) -> None:
        """Take over the machine's wall time as it is now."""
        self._wall, self._since = self._machine.now(), self._machine.monotonic()
