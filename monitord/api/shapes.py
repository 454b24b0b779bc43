"""One row or value → JSON, the same for the API and for the command line without a core.

Pure. Times are ISO 8601 in UTC, statuses their words in capitals, durations as in YAML. Text of
targets goes through unchanged: who renders it escapes it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitord.decisions.promises import Deadline
from monitord.decisions.ticket_document import iso
from monitord.model.catalog import Check, Host
from monitord.model.chain import LinkStatus
from monitord.model.effect import PlannedStep, describe, from_json
from monitord.model.ids import CheckKey, Instant
from monitord.model.incident import Attempt, Incident, Step
from monitord.model.kinds import JobRecord
from monitord.model.result import Result, Status
from monitord.model.sla import Paused
from monitord.model.spec import format_duration
from monitord.model.state import CheckState
from monitord.model.ticket import AuditRow, Event, Order, Ticket
from monitord.store.contract import View

BADNESS = (Status.OK, Status.PENDING, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)
"""Statuses from the best to the worst."""

RANK = tuple(BADNESS.index(status) for status in sorted(Status))
"""How bad each status is, indexed by it."""


def worst(statuses: Iterable[Status]) -> Status:
    """Give the worst: CRITICAL, UNKNOWN, WARNING, PENDING, OK; PENDING where there is none."""
    return max(statuses, key=RANK.__getitem__, default=Status.PENDING)


def state(of: CheckState) -> dict[str, Any]:
    """Give one state."""
    return {
        "key": of.key,
        "status": of.status.name,
        "hard": of.hard.name,
        "soft": of.soft,
        "attempt": of.attempt,
        "since": _when(of.since),
        "first_failed": iso(of.first_failed),
        "last_seen": _when(of.last_seen),
        "summary": of.summary,
        "cause": of.cause.value if of.cause else None,
        "flapping": of.flapping,
        "unreachable": of.unreachable,
        "stale": of.stale,
    }


def _when(instant: Instant) -> str | None:
    return iso(instant) if instant else None


def result(of: Result) -> dict[str, Any]:
    """Give one result of a probe run."""
    return {
        "status": of.status.name,
        "item": of.item,
        "summary": of.summary,
        "details": of.details,
        "cause": of.cause.value if of.cause else None,
        "measurements": [
            {"name": m.name, "value": m.value, "unit": m.unit} for m in of.measurements
        ],
    }


def by_check(states: Iterable[CheckState]) -> dict[CheckKey, list[CheckState]]:
    """Give the states of each check."""
    grouped: dict[CheckKey, list[CheckState]] = defaultdict(list)
    for one in states:
        grouped[check_of(one)].append(one)
    return dict(grouped)


def check_of(one: CheckState) -> CheckKey:
    """Give the check that a state belongs to (quicker than splitting it whole: lists are long)."""
    host, check, *_ = one.key.split("/", 2)
    return CheckKey(f"{host}/{check}")


def check(key: CheckKey, of: Check | None, states: Sequence[CheckState]) -> dict[str, Any]:
    """Give a check with the states of its items; `of` is None for one no longer configured."""
    bad = worst(one.hard for one in states)
    host, _, name = key.partition("/")
    shown: dict[str, Any] = {"key": key, "host": host, "check": name, "status": bad.name}
    shown["summary"] = next((one.summary for one in states if one.hard is bad), "")
    if of is not None:
        shown |= {
            "kind": of.kind,
            "every": format_duration(of.every),
            "remediate": [rung.runbook for rung in of.remediate],
            "means": of.means,
            "by_hand": of.by_hand,
            "place": of.place,
        }
    shown["items"] = [state(one) for one in states]
    return shown


def host(of: Host, checks: Iterable[CheckKey], states: Iterable[CheckState]) -> dict[str, Any]:
    """Give a host, with how many of its states are in each hard status."""
    hard = [one.hard for one in states]
    return {
        "host": of.name,
        "address": of.address,
        "groups": list(of.groups),
        "site": of.site,
        "customer": of.customer,
        "login": of.login.kind,
        "may_act": of.login.may_act,
        "checks": sum(1 for _ in checks),
        "status": worst(hard).name,
        "states": {status.name: count for status, count in sorted(Counter(hard).items())},
    }


def incident(of: Incident) -> dict[str, Any]:
    """Give an incident without its rows."""
    return {
        "incident": of.id,
        "key": of.key,
        "host": of.host,
        "status": of.status.value,
        "severity": of.severity.name,
        "tier": of.tier,
        "priority": of.priority,
        "summary": of.summary,
        "items": list(of.items),
        "opened": iso(of.opened),
        "first_failed": iso(of.first_failed),
        "rung": of.rung,
        "due_at": iso(of.due_at),
        "waiting_for": of.waiting_for,
        "escalated": iso(of.escalated),
        "resolved": iso(of.resolved),
        "closed": iso(of.closed),
        "cause": of.cause,
        "closed_by": of.closed_by,
        "close_reason": of.close_reason,
        "reopened": of.reopened,
        "part_of": of.part_of or None,
        "inhibited_by": of.inhibited_by,
        "ticket": of.ticket,
    }


def step(of: Step) -> dict[str, Any]:
    """Give a step with its (redacted, bounded) output."""
    return {
        "step": of.id,
        "position": of.position,
        "phase": of.phase.value,
        "kind": of.kind,
        "target": of.target,
        "text": describe(from_json(of.effect)) if of.effect.startswith("{") else of.effect,
        "effect": json.loads(of.effect) if of.effect.startswith("{") else of.effect,
        "idempotent": of.idempotent,
        "status": of.status.value,
        "intended": iso(of.intended),
        "started": iso(of.started),
        "finished": iso(of.finished),
        "exit_code": of.exit_code,
        "output": of.output,
        "error": of.error,
    }


def attempt(of: Attempt, steps: Sequence[Step]) -> dict[str, Any]:
    """Give an attempt with its steps."""
    return {
        "attempt": of.id,
        "key": of.key,
        "host": of.host,
        "runbook": of.runbook,
        "mode": of.mode,
        "status": of.status.value,
        "outcome": of.outcome,
        "by": of.by,
        "targets": list(of.targets),
        "locks": list(of.locks),
        "planned": iso(of.planned),
        "started": iso(of.started),
        "verifying": iso(of.verifying),
        "finished": iso(of.finished),
        "deadline": iso(of.deadline),
        "oks": of.oks,
        "steps": [step(one) for one in steps],
    }


def planned(of: PlannedStep) -> dict[str, Any]:
    """Give one step of a plan, as people read it."""
    return {
        "phase": str(of.phase),
        "kind": of.kind,
        "target": of.target,
        "text": describe(of.effect),
    }


def event(of: Event) -> dict[str, Any]:
    """Give one line of a timeline."""
    return {
        "at": iso(of.at),
        "kind": of.kind,
        "text": of.text,
        "actor": of.actor,
        "data": dict(of.data),
    }


def order(of: Order, *, now: Instant) -> dict[str, Any]:
    """Give an order and whether it is in force at `now`."""
    return {
        "order": of.id,
        "verb": of.verb.value,
        "selector": of.selector,
        "reason": of.reason,
        "by": of.by,
        "given": iso(of.given),
        "starts": iso(of.starts),
        "expires": iso(of.expires),
        "until_ok": of.until_ok,
        "excused": of.excused,
        "ended": iso(of.ended),
        "ended_by": of.ended_by,
        "in_force": of.ended is None and of.starts <= now < of.expires,
    }


def pause(of: Paused, *, now: Instant) -> dict[str, Any]:
    """Give a pause of an incident's clocks, and whether it lasts at `now`."""
    return {
        "pause": of.id,
        "starts": iso(of.starts),
        "expires": iso(of.expires),
        "reason": of.reason,
        "by": of.by,
        "vendor": of.vendor,
        "answered": iso(of.answered),
        "ended": iso(of.ended),
        "ended_by": of.ended_by,
        "lasts": of.starts <= now < of.end,
    }


