"""Decides whether a repair has harmed what was well beside it. Pure.

Harm is a neighbour that was hard OK and fresh when the repair began to act, and fails hard since by
its own results, while no like check that the repair did not touch fails with it (docs/decisions/
harm.md). UNKNOWN is never harm, nor is what others explain.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.decisions.reach import Reach
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from monitord.model.state import CheckState

_BAD = frozenset({Status.WARNING, Status.CRITICAL})
_TOGETHER = timedelta(minutes=10)
"""A like check that has failed for longer than this before the repair fails for another reason."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An item that was well when a repair began to act, and is bad by its newest result.

    `in_a_row` counts its bad results since the repair had settled, `attempts` is how many make it
    hard. `reach` tells whether what it hangs on is up. `peers` are the states of the like checks
    on hosts that the repair does not touch. `worked_on` is set during a maintenance of it,
    `gauges` for a check of how busy the host is: a WARNING there is what any start costs.
    """

    key: StateKey
    status: Status
    summary: str
    in_a_row: int
    attempts: int
    reach: Reach = Reach.UP
    worked_on: bool = False
    peers: tuple[CheckState, ...] = ()
    gauges: bool = False

    @property
    def is_excused(self) -> bool:
        """Tell whether this can be no harm, whatever comes of it."""
        return self.worked_on or (self.gauges and self.status is Status.WARNING)


def harmed(neighbours: Iterable[Neighbour], *, acted: Instant) -> tuple[Neighbour, ...]:
    """Give those that the repair has harmed; `acted` is when it had its first effect."""
    return tuple(
        one
        for one in neighbours
        if one.in_a_row >= one.attempts
        and one.reach is Reach.UP
        and not one.is_excused
        and not _fails_likewise(one.peers, acted)
    )


def doubtful(neighbours: Iterable[Neighbour]) -> tuple[StateKey, ...]:
    """Give those that fail and are not judged yet: until they are, nothing is proven."""
    return tuple(
        one.key
        for one in neighbours
        if not one.is_excused
        and (one.reach is Reach.UNSURE or (one.reach is Reach.UP and one.in_a_row < one.attempts))
    )


def _fails_likewise(peers: Sequence[CheckState], acted: Instant) -> bool:
    earliest = acted - _TOGETHER // timedelta(microseconds=1)
    return any(
        peer.status in _BAD and peer.first_failed is not None and peer.first_failed >= earliest
        for peer in peers
    )
