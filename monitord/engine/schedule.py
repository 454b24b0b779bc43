"""Says which checks are due: a wheel over monotonic time. It runs nothing and judges nothing.

A check keeps its phase (hash of its transport or itself), so that starts are spread and checks of
one login share a round trip. A check that is still running when due again is refused and counted;
one that is late runs once. One that is asked for while it runs runs once more right after: what it
sees may be older than the question.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from math import ceil
from zlib import crc32

from monitord.engine.wheel import Wheel
from monitord.metrics import Counters
from monitord.model.catalog import Check
from monitord.model.ids import CheckKey

_PHASES = 1 << 32
_SOON = 15.0  # seconds within which every new check runs for the first time
_AHEAD = 1e-6  # seconds, and shares of an interval: what floating point may be wrong by


class Slot:
    """One scheduled check: mutable on purpose, since it is touched at every run."""

    __slots__ = ("asked", "check", "due", "every", "generation", "offset", "running")

    def __init__(self, check: Check) -> None:
        self.take(check)
        self.due = 0.0
        self.generation = 0
        self.running = False
        self.asked = False

    def take(self, check: Check) -> None:
        """Take over the check, or what a reload has made of it. `offset` is in seconds."""
        self.check = check
        self.every = check.every.total_seconds()
        self.offset = _phase(check) * self.every


class Scheduler:
    """Holds the due times of all checks and hands due ones over in one list per tick."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dispatch: Callable[[list[Slot]], None],
        counters: Counters,
    ) -> None:
        self._loop = loop
        self._dispatch = dispatch
        self._counters = counters
        self._slots: dict[CheckKey, Slot] = {}
        self._wheel: Wheel[tuple[Slot, int]] = Wheel()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._stopped = False

    def load(self, checks: Mapping[CheckKey, Check], *, at_once: Iterable[CheckKey] = ()) -> None:
        """Take over a catalog: unchanged checks keep their due times, new ones start in phase."""
        for key in self._slots.keys() - checks.keys():
            self._slots.pop(key).generation += 1
        urgent = set(at_once)
        now = self._loop.time()
        for key, check in checks.items():
            slot = self._slots.get(key)
            anew = slot is not None and slot.running and key in urgent  # what runs is another's
            if slot is None or anew or slot.check.every != check.every:
                slot = self._replace(slot, check)
                self._arm(slot, now + slot.offset * min(1.0, _SOON / slot.every))
            slot.take(check)
            if key in urgent:
                self._arm(slot, now)
        self._set_timer()

    def run_now(self, keys: Iterable[CheckKey]) -> None:
        """Make checks due at once, those that run as soon as that run ends.

        Unknown keys are ignored (they may be gone since).
        """
        now = self._loop.time()
        for key in keys:
            slot = self._slots.get(key)
            if slot is not None and slot.running:
                slot.asked = True
            elif slot is not None:
                self._arm(slot, now)
        self._set_timer()

    def finished(self, slot: Slot, again_in: timedelta | None) -> None:
        """Note the end of a run; `again_in` brings the next one forward (a soft state)."""
        asked, slot.running, slot.asked = slot.asked, False, False
        if self._slots.get(slot.check.key) is not slot or (again_in is None and not asked):
            return
        wait = 0.0 if asked or again_in is None else again_in.total_seconds()
        sooner = self._loop.time() + wait
        if sooner < slot.due:
            self._arm(slot, sooner)
            self._set_timer()

    def stop(self) -> None:
        """Let nothing become due any more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def overdue(self, by: float) -> int:
        """Count checks whose due time passed more than `by` seconds ago."""
        late = self._loop.time() - by
        return sum(slot.due < late for slot in self._slots.values())

    def _replace(self, old: Slot | None, check: Check) -> Slot:
        if old is not None:
            old.generation += 1
        slot = Slot(check)
        self._slots[check.key] = slot
        return slot

    def _arm(self, slot: Slot, due: float) -> None:
        slot.generation += 1
        slot.due = due
        self._wheel.put(due, (slot, slot.generation))

    def _set_timer(self) -> None:
        due = self._wheel.next_due()
        if due is None or self._stopped:
            return
        if self._timer is not None:
            if self._timer_due <= due and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = None
        ready: list[Slot] = []
        for due, (slot, generation) in self._wheel.take(now):
            if generation != slot.generation:
                continue
            delay = now - due
            self._counters.start_delay.observe(delay if delay > 0 else 0.0)
            self._next(slot, due, now)
            if slot.running:
                self._counters.overlaps_refused += 1
                continue
            slot.running = True
            ready.append(slot)
        if ready:
            self._dispatch(ready)
        self._set_timer()

    def _next(self, slot: Slot, due: float, now: float) -> None:
        """Arm the next run: in the check's phase, whatever made this one early or late."""
        if due + slot.every <= now:
            self._counters.checks_late += 1
        # Not much sooner than a retry would come: a look in between would count as an attempt.
        apart = min(slot.check.retry_every.total_seconds(), slot.every / 2)
        earliest = max(due + apart, now + _AHEAD)
        rounds = ceil((earliest - slot.offset) / slot.every - _AHEAD)
        self._arm(slot, slot.offset + rounds * slot.every)


def _phase(check: Check) -> float:
    """Give where in its interval a check stands, 0 to 1: one place for all of one transport."""
    return crc32((check.via or check.key).encode()) / _PHASES