def deadline(of: Deadline | None) -> dict[str, Any] | None:
    """Give the deadline that a customer named."""
    if of is None:
        return None
    return {"at": iso(of.at), "whose": of.whose, "told": iso(of.since), "reason": of.reason}


def ticket(of: Ticket) -> dict[str, Any]:
    """Give a ticket's row; its content is `ticket_document`."""
    return {
        "ticket": of.id,
        "incident": of.incident,
        "key": of.key,
        "status": of.status.value,
        "tier": of.tier,
        "priority": of.priority,
        "title": of.title,
        "opened": iso(of.opened),
        "updated": iso(of.updated),
        "resolved": iso(of.resolved),
    }


def audit_row(of: AuditRow) -> dict[str, Any]:
    """Give one link of the audit chain."""
    return {
        "id": of.id,
        "at": iso(of.at),
        "actor": of.actor,
        "act": of.act,
        "subject": of.subject,
        "detail": of.detail,
        "digest": of.digest,
    }


def check_of_job(job: str) -> CheckKey:
    """Give the check of a job's key: its own, or the chain that it is a link of."""
    return CheckKey("/".join(job.split("/")[:2]))


def status_of_job(states: Mapping[CheckKey, Sequence[CheckState]], job: str) -> str:
    """Give the worst hard status of a job's check."""
    return worst(one.hard for one in states.get(check_of_job(job), ())).name


def job_of(view: View, key: str) -> JobRecord | None:
    """Give what is known of a job, a link of a chain too."""
    chain, link = check_of_job(key), key.split("/")[2:]
    if not link:
        return view.job(key)
    runs = view.chain_runs(chain, limit=1)
    for row in view.links(runs[0].id) if runs else ():
        if row.name == link[0]:
            running = row.status is LinkStatus.RUNNING
            since = runs[0].starts
            return JobRecord(
                row.started, row.ended, row.exit_code, row.output, running, watched_since=since
            )
    return None


def job(of: JobRecord | None) -> dict[str, Any] | None:
    """Give what is known of a job's runs; None where it never reported."""
    if of is None:
        return None
    return {
        "running": of.running,
        "started": iso(of.started),
        "ended": iso(of.ended),
        "exit_code": of.exit_code,
        "output": of.output,
        "watched_since": iso(of.watched_since),
    }
