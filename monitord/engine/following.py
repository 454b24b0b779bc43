"""Has open incidents follow their policies when these change: after a reload, and after a start.

Who is next of a policy is decided by decisions/paging.py and told by the paging stage; here is only
set when it looks. Each change stands on the timeline of whom it concerns.
"""

from monitord.decisions import standing
from monitord.engine import clocks, telling
from monitord.engine.instance import Instance
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.notice import NoticeKind, NoticeStatus
from monitord.model.policy import Policy
from monitord.model.ticket import Event
from monitord.store.contract import Tx

_ALL = 100_000


def follow(tx: Tx, instance: Instance, before: Catalog, now: Instant) -> list[Event]:
    """Have what waits for people follow its policy of the catalog in force, not that of `before`.

    Under another policy it goes on at the tier that it has reached; under the same one, changed, at
    the step; without one nobody is told any more.
    """
    events = []
    for incident in tx.incidents(OPEN_STATUSES, limit=_ALL):
        was = standing.policy_of(before, incident)
        now_is = telling.policy_of(instance, incident)
        if was == now_is or incident.ticket is None:
            continue
        events.append(Event(incident.id, now, "policy", _line(was, now_is)))
        if now_is is None:
            _end(tx, instance, incident, now)
        else:
            _begin(tx, instance, incident, now, anew=was is None or was.name != now_is.name)
    tx.add_events(events)
    return events


def resume(tx: Tx, instance: Instance, now: Instant) -> None:
    """Have looked at what waits for people and for no time: its policy may be new."""
    for incident in tx.incidents(OPEN_STATUSES, limit=_ALL):
        if incident.ticket is not None and incident.page_at is None and not incident.part_of:
            _begin(tx, instance, incident, now, anew=False)


def _begin(tx: Tx, instance: Instance, incident: Incident, now: Instant, *, anew: bool) -> None:
    if anew:
        tx.change_incident(incident.id, incident.status, paged=0)
    fresh = tx.incident(incident.id) or incident
    due = telling.due(tx, instance, fresh, now)
    calls = clocks.next_call(tx, instance, fresh, now)
    page_at = min((at for at in (due, calls) if at is not None), default=None)
    tx.change_incident(incident.id, incident.status, page_at=page_at)


def _end(tx: Tx, instance: Instance, incident: Incident, now: Instant) -> None:
    """Leave only the clocks of service levels; a page that was not sent yet never is."""
    page_at = clocks.next_call(tx, instance, incident, now)
    tx.change_incident(incident.id, incident.status, page_at=page_at)
    for notice in tx.notices(incident=incident.id, status=NoticeStatus.PENDING, limit=_ALL):
        if notice.kind is NoticeKind.PAGE:
            tx.move_notice(notice.id, notice.status, NoticeStatus.VOID)


def _line(was: Policy | None, now_is: Policy | None) -> str:
    if now_is is None:
        return f"the policy {was.name if was else ''} is gone: nobody is told any more"
    if was is None:
        return f"it follows the policy {now_is.name} from now on"
    if was.name == now_is.name:
        return f"the policy {now_is.name} has changed: it goes on as it says now"
    return f"it follows the policy {now_is.name} from now on, not {was.name}"
