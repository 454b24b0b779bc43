"""monitord's own condition: lag, queue, memory, descriptors, and sentences about what is wrong.

Judged by the `health` probe like any other check, so that trouble of the monitor is an incident.
"""

import psutil

from monitord.engine.instance import Instance
from monitord.model.ids import Instant
from monitord.model.kinds import Health

_EXECUTOR_PATIENCE = 10_000_000  # µs without the executor before it is a problem


class Condition:
    """Keeps the newest numbers; `problems` of other parts are set by name and cleared by them."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._process = psutil.Process()
        self._notes: dict[str, str] = {}
        self._executor_seen: Instant = instance.now()
        self.lag = 0.0
        self.dead_messages = 0

    def note(self, name: str, problem: str) -> None:
        """Set a named problem, or clear it with an empty text."""
        if problem:
            self._notes[name] = problem
        else:
            self._notes.pop(name, None)

    def health(self) -> Health:
        """Give the condition now."""
        counters = self._instance.counters
        return Health(
            lag=self.lag,
            queue=counters.queue,
            rss=self._process.memory_info().rss,
            descriptors=self._process.num_fds(),
            problems=tuple(self._problems()),
        )

    def _problems(self) -> list[str]:
        instance = self._instance
        found = list(self._notes.values())
        if instance.executor.connected:
            self._executor_seen = instance.now()
        elif instance.now() - self._executor_seen > _EXECUTOR_PATIENCE:
            found.append("the executor does not answer: no host checks, no repairs")
        if not instance.counters.store_up:
            found.append("the store takes no rows: checking goes on, repairs and tickets wait")
        if self.dead_messages:
            found.append(f"{self.dead_messages} ticket messages were refused for good")
        if instance.halted_by_file():
            found.append("automation is halted: the file HALT exists (monitord resume '*')")
        return found
