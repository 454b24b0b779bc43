"""Gathers what the guards may know about one rung, from the rows of a transaction and from memory.

It looks up and judges nothing; the same function serves the plan, the intent, `explain` and the
preview, so that they cannot differ.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from monitord.actions import plan as plans
from monitord.decisions.chains import may_rerun
from monitord.decisions.composite import planned
from monitord.decisions.guards import Effects, Running, Situation
from monitord.decisions.orders import in_force
from monitord.decisions.own import touches
from monitord.decisions.verbs import IN_HAND
from monitord.engine import composites, problems, surroundings
from monitord.engine.held import as_held, broken
from monitord.engine.instance import Instance
from monitord.model.catalog import Check, Host, Runbook, Rung
from monitord.model.chain import Link
from monitord.model.effect import PlannedStep, StepContext
from monitord.model.ids import EPOCH, Instant, StateKey, split_state_key, state_key
from monitord.model.incident import LIVE_ATTEMPTS, Attempt, AttemptStatus, Incident
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.model.ticket import Order, Verb
from monitord.store.contract import View

_HOUR = timedelta(hours=1) // timedelta(microseconds=1)
_DAY = 24 * _HOUR
_MOST_ITEMS = 5


@dataclass(frozen=True, slots=True)
class ExactPlan:
    """What a rung would do here: steps and locks, or why no plan can be made."""

    steps: tuple[PlannedStep, ...] = ()
    locks: tuple[tuple[str, bool], ...] = ()
    problem: str = ""


def exact_plan(instance: Instance, incident: Incident, check: Check, rung: Rung) -> ExactPlan:
    """Render a rung for the bad items of an incident; steps that come out equal are done once."""
    if check.kind == "chain":
        link = _failed_link(instance, check)
        if isinstance(link, str):
            return ExactPlan(problem=link)
        rung = plans.dated(rung, date_of(instance, check))
    keys = items_of(instance, incident, check)
    return plan_for(instance, check, rung, [split_state_key(StateKey(key))[1] for key in keys])


def _failed_link(instance: Instance, check: Check) -> Link | str:
    known = instance.chains.get(check.key)
    return may_rerun(known.chain, known.links) if known else "its run is not known yet"


def items_of(instance: Instance, incident: Incident, check: Check) -> tuple[str, ...]:
    """Give what a repair is for: the incident's items, or the link of a chain that failed."""
    link = _failed_link(instance, check) if check.kind == "chain" else ""
    return incident.items if isinstance(link, str) else (state_key(check.key, link.name),)


def date_of(instance: Instance, check: Check) -> str:
    """Give the business date of a chain's run; empty for any other check."""
    known = instance.chains.get(check.key)
    return known.run.business_date if known and known.run else ""


def plan_for(instance: Instance, check: Check, rung: Rung, items: list[str]) -> ExactPlan:
    """Render a rung for these items of a check."""
    runbook = instance.catalog.runbooks[rung.runbook]
    host = instance.catalog.hosts[check.host]
    if len(items) > _MOST_ITEMS:
        return ExactPlan(problem=f"{len(items)} items are bad at once, more than {_MOST_ITEMS}")
    names: set[str] = set()
    try:
        steps = plans.render_items(runbook, rung, host, items)
        for item in items or [""]:
            context = StepContext(host.name, host.address, item, rung.parameters)
            names.update(plans.resources(runbook, rung, context))
    except ValueError as error:
        return ExactPlan(problem=str(error))
    return ExactPlan(steps, _locks(host, names))


