"""Holds what is believed of every item, in memory, and lets results change it by the pure rules.

It is ahead of the store, never behind: the recorder writes what changed. While an attempt works on
a host, results of that host and of what needs it are kept with the attempt and move nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from monitord.decisions.freshness import stale
from monitord.decisions.reach import Reach, hangs_on, reach, recheck
from monitord.decisions.state import changed, gone, judge, retired
from monitord.engine.hold import Hold, Streak, composites, counted, dependents, hanging, worst
from monitord.engine.returning import Returns
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check
from monitord.model.ids import AttemptId, CheckKey, Instant, StateKey, split_state_key, state_key
from monitord.model.inbound import PASSIVE
from monitord.model.result import Result, Status
from monitord.model.state import CheckState, Transition

_NOTHING: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class Beliefs:
    """All states. `record` is called with each changed state and its transitions.

    `erase` is called with the key of a state that has ended, and its last transitions; `compose`
    with the composites of which a member has changed, at once, so that both are one commit.
    """

    def __init__(
        self,
        record: Callable[[CheckState, Sequence[Transition]], None],
        erase: Callable[[StateKey, Sequence[Transition]], None],
        recheck: Callable[[Iterable[CheckKey]], None],
        counters: Counters,
    ) -> None:
        self._record = record
        self._erase = erase
        self.recheck = recheck
        self._counters = counters
        self.states: dict[StateKey, CheckState] = {}
        self._items: dict[CheckKey, tuple[StateKey, ...]] = {}
        self._catalog: Catalog | None = None
        self._dependents: dict[str, frozenset[CheckKey]] = {}
        self._hanging: Mapping[CheckKey, Sequence[CheckKey]] = {}
        self._composites: Mapping[CheckKey, Sequence[CheckKey]] = {}
        self._attempts: dict[AttemptId, Hold] = {}
        self._holds: dict[CheckKey, tuple[Hold, ...]] = {}
        self._watching: dict[CheckKey, Instant] = {}
        self.keep: Callable[[Check, Sequence[Result], Instant], None] = lambda *_: None
        self.compose: Callable[[Iterable[CheckKey], Instant], None] = lambda *_: None
        self._returns = Returns()
        self.moved: set[CheckKey] = set()  # whose services are to be judged anew

    def restore(self, states: Iterable[CheckState]) -> None:
        """Take over states that were decided or stored elsewhere."""
        for state in states:
            self.replace(state)

    def use(self, catalog: Catalog, now: Instant) -> None:
        """Take over a catalog: who needs whom; a new check is PENDING from `now` on."""
        self._catalog = catalog
        self._watching = {key: self._watching.get(key, now) for key in catalog.checks}
        for key in catalog.checks:
            if not self.of(key):
                self.states[StateKey(key)] = CheckState(StateKey(key), since=now)
        self.moved.update(catalog.checks)
        self._dependents = dependents(catalog)
        self._hanging = hanging(catalog)
        self._composites = composites(catalog)

    def replace(self, state: CheckState) -> None:
        """Set a state that was decided elsewhere (verification, a reload)."""
        self.states[state.key] = state
        check, item = split_state_key(state.key)
        self._move(check)
        known = self._items.get(check, ())
        if item and state.key not in known:
            self._items[check] = (*known, state.key)

    def drop(self, key: StateKey) -> None:
        """Forget a state."""
        self.states.pop(key, None)
        check, _item = split_state_key(key)
        self._move(check)
        rest = tuple(known for known in self._items.get(check, ()) if known != key)
        self._items[check] = rest

    def of(self, check: CheckKey) -> list[CheckState]:
        """Give the states of a check: its items, or itself."""
        keys = (StateKey(check), *self._items.get(check, ()))
        return [self.states[key] for key in keys if key in self.states]

    def believed(self, check: CheckKey) -> CheckState | None:
        """Give the worst state of a check, for those who need it."""
        return worst(self.of(check))

    def reach_of(self, check: Check, status: Status, since: Instant | None = None) -> Reach:
        """Tell whether what a bad status of the check hangs on is up."""
        if self._catalog is None:
            return Reach.UP
        host = self._catalog.hosts[check.host]
        hanging = hangs_on(check, host, status)
        return reach(hanging, self.believed, via=check.via, since=since, canaries=host.vantage.keys)

    def parents_to_recheck(self, check: Check, state: CheckState) -> tuple[CheckKey, ...]:
        """Give the parents that should be looked at now that the check has failed."""
        if self._catalog is None:
            return ()
        host = self._catalog.hosts[check.host]
        hanging = hangs_on(check, host, state.status)
        since = state.first_failed or state.last_seen
        return recheck(
            hanging, self.believed, via=check.via, since=since, canaries=host.vantage.keys
        )

    def memory(self, check: Check) -> Mapping[str, Mapping[str, Any]]:
        """Give the probe's declared memory by item."""
        keys = self._items.get(check.key) or (StateKey(check.key),)
        found = {}
        for key in keys:
            state = self.states.get(key)
            if state is not None and state.memory:
                found[split_state_key(key)[1]] = state.memory
        return found or _NOTHING

    def absorb(self, check: Check, results: Sequence[Result], at: Instant) -> timedelta | None:
        """Let results change the beliefs; gives the retry interval while something is soft."""
        if not self._still_watches(check):
            return None
        self.keep(check, results, at)
        if self._held(check.key, results, at):
            return self._doubted(check)
        soft = False
        results = self.spread(check.key, results)
        for result in results:
            self._counters.results[result.status] += 1
            soft |= self._one(check, state_key(check.key, result.item), result, at)
        if self._items.get(check.key) and check.kind == PASSIVE:
            self._retire_unheard(check.key, at)  # others tell of some items, and of the whole
        elif self._items.get(check.key):
            soft |= self._vanished(check, results, at)
            self._retire(check.key, results, at)
        return check.retry_every if soft else None

    def grow_stale(self, checks: Mapping[CheckKey, Check], now: Instant) -> None:
        """Mark what has had no result for too long, since we began to watch it."""
        for key, check in checks.items():
            if key in self._holds:
                continue
            for state in self.of(key):
                older = stale(
                    state, check.policy, now=now, watching_since=self._watching.get(key, now)
                )
                if older is not None:
                    self.states[state.key] = older[0]
                    self._note(older[0], (older[1],))

    def shift(self, step: int) -> None:
        """Move what is compared with the time along with a step of the wall clock (µs)."""
        for key, state in self.states.items():
            if state.last_seen:
                self.states[key] = replace(state, last_seen=Instant(state.last_seen + step))
        self._watching = {key: Instant(at + step) for key, at in self._watching.items()}
        for hold in self._attempts.values():
            hold.shift(step)

    def rename(self, names: Mapping[StateKey, StateKey]) -> None:
        """Let states, and the holds on their checks, go by other keys from now on."""
        states = [(self.states.get(old), new) for old, new in names.items()]
        checks = {split_state_key(old)[0]: split_state_key(new)[0] for old, new in names.items()}
        for old in names:
            self.drop(old)
        for state, new in states:
            if state is not None:
                self.replace(replace(state, key=new))
        for hold in self._attempts.values():
            self._let_go(hold)
            hold.rename(names, checks)
            self._put_on(hold)

    @property
    def held(self) -> frozenset[AttemptId]:
        """The attempts whose holds are on."""
        return frozenset(self._attempts)

    def hold(self, hold: Hold) -> None:
        """Begin an attempt's hold, or take it anew: then it keeps what it has seen."""
        older = self._attempts.get(hold.attempt)
        if older is not None:
            hold.go_on(older)
            self._let_go(older)
        else:
            hold.begin(state for check in hold.checks for state in self.of(check))
        self._attempts[hold.attempt] = hold
        self._put_on(hold)

    def release(self, attempt: AttemptId, now: Instant) -> None:
        """End an attempt's hold and run at once what no other attempt holds."""
        found = self._attempts.pop(attempt, None)
        if found is None:
            return
        free = self._let_go(found)
        for key in free & self._watching.keys():
            self._watching[key] = now
        self.recheck(free)

    def release_overdue(self, now: Instant) -> None:
        """End the holds whose attempts should have ended: nothing is kept blind for longer."""
        for attempt in [hold.attempt for hold in self._attempts.values() if now >= hold.until]:
            self.release(attempt, now)

    def seen_during(self, attempt: AttemptId) -> list[tuple[StateKey, Result]]:
        """Give the newest results that an attempt's hold has kept from counting, by key.

        The store's writer asks too, from its thread: it sorts a copy made in one instruction.
        """
        hold = self._attempts.get(attempt)
        return sorted(hold.seen.copy().items()) if hold is not None else []

    def judge_from(self, attempt: AttemptId, at: Instant) -> None:
        """Let results of an attempt's hold show harm from `at` on: before, it disturbs."""
        hold = self._attempts.get(attempt)
        if hold is not None:
            hold.judged_from = at

    def look_around(self, attempt: AttemptId) -> None:
        """Have every check of an attempt's hold run now, once."""
        hold = self._attempts.get(attempt)
        if hold is not None and not hold.looked:
            hold.looked = True
            self.recheck({split_state_key(key)[0] for key in hold.well})

    def failing(self, attempt: AttemptId) -> list[tuple[StateKey, Streak]]:
        """Give what was well and fails since, by key; the store's writer asks too."""
        hold = self._attempts.get(attempt)
        return sorted(hold.failing.copy().items()) if hold is not None else []

    def disturbed_by(self, host: str) -> frozenset[CheckKey]:
        """Give the checks of a host and of everything that needs it."""
        return self._dependents.get(host, frozenset())

    def hanging_on(self, check: CheckKey) -> Sequence[CheckKey]:
        """Give the checks that hang on this one, on its own or as one of several."""
        return self._hanging.get(check, ())

    def _still_watches(self, check: Check) -> bool:
        """Tell whether a result of the check is one of what the catalog has under its key now.

        It may come late: the check was removed while it ran, or looks at something else since.
        """
        if self._catalog is None:
            return True
        current = self._catalog.checks.get(check.key)
        if current is check:
            return True
        return current is not None and (current.kind, current.spec) == (check.kind, check.spec)

    def holding(self, check: CheckKey, at: Instant) -> list[Hold]:
        """Give the holds that keep the results of a check from counting."""
        return [hold for hold in self._holds.get(check, ()) if at < hold.until]

    def end(self, key: StateKey, at: Instant) -> None:
        """End what is believed of an item that nobody will tell of again."""
        state = self.states.get(key)
        if state is not None:
            self.drop(key)
            _, transitions = retired(state, at=at)
            self._erase(key, transitions)

    def _retire_unheard(self, check: CheckKey, at: Instant) -> None:
        """End a check's PENDING state as a whole once it is told of by items."""
        whole = StateKey(check)
        if whole in self.states and self.states[whole].status is Status.PENDING:
            self.end(whole, at)

    def _held(self, check: CheckKey, results: Sequence[Result], at: Instant) -> bool:
        """Keep the results with the attempts that hold the check; tells whether there are any."""
        holds = self.holding(check, at)
        for hold in holds:
            hold.take_all(check, results, at)
        return bool(holds)

    def _doubted(self, check: Check) -> timedelta | None:
        """Give the retry interval while a held check fails that was well, and is not judged yet."""
        counts = counted(self._holds.get(check.key, ()), check.key)
        return check.retry_every if counts and min(counts) < check.policy.attempts else None

    def _put_on(self, hold: Hold) -> None:
        for key in hold.checks:
            self._holds[key] = (*self._holds.get(key, ()), hold)

    def _let_go(self, hold: Hold) -> frozenset[CheckKey]:
        """Take a hold off its checks; gives those that no other hold is on."""
        free: set[CheckKey] = set()
        for key in hold.checks:
            rest = tuple(other for other in self._holds.get(key, ()) if other is not hold)
            if rest:
                self._holds[key] = rest
            else:
                self._holds.pop(key, None)
                free.add(key)
        return frozenset(free)

    def spread(self, check: CheckKey, results: Sequence[Result]) -> Sequence[Result]:
        """Let a check that could not look at all say so of each item that it is known to have.

        As a state of its own it would never end: once the items report again, nothing does.
        """
        items = self._items.get(check)
        if not items or len(results) != 1 or results[0].item:
            return results
        if results[0].status is not Status.UNKNOWN:
            return results
        return [replace(results[0], item=split_state_key(key)[1]) for key in items]

    def _one(self, check: Check, key: StateKey, result: Result, at: Instant) -> bool:
        before = self.states.get(key)
        if before is None:
            before = CheckState(key)
            if result.item:
                self._items[check.key] = (*self._items.get(check.key, ()), key)
        reachable = self._reach_for(check, before, result.status, at)
        if reachable is Reach.UP and result.status is not Status.OK and self._catalog is not None:
            hanging = hangs_on(check, self._catalog.hosts[check.host], result.status)
            before = self._returns.excuse(before, hanging)
        after, transitions = judge(before, result, check.policy, at=at, reach=reachable)
        return self._believe(check, before, after, transitions)

    def _vanished(self, check: Check, results: Sequence[Result], at: Instant) -> bool:
        """An item that a whole look no longer shows is UNKNOWN until a person forgets it."""
        if any(not result.item for result in results):
            return False
        seen = {state_key(check.key, result.item) for result in results}
        soft = False
        for key in self._items[check.key]:
            if key not in seen:
                before = self.states[key]
                after, transitions = gone(before, check.policy, at=at)
                soft |= self._believe(check, before, after, transitions)
        return soft

    def _retire(self, check: CheckKey, results: Sequence[Result], at: Instant) -> None:
        """End what was believed of the check as a whole before its items were seen.

        Items that nobody could judge prove nothing against it: UNKNOWN is never a recovery.
        """
        whole = self.states.get(StateKey(check))
        if whole is None or any(not result.item for result in results):
            return
        unproven = all(result.status is Status.UNKNOWN for result in results)
        if unproven and whole.status is not Status.PENDING:
            return
        del self.states[whole.key]
        self._move(check)
        _, transitions = retired(whole, at=at)
        self._counters.transitions += len(transitions)
        self._erase(whole.key, transitions)

    def _reach_for(self, check: Check, before: CheckState, status: Status, at: Instant) -> Reach:
        if status is Status.OK and not before.unreachable:
            return Reach.UP  # an OK is always believed: the hot path asks nobody
        return self.reach_of(check, status, before.first_failed or at)

    def _believe(
        self,
        check: Check,
        before: CheckState,
        after: CheckState,
        transitions: Sequence[Transition],
    ) -> bool:
        self.states[after.key] = after
        self._returns.note(before, after)
        if transitions or changed(before, after):
            self._note(after, transitions)
            if after.status is not Status.OK:
                self.recheck(self.parents_to_recheck(check, after))
        # What hangs on a parent or cannot be seen is not looked at more often for it.
        return after.soft and not (after.unreachable or after.stale)

    def _move(self, check: CheckKey) -> None:
        """Have its services judged anew, and run the composites that it is a member of."""
        self.moved.add(check)
        if check in self._composites:
            self.recheck(self._composites[check])

    def _note(self, state: CheckState, transitions: Sequence[Transition]) -> None:
        self._counters.transitions += len(transitions)
        self._record(state, transitions)
        if transitions:  # what is believed to be hard, stale or unreachable changes with one
            check = split_state_key(state.key)[0]
            self.moved.add(check)
            if made := self._composites.get(check):
                self.compose(made, transitions[-1].at)
