"""One turn of a stage at one row: what it writes inside the transaction, what follows the commit.

Outside work (a step, a look) and changes of memory must not happen before the rows are durable, nor
in the writer's thread: a turn collects them, and the mover runs them in the loop afterwards.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from monitord.engine.instance import Instance
from monitord.model.ids import Instant
from monitord.model.incident import Attempt, Incident
from monitord.model.ticket import Event
from monitord.store.contract import Tx


@dataclass(slots=True)
class AfterCommit:
    """What is to be done when the transaction is durable, in the event loop."""

    events: list[Event] = field(default_factory=list)
    calls: list[Callable[[], None]] = field(default_factory=list)
    works: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = field(default_factory=list)

    def run(self, instance: Instance) -> None:
        """Do it all."""
        for call in self.calls:
            call()
        for name, make in self.works:
            if not instance.busy(name):
                instance.start(name, make())
        instance.tell(self.events)


@dataclass(slots=True)
class Turn:
    """One incident (and, for the stages of an attempt, one attempt) inside one transaction."""

    tx: Tx
    instance: Instance
    incident: Incident
    now: Instant
    after: AfterCommit

    def note(self, kind: str, text: str, **data: Any) -> None:
        """Add a line to the incident's timeline."""
        event = Event(self.incident.id, self.now, kind, text, data=data)
        self.tx.add_events([event])
        self.after.events.append(event)

    def start(self, name: str, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin outside work after the commit."""
        self.after.works.append((name, make))


@dataclass(slots=True)
class AttemptTurn(Turn):
    """A turn at one attempt."""

    attempt: Attempt = field(kw_only=True)
