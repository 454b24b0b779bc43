"""Decides what of the told changes bears on an outage, and whether a person is at work. Pure.

"Since it was last OK" begins with the last result that was OK, and stands first. A day before is
told, too, since a change often shows only when something is used. What follows from a person is for
the guards.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from monitord.decisions.selector import matches, parse
from monitord.model.catalog import Check, Host
from monitord.model.facts import ChangeFact, ProgramFact, UnitFact
from monitord.model.ids import Instant
from monitord.model.incident import Incident
from monitord.model.marker import Marker
from monitord.model.ticket import Event

AT_WORK = timedelta(minutes=15)
"""How long after a login, sudo, package run or keystroke somebody counts as at work."""
ASKED = "changed"
"""The kind of the timeline's line that holds what a host told of its changes."""
_BEFORE = timedelta(days=1)
_MOST = 40
_MOST_FILES = 15
_PLACE = ("sudo", "package", "login", "session")  # what tells most of a person comes first
_WORDS: Mapping[str, str] = MappingProxyType(
    {"session": "terminal in use", "sudo": "sudo", "reboot": "reboot"}
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change on a ticket; `before` tells that it was before the last OK."""

    at: Instant
    kind: str
    who: str
    text: str
    before: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed since `since`, the last OK, and then what did in the day before, each by time.

    `unread` is what the host did not tell.
    """

    since: Instant
    rows: tuple[Change, ...]
    unread: tuple[str, ...]


def last_ok(incident: Incident, check: Check | None) -> Instant:
    """Give when the last OK can have been: one interval before the first failed probe."""
    every = check.every if check is not None else timedelta()
    return Instant(incident.first_failed - every // timedelta(microseconds=1))


def look_back(incident: Incident, check: Check | None) -> Instant:
    """Give from when on changes are of interest."""
    return Instant(last_ok(incident, check) - _BEFORE // timedelta(microseconds=1))


def changed(
    incident: Incident,
    check: Check | None,
    host: Host | None,
    events: Iterable[Event],
    markers: Iterable[Marker],
) -> Changed | None:
    """Give what changed: the host's own words (the newest), and the markers that are about it.

    None: the host was not asked, or did not answer, and nobody told of a change.
    """
    since = last_ok(incident, check)
    end = incident.resolved or Instant(2**62)
    asked = [event for event in events if event.kind == ASKED]
    rows = [
        Change(Instant(row["at"]), row["kind"], row["who"], row["text"], row["at"] < since)
        for row in (asked[-1].data.get("rows", ()) if asked else ())
    ]
    start = look_back(incident, check)
    told = [
        Change(marker.at, "marker", marker.by, marker.text, marker.at < since)
        for marker in markers
        if start <= marker.at <= end and _is_about(marker, host, check)
    ]
    if not asked and not told:
        return None
    unread = tuple(asked[-1].data.get("unread", ())) if asked else ()
    found = [*_newest(rows), *told[-_MOST:]]
    return Changed(since, tuple(sorted(found, key=lambda row: (row.before, row.at))), unread)


def _newest(rows: Sequence[Change]) -> list[Change]:
    """Give what was done last; files, of which an upgrade writes many, leave room for the rest."""
    files = [row for row in rows if row.kind == "file"]
    rest = [row for row in rows if row.kind != "file"]
    return files[-_MOST_FILES:] + rest[-_MOST:]


def _is_about(marker: Marker, host: Host | None, check: Check | None) -> bool:
    if marker.selector == "*":
        return True
    if host is None or check is None:
        return False
    return matches(parse(marker.selector), host=host, check=check.name, services=check.services)


def in_words(rows: Sequence[ChangeFact]) -> str:
    """Give how many of each kind: `2 logins, 1 sudo`; a sentence where there is none."""
    if not rows:
        return "nothing that the host tells"
    kinds = Counter(row.kind for row in rows)
    return ", ".join(
        f"{count} {_WORDS.get(kind, kind + ('s' if count > 1 else ''))}"
        for kind, count in kinds.items()
    )


def person_at_work(
    rows: Iterable[ChangeFact], units: Iterable[UnitFact], programs: Iterable[ProgramFact]
) -> str:
    """Say who is at work and what was stopped cleanly; empty unless both are so.

    A crash is no stop: systemd calls a stopped unit inactive with the result success, supervisor a
    stopped program STOPPED (one that ended by itself is EXITED or FATAL).
    """
    stopped = [
        unit.name.removesuffix(".service")
        for unit in units
        if unit.load == "loaded" and unit.active == "inactive" and unit.result == "success"
    ]
    stopped += [program.name for program in programs if program.state == "STOPPED"]
    recent = [row for row in rows if row.kind in _PLACE and 0 <= row.ago <= AT_WORK.total_seconds()]
    if not stopped or not recent:
        return ""
    told = min(recent, key=lambda row: (_PLACE.index(row.kind), row.ago))
    return f"{_did(told)} and {stopped[0]} was stopped cleanly"


def _did(row: ChangeFact) -> str:
    ago = f"{max(1, round(row.ago / 60))} min ago"
    who = "somebody" if row.who == "-" else row.who
    did = {
        "sudo": f"{who} {'became root' if row.text.startswith('became') else 'ran sudo'}",
        "package": f"{who} changed packages",
        "login": f"{who} logged in",
        "session": f"{who} typed on a terminal",
    }
    return f"{did[row.kind]} {ago}"
