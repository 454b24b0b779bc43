"""Writes what single people are told of an incident, as rows, inside the transaction of its cause.

Which policy an incident follows is found here; who of it is next is decided by decisions/paging.py,
and when by the paging stage. Nothing is sent here.
"""

from datetime import timedelta

from monitord.clock import after
from monitord.decisions import paging as decisions
from monitord.decisions import standing
from monitord.decisions.ticket_document import title
from monitord.engine.instance import Instance
from monitord.model.ids import Instant
from monitord.model.incident import Incident
from monitord.model.notice import Notice, NoticeKind, NoticeStatus
from monitord.model.policy import Policy
from monitord.store.contract import Tx


def policy_of(instance: Instance, incident: Incident) -> Policy | None:
    """Give the policy of an incident: its check's, a service's, else the one for all."""
    return standing.policy_of(instance.catalog, incident)


def begins_at(instance: Instance, incident: Incident, now: Instant) -> Instant | None:
    """Give when the first step of an incident's policy is due, its first ticket being opened now.

    A clock that runs goes on: only what nobody was told of yet begins.
    """
    policy = policy_of(instance, incident)
    if policy is None or incident.paged:
        return incident.page_at
    place = decisions.next_place(policy, incident)
    if place is None:
        return None
    return after(now, policy.steps[place].after.get(incident.priority, timedelta()))


def tell(
    tx: Tx, incident: Incident, person: str, kind: NoticeKind, now: Instant, reason: str
) -> None:
    """Write one notice to one person."""
    over = "over: " if kind is NoticeKind.OVER else ""
    tx.add_notice(
        Notice(
            id=0,
            incident=incident.id,
            person=person,
            kind=kind,
            priority=incident.priority,
            title=f"{over}{incident.priority} {incident.tier} {title(incident)}",
            body=reason,
            status=NoticeStatus.PENDING,
            created=now,
            due_at=now,
        )
    )


def over(tx: Tx, incident: Incident, now: Instant) -> None:
    """Tell whoever was paged that it is over; what was not sent yet is not sent any more."""
    paged: dict[str, Notice] = {}
    for notice in tx.notices(incident=incident.id):
        if notice.status is NoticeStatus.PENDING:
            tx.move_notice(notice.id, notice.status, NoticeStatus.VOID)
        elif notice.status is NoticeStatus.SENT:
            paged[notice.person] = notice
    for person, last in paged.items():
        if last.kind is not NoticeKind.OVER:
            tell(tx, incident, person, NoticeKind.OVER, now, incident.cause or "closed")


def again(tx: Tx, incident: Incident, now: Instant) -> None:
    """Tell whoever was told the end of an incident, or was about to be told of it, that it is back.

    The clock of its policy goes on beside that: the next tier is not told sooner or later.
    """
    last = {notice.person: notice for notice in tx.notices(incident=incident.id)}
    for person, notice in last.items():
        ended = notice.status is NoticeStatus.VOID
        over = notice.kind is NoticeKind.OVER and notice.status is not NoticeStatus.DEAD
        if over and notice.status is NoticeStatus.PENDING:
            tx.move_notice(notice.id, notice.status, NoticeStatus.VOID)
        if ended or over:
            tell(tx, incident, person, NoticeKind.PAGE, now, "it is back")


def urged(instance: Instance, incident: Incident, priority: str, now: Instant) -> Instant | None:
    """Give when people hear of an incident whose priority has become this.

    One that grew more urgent may page where it did not: that is looked at anew, and at once where
    nobody has been told yet.
    """
    policy = policy_of(instance, incident)
    if priority >= incident.priority or policy is None:
        return incident.page_at
    place = decisions.next_place(policy, incident)
    if place is None or not incident.paged:
        return now
    wait = decisions.wait_of(policy.steps[place % len(policy.steps)], priority)
    return min(after(now, wait), incident.page_at or after(now, wait))