def situation(
    view: View,
    instance: Instance,
    incident: Incident,
    rung: Rung,
    plan: ExactPlan,
    *,
    now: Instant,
    attempt: Attempt | None = None,
    looked: Status | None = None,
    person: str = "",
) -> Situation:
    """Give all that the guards may know; an `attempt` of our own does not count against itself."""
    rung = as_held(view, instance, rung)
    check = instance.catalog.checks[incident.key]  # type: ignore[index]  # a check's incident
    host = instance.catalog.hosts[check.host]
    facts = Situation(
        now=now,
        check=check,
        host=host,
        rung=rung,
        budgets=instance.catalog.settings.budgets,
        states=tuple(states_of(instance, incident)),
        reach=instance.beliefs.reach_of(check, incident.severity),
        observe=instance.catalog.settings.observe,
        halt_file=instance.halted_by_file(),
        halt_order=order_in_force(view, instance, Verb.HALT, check, now),
        halt_runbook=order_in_force(view, instance, Verb.HALT, check, now, rung.runbook),
        maintenance=order_in_force(view, instance, Verb.MAINTENANCE, check, now),
        taken=order_in_force(view, instance, Verb.TAKE, check, now),
        targets=tuple(dict.fromkeys(step.target for step in plan.steps)),
        effects=_effects(view, instance, incident, rung, host, now, attempt),
        running=_running(view, host, attempt),
        last_effect=_last_effect(view, instance, rung, host, attempt),
        lock_holder=_holder(view, plan, attempt),
        looked=looked,
        person=person,
        rung_problem=plan.problem,
        changes=runbook_of(instance, rung).changes,
        approved=attempt is not None and attempt.approved is not None,
    )
    return _with_surroundings(facts, view, instance, plan, attempt)


def _with_surroundings(
    facts: Situation, view: View, instance: Instance, plan: ExactPlan, attempt: Attempt | None
) -> Situation:
    """Add what stands around a rung: the past of its check, its group, the calendar, ourselves."""
    check, host, now = facts.check, facts.host, facts.now
    repairs, last_repair = surroundings.repairs_in_a_row(
        view, instance, check.key, facts.states, now, attempt
    )
    return replace(
        facts,
        samples=surroundings.samples(instance, check, facts.states, facts.looked),
        repairs=repairs,
        last_repair=last_repair,
        settled=surroundings.settled(instance, host),
        frozen=surroundings.frozen(instance, check, host, now),
        vantage=surroundings.lost_canaries(instance, host),
        unhealthy=surroundings.group_health(view, instance, host, attempt),
        own=touches(host, instance.catalog.settings, facts.changes, plan.steps),
        broken=broken(view, instance, facts.rung.runbook, now),
        recurring=problems.barred(view, instance, check.key, now),
    )


def order_in_force(
    view: View,
    instance: Instance,
    verb: Verb,
    check: Check,
    now: Instant,
    runbook: str = "",
    since: Instant = EPOCH,
) -> Order | None:
    """Give the order of a verb that covers a check (or a runbook on it), given after `since`."""
    host = instance.catalog.hosts[check.host]
    orders = [order for order in view.orders(verb=verb, at=now) if order.given > since]
    found = in_force(orders, verb, host, check, now, runbook=runbook)
    if found is None and verb is Verb.MAINTENANCE and orders and check.members is not None:
        return _planned_by(view, instance, check, now)
    return found


def _planned_by(view: View, instance: Instance, check: Check, now: Instant) -> Order | None:
    """Give the maintenance of its members that makes a composite bad, if that does so alone."""
    of = composites.record(check, instance.beliefs, now)
    known = {one.key: instance.catalog.checks[one.key] for one in of.members}
    orders = {
        key: order
        for key, member in known.items()
        if (order := order_in_force(view, instance, Verb.MAINTENANCE, member, now)) is not None
    }
    if not orders or not planned(of, orders.keys()):
        return None
    return min(orders.values(), key=lambda order: (order.expires, order.id))


