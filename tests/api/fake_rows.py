"""What the fake core watches and has stored: two hosts, three checks, their states, an incident.

Some of it is written by a target that means harm (`HOSTILE`): whoever shows it must escape it.
"""

from __future__ import annotations

import json
import os
import pwd
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from monitord.decisions.availability import Account, measure
from monitord.decisions.expressions import rule
from monitord.decisions.seals import packed
from monitord.model.account import Role
from monitord.model.calendar import Calendar, Span
from monitord.model.catalog import Catalog, Check, Host, Service, Settings
from monitord.model.ids import (
    EPOCH,
    AttemptId,
    CheckKey,
    IncidentId,
    Instant,
    StateKey,
    StepId,
    TicketId,
    check_key,
)
from monitord.model.inbound import Source
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.login import LoginProvider
from monitord.model.oncall import Every, Layer, Person, Rotation
from monitord.model.problem import Problem, ProblemStatus
from monitord.model.result import Status
from monitord.model.service import ServiceChange, ServiceState
from monitord.model.sla import Sealed, Sla
from monitord.model.spec import Spec
from monitord.model.state import CheckState, StatePolicy
from monitord.model.status_page import StatusPage
from monitord.model.ticket import Event, Order, Ticket, TicketStatus, Verb
from monitord.secrets import SecretRef
from monitord.store.contract import Tx

NOON = Instant(1_795_780_800_000_000)  # 2026-11-27 12:00:00 UTC
HOSTILE = "\x1b[31mred\x1b[0m \u202eevil [bold]not markup[/bold]"


def make_catalog(state: Path, web: str = "127.0.0.1:0") -> Catalog:
    """Two hosts and three checks; db1/nightly is a job."""
    settings = Settings("test", "lab", observe=False, state=str(state), store="", web=web)
    hosts = {
        "web1": Host("web1", "10.1.1.11", groups=("web", "linux"), site="ulm"),
        "db1": Host("db1", "10.1.2.11", groups=("db",)),
    }
    kinds = {"web1/site": "http", "web1/disk": "disk", "db1/nightly": "job"}
    checks = {}
    for name, kind in kinds.items():
        host, check = name.split("/")
        checks[check_key(host, check)] = Check(
            key=CheckKey(name),
            host=host,
            name=check,
            kind=kind,
            spec=Spec(),
            every=timedelta(seconds=30),
            retry_every=timedelta(seconds=10),
            timeout=timedelta(seconds=5),
            policy=StatePolicy(),
            means="customers see an error",
            by_hand="look at nginx",
            place="monitord.yaml:7",
        )
    return Catalog(
        "c0ffee", settings, hosts, checks, {},
        people=PEOPLE, rotations=ROTATIONS, inbound=SOURCES, warnings=("nobody will be woken",),
    )  # fmt: skip


SOURCES = {
    "prom": Source("prom", "alertmanager", token="a-token-of-the-test"),
    "signed": Source("signed", "results", hmac="a-key-of-the-test"),
}
ME = pwd.getpwuid(os.getuid()).pw_name
PEOPLE = {"lee": Person("lee", ME), "ann": Person("ann", "ann"), "kim": Person("kim", "kim")}
_WEEKLY = Layer(
    ("ann", "kim"),
    Every(length=timedelta(weeks=1)),
    datetime(2026, 11, 2, 9),  # noqa: DTZ001 - a time on the wall
    "Europe/Berlin",
)
_OFFICE = Calendar("office", "Europe/Berlin", ((Span(8 * 3600, 16 * 3600),),) * 5 + ((), ()))
ROTATIONS = {
    "linux": Rotation("linux", (_WEEKLY,), place="monitord.yaml:20"),
    "desk": Rotation("desk", (replace(_WEEKLY, hours=_OFFICE),), place="monitord.yaml:30"),
}


STATES = (
    CheckState(StateKey("db1/nightly"), Status.OK, Status.OK, since=NOON, summary="ran at 02:00"),
    CheckState(
        StateKey("web1/disk//srv"), Status.WARNING, Status.WARNING, since=NOON, summary="91 % used"
    ),
    CheckState(
        StateKey("web1/site"),
        Status.CRITICAL,
        Status.CRITICAL,
        attempt=3,
        since=NOON,
        first_failed=NOON,
        summary=f"no answer within 5 s {HOSTILE}",
        last_seen=NOON,
    ),
)


