"""Says what stands around an outage on its ticket: promises, what comes next, what helped before.

Pure: the rows around the incident are handed to it. It decides nothing but the wording; who is told
next is asked of decisions/paging.py, how the clocks stand of decisions/sla.py.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitord.decisions import paging, promises, sla
from monitord.decisions.incidents import is_shared
from monitord.decisions.promises import Facts
from monitord.model.catalog import Catalog, Check
from monitord.model.ids import CheckKey, Instant, StateKey, split_state_key
from monitord.model.incident import OPEN_STATUSES, Attempt, AttemptStatus, Incident, IncidentStatus
from monitord.model.policy import Policy
from monitord.model.problem import Problem
from monitord.model.sla import DEFAULT, Paused
from monitord.model.spec import format_duration
from monitord.model.ticket import Event, Order, Ticket, TicketStatus

_PARTS = 50  # incidents that are told here too, shown on a ticket


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around an incident.

    `steps` are the recorded steps of the wall clock. `former` are earlier incidents of the same
    key, the newest first, each with its attempts. `on_call` gives who of a rotation is on call at
    an instant. `problem` is the one that the incident belongs to. `pauses` are those of its clocks,
    `works` the excused maintenance that bears on all of it.
    """

    now: Instant
    catalog: Catalog
    steps: Sequence[tuple[Instant, int]]
    former: Sequence[tuple[Incident, Sequence[Attempt]]]
    on_call: Callable[[str, Instant], Sequence[str]]
    problem: Problem | None = None
    pauses: Sequence[Paused] = ()
    works: Sequence[Order] = ()
    parts: Sequence[Incident] = ()


def iso(instant: Instant | None) -> str | None:
    """Give an instant as ISO 8601 in UTC with seconds, or None."""
    if instant is None:
        return None
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=instant)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def standing(
    incident: Incident,
    check: Check | None,
    attempts: Sequence[Attempt],
    events: Sequence[Event],
    ticket: Ticket | None,
    around: Around | None,
) -> dict[str, Any]:
    """Give what stands around an incident as JSON values; what is not known is empty."""
    plans = [one for one in attempts if one.status is AttemptStatus.APPROVAL]
    told: dict[str, Any] = {"service_levels": [], "clocks": [], "told_next": None}
    told |= {"similar": [], "problem": None, "vendors": [], "parts": []}
    if around is not None:
        facts = Facts(events, around.steps, around.pauses, around.works)
        running = clocks(around.catalog, incident, facts, around.now)
        told = {
            "service_levels": _levels(around.catalog, incident),
            "clocks": [_clock(one) for one in running],
            "told_next": _told_next(incident, plans, ticket, around),
            "similar": [_similar(*one) for one in around.former if one[0].id != incident.id][:3],
            "problem": _problem(around.problem),
            "vendors": _vendors(around.catalog, events, around.pauses),
            "parts": [_part(one) for one in around.parts[:_PARTS]],
        }
    coming = _coming(incident, plans, told["told_next"])
    answers = [*_answers(incident, check, plans), *_handing_on(incident, told["told_next"], around)]
    return {**told, "coming": coming, "answers": answers}


def _part(of: Incident) -> dict[str, Any]:
    """Give another incident that people hear of here: by a rule, or as it hangs on this one."""
    return {"incident": of.id, "check": of.key, "rule": of.inhibited_by, "summary": of.summary}


def policy_of(catalog: Catalog, incident: Incident) -> Policy | None:
    """Give the policy of an incident: its check's, a service's, else the one for all.

    Of an outage of many it is that of the first of its checks that has one.
    """
    names = []
    for check in checks_of(catalog, incident):
        names.append(check.escalation)
        known = (catalog.services[name] for name in check.services if name in catalog.services)
        names += [one.policy for one in known]
    chosen = next(filter(None, [*names, catalog.settings.policy]), "")
    return catalog.policies.get(chosen)


def checks_of(catalog: Catalog, incident: Incident) -> list[Check]:
    """Give the check of an incident; of one that several share those of its items."""
    keys = [CheckKey(incident.key)]
    if keys[0] not in catalog.checks:
        keys = [split_state_key(StateKey(key))[0] for key in incident.items]
    return [catalog.checks[key] for key in dict.fromkeys(keys) if key in catalog.checks]


def clocks(catalog: Catalog, incident: Incident, facts: Facts, now: Instant) -> list[sla.SlaClock]:
    """Give the clocks that may call: of levels that somebody wrote, of vendors, of a deadline.

    The built-in level has none here.
    """
    checks = checks_of(catalog, incident)
    services = dict.fromkeys(name for check in checks for name in check.services)
    levels = [one for one in sla.of_services(catalog, services) if one is not DEFAULT]
    return promises.running(incident, levels, catalog.vendors, facts, now)


def _levels(catalog: Catalog, incident: Incident) -> list[dict[str, str]]:
    """Give the services that the incident is about, with what was promised for them."""
    checks = checks_of(catalog, incident)
    names = dict.fromkeys(name for check in checks for name in check.services)
    known = [catalog.services[name] for name in names if name in catalog.services]
    return [{"name": one.name, "sla": one.sla, "impact": one.impact} for one in known]


