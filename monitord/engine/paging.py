"""The stage that brings incidents before people: tier after tier, until somebody answers.

Who is next and when is decided by decisions/paging.py. What a person is told is a row, written in
the transaction that decides it; orders of people keep it quiet. Nothing is sent here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from monitord.clock import after
from monitord.decisions import handing
from monitord.decisions import paging as decisions
from monitord.decisions.verbs import IN_HAND
from monitord.engine import clocks, telling, ticketing
from monitord.engine.duty import on_call, opening
from monitord.engine.turn import Turn
from monitord.model.ids import Instant
from monitord.model.incident import AttemptStatus
from monitord.model.notice import NoticeKind
from monitord.model.ticket import Event, Order

_AT_ONCE = "P1"
_UNMANNED = "nobody-on-call"
_LOOK_AGAIN = timedelta(minutes=5)  # whether somebody is on call now


def page(turn: Turn) -> None:
    """Take an incident whose `page_at` has come one tier further, or say when to look again."""
    incident, tx, now = turn.incident, turn.tx, turn.now
    early = _called(turn)
    if incident.ticket is None:
        _open_early(turn, early)
        return
    policy = telling.policy_of(turn.instance, incident)
    if policy is None:
        _look_at(turn, None)
        return
    order = ticketing.kept_quiet(tx, turn.instance, incident, now)
    if order is not None:
        turn.after.events.extend(ticketing.note_quiet(tx, incident.id, order, now))
        _remind(turn, order, early)
        return
    move = decisions.decide(
        policy,
        incident,
        now=now,
        next_open=opening(turn.instance),
        asking=bool(tx.attempts(incident=incident.id, statuses=[AttemptStatus.APPROVAL])),
        early=early,
        lapsed=_lapsed(tx.events(incident.id)),
    )
    match move:
        case decisions.Hold():
            _look_at(turn, move.until)
        case decisions.Tell():
            tell_step(turn, move)


def _called(turn: Turn) -> str:
    """Note once each clock of a service level that calls; gives the worst's sentence, or ""."""
    alarms = clocks.calls(turn.tx, turn.instance, turn.incident, turn.now)
    lines = [clocks.line(turn.incident, alarm, turn.now) for alarm in alarms]
    turn.tx.add_events(lines)
    turn.after.events.extend(lines)
    return lines[0].text if lines else ""


def _lapsed(timeline: Sequence[Event]) -> bool:
    """Tell whether an order has kept people quiet since they were told last."""
    last = (event.kind for event in reversed(timeline) if event.kind in ("paged", "quiet"))
    return next(last, "paged") == "quiet"


def _remind(turn: Turn, order: Order, early: str) -> None:
    """Tell whoever has it in hand that it is still bad, from time to time, until the order ends.

    Where that is nobody whom we can reach, those hear of it who were told last: an answer by a
    stranger keeps them from being paged, and must not make them forget.
    """
    every = turn.instance.catalog.settings.notify.remind
    notices = turn.tx.notices(incident=turn.incident.id)
    told = (one.created for one in notices if one.kind is NoticeKind.REMINDER)
    due = after(max((order.given, *told)), every)
    if turn.now < due and not early:
        _look_at(turn, min(order.expires, due))
        return
    if order.verb in IN_HAND:
        people = turn.instance.catalog.people.values()
        own = [one.name for one in people if one.login == order.by]
        who = "you" if own else order.by
        text = f"{who} said {order.verb}: {order.reason}; {early or 'it is still bad'}"
        for person in own or _told_last(turn):
            telling.tell(turn.tx, turn.incident, person, NoticeKind.REMINDER, turn.now, text)
    _look_at(turn, min(order.expires, after(turn.now, every)))


def _told_last(turn: Turn) -> Sequence[str]:
    """Give the people who were told last; before anybody was, those who are to be told first."""
    tx, instance, people = turn.tx, turn.instance, turn.instance.catalog.people
    paged = [event.data for event in tx.events(turn.incident.id) if event.kind == "paged"]
    reached = [data["people"] for data in paged if data.get("people")]
    if reached:
        return [name for name in reached[-1] if name in people]
    policy = telling.policy_of(instance, turn.incident)
    if policy is None:
        return []
    return decisions.told(policy.steps[0], lambda name: on_call(tx, instance, name, turn.now))


