"""What one person is told: a row written in the transaction that decides it, delivered later."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from monitord.model.ids import IncidentId, Instant


class NoticeKind(StrEnum):
    """Why a person is told."""

    PAGE = "page"  # it is theirs until somebody answers
    OVER = "over"  # what they were paged for has ended
    REMINDER = "reminder"  # acknowledged, and forgotten
    DIGEST = "digest"  # nothing that wakes anybody
    TEST = "test"


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    PENDING = "PENDING"
    SENT = "SENT"
    DEAD = "DEAD"  # no way of the person took it
    VOID = "VOID"  # no longer true before it was sent


NOTICE_MOVES: Mapping[NoticeStatus, frozenset[NoticeStatus]] = MappingProxyType(
    {
        NoticeStatus.PENDING: frozenset({NoticeStatus.SENT, NoticeStatus.DEAD, NoticeStatus.VOID}),
        NoticeStatus.SENT: frozenset(),
        NoticeStatus.DEAD: frozenset(),
        NoticeStatus.VOID: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one person. `incident` 0: it is about none (a digest, a test).

    `way` is which of the person's ways is tried next (from 0); `tries` counts the tries of this
    way. `told_by` is the way that took it.
    """

    id: int
    incident: IncidentId
    person: str
    kind: NoticeKind
    priority: str
    title: str
    body: str
    status: NoticeStatus
    created: Instant
    due_at: Instant
    way: int = 0
    tries: int = 0
    last_error: str = ""
    sent: Instant | None = None
    told_by: str = ""
