"""Asks a host what was done to it: once for each incident, and before the first effect of a repair.

Only facts are read, by the reading login, so it works where nothing may be done as well. A host
that does not answer tells nothing, and nothing waits for it longer than a few seconds.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from monitord.actions import plan as plans
from monitord.decisions.changes import (
    ASKED,
    AT_WORK,
    in_words,
    last_ok,
    look_back,
    person_at_work,
)
from monitord.decisions.selector import parse
from monitord.decisions.ticket_document import iso
from monitord.engine import ticketing
from monitord.engine.instance import Instance
from monitord.engine.turn import AfterCommit
from monitord.errors import ExecutorLostError, RefusedByExecutorError, TransportError
from monitord.log import get_logger
from monitord.model.catalog import Host
from monitord.model.effect import Command
from monitord.model.facts import ChangesFact, Facts, Section
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Attempt, Phase
from monitord.model.marker import Marker
from monitord.model.ticket import Event, OutboxStatus
from monitord.store.contract import Tx

log = get_logger(__name__)

_AT_ONCE = 20  # hosts asked at a time: in a storm the rest of the incidents goes without
_LONGEST = 20.0  # seconds
_FARTHEST = 7 * 86_400  # seconds looked back: a weekly job's last OK
_NAME = "changes of incident"


def begin(instance: Instance, number: IncidentId, key: str, out: AfterCommit) -> None:
    """Ask the host of an incident that has just opened, after the commit."""
    host = instance.host(instance.check(key))
    under_way = [*instance.tasks, *(name for name, _ in out.works)]
    many = sum(name.startswith(_NAME) for name in under_way) >= _AT_ONCE
    if host is None or not host.login.has_shell or many:
        return
    out.calls.append(lambda: instance.asking.add(number))
    out.works.append((f"{_NAME} {number}", partial(_gather, instance, number, key)))


async def _gather(instance: Instance, number: IncidentId, key: str) -> None:
    incident = await instance.store.read(lambda view: view.incident(number))
    check = instance.check(key)
    host = instance.host(check)
    told: ChangesFact | None = None
    asked_at = instance.now()
    if incident is not None and host is not None:
        ago = min(_FARTHEST, (asked_at - look_back(incident, check)) // 1_000_000)
        facts = await _ask(instance, host, [_section(host, ago)])
        told = facts.changes if facts is not None else None
    written = await instance.insist(partial(_write, instance, number, told, asked_at))
    instance.tell(written)
    instance.wake()


def _write(
    instance: Instance, number: IncidentId, told: ChangesFact | None, asked_at: Instant, tx: Tx
) -> list[Event]:
    """Put it on the timeline, and let the messages go that waited for it."""
    instance.asking.discard(number)
    incident, events = tx.incident(number), []
    if incident is None:
        return []
    if told is not None:
        since = last_ok(incident, instance.check(incident.key))
        text = f"since it was last OK ({iso(since)}) and the day before: {in_words(told.rows)}"
        data = {"rows": _rows(told, asked_at), "unread": list(told.unread)}
        events.append(Event(number, instance.now(), ASKED, text, data=data))
        tx.add_events(events)
    now = instance.now()
    held = [m for m in tx.messages(number) if m.status is OutboxStatus.PENDING and not m.tries]
    for message in held:
        body = json.dumps(ticketing.ticket_document(tx, instance, incident), ensure_ascii=False)
        tx.change_outbox(message.id, OutboxStatus.PENDING, body=body, due_at=now)
    return events


def _rows(told: ChangesFact, asked_at: Instant) -> list[dict[str, Any]]:
    return [
        {
            "at": asked_at - round(row.ago * 1e6),
            "kind": row.kind,
            "who": row.who,
            "text": row.text,
        }
        for row in told.rows
    ]


async def who_works(instance: Instance, attempt: Attempt) -> str:
    """Say who is at work on what a repair is about; empty when nobody is, or nobody can tell."""
    host = instance.catalog.hosts.get(attempt.host)
    things = _things(attempt)
    if host is None or not host.login.has_shell or not things:
        return ""
    ago = int(AT_WORK.total_seconds())
    facts = await _ask(instance, host, [*things, _section(host, ago)])
    if facts is None or facts.changes is None:
        return ""
    programs = {
        program
        for section in things
        for program in facts.programs.get(section.args, ())
        if program.name in _programs(attempt)
    }
    return person_at_work(facts.changes.rows, facts.units.values(), sorted(programs, key=str))


def _things(attempt: Attempt) -> list[Section]:
    """Give the sections that tell of the units and programs that the plan is about to change."""
    units, servers = [], []
    for kind, argv in _changing(attempt):
        if kind == "systemd" and "--user" not in argv:
            units.append(argv[-1])
        elif kind == "supervisor":
            servers.append(argv[:-2])
    sections = [Section("unit", tuple(dict.fromkeys(units)))] if units else []
    return sections + [Section("program", server) for server in dict.fromkeys(servers)]


def _programs(attempt: Attempt) -> set[str]:
    return {argv[-1] for kind, argv in _changing(attempt) if kind == "supervisor"}


def _changing(attempt: Attempt) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (step.kind, step.effect.argv)
        for step in plans.from_text(attempt.plan)
        if step.phase == Phase.STEP and isinstance(step.effect, Command)
    ]


def _section(host: Host, ago: int) -> Section:
    """Give the section with monitord's own users; on this machine it is whoever we are."""
    logins = [login for login in (host.login.read, host.login.act) if login is not None]
    own = ["."] if host.login.kind == "local" else [login.user for login in logins]
    return Section("changes", (str(ago), *dict.fromkeys(own)))


async def _ask(instance: Instance, host: Host, sections: Sequence[Section]) -> Facts | None:
    try:
        async with asyncio.timeout(_LONGEST + 1.0):
            return await instance.executor.facts(host.name, sections, _LONGEST)
    except (TimeoutError, TransportError, ExecutorLostError, RefusedByExecutorError) as error:
        log.debug("a host told no changes", host=host.name, error=str(error))
        return None


async def mark(instance: Instance, text: str, selector: str, *, by: str) -> Marker:
    """Keep a change that somebody tells of, such as a deployment; it stands on tickets about it.

    Raises:
        BadSelectorError: the selector cannot be read.
    """
    if selector != "*":
        parse(selector)
    marker = Marker(0, instance.now(), by, selector, text)

    def work(tx: Tx) -> Marker:
        number = tx.add_marker(marker)
        tx.add_audit(marker.at, by, "marker", selector, text)
        return replace(marker, id=number)

    kept = await instance.store.write(work)
    line = f"{by} marks {selector}: {text}"
    instance.happenings.publish(kept.at, "marker", line, incident=None, selector=selector)
    return kept
