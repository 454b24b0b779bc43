"""Decides how available a service was: one formula over named times, sealed with its inputs. Pure.

availability = up / (agreed - excused). The agreed time is cut into pieces, and each piece bears one
name (`Time`). Only what was seen to be up counts as up: no data is never up. docs/sla.md says it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from monitord.model.ids import Instant


class Time(StrEnum):
    """What a piece of agreed time was."""

    UP = "up"  # every check of the service was seen OK or WARNING
    DOWN = "down"  # one of them was seen CRITICAL
    MAINTENANCE = "maintenance"  # not up, while somebody had announced work on it
    EXCUSED = "excused"  # maintenance that is agreed not to count
    OUTAGE = "outage"  # monitord itself did not watch
    NO_DATA = "no_data"  # there was no result yet, or there is none any more
    STALE = "stale"  # results had stopped coming
    UNKNOWN = "unknown"  # a check could not tell
    UNREACHABLE = "unreachable"  # what stands before it was down


_UNSEEN = (Time.NO_DATA, Time.STALE, Time.UNKNOWN, Time.UNREACHABLE)
"""Where no check is down and several were not seen, the first of these names the piece."""

Period = tuple[Instant, Instant]
"""From the first instant to before the second."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one check (or one item of it) was, from `start` to before `end`."""

    start: Instant
    end: Instant
    time: Time


@dataclass(frozen=True, slots=True)
class Work:
    """Announced maintenance. `excused`: it is agreed that it does not count."""

    start: Instant
    end: Instant
    reason: str
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """What a time really was, by a person's word (`by`): why, and who approved it.

    With `check` only that check was so (EXCUSED: what it was does not count), else the service.
    `id` is the number of its row.
    """

    start: Instant
    end: Instant
    time: Time
    reason: str
    approved_by: str
    check: str = ""
    by: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """All that the figure is made of, and nothing else is.

    `agreed` are the periods in which the service is promised, apart. `tracks` holds the pieces of
    each check or item, apart; where none lies, nothing is known. `outages` are times in which
    monitord itself did not watch. Of two corrections the later in the list holds.
    """

    service: str
    sla: str
    start: Instant
    end: Instant
    agreed: tuple[Period, ...]
    tracks: dict[str, tuple[Piece, ...]]
    works: tuple[Work, ...] = ()
    outages: tuple[Period, ...] = ()
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """The figure. `times` are µs of agreed time by name, and add up to `agreed`.

    `share` is up / `denominator` (0 to 1), None where nothing is left to divide by. `seal` is the
    SHA-256 of the account's canonical text: who has the account can compute both again.
    """

    times: Mapping[Time, int]
    agreed: int
    denominator: int
    share: float | None
    seal: str

    @property
    def watched(self) -> bool:
        """Whether anything was looked at in the time that counts: without it no share is a word."""
        blind = self.times[Time.NO_DATA] + self.times[Time.OUTAGE]
        return self.denominator > blind


def measure(account: Account) -> Availability:
    """Compute the availability of an account."""
    times: Counter[Time] = Counter()
    for start, end, time in pieces(account):
        times[time] += end - start
    agreed = times.total()
    denominator = agreed - times[Time.EXCUSED]
    share = times[Time.UP] / denominator if denominator else None
    seal = hashlib.sha256(canonical(account).encode()).hexdigest()
    return Availability({time: times[time] for time in Time}, agreed, denominator, share, seal)


def canonical(account: Account) -> str:
    """Give the text that is sealed: JSON with sorted keys, no blanks, instants as µs, ASCII."""
    return json.dumps(asdict(account), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def pieces(account: Account) -> Iterator[tuple[Instant, Instant, Time]]:
    """Cut the agreed time of the account into pieces that bear one name each, in order."""
    now = _Now(Counter({Time.NO_DATA: len(account.tracks)}))
    before = account.start
    for raw, _, change in sorted(_borders(account), key=lambda border: border[:2]):
        at = Instant(min(max(raw, account.start), account.end))
        if at > before:
            if now.layers["agreed"]:
                yield before, at, now.time(account.corrections)
            before = at
        change.apply(now)


@dataclass(slots=True)
class _Now:
    """What holds at one instant: how many tracks bear each name, and what lies over them."""

    seen: Counter[Time]
    layers: Counter[str] = field(default_factory=Counter)
    corrected: set[int] = field(default_factory=set)

    def time(self, corrections: Sequence[Correction]) -> Time:
        if self.corrected:
            return corrections[max(self.corrected)].time
        if self.layers["excused"]:
            return Time.EXCUSED
        if self.layers["outage"]:
            return Time.OUTAGE
        found = self._of_the_tracks()
        return Time.MAINTENANCE if self.layers["work"] and found is not Time.UP else found

    def _of_the_tracks(self) -> Time:
        if self.seen[Time.DOWN]:
            return Time.DOWN
        if not self.seen.total():
            return Time.NO_DATA  # a service without checks
        if self.seen[Time.EXCUSED] == self.seen.total():
            return Time.EXCUSED  # nothing is left that counts
        return next((time for time in _UNSEEN if self.seen[time]), Time.UP)


@dataclass(frozen=True, slots=True)
class _Layer:
    """Something that lies over the tracks begins (1) or ends (-1)."""

    name: str
    by: int

    def apply(self, now: _Now) -> None:
        now.layers[self.name] += self.by


@dataclass(frozen=True, slots=True)
class _Corrected:
    """The correction of this place in the list begins or ends."""

    place: int
    begins: bool

    def apply(self, now: _Now) -> None:
        if self.begins:
            now.corrected.add(self.place)
        else:
            now.corrected.discard(self.place)


@dataclass(frozen=True, slots=True)
class _Renamed:
    """A track bears another name from here on."""

    before: Time
    after: Time

    def apply(self, now: _Now) -> None:
        now.seen[self.before] -= 1
        now.seen[self.after] += 1


_Border = tuple[Instant, int, _Layer | _Corrected | _Renamed]


def _borders(account: Account) -> Iterator[_Border]:
    """Give every border; of one instant, what ends (0) comes before what begins (1)."""
    for start, end in account.agreed:
        yield from _layer(start, end, "agreed")
    for start, end in account.outages:
        yield from _layer(start, end, "outage")
    for work in account.works:
        yield from _layer(work.start, work.end, "excused" if work.excused else "work")
    for place, one in enumerate(account.corrections):
        if one.start < one.end and not one.check:
            yield one.start, 1, _Corrected(place, begins=True)
            yield one.end, 0, _Corrected(place, begins=False)
    for key, track in account.tracks.items():
        for piece in _corrected(key, track, account.corrections):
            if piece.start < piece.end:
                yield piece.start, 1, _Renamed(Time.NO_DATA, piece.time)
                yield piece.end, 0, _Renamed(piece.time, Time.NO_DATA)


def _corrected(
    key: str, track: Sequence[Piece], corrections: Sequence[Correction]
) -> Sequence[Piece]:
    """Give the pieces of a track with the corrections of its check laid over them, in order."""
    for one in corrections:
        if one.check and (key == one.check or key.startswith(f"{one.check}/")):
            before = [Piece(p.start, min(p.end, one.start), p.time) for p in track]
            after = [Piece(max(p.start, one.end), p.end, p.time) for p in track]
            track = [*before, Piece(one.start, one.end, one.time), *after]
            track = [piece for piece in track if piece.start < piece.end]
    return track


def _layer(start: Instant, end: Instant, name: str) -> Iterator[_Border]:
    if start < end:
        yield start, 1, _Layer(name, 1)
        yield end, 0, _Layer(name, -1)
