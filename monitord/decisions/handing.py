"""Writes what the next reader of a ticket must know when it is handed on to another tier. Pure.

It is made of the ticket's own document and timeline, so that it says nothing that they do not. For
a vendor it holds only what may leave the house: no person, no command, no promise to a customer.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from monitord.model.ids import EPOCH, Instant
from monitord.model.policy import Vendor
from monitord.model.ticket import Event

HANDED_ON = "handed-on"
"""The kind of the timeline's line that says that a person has handed an incident on."""

_ANSWERS = ("ack", "take")
_MOST = 3  # attempts and refusals that are named; the ticket has them all

Document = Mapping[str, Any]


def last_handed_on(events: Iterable[Event]) -> Instant:
    """Give when a person handed an incident on last; EPOCH: nobody has."""
    return max((event.at for event in events if event.kind == HANDED_ON), default=EPOCH)


def summary(
    document: Document,
    events: Sequence[Event],
    *,
    tier: str,
    reason: str,
    vendors: Sequence[Vendor],
) -> list[str]:
    """Give the lines for who reads the ticket at `tier` from now on.

    Args:
        document: the ticket as decisions/ticket_document.py gives it.
        events: the timeline before this tier is told.
        tier: whose turn it is.
        reason: why it is.
        vendors: those of the step; with one, the last lines are what may be read to them.
    """
    lines = [
        f"{tier} now: {reason}",
        _broken(document),
        *_told(events),
        *_tried(document, inside=True),
        *_refused(document),
        *(_clock(clock) for clock in _open(document)),
        f"next: {document['next_command']} ({document['next_risk']})",
    ]
    for vendor in vendors:
        lines += _for_vendor(document, vendor)
    return lines


def handed_over(events: Sequence[Event]) -> dict[str, Any] | None:
    """Give the newest summary of a timeline as JSON values; None: nothing was handed on yet."""
    told = [event for event in events if event.kind == "paged" and event.data.get("summary")]
    if not told:
        return None
    return {"tier": told[-1].data.get("tier", ""), "lines": list(told[-1].data["summary"])}


def _broken(document: Document) -> str:
    """Say what is broken, for whom, since when."""
    whom = [_service(one) for one in document.get("service_levels", ())]
    for_ = f", for {', '.join(whom)}" if whom else ""
    since = _moment(document.get("first_failed") or document.get("since"))
    return f"{document['title']}{for_}, since {since}"


def _service(service: Document) -> str:
    facts = [f"SLA {service['sla']}"] if service.get("sla") else []
    facts += [f"impact {service['impact']}"] if service.get("impact") else []
    return f"{service['name']} ({', '.join(facts)})" if facts else str(service["name"])


def _told(events: Sequence[Event]) -> list[str]:
    """Say of each step that was told whether anybody answered, could not be reached, handed on."""
    lines: list[str] = []
    steps = [n for n, event in enumerate(events) if event.kind == "paged"]
    if not steps:
        return ["told: nobody before"]
    for place, until in zip(steps, [*steps[1:], len(events)], strict=True):
        paged, after = events[place], events[place:until]
        names = [*paged.data.get("people", ())]
        names += [f"vendor {name}" for name in paged.data.get("vendors", ())]
        said = [_answer(event) for event in after if event.kind in (*_ANSWERS, HANDED_ON)]
        said += [event.text for event in after if event.kind == "unnoticed"][-1:]
        tier = paged.data.get("tier", "")
        heard = f"{', '.join(names)} ({_moment_of(paged)})"
        lines.append(f"told {tier}: {heard}: {'; '.join(said) or 'no answer'}")
    return lines


def _answer(event: Event) -> str:
    return event.text if event.kind == HANDED_ON else f"{event.text} (it lasts no longer)"


def _moment_of(event: Event) -> str:
    return _moment(_iso(event.at))


def _iso(at: Instant) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).isoformat()


def _tried(document: Document, *, inside: bool) -> list[str]:
    """Say which repairs were tried and how they ended; outside the house not what they said."""
    tried = document.get("tried", ())
    lines = [
        f"tried: {one['runbook']}: {one['status']}"
        + (f": {one['outcome']}" if one["outcome"] and inside else "")
        for one in tried[-_MOST:]
        if one["mode"] != "shadow"
    ]
    return lines or ["tried: nothing"]


def _refused(document: Document) -> list[str]:
    newest = {(one["runbook"], one["guard"]): one for one in document.get("refused", ())}
    return [
        f"refused: {one['runbook']} by {one['guard']}: {one['reason']}"
        for one in list(newest.values())[-_MOST:]
    ]


def _open(document: Document) -> list[Document]:
    """Give the clocks that still run or are broken: what was kept presses nobody."""
    return [clock for clock in document.get("clocks", ()) if not clock["met"]]


def _clock(clock: Document) -> str:
    named = f"{clock['sla']}, {clock['promise']} within {clock['allowed']}"
    due = f" at {_moment(clock['due'])}" if clock["due"] else ""
    if clock["broken"]:
        return f"promised: {named}: BROKEN{due}"
    paused = f", paused: {clock['paused']}" if clock["paused"] else ""
    return f"promised: {named}: {clock['left']} left{due and f', breaks{due}'}{paused}"


def _for_vendor(document: Document, vendor: Vendor) -> list[str]:
    """Say what may be read or sent to a vendor, and nothing that is ours alone."""
    since = _moment(document.get("first_failed") or document.get("since"))
    lines = [
        f"call {vendor.name}: {vendor.contact}; they may read:",
        f"  contract {vendor.contract}; our reference {document['key']}",
        f"  {document['title']}, since {since}",
        *(f"  {line}" for line in _tried(document, inside=False)),
    ]
    clocks = [one for one in _open(document) if one.get("whose") == f"vendor {vendor.name}"]
    return lines + [f"  {_clock(clock)}" for clock in clocks]


def _moment(text: Any) -> str:
    if not text:
        return "an unknown time"
    return datetime.fromisoformat(str(text)).strftime("%Y-%m-%d %H:%M UTC")