def order_over(
    view: View,
    instance: Instance,
    verbs: Collection[Verb],
    incident: Incident,
    now: Instant,
    since: Instant = EPOCH,
) -> Order | None:
    """Give an order of these verbs when such orders cover all of an incident: which ends first.

    An ack or a take counts that was given after `since`: when a person handed it on last.
    """
    first: Order | None = None
    from_ = {verb: since if verb in IN_HAND else EPOCH for verb in verbs}
    for check in checks_of(instance, incident):
        orders = (
            order_in_force(view, instance, verb, check, now, since=from_[verb]) for verb in verbs
        )
        found = [order for order in orders if order is not None]
        if not found:
            return None
        longest = max(found, key=lambda order: order.expires)
        first = min(first or longest, longest, key=lambda order: order.expires)
    return first


def checks_of(instance: Instance, incident: Incident) -> list[Check]:
    """Give the checks of an incident: its own, or those of the items that are UNKNOWN."""
    own = instance.check(incident.key)
    keys = [own.key] if own else [split_state_key(StateKey(key))[0] for key in incident.items]
    found = (instance.check(key) for key in dict.fromkeys(keys))
    return [check for check in found if check is not None]


def states_of(instance: Instance, incident: Incident) -> list[CheckState]:
    """Give what is believed of an incident's items."""
    known = instance.beliefs.states
    return [known[StateKey(key)] for key in incident.items if key in known]


def _locks(host: Host, names: Collection[str]) -> tuple[tuple[str, bool], ...]:
    whole = f"{host.name}:host"
    if whole in names:
        return ((whole, True),)
    return (*sorted((name, True) for name in names), (whole, False))


def _last_effect(
    view: View, instance: Instance, rung: Rung, host: Host, attempt: Attempt | None
) -> Instant | None:
    """Give when another attempt of this runbook had its effect, by time that really passed."""
    last = view.last_effect(rung.runbook, host.name)
    is_own = last is not None and attempt is not None and last.id == attempt.id
    if last is None or is_own or last.effect_at is None:
        return None
    return Instant(last.effect_at + instance.stepped_forward_since(last.effect_at))


def _effects(
    view: View,
    instance: Instance,
    incident: Incident,
    rung: Rung,
    host: Host,
    now: Instant,
    attempt: Attempt | None,
) -> Effects:
    def since(instant: int) -> tuple[int, int, int, int, int]:
        count = view.effects_since(
            Instant(instant),
            incident=incident.id,
            key=incident.key,
            runbook=rung.runbook,
            host=host.name,
        )
        own = attempt is not None and attempt.effect_at is not None
        less = 1 if own else 0
        return (
            count.incident - less,
            count.runbook_on_key - less,
            count.runbook - less,
            count.host - less,
            count.fleet - less,
        )

    ever = since(EPOCH)
    hour, day = since(instance.before(now, _HOUR)), since(instance.before(now, _DAY))
    in_incident = [
        other
        for other in view.attempts(incident=incident.id)
        if other.effect_at is not None and (attempt is None or other.id != attempt.id)
    ]
    return Effects(
        incident=ever[0],
        rung=sum(other.runbook == rung.runbook for other in in_incident),
        runbook_hour=hour[2],
        runbook_day=day[2],
        host_hour=hour[3],
        host_day=day[3],
        fleet_hour=hour[4],
        fleet_day=day[4],
    )


def _running(view: View, host: Host, attempt: Attempt | None) -> Running:
    others = [
        other
        for other in view.attempts(statuses=LIVE_ATTEMPTS - {AttemptStatus.APPROVAL})
        if attempt is None or other.id != attempt.id
    ]
    groups = tuple((group, sum(group in other.groups for other in others)) for group in host.groups)
    return Running(len(others), groups)


def _holder(view: View, plan: ExactPlan, attempt: Attempt | None) -> str:
    held = view.held_locks()
    for name, exclusive in plan.locks:
        holder = held.get(name)
        if holder is None or (attempt is not None and holder[0] == attempt.id):
            continue
        if exclusive or holder[1]:
            return f"{name} (attempt {holder[0]})"
    return ""


def runbook_of(instance: Instance, rung: Rung) -> Runbook:
    """Give the runbook of a rung."""
    return instance.catalog.runbooks[rung.runbook]
