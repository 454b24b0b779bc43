"""What was true when: samples of the rows of a scenario's run, taken whenever something changed.

Each fact is a flat dict of texts, numbers and flags that an expectation is matched against.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitord.engine.core import Core
from monitord.engine.scenario.world import World
from monitord.model.incident import IncidentStatus
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

    def until(self, when: float) -> Iterable[Fact]:
        """Give everything that was ever true up to an instant."""
        for sample in self.samples:
            if sample.at > when:
                return
            yield from sample.facts


async def sample(core: Core, world: World) -> list[Fact]:
    """Take a sample now."""
    facts = await core.store.read(_rows)
    facts.extend(_states(core))
    facts.extend(
        {"what": "page", "of": item.key, "status": item.operation.value, "number": index}
        for index, (_at, item) in enumerate(world.pages)
    )
    facts.extend(
        {"what": "effect", "runbook": runbook, "number": index}
        for index, (_at, runbook) in enumerate(world.effects)
    )
    return facts


def _rows(view: View) -> list[Fact]:
    facts: list[Fact] = []
    names: dict[int, str] = {}
    for incident in view.incidents(_ALL_INCIDENTS, limit=100_000):
        names[incident.id] = incident.key
        attempts = view.attempts(incident=incident.id)
        newest = attempts[-1] if attempts else None
        facts.append(
            {
                "what": "incident",
                "of": incident.key,
                "id": incident.id,
                "status": incident.status.value,
                "cause": incident.cause,
                "severity": incident.severity.name,
                "priority": incident.priority,
                "tier": incident.tier,
                "waits": incident.waiting_for,
                "items": len(incident.items),
                "says": incident.summary,
                "reopened": incident.reopened,
                "runbook": newest.runbook if newest else None,
                "attempt": newest.status.value if newest else None,
            }
        )
        facts.extend(
            {
                "what": "attempt",
                "of": attempt.key,
                "id": attempt.id,
                "runbook": attempt.runbook,
                "status": attempt.status.value,
                "says": attempt.outcome,
            }
            for attempt in attempts
        )
        facts.extend(
            {
                "what": "refused",
                "of": incident.key,
                "id": event.id,
                "guard": event.data.get("guard", ""),
                "runbook": event.data.get("runbook", ""),
                "says": event.data.get("reason", ""),
            }
            for event in view.events(incident.id)
            if event.kind == "refused"
        )
    facts.extend(
        {
            "what": "ticket",
            "of": names.get(ticket.incident, ""),
            "id": ticket.id,
            "status": ticket.status.value,
            "tier": ticket.tier,
            "priority": ticket.priority,
            "says": ticket.title,
        }
        for ticket in view.tickets()
    )
    return facts


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