def _clock(clock: sla.SlaClock) -> dict[str, Any]:
    runs = clock.stopped is None and not clock.breached
    seconds = timedelta(seconds=round(clock.remaining.total_seconds()))
    return {
        "sla": clock.sla,
        "whose": clock.whose,
        "promise": clock.promise.value,
        "allowed": format_duration(clock.allowed),
        "due": iso(clock.due),
        "left": format_duration(seconds) if runs else None,
        "broken": clock.breached,
        "met": clock.stopped is not None and not clock.breached,
        "paused": clock.paused,
        "goes_on": iso(clock.goes_on),
    }


def _told_next(
    incident: Incident, plans: Sequence[Attempt], ticket: Ticket | None, around: Around
) -> dict[str, Any] | None:
    """Give who is told next, and when unless somebody answers; None: nobody is.

    Without a time: somebody has it in hand, or automation, which still works, comes first.
    """
    policy = policy_of(around.catalog, incident)
    if policy is None or incident.status not in OPEN_STATUSES:
        return None
    place = paging.next_place(policy, incident)
    if place is None:
        return None
    step = policy.steps[place % len(policy.steps)]
    acked = ticket is not None and ticket.status is TicketStatus.ACKED
    waits = incident.status is IncidentStatus.ESCALATED or bool(plans) or not place
    at = incident.page_at if not acked and (waits or incident.priority == "P1") else None
    if at is not None and at <= around.now:
        at = None  # it is being told while this is written, or an order keeps it quiet
    then = at if at is not None else around.now
    people = paging.told(step, lambda name: around.on_call(name, then))
    if not people and not paging.vendors(step):
        return None
    return {
        "tier": step.tier,
        "people": list(people),
        "vendors": list(paging.vendors(step)),
        "at": iso(at),
    }


def _coming(
    incident: Incident, plans: Sequence[Attempt], told_next: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Give what happens by itself and when, in its order."""
    found = [
        {"at": iso(plan.due_at), "what": f"the approval of attempt {plan.id} expires"}
        for plan in plans
        if plan.due_at is not None
    ]
    if incident.status is IncidentStatus.WAITING and incident.due_at is not None and not plans:
        found.append({"at": iso(incident.due_at), "what": "I look again"})
    if told_next is not None and told_next["at"] is not None:
        what = f"unless somebody answers, {told_next['tier']} is told: {_names(told_next)}"
        found.append({"at": told_next["at"], "what": what})
    return sorted(found, key=lambda one: str(one["at"]))


def _names(told: Mapping[str, Any]) -> str:
    return ", ".join([*told["people"], *(f"vendor {name}" for name in told["vendors"])])


def _similar(former: Incident, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Give how an earlier incident of this key ended, what cured it, and by whom."""
    fixed = [one.runbook for one in attempts if one.status is AttemptStatus.FIXED]
    ended = former.cause or former.status.value.lower()
    by = former.closed_by
    if former.cause == "verified" and fixed:
        ended, by = f"fixed by {fixed[-1]}", by or "monitord"
    reason = former.close_reason if former.closed_by else ""
    return {
        "incident": former.id,
        "at": iso(former.opened),
        "ended": ended,
        "cure": former.cure or reason,
        "by": by,
    }


def _problem(problem: Problem | None) -> dict[str, Any] | None:
    if problem is None:
        return None
    return {
        "id": problem.id,
        "status": problem.status.value,
        "title": problem.title,
        "cause": problem.cause,
        "cure": problem.cure,
    }


def _vendors(
    catalog: Catalog, events: Sequence[Event], pauses: Sequence[Paused]
) -> list[dict[str, Any]]:
    """Give the vendors whose turn has come, with contract and contact."""
    holding = {row.vendor for row in promises.held_by(pauses)}
    told = [*(name for event in events for name in _told(event)), *sorted(holding)]
    known = [catalog.vendors[name] for name in dict.fromkeys(told) if name in catalog.vendors]
    return [
        {
            "name": one.name,
            "contract": one.contract,
            "contact": one.contact,
            "respond": format_duration(one.respond) if one.respond is not None else "",
            "resolve": format_duration(one.resolve) if one.resolve is not None else "",
            "holds": one.name in holding,
        }
        for one in known
    ]


def _told(event: Event) -> Sequence[str]:
    return event.data.get("vendors", ()) if event.kind == "paged" else ()


def _answers(
    incident: Incident, check: Check | None, plans: Sequence[Attempt]
) -> list[dict[str, str]]:
    """Give the commands by which a person answers, to be copied."""
    if incident.status not in OPEN_STATUSES:
        return []
    found = []
    for plan in plans:
        found.append({"does": "let it run", "command": f"monitord approve {plan.id}"})
        found.append({"does": "say no", "command": f'monitord deny {plan.id} --reason "…"'})
    if check is None or is_shared(incident.key):
        return found
    ends = '--reason "…" --for 2h'
    key, host = shlex.quote(incident.key), shlex.quote(check.host)
    found.append({"does": "page no more", "command": f"monitord ack {key} {ends}"})
    found.append({"does": "work on it myself", "command": f"monitord take {host} {ends}"})
    return found


def _handing_on(
    incident: Incident, told_next: Mapping[str, Any] | None, around: Around | None
) -> list[dict[str, str]]:
    """Give the command that hands it on, while somebody of its policy was not told yet."""
    policy = policy_of(around.catalog, incident) if around is not None else None
    if policy is None or told_next is None or incident.paged >= len(policy.steps):
        return []
    command = f'monitord incident {incident.id} next --reason "…"'
    return [{"does": "call the next", "command": command}]
