"""What people and fate do to a running core at one instant of a scenario, crashes apart.

People go through the core's own commands; fate only changes the scripted world.
"""

from datetime import timedelta

from monitord.clock import after
from monitord.engine.core import Core
from monitord.engine.scenario.file import Deed, parse_given
from monitord.engine.scenario.world import World
from monitord.engine.virtual_time import VirtualClock
from monitord.errors import CommandRefusedError
from monitord.model.facts import ChangeFact
from monitord.model.ids import AttemptId, StateKey, split_state_key
from monitord.model.inbound import Told
from monitord.model.incident import AttemptStatus
from monitord.model.ticket import Verb


async def do(deed: Deed, core: Core, world: World, clock: VirtualClock) -> None:
    """Do it.

    Raises:
        MonitordError: the core refuses a person's order.
    """
    if deed.marker is not None:
        await core.mark(deed.reason, deed.marker, by=deed.by)
    elif deed.job is not None:
        said = {"exit_code": None, "output": deed.reason, "at": core.now()}
        await core.job_event(deed.job, deed.event, by=deed.by, **said)  # type: ignore[arg-type]  # three kinds of value, each where it belongs
    elif deed.chain is not None:
        await _chain(deed, core, deed.chain)
    elif deed.tell is not None:
        await _tell(deed, core, world, deed.tell)
    elif not (await _order(deed, core) or await _clocks(deed, core) or _on_a_host(deed, world)):
        _fate(deed, world, clock)


async def _tell(deed: Deed, core: Core, world: World, key: str) -> None:
    """Tell of a passive check, as an inbound source does."""
    check, item = split_state_key(StateKey(key))
    host, _, name = check.partition("/")
    given = parse_given(deed.says)
    began = None if deed.began is None else after(world.start, deed.began)
    told = Told(host, (name,), given.status, given.text, core.now(), item, "", deed.alert, began)
    taken = await core.told(deed.by, [told])
    if taken.unknown:
        raise CommandRefusedError(f"tell: {deed.by} may not report {key}")


async def _chain(deed: Deed, core: Core, name: str) -> None:
    by, reason = deed.by, deed.reason
    if deed.order == "rerun":
        await core.chains.rerun(name, deed.link, by=by, reason=reason)
    elif deed.order == "skip":
        await core.chains.skip(name, deed.link, by=by, reason=reason)
    else:
        await core.chains.hold(name, on=deed.order == "hold", by=by, reason=reason)


async def _order(deed: Deed, core: Core) -> bool:
    """Give a person's order; tells whether the deed is one."""
    by, reason = deed.by, deed.reason
    verb = next((verb for verb in Verb if getattr(deed, verb) is not None), None)
    if verb is not None:
        await core.orders.give(
            verb,
            getattr(deed, verb),
            by=by,
            reason=reason,
            expires=after(core.now(), deed.lasts),
            until_ok=deed.until_ok,
            excused=deed.excused,
        )
    elif deed.resume is not None:
        await core.orders.end(deed.resume, by=by)
    elif deed.release is not None:
        await core.orders.end(deed.release, by=by, verb=Verb.TAKE)
    elif deed.end is not None:
        await _end(deed.end, core, by)
    elif deed.close is not None or deed.next is not None:
        await _about_one(deed, core)
    elif deed.approve is not None:
        await core.approvals.approve(await _waiting(deed.approve, core), by=by)
    elif deed.deny is not None:
        await core.approvals.deny(await _waiting(deed.deny, core), by=by, reason=reason)
    elif deed.wrong is not None:
        await core.trusting.wrong(await _last(deed.wrong, core), by=by, reason=reason)
    elif deed.promote is not None:
        await core.trusting.promote(deed.promote, by=by, reason=reason)
    else:
        return False
    return True


async def _clocks(deed: Deed, core: Core) -> bool:
    """Say what bears on an incident's clocks; tells whether the deed is that."""
    key = deed.pause or deed.unpause or deed.answered or deed.deadline
    if key is None:
        return False
    incident = await core.store.read(lambda view: view.live_incident(key))
    if incident is None:
        raise CommandRefusedError(f"there is no incident {key} then")
    number, by, ends = incident.id, deed.by, after(core.now(), deed.lasts)
    if deed.pause is not None:
        said = {"reason": deed.reason, "vendor": deed.vendor}
        await core.levels.pause(number, by=by, expires=ends, **said)
    elif deed.unpause is not None:
        await core.levels.resume(number, by=by)
    elif deed.answered is not None:
        await core.levels.answered(number, by=by, vendor=deed.vendor)
    else:
        await core.levels.deadline(number, ends, by=by, reason=deed.reason)
    return True


async def _end(selector: str, core: Core, by: str) -> None:
    orders = await core.store.read(lambda view: view.orders(at=core.now()))
    named = [order.id for order in orders if order.selector == selector]
    if not named:
        raise CommandRefusedError(f"end: no order of {selector!r} is in force then")
    for number in named:
        await core.orders.end(number, by=by)


async def _waiting(key: str, core: Core) -> AttemptId:
    attempts = await core.store.read(lambda view: view.attempts(statuses=[AttemptStatus.APPROVAL]))
    waiting = [attempt.id for attempt in attempts if attempt.key == key]
    if not waiting:
        raise CommandRefusedError(f"nothing of {key} waits for approval then")
    return waiting[-1]


async def _last(key: str, core: Core) -> AttemptId:
    attempts = await core.store.read(lambda view: view.attempts())
    acted = [one.id for one in attempts if one.key == key and one.effect_at is not None]
    if not acted:
        raise CommandRefusedError(f"wrong: no repair of {key} has done anything by then")
    return acted[-1]


async def _about_one(deed: Deed, core: Core) -> None:
    """Close the incident of a key, or hand it on."""
    key = deed.close or deed.next or ""
    incident = await core.store.read(lambda view: view.live_incident(key))
    if incident is None:
        raise CommandRefusedError(f"there is no incident {key} then")
    if deed.close is not None:
        await core.commands.close(incident.id, by=deed.by, reason=deed.reason)
    else:
        await core.handing.on(incident.id, by=deed.by, reason=deed.reason)


def _on_a_host(deed: Deed, world: World) -> bool:
    """Do what a person does on a host itself; tells whether the deed is that."""
    if deed.stops is not None:
        host, _, unit = deed.stops.partition("/")
        world.stopped.add((host, unit))
        did = ChangeFact(0.0, "sudo", deed.by, f"ran sudo: /usr/bin/systemctl stop {unit}")
    elif deed.logs_in is not None:
        host, did = deed.logs_in, ChangeFact(0.0, "login", deed.by, "logged in on pts/0")
    else:
        return False
    world.deeds_on_hosts.append((world.loop.time(), host, did))
    return True


def _fate(deed: Deed, world: World, clock: VirtualClock) -> None:
    now = world.loop.time()
    if deed.tickets_down is not None:
        world.tickets_down_until = now + deed.tickets_down.total_seconds()
    elif deed.closed_for_good is not None:
        world.closed_for_good_until = now + deed.closed_for_good.total_seconds()
    elif deed.executor_down is not None:
        world.executor_down_until = now + deed.executor_down.total_seconds()
    elif deed.boot is not None:
        world.booted[deed.boot] = clock.now()
    elif deed.store_down is not None:
        world.store_down_until = now + deed.store_down.total_seconds()
    else:
        step = (deed.clock or timedelta()) - (deed.clock_back or timedelta())
        clock.step(step.total_seconds())
        world.steps.append((clock.now(), step // timedelta(microseconds=1)))
