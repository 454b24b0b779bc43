"""Decides how a service stands by what is believed of its checks: UP, DEGRADED, DOWN or UNKNOWN.

Pure. What was not seen (no result, stale, unreachable, UNKNOWN) proves neither that a service is
down nor that it is up. docs/services.md has the rules.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitord.decisions.availability import Time
from monitord.decisions.expressions import blamed, counts_of, holds, keys_of
from monitord.model.catalog import Service
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status
from monitord.model.service import Compare, Count, Rule, Seen, ServiceState
from monitord.model.state import CheckState

Look = Callable[[CheckKey], Sequence[CheckState]]
"""Gives what is believed of a check: of its items, or of itself."""

_SEEN = {Status.OK: Seen.OK, Status.WARNING: Seen.WARNING, Status.CRITICAL: Seen.CRITICAL}
_WORST = (Seen.OK, Seen.WARNING, Seen.UNKNOWN, Seen.CRITICAL)
_UNSEEN = (Time.NO_DATA, Time.STALE, Time.UNKNOWN, Time.UNREACHABLE)
SAID: Mapping[Time, str] = {
    Time.NO_DATA: "has no result",
    Time.STALE: "is stale",
    Time.UNKNOWN: "is unknown",
    Time.UNREACHABLE: "is unreachable",
}
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """How a service stands.

    `time` is the name of this time in its availability, `text` says why. `down` and `degraded` are
    the checks to blame by rules that a person wrote: their incidents are urgent. `checks` are those
    to blame by any rule. `sure`: no rule is in doubt.
    """

    state: ServiceState
    time: Time
    text: str = ""
    checks: tuple[CheckKey, ...] = ()
    down: frozenset[CheckKey] = frozenset()
    degraded: frozenset[CheckKey] = frozenset()
    sure: bool = True


def standing(service: Service, look: Look) -> Standing:
    """Decide how a service stands.

    DOWN goes before UNKNOWN, and that before DEGRADED, as with checks. What nobody can tell to be
    degraded, but is not down, is UNKNOWN too; in its availability it was up.
    """
    if not service.checks:
        return Standing(ServiceState.UNKNOWN, Time.NO_DATA, "it has no check here", sure=False)
    see = _Eyes(look)
    down, worse = down_rules(service), degraded_rules(service)
    fell, sank = _which(down, see), _which(worse, see)
    urgent = frozenset().union(*(blamed(rule.means, see.of) for rule in service.down_when))
    less = frozenset().union(*(blamed(rule.means, see.of) for rule in service.degraded_when))
    sure = fell is not None and sank is not None
    if fell:
        guilty = _blamed_by(down, see)
        text = _because(down, guilty, see)
        return Standing(ServiceState.DOWN, Time.DOWN, text, guilty, urgent, less, sure)
    if fell is None:
        text, time = _doubt(down, see)
        return Standing(ServiceState.UNKNOWN, time, text, (), urgent, less, sure)
    if sank:
        guilty = _blamed_by(worse, see)
        text = _because(worse, guilty, see)
        return Standing(ServiceState.DEGRADED, Time.UP, text, guilty, urgent, less, sure)
    if sank is None:
        return Standing(ServiceState.UNKNOWN, Time.UP, _doubt(worse, see)[0], sure=False)
    return Standing(ServiceState.UP, Time.UP)


def began(service: Service, look: Look, now: Standing) -> Instant | None:
    """Give when a service came to stand so, by the first failed probes of what is to blame.

    That is the earliest instant at which the checks that had failed by then suffice. None: nothing
    of it tells.
    """
    times = sorted(
        {
            state.first_failed
            for key in now.checks
            for state in look(key)
            if state.first_failed is not None and state.hard in _BAD
        }
    )
    place = bisect_left(
        times, 1, key=lambda at: int(standing(service, _by(look, at)).state is now.state)
    )
    return times[place] if place < len(times) else None


def down_rules(service: Service) -> tuple[Rule, ...]:
    """Give the rules by which a service is down: those written, else that no check is CRITICAL."""
    return service.down_when or _any_critical(service)


def degraded_rules(service: Service) -> tuple[Rule, ...]:
    """Give the rules by which a service is degraded: those written, else the same."""
    return service.degraded_when or _any_critical(service)


def what_is_seen(states: Iterable[CheckState]) -> tuple[Seen, Time | None]:
    """Give what a check was seen to be by the worst of its items; and why it was not seen."""
    found = [_of_one(state) for state in states] or [(Seen.UNKNOWN, Time.NO_DATA)]
    worst = max((seen for seen, _ in found), key=_WORST.index)
    if worst is not Seen.UNKNOWN:
        return worst, None
    names = {time for _, time in found}
    return worst, next(time for time in _UNSEEN if time in names)


_BAD = frozenset({Status.WARNING, Status.CRITICAL})


def _any_critical(service: Service) -> tuple[Rule, ...]:
    critical = frozenset({Seen.CRITICAL})
    count = Count(service.checks, Compare.LEAST, 1.0, percent=False, seen=critical)
    return (Rule("", count),)


def _of_one(state: CheckState) -> tuple[Seen, Time | None]:
    if state.hard is Status.PENDING:
        return Seen.UNKNOWN, Time.NO_DATA
    if state.unreachable:
        return Seen.UNKNOWN, Time.UNREACHABLE
    if state.stale:
        return Seen.UNKNOWN, Time.STALE
    seen = _SEEN.get(state.hard)
    return (seen, None) if seen is not None else (Seen.UNKNOWN, Time.UNKNOWN)


class _Eyes:
    """What each check was seen to be, looked up once."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._known: dict[CheckKey, tuple[Seen, Time | None]] = {}

    def of(self, key: CheckKey) -> Seen:
        return self.both(key)[0]

    def both(self, key: CheckKey) -> tuple[Seen, Time | None]:
        if key not in self._known:
            self._known[key] = what_is_seen(self._look(key))
        return self._known[key]

    def says(self, key: CheckKey) -> str:
        seen, why = self.both(key)
        return f"{key} {SAID[why] if why is not None else f'is {seen}'}"


