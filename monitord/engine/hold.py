"""The grip of an attempt on the checks it may disturb: what they said meanwhile, how they fail.

It counts, and decides nothing: what is harm is for decisions/harm.py.
"""

from dataclasses import dataclass, field

from monitord.model.ids import AttemptId, CheckKey, Instant, StateKey
from monitord.model.result import Result, Status
from monitord.model.state import CheckState

_BAD = frozenset({Status.WARNING, Status.CRITICAL})


@dataclass(frozen=True, slots=True)
class Streak:
    """Bad results in a row: how many, and the newest."""

    count: int
    result: Result


@dataclass(slots=True)
class Hold:
    """The grip of one attempt on the checks it may disturb. `seen` keeps their newest results.

    `well` are the items that were hard OK and fresh when it began; from `judged_from` on (None: not
    yet) `failing` counts how they fail. `looked` tells that all were asked for their state then.
    """

    attempt: AttemptId
    incident: int
    until: Instant
    checks: frozenset[CheckKey]
    seen: dict[StateKey, Result] = field(default_factory=dict)
    well: frozenset[StateKey] = frozenset()
    judged_from: Instant | None = None
    failing: dict[StateKey, Streak] = field(default_factory=dict)
    looked: bool = False

    def take(self, key: StateKey, result: Result, at: Instant) -> None:
        """Keep a result, and count it where it may show harm; UNKNOWN shows nothing."""
        self.seen[key] = result
        if self.judged_from is None or at < self.judged_from or key not in self.well:
            return
        if result.status is Status.OK:
            self.failing.pop(key, None)
        elif result.status in _BAD:
            before = self.failing.get(key)
            self.failing[key] = Streak(before.count + 1 if before else 1, result)


def is_well(state: CheckState) -> bool:
    """Tell whether a state is hard OK, fresh and in no doubt."""
    doubtful = state.soft or state.stale or state.unreachable or state.flapping
    return state.hard is Status.OK and not doubtful