def with_services(plain: Catalog) -> Catalog:
    """The same with two services: the shop, which was promised something, and the jobs."""
    site, nightly = CheckKey("web1/site"), CheckKey("db1/nightly")
    shop = Service("shop", "high", "gold", "", (site,), (rule("site", lambda _: [site]),))
    checks = {**plain.checks, site: replace(plain.checks[site], services=("shop",))}
    services = {"shop": shop, "jobs": Service("jobs", checks=(nightly,))}
    levels = {"gold": Sla("gold", availability=0.999)}
    shown = StatusPage(
        (("shop", "The online shop"), ("jobs", "Mail at night")), "How we are", public=True
    )
    settings = replace(plain.settings, status=shown)
    return replace(plain, settings=settings, checks=checks, services=services, slas=levels)


def fill_services(tx: Tx) -> None:
    """The shop is down, and something keeps coming back."""
    for at, state in ((EPOCH, ServiceState.UP), (Instant(1), ServiceState.DOWN)):
        text = f"site: {HOSTILE}"
        tx.add_service_change(
            ServiceChange(0, "shop", at, state, state.lower(), text, (CheckKey("web1/site"),))
        )
    tx.add_problem(Problem(0, "web1/disk", ProblemStatus.OPEN, f"disk {HOSTILE}", NOON, NOON, 3))


def fill_seals(tx: Tx, month: tuple[int, int]) -> None:
    """The jobs' month was sealed, and again after a correction; its rows give something else."""
    account = Account("jobs", "default", EPOCH, Instant(1), (), {})
    name = f"{month[0]:04}-{month[1]:02}"
    row = Sealed(0, "jobs", name, measure(account).seal, packed(account), NOON)
    first = tx.add_seal(row)
    tx.add_seal(replace(row, replaces=first, reason=f"correction 1 of kim ({HOSTILE}) came"))


def fill(tx: Tx) -> None:
    """One escalated incident with an attempt, a step, a timeline and a ticket; one mute."""
    tx.put_states(STATES)
    incident = tx.add_incident(
        Incident(
            id=IncidentId(0),
            key="web1/site",
            status=IncidentStatus.OPEN,
            severity=Status.CRITICAL,
            summary="no answer within 5 s",
            opened=NOON,
            first_failed=NOON,
            due_at=None,
            items=("web1/site",),
            host="web1",
        )
    )
    tx.move_incident(incident, IncidentStatus.OPEN, IncidentStatus.ESCALATED, escalated=NOON)
    attempt = tx.add_attempt(
        Attempt(
            id=AttemptId(0),
            incident=incident,
            key="web1/site",
            host="web1",
            runbook="restart-nginx",
            runbook_hash="ab12",
            catalog="c0ffee",
            mode="auto",
            status=AttemptStatus.PLANNED,
            plan='{"steps":[]}',
            targets=("web1",),
            locks=("web1:nginx",),
            planned=NOON,
            due_at=None,
            deadline=NOON,
        )
    )
    tx.add_step(
        Step(
            id=StepId(0),
            attempt=attempt,
            position=0,
            phase=Phase.STEP,
            kind="systemd",
            target="web1",
            effect='{"argv":["systemctl","restart","nginx"],"type":"command"}',
            idempotent=True,
            status=StepStatus.INTENT,
            intended=NOON,
            deadline=NOON,
            output=HOSTILE,
        )
    )
    tx.add_events([Event(incident, NOON, "opened", "web1/site is CRITICAL", "monitord", {})])
    ticket = tx.add_ticket(
        Ticket(
            id=TicketId(0),
            incident=incident,
            key="test-1",
            status=TicketStatus.OPEN,
            tier="L1",
            priority="P3",
            title="web1/site: CRITICAL",
            opened=NOON,
            updated=NOON,
        )
    )
    tx.change_incident(incident, IncidentStatus.ESCALATED, ticket=ticket)
    tx.add_order(Order(0, Verb.MUTE, "web1/disk", "known", "kim", EPOCH, EPOCH, Instant(NOON * 2)))
    tx.add_audit(NOON, "kim", "mute", "web1/site", "known")


def by_provider(catalog: Catalog, written: Path) -> Catalog:
    """Give the catalog with the login provider that a test wrote down, where it did."""
    if not written.exists():
        return catalog
    told = json.loads(written.read_text(encoding="utf-8"))
    roles = ((Role.VIEWER, ("staff",)), (Role.OPERATOR, ("ops",)))
    secret = SecretRef("file", told["secret"])
    oidc = LoginProvider("the house's", told["issuer"], "monitord", roles, secret)
    settings = replace(catalog.settings, oidc=oidc, web_url=told["web"])
    return replace(catalog, settings=settings)