def _open_early(turn: Turn, early: str) -> None:
    """Have a P1, or what endangers a promise, reach a person although it is being repaired."""
    _look_at(turn, None)
    if early or turn.incident.priority == _AT_ONCE:
        why = early or "a P1 is not kept from people while it is repaired"
        turn.note("told-early", f"people hear of it now: {why}")
        lines = ticketing.open_or_update(turn.tx, turn.instance, turn.incident.id, turn.now)
        turn.after.events.extend(lines)


def tell_step(turn: Turn, move: decisions.Tell) -> None:
    """Tell the people of a step, on the timeline and the ticket too, and say when the next is due.

    From the second step on the ticket has a summary for who reads it now.
    """
    tx, now, instance = turn.tx, turn.now, turn.instance
    people = decisions.told(move.step, lambda name: on_call(tx, instance, name, now))
    vendors, step = decisions.vendors(move.step), move.paged
    kind = "paged" if people or vendors else _UNMANNED
    if kind == _UNMANNED:
        if move.next_at is None and _said(turn, kind, step):
            _look_at(turn, after(now, _LOOK_AGAIN))
            return
        move = _without_people(turn, move)
    before = turn.incident.paged
    tier = max(turn.incident.tier, move.step.tier)  # a second round is not the desk's again
    page_at = _sooner(turn, move.next_at)
    incident = turn.incident = replace(turn.incident, paged=move.paged, page_at=page_at, tier=tier)
    tx.change_incident(incident.id, incident.status, paged=move.paged, page_at=page_at, tier=tier)
    names = [*people, *(f"vendor {name}" for name in vendors)] or ["nobody is on call"]
    facts = {"tier": tier, "people": list(people), "vendors": list(vendors), "step": step}
    if before and kind == "paged":
        facts["summary"] = _summary(turn, tier, move.reason, vendors)
    turn.note(kind, f"{tier}: {', '.join(names)}: {move.reason}", **facts)
    if not instance.catalog.settings.observe:
        for person in people:
            telling.tell(tx, incident, person, NoticeKind.PAGE, now, move.reason)
    lines = ticketing.open_or_update(tx, instance, incident.id, now)
    turn.after.events.extend(lines)


def _summary(turn: Turn, tier: str, reason: str, vendors: Sequence[str]) -> list[str]:
    """Give what who is told now must know of all that was before them."""
    tx, instance, known = turn.tx, turn.instance, turn.instance.catalog.vendors
    document = ticketing.ticket_document(tx, instance, turn.incident)
    those = [known[name] for name in vendors if name in known]
    events = tx.events(turn.incident.id)
    return handing.summary(document, events, tier=tier, reason=reason, vendors=those)


def _without_people(turn: Turn, move: decisions.Tell) -> decisions.Tell:
    """Have the next step told at once where nobody is on call; the last waits for somebody."""
    if move.next_at is not None:
        return replace(move, next_at=turn.now)
    return replace(move, paged=turn.incident.paged, next_at=after(turn.now, _LOOK_AGAIN))


def _said(turn: Turn, kind: str, step: int) -> bool:
    """Tell whether the timeline says last that nobody was there for this step."""
    kinds = ("paged", "quiet", kind)
    told = [event for event in turn.tx.events(turn.incident.id) if event.kind in kinds]
    return bool(told) and told[-1].kind == kind and told[-1].data.get("step") == step


def _look_at(turn: Turn, when: Instant | None) -> None:
    page_at = _sooner(turn, when)
    turn.tx.change_incident(turn.incident.id, turn.incident.status, page_at=page_at)


def _sooner(turn: Turn, when: Instant | None) -> Instant | None:
    """Give when to look again: at `when`, or when a clock of a service level calls before it."""
    calls = clocks.next_call(turn.tx, turn.instance, turn.incident, turn.now)
    return min((at for at in (when, calls) if at is not None), default=None)
