"""Due times in slots of a few milliseconds: put and take in O(1), on the caller's clock.

It knows nothing of checks; it never drops and never invents an entry.
"""

from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")


class Wheel(Generic[T]):
    """Entries by due time, seconds of a monotonic clock, in slots of `grain` seconds."""

    def __init__(self, grain: float = 0.005) -> None:
        self._grain = grain
        self._slots: dict[int, list[tuple[float, T]]] = {}
        self._order: list[int] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, due: float, entry: T) -> None:
        """Add an entry that is due at `due`."""
        number = int(due / self._grain)
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = [(due, entry)]
            heappush(self._order, number)
        else:
            slot.append((due, entry))
        self._count += 1

    def next_due(self) -> float | None:
        """Give when the earliest slot ends (all in it are due then), or None when empty."""
        return (self._order[0] + 1) * self._grain if self._order else None

    def take(self, now: float) -> list[tuple[float, T]]:
        """Remove and give everything in slots that have ended by `now`, slot by slot."""
        taken: list[tuple[float, T]] = []
        # The tolerance keeps a timer that fires at exactly the slot's end from finding nothing.
        while self._order and (self._order[0] + 1) * self._grain <= now + 1e-6:
            taken.extend(self._slots.pop(heappop(self._order)))
        self._count -= len(taken)
        return taken
