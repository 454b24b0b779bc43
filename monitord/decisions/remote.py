"""What a ticket's state in its backend means: what is news, as lines of the timeline. Pure.

The lines are the memory too: what was known of a ticket is read from those of an earlier look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitord.decisions.calendars import instant_of, zone_of
from monitord.decisions.promises import DEADLINE_THERE
from monitord.model.ids import IncidentId, Instant
from monitord.model.text import one_line
from monitord.model.ticket import Event, Remote

_LINE = 300  # characters of a remark
_DATE = 10  # characters of one
OWNER, CLOSED, OPENED = "owner-there", "closed-there", "opened-there"
PRIORITY, REMARK = "priority-there", "remark-there"
DELIVERED = "delivered"  # with the owner whom the server itself gave a new ticket to
FOLLOWS = "follows"  # in its data: the reference of the closed ticket that a new one follows


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a ticket in a backend; `remarks` are the ids of those told already."""

    owner: str
    closed: bool
    priority: str
    remarks: frozenset[str]
    due: str = ""


def known(events: Sequence[Event], backend: str, priority: str) -> Known:
    """Give what an incident's timeline tells; at first it is open, with our priority.

    It is nobody's then, or theirs whom the server itself gave it to.
    """
    owner, closed, told, due = "", False, set(), ""
    for event in events:
        if event.data.get("backend") != backend:
            continue
        if event.kind == DELIVERED and FOLLOWS in event.data:  # what was known is the other one's
            owner, closed, due = str(event.data.get("owner", "")), False, ""
        elif event.kind == DELIVERED:
            owner = str(event.data.get("owner", "")) or owner
        elif event.kind == OWNER:
            owner = str(event.data.get("owner", ""))
        elif event.kind in (CLOSED, OPENED):
            closed = event.kind == CLOSED
        elif event.kind == PRIORITY:
            priority = str(event.data.get("priority", ""))
        elif event.kind == DEADLINE_THERE:
            due = str(event.data.get("said", ""))
        elif event.kind == REMARK:
            told.add(str(event.data.get("remark", "")))
    return Known(owner, closed, priority, frozenset(told), due)


def is_held(events: Sequence[Event], backend: str) -> bool:
    """Tell whether a person has set the priority there: then it is theirs."""
    return any(event.kind == PRIORITY and event.data.get("backend") == backend for event in events)


def due_by(text: str, zone: str) -> Instant | None:
    """Give by when a date or time means; a date is to its end in `zone`. None: it says nothing."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return instant_of(zone_of("UTC"), moment.astimezone(UTC).replace(tzinfo=None))
    whole_day = timedelta(days=1) if len(text) == _DATE else timedelta()
    return instant_of(zone_of(zone), moment + whole_day)


def news(
    incident: IncidentId,
    backend: str,
    external: str,
    before: Known,
    there: Remote,
    now: Instant,
    *,
    zone: str = "UTC",
) -> list[Event]:
    """Give the lines that tell what people changed; none where all is as it was known.

    `zone` is where a date without a time is read.
    """
    return [
        Event(
            incident,
            now,
            kind,
            one_line(text, 2 * _LINE),
            one_line(actor, 100) or backend,
            {"backend": backend, "external": external, "url": there.url, **data},
        )
        for kind, text, actor, data in _lines(f"{external} in {backend}", before, there, zone)
    ]


def _lines(
    where: str, before: Known, there: Remote, zone: str
) -> list[tuple[str, str, str, dict[str, object]]]:
    """Give kind, text, who and data of each thing that differs."""
    lines: list[tuple[str, str, str, dict[str, object]]] = []
    if there.owner != before.owner:
        text = f"{there.owner} owns {where}" if there.owner else f"nobody owns {where} any more"
        lines.append((OWNER, text, there.owner, {"owner": there.owner}))
    # Several priorities may have one word there: then any of them is the one that it had.
    if there.priority and before.priority not in there.priority.split("/"):
        text = f"{where} is {there.priority} now; its priority is left to people"
        lines.append((PRIORITY, text, "", {"priority": there.priority.partition("/")[0]}))
    if there.closed != before.closed:
        word = f"closed ({there.status})" if there.closed else "opened again"
        lines.append((CLOSED if there.closed else OPENED, f"{where} was {word} there", "", {}))
    if there.due != before.due:
        text = f"{where} is due {there.due} there" if there.due else f"{where} is due no more"
        named: dict[str, object] = {
            "due": due_by(there.due, zone),
            "said": there.due,
            "whose": where,
        }
        lines.append((DEADLINE_THERE, text, "", named))
    for remark in there.remarks:
        if remark.id not in before.remarks:
            text = f"on {where}: {one_line(remark.text, _LINE)}"
            lines.append((REMARK, text, remark.by, {"remark": remark.id}))
    return lines
