"""The part of the store's contract for those who report and prove (contract.py has the whole)."""

from collections.abc import Iterable
from typing import Protocol

from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.inbound import Waiting
from monitord.model.incident import Incident
from monitord.model.sla import Paused, Sealed
from monitord.model.ticket import AuditRow, Event


class RecordView(Protocol):
    """Questions about spans of time, and about the audit chain."""

    def incidents_opened(self, since: Instant, until: Instant) -> list[Incident]:
        """Give those that opened from `since` to before `until`, by id."""
        ...

    def told_of_opened(
        self, kinds: Iterable[str], since: Instant, until: Instant
    ) -> dict[IncidentId, list[Event]]:
        """Give the lines of these kinds of those incidents, whenever they were told; by id."""
        ...

    def pauses_of_opened(self, since: Instant, until: Instant) -> dict[IncidentId, list[Paused]]:
        """Give every pause of those incidents' clocks, by id."""
        ...

    def keys_of(self, incidents: Iterable[IncidentId]) -> dict[IncidentId, str]:
        """Give the keys of these incidents; those that are not kept any more are left out."""
        ...

    def audit_found(
        self, *, before: int = 0, limit: int = 200, actor: str = "", act: str = "", text: str = ""
    ) -> list[AuditRow]:
        """Give links, the newest first, older than the link `before` (0: from the end).

        `actor` and `act` are exact; `text` stands in the actor, act, subject or detail, in
        whatever case.
        """
        ...

    def audit_ends(self) -> list[AuditRow]:
        """Give the newest link of each node, by node."""
        ...

    def seals(self, *, service: str = "", month: str = "") -> list[Sealed]:
        """Give what months were sealed as, by number, of a service or a month or all."""
        ...

    def seal(self, number: int) -> Sealed | None: ...

    def waiting(self) -> list[Waiting]:
        """Give every report that waits, in the order in which they were told."""
        ...


class RecordTx(RecordView, Protocol):
    """What is written for those who report. A seal is never changed, and never deleted."""

    def add_seal(self, seal: Sealed) -> int:
        """Store one; a second that replaces the same is refused by the database itself."""
        ...

    def put_waiting(self, report: Waiting) -> None:
        """Keep a report as the newest one, in the place of what was told before of its alert."""
        ...

    def end_waiting(self, key: CheckKey, item: str, alert: str) -> None: ...
