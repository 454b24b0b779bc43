"""What a person receives, the timeline, the outbox, and the orders that people give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from monitord.errors import MonitordError
from monitord.model.ids import IncidentId, Instant, TicketId

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    OPEN = "OPEN"
    ACKED = "ACKED"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


TICKET_MOVES: Mapping[TicketStatus, frozenset[TicketStatus]] = MappingProxyType(
    {
        TicketStatus.OPEN: frozenset(
            {TicketStatus.ACKED, TicketStatus.RESOLVED, TicketStatus.CLOSED}
        ),
        TicketStatus.ACKED: frozenset(
            {TicketStatus.OPEN, TicketStatus.RESOLVED, TicketStatus.CLOSED}
        ),
        TicketStatus.RESOLVED: frozenset({TicketStatus.OPEN, TicketStatus.CLOSED}),
        TicketStatus.CLOSED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """The embedded ticket of one incident. Its content is rendered from the incident's rows."""

    id: TicketId
    incident: IncidentId
    key: str
    status: TicketStatus
    tier: str
    priority: str
    title: str
    opened: Instant
    updated: Instant
    resolved: Instant | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline: what happened, who did it, with its facts.

    `kind` is a fixed word (opened, joined, attempt-planned, refused, step-done, verified, …);
    `data` holds JSON values.
    """

    incident: IncidentId
    at: Instant
    kind: str
    text: str
    actor: str = "monitord"
    data: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    id: int = 0


HELD_BACK = "held-back"
"""The kind of the timeline's line that says that a ticket waits for a storm to pass."""

PART_OF = "part-of"
"""The kind of the timeline's line that says which other incident tells of this one."""


class Operation(StrEnum):
    """What an outbox message asks of a ticket backend."""

    OPEN = "open"
    UPDATE = "update"
    COMMENT = "comment"  # says one thing (`comment` of the document) and changes nothing
    RESOLVE = "resolve"
    REOPEN = "reopen"


class OutboxStatus(StrEnum):
    """Where an outbox message stands."""

    PENDING = "PENDING"
    SENT = "SENT"
    DEAD = "DEAD"  # refused for good by the backend; an incident of its own says so


OUTBOX_MOVES: Mapping[OutboxStatus, frozenset[OutboxStatus]] = MappingProxyType(
    {
        OutboxStatus.PENDING: frozenset({OutboxStatus.SENT, OutboxStatus.DEAD}),
        OutboxStatus.SENT: frozenset(),
        OutboxStatus.DEAD: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One message to one backend. `key` (instance + incident) makes a repeat recognisable.

    `body` is the rendered ticket as JSON text. Messages of one (backend, incident) leave in the
    order of their ids. `doubt` is how many searches must find nothing before an OPEN that may have
    been taken is sent again; 0: it surely was not.
    """

    id: int
    backend: str
    incident: IncidentId
    operation: Operation
    key: str
    body: str
    status: OutboxStatus
    created: Instant
    due_at: Instant
    tries: int = 0
    last_error: str = ""
    external: str = ""  # the backend's own reference, once it gave one
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a ticket backend answers to a message it took.

    `owner` is to whom its server itself gave a ticket that was just made: nobody has taken it yet.
    """

    external: str = ""
    url: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person wrote on a ticket in the backend. `id` is the backend's own, and stable."""

    id: str
    at: Instant
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A ticket as it stands in its backend, where people may have changed it.

    `status` is the backend's own word; `closed` says that there it counts as done (resolved,
    rejected, won't fix). `owner` is empty when it is nobody's. `priority` is P1 to P5 by the map of
    the backend's settings, `P1/P2` where they have one word there, empty when it cannot be told.
    `remarks` are not monitord's own. `due` is by when it is wanted: an ISO 8601 date, or time with
    a zone; empty where there is none, or the backend has no such thing.
    """

    status: str
    closed: bool
    owner: str = ""
    priority: str = ""
    url: str = ""
    remarks: tuple[Remark, ...] = ()
    due: str = ""


class Verb(StrEnum):
    """The orders that people give; monitord.decisions.verbs says what each means."""

    ACK = "ack"
    TAKE = "take"
    MUTE = "mute"
    MAINTENANCE = "maintenance"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Order:
    """One verb that a person gave: on what (selector text), why, until when.

    `selector` is a selector text, or "*" for everything. `until_ok` ends the order by itself when
    everything it touches is OK (maintenance, ack). `excused` maintenance is agreed not to count for
    service levels.
    """

    id: int
    verb: Verb
    selector: str
    reason: str
    by: str
    given: Instant
    starts: Instant
    expires: Instant
    until_ok: bool = False
    ended: Instant | None = None
    ended_by: str = ""
    excused: bool = False


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One link of the audit chain: a person's act or a decision to act on a host.

    There is one chain per `node`; `before` is the digest of the node's link before this one.
    """

    id: int
    at: Instant
    actor: str
    act: str
    subject: str
    detail: str
    before: str
    digest: str
    node: str = ""


class BadSelectorError(MonitordError):
    """A selector cannot be read; the text shows where and gives an example."""
