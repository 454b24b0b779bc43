"""A message to one person about no incident: a digest, a month, the end of the audit chain."""

from monitord.model.ids import IncidentId, Instant
from monitord.model.notice import Notice, NoticeKind, NoticeStatus


def message(person: str, title: str, body: str, now: Instant) -> Notice:
    """Give the notice, to be sent at once by the person's ways for what is least urgent (P5)."""
    return Notice(
        id=0,
        incident=IncidentId(0),
        person=person,
        kind=NoticeKind.DIGEST,
        priority="P5",
        title=title,
        body=body,
        status=NoticeStatus.PENDING,
        created=now,
        due_at=now,
    )
