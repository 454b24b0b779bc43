"""Hands results over to the history, and says of it what it does not say itself.

The history has a thread of its own and may fail as it likes: nothing waits for it here, and nothing
is decided by it.
"""

from collections.abc import Mapping, Sequence

from monitord.engine.beliefs import Beliefs
from monitord.history import Writer
from monitord.metrics import Counters
from monitord.model.catalog import Check, Retention
from monitord.model.ids import Instant, StateKey, state_key
from monitord.model.inbound import PASSIVE
from monitord.model.result import Result, Status


class Remembering:
    """One core's history, or none: then results are believed and forgotten."""

    def __init__(self, writer: Writer | None, beliefs: Beliefs, counters: Counters) -> None:
        self._writer = writer
        self._beliefs = beliefs
        self._counters = counters
        if writer is not None:
            beliefs.keep = self.keep

    def keep(self, check: Check, results: Sequence[Result], at: Instant) -> None:
        """Keep results, with the newest attempt that holds the check.

        Each tells something until the next is overdue by one interval; of passive checks nobody
        knows when the next one comes.
        """
        if self._writer is None:
            return
        fresh = check.policy.fresh_for
        if check.kind != PASSIVE:
            fresh = min(fresh, 2 * check.every + check.timeout)
        seconds = fresh.days * 86_400 + fresh.seconds
        holds = self._beliefs.holding(check.key, at)
        attempt = max(hold.attempt for hold in holds) if holds else 0
        for one in self._beliefs.spread(check.key, results):
            if one.status is Status.PENDING:  # it says nothing yet
                continue
            key = state_key(check.key, one.item)
            self._writer.put(
                key, at, one.status, one.summary, one.measurements, attempt, fresh=seconds
            )

    def rename(self, names: Mapping[StateKey, StateKey], at: Instant) -> None:
        """Let histories go by their new keys from now on."""
        if self._writer is not None:
            self._writer.rename(names, at)

    def look(self, retention: Retention) -> str:
        """Take over how long is kept, show the numbers; gives why nothing is written, or empty."""
        writer, counters = self._writer, self._counters
        if writer is None:
            return ""
        writer.keep(retention.results, retention.rollups)
        counters.history_written = writer.stats.written
        counters.history_dropped = writer.stats.dropped
        counters.history_bytes = writer.stats.bytes
        counters.history_seconds = writer.stats.busy
        counters.history_waiting = writer.waiting
        counters.history_lag = writer.lag
        return writer.trouble
