"""What all ticket trackers have in common: which requests a message takes, in which order.

The idempotent ones go first and the comment last, so that a try that broke off in between is
repeated without saying anything twice. What a person closed is not closed or opened a second way.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from monitord.clock import as_instant
from monitord.errors import StaysClosedError, TicketError
from monitord.model.ids import Instant
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, Operation, OutboxItem, Remark, Remote
from monitord.tickets.text import brief, render, subject

_OURS = "[monitord "


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in the terms of a tracker. `text` and `note` end with the key's mark.

    `rank` holds priority and tier; `moved` tells which of the two are others than the backend was
    told last: only those are set on a ticket that exists, since a person may have changed them. It
    `follows` a ticket that stays closed.
    """

    key: str
    title: str
    text: str
    note: str
    priority: str
    tier: str
    moved: frozenset[str]
    follows: str = ""


def mark(key: str) -> str:
    """Give the words by which a ticket and a comment are known as monitord's, about this key."""
    return f"{_OURS}{one_line(key, 120)}]"


def letter(item: OutboxItem, ticket: Mapping[str, Any], *, longest: int = 30_000) -> Letter:
    """Give a message in the terms of a tracker, its texts no longer than `longest` characters."""
    was = ticket.get("was")
    before: Mapping[str, Any] = was if isinstance(was, Mapping) else {}
    rank = {name: one_line(str(ticket.get(name, "")), 10) for name in ("priority", "tier")}
    signed = mark(item.key)
    return Letter(
        key=item.key,
        title=one_line(subject(ticket), 200),
        text=_cut(render(ticket), longest - len(signed) - 2) + f"\n{signed}\n",
        note=_cut(brief(ticket, item.operation), longest - len(signed) - 2) + f"\n{signed}\n",
        priority=rank["priority"],
        tier=rank["tier"],
        moved=frozenset(n for n in rank if n in before and str(before[n]) != rank[n]),
        follows=one_line(str(ticket.get("follows", "")), 100),
    )


def titled(letter: Letter, longest: int) -> str:
    """Give the title with the key's mark behind it, in `longest` bytes: what is cut is the title.

    A server cuts a subject that is too long at its end, and a ticket without its mark is not found
    again: after a time-out there would be a second one.
    """
    signed = mark(letter.key)
    said = letter.title.encode()[: longest - len(signed.encode()) - 1].decode(errors="ignore")
    return f"{said.rstrip()} {signed}"


def _cut(text: str, longest: int) -> str:
    text = text.rstrip() + "\n"
    said = "\n… the rest stands in monitord"
    return text if len(text) <= longest else text[: longest - len(said)] + said


class Tracker(Protocol):
    """The five requests of a tracker; `external` is its own reference of a ticket."""

    def create(self, letter: Letter) -> Delivery:
        """Make a ticket."""
        ...

    def find(self, key: str) -> str | None:
        """Give the ticket of a key."""
        ...

    def look(self, external: str) -> Remote | None:
        """Give a ticket without its remarks; None: it is gone."""
        ...

    def remarks(self, external: str, since: Instant) -> tuple[Remark, ...]:
        """Give what was said on it since, monitord's own words left out."""
        ...

    def change(self, external: str, letter: Letter, done: bool | None) -> None:
        """Set what is newer, and close it (True) or open it again (False)."""
        ...

    def comment(self, external: str, text: str) -> None:
        """Say something on it."""
        ...


def carry(tracker: Tracker, item: OutboxItem, note: Letter, external: str) -> Delivery:
    """Carry one message to a tracker; see TicketBackend for the contract.

    Raises:
        StaysClosedError: it is to be open again, and the tracker does not let it.
    """
    if item.operation is Operation.OPEN and not external:
        return _made(tracker, note)
    external = external or tracker.find(item.key) or ""
    if not external:
        # There is nothing to be over; anything else opens what should have been there.
        return Delivery() if item.operation is Operation.RESOLVE else _made(tracker, note)
    if item.operation is Operation.COMMENT:
        tracker.comment(external, note.note)
        return Delivery(external)
    if item.operation not in (Operation.RESOLVE, Operation.REOPEN):
        return _update(tracker, note, external)
    there, done = tracker.look(external), item.operation is Operation.RESOLVE
    if there is None:
        raise _gone(external)
    _move(tracker, note, external, None if done is there.closed else done)
    tracker.comment(external, note.note)
    return Delivery(external, there.url)


def _move(tracker: Tracker, note: Letter, external: str, done: bool | None) -> None:
    try:
        tracker.change(external, note, done)
    except TicketError as error:
        if done is not False or not error.refused:
            raise
        there = tracker.look(external)
        if there is None:
            raise _gone(external) from error
        if there.closed:
            raise StaysClosedError(f"{external} stays closed: {error}") from error
        raise


def _made(tracker: Tracker, note: Letter) -> Delivery:
    """Make a ticket, and look whom it was given to by a rule of the server's own.

    On the one that it follows stands where it goes on, if that may be written there.
    """
    made = tracker.create(note)
    if note.follows:
        with suppress(TicketError):  # the new one says it too, and must not be made again for this
            tracker.comment(note.follows, f"It goes on in {made.external}.\n{mark(note.key)}\n")
    try:
        there = tracker.look(made.external)
    except (TicketError, KeyError, TypeError, ValueError):
        return made  # it has been made, and must not be made again
    return made if there is None else replace(made, owner=one_line(there.owner, 100))


def _update(tracker: Tracker, note: Letter, external: str) -> Delivery:
    try:
        tracker.change(external, note, None)
        tracker.comment(external, note.note)
    except TicketError as error:
        # Asked only now: a ticket that somebody deleted is rare, an update is not.
        told = not error.unknown and error.retry_after is None
        if told and tracker.look(external) is None:
            raise _gone(external) from error
        raise
    return Delivery(external)


def _gone(external: str) -> TicketError:
    return TicketError(f"ticket {external} is no longer there", permanent=True)


def read(tracker: Tracker, external: str, since: Instant) -> Remote | None:
    """Give a ticket with the remarks made since; see Readable for the contract."""
    there = tracker.look(external)
    return there and replace(there, remarks=tracker.remarks(external, since))


def moment(text: str) -> Instant:
    """Read a time as backends write it: ISO 8601, `Z` or `+0000`.

    Raises:
        ValueError: it is none, or has no zone.
    """
    return as_instant(datetime.fromisoformat(text))


def segment(external: str) -> str:
    """Give a reference as one part of a path."""
    return quote(external, safe="")


def fenced(text: str) -> str:
    """Give a text as Markdown shows it letter by letter, whatever a target wrote into it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}{fence}\n"


def said_by_people(remarks: Iterable[Remark], since: Instant) -> tuple[Remark, ...]:
    """Give those made since that do not end with our mark, the oldest first."""
    told = [each for each in remarks if each.at >= since and not _is_ours(each.text)]
    return tuple(sorted(told, key=lambda each: each.at))


def _is_ours(text: str) -> bool:
    # Only where the mark is the last line: a person's answer may quote ours, mark and all.
    end = text[-500:].rstrip().removesuffix("{noformat}").rstrip("`\r\n\t ")
    last = end.rpartition("\n")[2].strip()
    return last.startswith(_OURS) and last.endswith("]")


def reverse(priorities: Mapping[str, str], word: object) -> str:
    """Give the priority that a backend's word stands for; several as `P1/P2`, none as empty."""
    return "/".join(name for name, each in priorities.items() if str(each) == str(word))
