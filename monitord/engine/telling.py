"""Writes what single people are told of an incident, as rows, inside the transaction of its cause.

Which policy an incident follows is found here; who of it is next is decided by decisions/paging.py,
and when by the paging stage. Nothing is sent here.
"""

from dataclasses import replace
from datetime import timedelta

from monitord.clock import after
from monitord.decisions import paging as decisions
from monitord.decisions import standing
from monitord.decisions.sla import on_present_scale
from monitord.decisions.ticket_document import title
from monitord.engine.duty import opening
from monitord.engine.instance import Instance
from monitord.engine.ranking import early
from monitord.model.ids import Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.notice import Notice, NoticeKind, NoticeStatus
from monitord.model.policy import Policy
from monitord.store.contract import Tx, View

_ALL = 100_000  # notices of one incident
_BEGINS = ("ticket-opened", "paged")  # from when on the next step of a policy is counted


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
    tx: Tx,
    incident: Incident,
    person: str,
    kind: NoticeKind,
    now: Instant,
    reason: str,
    due_at: Instant | None = None,
) -> None:
    """Write one notice to one person, to be sent at once or at `due_at`."""
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
            due_at=now if due_at is None else due_at,
        )
    )


def over(tx: Tx, instance: Instance, incident: Incident, now: Instant) -> None:
    """Tell whoever was paged that it is over; what was not sent yet is not sent any more.

    In the hours of their policy: what did not page at night does not wake anybody by its end.
    """
    paged: dict[str, Notice] = {}
    for notice in _of(tx, incident):
        if notice.status is NoticeStatus.PENDING:
            tx.move_notice(notice.id, notice.status, NoticeStatus.VOID)
        elif notice.status is NoticeStatus.SENT:
            before = paged.get(notice.person)
            if before is not None and before.kind is not NoticeKind.OVER:
                most = min(notice.priority, before.priority)
                paged[notice.person] = replace(notice, priority=most)
            else:
                paged[notice.person] = notice
    for person, last in paged.items():
        if last.kind is not NoticeKind.OVER:
            known = _as_told(incident, last)
            when = _pages_at(instance, known, now)
            tell(tx, known, person, NoticeKind.OVER, now, _ended(incident), when)


def sent_too_late(tx: Tx, notice: Notice, now: Instant) -> None:
    """Tell somebody that it is over whose page was on its way when it ended."""
    incident = tx.incident(notice.incident)
    if incident is None or (incident.status in OPEN_STATUSES and not incident.part_of):
        return
    later = [one for one in _of(tx, incident) if one.person == notice.person and one.id > notice.id]
    if not any(one.kind is NoticeKind.OVER for one in later):
        known = _as_told(incident, notice)
        tell(tx, known, notice.person, NoticeKind.OVER, now, _ended(incident))


def again(
    tx: Tx, instance: Instance, incident: Incident, now: Instant, why: str = "it is back"
) -> None:
    """Tell whoever was told of an incident, or was about to be, that it is back, or `why` else.

    In the hours of their policy. Its clock goes on beside that: the next tier is not told sooner
    or later.
    """
    _tell_anew(tx, instance, incident, now, why)


def worse(tx: Tx, instance: Instance, incident: Incident, before: str, now: Instant) -> None:
    """Tell whoever was told of an incident of the priority `before` that it is more urgent now.

    What was quiet then may wake somebody now, and wait for nobody's morning.
    """
    if incident.priority < before:
        _tell_anew(tx, instance, incident, now, f"it is {incident.priority} now, not {before}")


def urged(instance: Instance, incident: Incident, priority: str, now: Instant) -> Instant | None:
    """Give when people hear of an incident whose priority has become this.

    One that grew more urgent may page where it did not: that is looked at anew, and at once where
    nobody has been told yet.
    """
    policy, page_at = policy_of(instance, incident), incident.page_at
    if priority >= incident.priority:
        return page_at
    if incident.ticket is None:
        looks = early(instance, priority, now)
        return min((at for at in (page_at, looks) if at is not None), default=None)
    if policy is None:
        return page_at
    place = decisions.next_place(policy, incident)
    if place is None or not incident.paged:
        return now
    wait = decisions.wait_of(policy.steps[place % len(policy.steps)], priority)
    return min(after(now, wait), page_at or after(now, wait))


def due(view: View, instance: Instance, incident: Incident, now: Instant) -> Instant | None:
    """Give when the policy alone has somebody told next: None: nobody any more.

    What an order or the policy's hours keep quiet by then is for the paging stage.
    """
    if incident.ticket is None:
        return early(instance, incident.priority, incident.opened)
    policy = policy_of(instance, incident)
    place = decisions.next_place(policy, incident) if policy is not None else None
    if policy is None or place is None:
        return None
    step = policy.steps[place % len(policy.steps)]
    last = [event for event in view.events(incident.id) if event.kind in _BEGINS]
    since = on_present_scale(last[-1].at, instance.steps, now) if last else now
    if not incident.paged:
        return after(since, step.after.get(incident.priority, timedelta()))
    return after(since, decisions.wait_of(step, incident.priority))


def _tell_anew(tx: Tx, instance: Instance, incident: Incident, now: Instant, why: str) -> None:
    when = _pages_at(instance, incident, now)
    people = dict.fromkeys(notice.person for notice in _of(tx, incident))
    for notice in _of(tx, incident):
        if notice.status is NoticeStatus.PENDING:
            tx.move_notice(notice.id, notice.status, NoticeStatus.VOID)
    for person in people if when is not None else ():
        tell(tx, incident, person, NoticeKind.PAGE, now, why, when)


def _pages_at(instance: Instance, incident: Incident, now: Instant) -> Instant | None:
    """Give when people may hear of an incident by its policy's hours; None: never."""
    policy = policy_of(instance, incident)
    if policy is None:
        return now
    return decisions.pages_at(policy, incident.priority, now, opening(instance))


def _of(view: View, incident: Incident) -> list[Notice]:
    return view.notices(incident=incident.id, limit=_ALL)


def _as_told(incident: Incident, notice: Notice) -> Incident:
    """Give an incident as urgent as somebody was told: its end goes the same ways."""
    return replace(incident, priority=min(incident.priority, notice.priority))


def _ended(incident: Incident) -> str:
    """Say how an incident ended; who closed it may have meant that it goes on elsewhere."""
    if incident.status in OPEN_STATUSES:
        return incident.waiting_for  # it is part of another
    if incident.closed_by:
        return f"closed by {incident.closed_by}: {incident.close_reason}"
    return incident.cause or "closed"
