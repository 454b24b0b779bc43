"""Builds the ticket that a person reads, as one JSON document, from the rows of an incident. Pure.

The document is what the embedded store shows, what backends send and what the API gives; it holds
facts in a fixed order and never a secret (output was redacted before it was stored). It decides
nothing but the one next command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from monitord.decisions.changes import Changed, changed
from monitord.decisions.handing import handed_over
from monitord.decisions.incidents import is_shared
from monitord.decisions.standing import Around, iso, standing
from monitord.model.catalog import Check, Host
from monitord.model.effect import Command, describe, from_json
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.ticket import Event, Ticket

__all__ = ["document", "iso", "next_command", "title", "told_changes"]

_TIMELINE = 200  # lines; older ones of a long incident are left out in the middle


def document(
    incident: Incident,
    *,
    check: Check | None,
    host: Host | None,
    attempts: Sequence[Attempt],
    steps: Mapping[int, Sequence[Step]],
    events: Sequence[Event],
    ticket: Ticket | None,
    instance: str,
    links: Mapping[str, str] = MappingProxyType({}),
    markers: Sequence[Marker] = (),
    job: JobRecord | None = None,
    around: Around | None = None,
) -> dict[str, Any]:
    """Give the document.

    Args:
        incident: the outage.
        check: its check, if it is still configured (an UNKNOWN incident has none).
        host: its host, if it has one.
        attempts: all of it, oldest first.
        steps: by attempt id, in order.
        events: the timeline, oldest first.
        ticket: the embedded ticket, if one is open.
        instance: this monitord's name; with the incident's id it makes the key unique.
        links: addresses by what they do; empty ones are left out.
        markers: told changes since a day before the last OK, of whatever they are about.
        job: what is known of the job that the check watches, if it watches one.
        around: service levels, earlier incidents, who is on call; None: not known.
    """
    return {
        "key": f"{instance}-{incident.id}",
        "incident": incident.id,
        "ticket": ticket.id if ticket else None,
        **_rank(incident),
        "host": _host(host),
        **_outage(incident, check),
        **_next(incident, attempts),
        **standing(incident, check, attempts, events, ticket, around),
        "handed_over": handed_over(events),
        "tried": [_tried(attempt, steps.get(attempt.id, ())) for attempt in attempts],
        "changed": told_changes(changed(incident, check, host, events, markers)),
        "guards": _judged(events),
        "refused": [_refused(event) for event in events if event.kind == "refused"],
        "asked": [_asked(event, attempts) for event in events if event.kind == "approval-asked"],
        "evidence": _evidence(events, attempts, steps, job),
        "timeline": [_line(event) for event in _bounded(events)],
        "links": {name: url for name, url in links.items() if url},
    }


def _rank(incident: Incident) -> dict[str, Any]:
    return {
        "tier": incident.tier,
        "priority": incident.priority,
        "status": incident.status.value,
        "severity": incident.severity.name,
        "title": title(incident),
        "check": incident.key,
    }


def _outage(incident: Incident, check: Check | None) -> dict[str, Any]:
    return {
        "items": list(incident.items),
        "summary": incident.summary,
        "since": iso(incident.opened),
        "first_failed": iso(incident.first_failed),
        **_of_the_check(check),
        "says": _says(incident),
    }


def _next(incident: Incident, attempts: Sequence[Attempt]) -> dict[str, str]:
    """Give the one next command, and what it may do: a plan that waits comes first."""
    for attempt in attempts:
        if attempt.status is AttemptStatus.APPROVAL:
            risk = f"changes {', '.join(attempt.targets)}"
            return {"next_command": f"monitord approve {attempt.id}", "next_risk": risk}
    return {"next_command": next_command(incident), "next_risk": "looks only"}


def _of_the_check(check: Check | None) -> dict[str, Any]:
    if check is None:
        return {"means": "", "by_hand": "", "services": []}
    return {"means": check.means, "by_hand": check.by_hand, "services": list(check.services)}


def title(incident: Incident) -> str:
    """Give one line: what is bad, and how."""
    return f"{incident.key}: {incident.severity.name}: {incident.summary}"


def next_command(incident: Incident) -> str:
    """Give the one command that a person would run first to look; it changes nothing."""
    key = incident.key
    if is_shared(key):  # its items say which checks cannot be judged
        key = next(iter(incident.items), "")
    if key.startswith("runbook/"):  # a ticket about a runbook: what its record says
        return f"monitord ledger --runbook {key.removeprefix('runbook/')}"
    if not key or incident.status in (IncidentStatus.RESOLVED, IncidentStatus.CLOSED):
        return f"monitord incident {incident.id}"
    return f"monitord explain {key}"


def told_changes(changes: Changed | None) -> dict[str, Any] | None:
    """Give what changed since the last OK as JSON values; None where nobody tells."""
    if changes is None:
        return None
    rows = [{**asdict(row), "at": iso(row.at)} for row in changes.rows]
    return {"since": iso(changes.since), "rows": rows, "unread": list(changes.unread)}


def _host(host: Host | None) -> dict[str, Any] | None:
    if host is None:
        return None
    return {
        "name": host.name,
        "address": host.address,
        "groups": list(host.groups),
        "site": host.site,
        "customer": host.customer,
    }


def _says(incident: Incident) -> str:
    match incident.status:
        case IncidentStatus.ESCALATED if incident.part_of and incident.waiting_for:
            return f"It is {incident.waiting_for}."
        case IncidentStatus.ESCALATED:
            return "I have stopped, it is yours."
        case IncidentStatus.CLOSED if incident.closed_by:
            return f"Closed by {incident.closed_by}: {incident.close_reason}"
        case IncidentStatus.RESOLVED | IncidentStatus.CLOSED:
            return f"It is over: {incident.cause}."
        case IncidentStatus.REPAIRING:
            return "I am repairing it; there is nothing for you to do yet."
        case _:
            return f"I wait: {incident.waiting_for}" if incident.waiting_for else "I am looking."


def _tried(attempt: Attempt, steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "attempt": attempt.id,
        "runbook": attempt.runbook,
        "mode": attempt.mode,
        "status": attempt.status.value,
        "outcome": attempt.outcome,
        "started": iso(attempt.started),
        "finished": iso(attempt.finished),
        "steps": [_step(step) for step in steps if step.phase is not Phase.COLLECT],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "phase": step.phase.value,
        "kind": step.kind,
        "target": step.target,
        "effect": describe(from_json(step.effect)),
        "status": step.status.value,
        "exit_code": step.exit_code,
        "output": step.output,
        "error": step.error,
    }


def _refused(event: Event) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "runbook": event.data.get("runbook", ""),
        "guard": event.data.get("guard", ""),
        "reason": event.data.get("reason", event.text),
        "plan": event.data.get("plan", []),
    }


def _asked(event: Event, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """A plan that a person was asked about, and whether it still waits for the answer."""
    number = event.data.get("attempt")
    waits = {one.id for one in attempts if one.status is AttemptStatus.APPROVAL}
    return {
        "at": iso(event.at),
        "attempt": number,
        "runbook": event.data.get("runbook", ""),
        "waits": number in waits,
        "plan": event.data.get("plan", []),
    }


def _judged(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Give what every guard said of each rung when it was judged last, passed or refused."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        verdicts, runbook = event.data.get("guards"), event.data.get("runbook", "")
        if verdicts:
            found[runbook] = {"at": iso(event.at), "runbook": runbook, "verdicts": verdicts}
    return list(found.values())


def _evidence(
    events: Sequence[Event],
    attempts: Sequence[Attempt],
    steps: Mapping[int, Sequence[Step]],
    job: JobRecord | None,
) -> list[dict[str, str]]:
    """The newest evidence of each kind: what a rung did is evidence for the next."""
    found: dict[str, str] = {}
    for event in events:
        if event.data.get("saw"):
            found[f"what {event.data.get('item', '')} saw"] = str(event.data["saw"])
    if job is not None and job.output and not _says_so(found, job.output):
        found["the end of the job's output"] = job.output
    for attempt in attempts:
        for step in steps.get(attempt.id, ()):
            if step.phase is Phase.COLLECT and step.status is not StepStatus.INTENT:
                title = f"{step.target}: {_looked_at(step)}"
                found[title] = step.output or step.error
    return [{"title": name, "text": text} for name, text in found.items()]


def _says_so(found: Mapping[str, str], output: str) -> bool:
    return any(text.split() == output.split() for text in found.values())


def _looked_at(step: Step) -> str:
    """Give what a piece of evidence is of: a command line, or the words of a bundle of ours."""
    effect = from_json(step.effect)
    if step.kind == "evidence" and isinstance(effect, Command):
        return " ".join(("evidence:", *effect.argv[3:]))
    return describe(effect)


def _line(event: Event) -> dict[str, Any]:
    return {"at": iso(event.at), "kind": event.kind, "text": event.text, "actor": event.actor}


def _bounded(events: Sequence[Event]) -> list[Event]:
    if len(events) <= _TIMELINE:
        return list(events)
    half = _TIMELINE // 2
    return [*events[:half], *events[-half:]]
