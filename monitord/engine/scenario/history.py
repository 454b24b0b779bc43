"""What was true when: samples of the rows of a scenario's run, taken whenever something changed.

Each fact is a flat dict of texts, numbers and flags that an expectation is matched against. One
that happened at an instant carries it as `at`, in seconds since the start.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitord.engine.core import Core
from monitord.engine.scenario.world import World
from monitord.engine.ticketing import ticket_document
from monitord.model.ids import IncidentId
from monitord.model.incident import Incident, IncidentStatus
from monitord.store.contract import View

_ALL_INCIDENTS = tuple(IncidentStatus)
Fact = Mapping[str, Any]


@dataclass(slots=True)
class Sample:
    """Everything that is true at one instant (virtual seconds)."""

    at: float
    facts: list[Fact]


@dataclass(slots=True)
class History:
    """All samples, oldest first."""

    samples: list[Sample] = field(default_factory=list)

    def add(self, at: float, facts: list[Fact]) -> None:
        """Add a sample, unless nothing has changed."""
        if not self.samples or self.samples[-1].facts != facts:
            self.samples.append(Sample(at, facts))

    def at(self, when: float) -> list[Fact]:
        """Give what was true at an instant."""
        found: list[Fact] = []
        for sample in self.samples:
            if sample.at > when:
                break
            found = sample.facts
        return found

    def between(self, start: float, end: float) -> Iterator[Fact]:
        """Give everything that was ever true in a stretch of time, both ends included."""
        facts = self.at(start) if start > 0 else []
        yield from (fact for fact in facts if fact.get("at", start) >= start)
        for sample in self.samples:
            if start < sample.at <= end or (start <= 0 and sample.at <= end):
                yield from (fact for fact in sample.facts if fact.get("at", start) >= start)


async def sample(core: Core, world: World) -> list[Fact]:
    """Take a sample now."""
    facts = await world.store.read(lambda view: _rows(view, core, world))
    facts.extend(_states(core))
    facts.extend(
        {
            "what": "effect",
            "of": effect.key,
            "runbook": effect.runbook,
            "says": effect.text,
            "number": number,
            "at": effect.at,
        }
        for number, effect in enumerate(world.effects)
    )
    return facts


def _rows(view: View, core: Core, world: World) -> list[Fact]:
    facts: list[Fact] = []
    incidents = {one.id: one for one in view.incidents(_ALL_INCIDENTS, limit=100_000)}
    for incident in incidents.values():
        facts.extend(_of_incident(view, incident, world))
    facts.extend(_notices(view, world))
    facts.extend(_tickets(view, core, incidents))
    facts.extend(_pages(incidents, world))
    facts.extend(_services(view, core, world))
    return facts


def _notices(view: View, world: World) -> Iterator[Fact]:
    """Give what people are told, of incidents and of none (a digest), oldest first."""
    for notice in sorted(view.notices(limit=100_000), key=lambda one: one.id):
        yield {
            "what": "notice",
            "of": notice.person,
            "id": notice.id,
            "status": notice.status.value,
            "priority": notice.priority,
            "says": f"{notice.kind}: {notice.title}: {notice.body}",
            "at": world.seconds(notice.created),
        }


def _of_incident(view: View, incident: Incident, world: World) -> Iterator[Fact]:
    attempts = view.attempts(incident=incident.id)
    newest = attempts[-1] if attempts else None
    other = view.incident(IncidentId(incident.part_of)) if incident.part_of else None
    yield {
        "what": "incident",
        "of": incident.key,
        "id": incident.id,
        "status": incident.status.value,
        "cause": incident.cause,
        "severity": incident.severity.name,
        "priority": incident.priority,
        "tier": incident.tier,
        "waits": incident.waiting_for,
        "part_of": other.key if other else "",
        "items": len(incident.items),
        "says": incident.summary,
        "reopened": incident.reopened,
        "runbook": newest.runbook if newest else None,
        "attempt": newest.status.value if newest else None,
    }
    for attempt in attempts:
        yield {
            "what": "attempt",
            "of": attempt.key,
            "id": attempt.id,
            "runbook": attempt.runbook,
            "status": attempt.status.value,
            "items": len(attempt.items),
            "says": attempt.outcome,
            "at": world.seconds(attempt.planned),
        }
    for event in view.events(incident.id):
        if event.kind == "refused":
            yield {
                "what": "refused",
                "of": incident.key,
                "id": event.id,
                "guard": event.data.get("guard", ""),
                "runbook": event.data.get("runbook", ""),
                "says": event.data.get("reason", ""),
                "at": world.seconds(event.at),
            }


def _tickets(view: View, core: Core, incidents: Mapping[IncidentId, Incident]) -> Iterator[Fact]:
    for ticket in view.tickets():
        incident = incidents.get(ticket.incident)
        if incident is None:
            continue
        document = ticket_document(view, core.instance, incident)
        yield {
            "what": "ticket",
            "of": incident.key,
            "id": ticket.id,
            "status": ticket.status.value,
            "tier": ticket.tier,
            "priority": ticket.priority,
            "says": ticket.title,
            "tells": json.dumps(document, ensure_ascii=False),
        }


def _pages(incidents: Mapping[IncidentId, Incident], world: World) -> Iterator[Fact]:
    for number, page in enumerate(world.pages):
        incident = incidents.get(page.item.incident)
        document = json.loads(page.item.body)
        yield {
            "what": "page",
            "of": incident.key if incident else page.item.key,
            "status": page.item.operation.value,
            "number": number,
            "priority": document["priority"],
            "says": document["title"],
            "tells": page.item.body,
            "at": page.at,
        }


def _services(view: View, core: Core, world: World) -> Iterator[Fact]:
    """Give how each service stands: its newest row."""
    for name in core.catalog.services:
        for change in view.service_changes(name, core.now()):
            yield {
                "what": "service",
                "of": name,
                "id": change.id,
                "status": change.state.value,
                "says": change.text,
                "at": world.seconds(change.at),
            }


def _states(core: Core) -> Iterable[Fact]:
    return (
        {
            "what": "state",
            "of": state.key,
            "status": state.status.name,
            "hard": state.hard.name,
            "soft": state.soft,
            "flapping": state.flapping,
            "unreachable": state.unreachable,
            "stale": state.stale,
            "says": state.summary,
        }
        for state in core.states()
    )
