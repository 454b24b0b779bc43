"""The grip of an attempt on the checks it may disturb: what they said meanwhile, how they fail.

It counts, and decides nothing: what is harm is for decisions/harm.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitord.decisions.reach import hangs_on
from monitord.model.catalog import Catalog
from monitord.model.ids import AttemptId, CheckKey, Instant, StateKey, split_state_key, state_key
from monitord.model.result import Result, Status
from monitord.model.state import CheckState

_ORDER = (Status.PENDING, Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)
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

    def take_all(self, check: CheckKey, results: Iterable[Result], at: Instant) -> None:
        """Take each result of a look at a check."""
        for result in results:
            self.take(state_key(check, result.item), result, at)

    def begin(self, states: Iterable[CheckState]) -> None:
        """Note which of these states are well as it begins."""
        self.well = frozenset(state.key for state in states if is_well(state))

    def go_on(self, older: "Hold") -> None:
        """Keep what the same attempt's hold had seen before this one."""
        self.seen = {**older.seen, **self.seen}
        self.well, self.failing = older.well, older.failing

    def shift(self, step: int) -> None:
        """Move its times along with a step of the wall clock (µs)."""
        self.until = Instant(self.until + step)
        if self.judged_from is not None:
            self.judged_from = Instant(self.judged_from + step)

    def rename(
        self, names: Mapping[StateKey, StateKey], checks: Mapping[CheckKey, CheckKey]
    ) -> None:
        """Let states and checks go by other keys from now on."""
        self.seen = {names.get(key, key): result for key, result in self.seen.items()}
        self.well = frozenset(names.get(key, key) for key in self.well)
        self.failing = {names.get(key, key): bad for key, bad in self.failing.items()}
        self.checks = frozenset(checks.get(key, key) for key in self.checks)


def is_well(state: CheckState) -> bool:
    """Tell whether a state is hard OK, fresh and in no doubt."""
    doubtful = state.soft or state.stale or state.unreachable or state.flapping
    return state.hard is Status.OK and not doubtful


def worst(states: Iterable[CheckState]) -> CheckState | None:
    """Give the worst of these states, by what is hard first; None where there is none."""
    by = _ORDER.index
    return max(states, key=lambda state: (by(state.hard), by(state.status)), default=None)


def hanging(catalog: Catalog) -> dict[CheckKey, list[CheckKey]]:
    """Give, by check, those that hang on it at once."""
    children: dict[CheckKey, list[CheckKey]] = {}
    for key, check in catalog.checks.items():
        needs = hangs_on(check, catalog.hosts[check.host], Status.UNKNOWN)
        for parent in dict.fromkeys(parent for need in needs for parent in need.keys):
            children.setdefault(parent, []).append(key)
    return children


def composites(catalog: Catalog) -> dict[CheckKey, list[CheckKey]]:
    """Give, by check, the composites that it is a member of."""
    found: dict[CheckKey, list[CheckKey]] = {}
    for key, check in catalog.checks.items():
        for member in check.members.keys if check.members is not None else ():
            found.setdefault(member, []).append(key)
    return found


def dependents(catalog: Catalog) -> dict[str, frozenset[CheckKey]]:
    """Give, by host, its checks and those that hang on any of them, however far away."""
    children: dict[CheckKey, set[CheckKey]] = {}
    own: dict[str, set[CheckKey]] = {}
    for key, check in catalog.checks.items():
        own.setdefault(check.host, set()).add(key)
        host = catalog.hosts[check.host]
        for requirement in hangs_on(check, host, Status.UNKNOWN):
            if requirement is host.vantage:
                continue  # a repair beside a canary does not disturb whatever is seen over it
            for parent in requirement.keys:
                children.setdefault(parent, set()).add(key)
    result = {}
    for name, keys in own.items():
        reached, front = set(keys), list(keys)
        while front:
            for child in children.get(front.pop(), ()):
                if child not in reached:
                    reached.add(child)
                    front.append(child)
        result[name] = frozenset(reached)
    return result


def counted(holds: Iterable[Hold], check: CheckKey) -> list[int]:
    """Give how often each item of a check that was well has failed under these holds."""
    return [
        streak.count
        for hold in holds
        for key, streak in hold.failing.items()
        if split_state_key(key)[0] == check
    ]