def _which(rules: Iterable[Rule], see: _Eyes) -> bool | None:
    told = [holds(rule.means, see.of) for rule in rules]
    return True if True in told else None if None in told else False


def _blamed_by(rules: Iterable[Rule], see: _Eyes) -> tuple[CheckKey, ...]:
    found = frozenset().union(*(blamed(rule.means, see.of) for rule in rules))
    return tuple(sorted(found))


def _because(rules: Iterable[Rule], guilty: Sequence[CheckKey], see: _Eyes) -> str:
    written = next((rule.text for rule in rules if holds(rule.means, see.of)), "")
    told = _list(guilty, see)
    return f"{written}: {told}" if written and told else written or told


def _doubt(rules: Iterable[Rule], see: _Eyes) -> tuple[str, Time]:
    """Say which rule cannot be told, and by what name goes what was not seen of it."""
    doubtful = [rule for rule in rules if holds(rule.means, see.of) is None]
    unseen = [
        key
        for rule in doubtful
        for count in counts_of(rule.means)
        for key in count.keys
        if Seen.UNKNOWN not in count.seen and see.of(key) is Seen.UNKNOWN
    ]
    unseen = list(dict.fromkeys(unseen))
    names = {see.both(key)[1] for key in unseen}
    time = next(time for time in _UNSEEN if time in names)
    written = doubtful[0].text
    told = f"cannot tell whether {written}: " if written else "cannot tell: "
    return told + _list(unseen, see), time


def _list(keys: Sequence[CheckKey], see: _Eyes) -> str:
    shown = ", ".join(see.says(key) for key in keys[:_NAMED])
    more = len(keys) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _by(look: Look, at: Instant) -> Look:
    """Look as if nothing had failed after an instant."""

    def then(key: CheckKey) -> Sequence[CheckState]:
        return [
            replace(state, hard=Status.OK)
            if state.hard in _BAD and state.first_failed is not None and state.first_failed > at
            else state
            for state in look(key)
        ]

    return then


def members(checks: Iterable[CheckKey], rules: Iterable[Rule]) -> tuple[CheckKey, ...]:
    """Give the checks of a service: those it names, and those that its rules look at."""
    return tuple(dict.fromkeys([*checks, *(key for rule in rules for key in keys_of(rule.means))]))
