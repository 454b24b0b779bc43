"""Decides by which of a person's ways a notice goes, and when it is tried again. Pure.

A way that failed hands over to the next one at once: somebody at three in the morning is told twice
rather than not at all.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitord.model.ids import Instant
from monitord.model.notice import Notice, NoticeKind
from monitord.model.oncall import Person, Way

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_DAY = 86_400
_ROUNDS = 6
_FIRST_REST = timedelta(seconds=30)
_LONGEST_REST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class By:
    """Send it by this way of the person (its number from 0)."""

    way: int


@dataclass(frozen=True, slots=True)
class Later:
    """Every way is silent now; the first of them speaks again at `until`."""

    until: Instant


@dataclass(frozen=True, slots=True)
class Never:
    """No way of the person carries it."""

    reason: str


def choose(person: Person, notice: Notice, now: Instant) -> By | Later | Never:
    """Choose the way of a notice, from its own number on, round and round.

    A page of P1 goes by a silent way rather than by none.
    """
    count = len(person.ways)
    order = [(notice.way + step) % count for step in range(count)]
    carries = [n for n in order if _carries(person.ways[n], notice)]
    if not carries:
        why = f"no way carries {notice.priority}" if count else "no way is known"
        return Never(f"{person.name} is not told: {why}")
    second = _second(person, now)
    loud = [n for n in carries if not _silent(person.ways[n], second)]
    if loud:
        return By(loud[0])
    if notice.kind is NoticeKind.PAGE and notice.priority == "P1":
        return By(carries[0])
    waits = [(person.ways[n].quiet_until - second) % _DAY for n in carries]
    return Later(Instant(now + timedelta(seconds=min(waits)) // _MICRO))


@dataclass(frozen=True, slots=True)
class Again:
    """Try it by `way` at `due_at`. `nobody`: no way has taken it in a whole round.

    `hands_over`: that was the first round, so the next tier is told. Later ones call nobody else.
    """

    way: int
    due_at: Instant
    nobody: bool
    hands_over: bool = False


def after_failure(person: Person, notice: Notice, way: int, now: Instant) -> Again | None:
    """Say where a notice goes that a way did not take; None: it is given up."""
    carries = [n for n, one in enumerate(person.ways) if _carries(one, notice)]
    tries, count = notice.tries + 1, max(1, len(carries))
    rounds, rest = divmod(tries, count)
    if rounds >= _ROUNDS:
        return None
    following = carries[(carries.index(way) + 1) % count] if way in carries else 0
    if rest:
        return Again(following, now, nobody=False)
    wait = min(_FIRST_REST * 2 ** (rounds - 1), _LONGEST_REST)
    return Again(following, Instant(now + wait // _MICRO), nobody=True, hands_over=rounds == 1)


def _carries(way: Way, notice: Notice) -> bool:
    return notice.kind is NoticeKind.TEST or notice.priority <= way.min_priority


def _silent(way: Way, second: int) -> bool:
    low, high = way.quiet_from, way.quiet_until
    return low <= second < high if low <= high else second >= low or second < high


def _second(person: Person, now: Instant) -> int:
    """Give the second of the day on the person's wall clock."""
    local = (_EPOCH + now * _MICRO).astimezone(ZoneInfo(person.zone))
    return local.hour * 3600 + local.minute * 60 + local.second
