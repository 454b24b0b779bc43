"""Rows of a small, sound story, for tests to store and to spoil. Times are seconds of the story."""

from dataclasses import replace
from typing import Any

from monitord.model.ids import (
    AttemptId,
    IncidentId,
    Instant,
    StateKey,
    StepId,
    TicketId,
)
from monitord.model.incident import (
    Attempt,
    AttemptStatus,
    Incident,
    IncidentStatus,
    Phase,
    Step,
    StepStatus,
)
from monitord.model.result import Cause, Status
from monitord.model.state import Change, CheckState, Transition
from monitord.model.ticket import (
    Operation,
    Order,
    OutboxItem,
    OutboxStatus,
    Ticket,
    TicketStatus,
    Verb,
)

SITE = StateKey("web1/site")


def at(seconds: float) -> Instant:
    return Instant(1_800_000_000_000_000 + round(seconds * 1_000_000))


def state(key: str = SITE, hard: Status = Status.OK, **changes: Any) -> CheckState:
    return replace(CheckState(StateKey(key), status=hard, hard=hard, last_seen=at(0)), **changes)


def full_state() -> CheckState:
    """A state in which no field has its default."""
    return CheckState(
        key=StateKey("web1/disk//srv/data"),
        status=Status.WARNING,
        hard=Status.CRITICAL,
        attempt=2,
        since=at(1),
        first_failed=at(2),
        summary="97 % of 64 GiB, größer als 95 %",
        cause=Cause.TIMEOUT,
        flap_bits=0b1011,
        flapping=True,
        unreachable=True,
        stale=True,
        last_seen=at(3),
        memory={"offset": 2**40, "lines": ["a", "b"], "nested": {"x": None}},
        judged=Status.WARNING,
    )


def transition(key: str = SITE, after: Status = Status.CRITICAL, **changes: Any) -> Transition:
    made = Transition(
        key=StateKey(key),
        change=Change.HARD,
        before=Status.OK,
        after=after,
        at=at(10),
        first_failed=at(0),
        summary="no answer within 5 s",
    )
    return replace(made, **changes)


def incident(key: str = SITE, **changes: Any) -> Incident:
    made = Incident(
        id=IncidentId(0),
        key=key,
        status=IncidentStatus.OPEN,
        severity=Status.CRITICAL,
        summary="no answer within 5 s",
        opened=at(10),
        first_failed=at(0),
        due_at=at(40),
        items=(key,),
        host="web1",
        customer="acme",
        site="ulm",
    )
    return replace(made, **changes)


def attempt(of: int, **changes: Any) -> Attempt:
    made = Attempt(
        id=AttemptId(0),
        incident=IncidentId(of),
        key=SITE,
        host="web1",
        runbook="restart-nginx",
        runbook_hash="r" * 64,
        catalog="c" * 64,
        mode="auto",
        status=AttemptStatus.PLANNED,
        plan='{"steps":[]}',
        targets=("web1",),
        locks=("web1:nginx",),
        planned=at(40),
        due_at=at(40),
        deadline=at(200),
        groups=("linux", "web"),
    )
    return replace(made, **changes)


def step(of: int, **changes: Any) -> Step:
    made = Step(
        id=StepId(0),
        attempt=AttemptId(of),
        position=0,
        phase=Phase.STEP,
        kind="systemd",
        target="web1",
        effect='{"argv":["systemctl","restart","nginx"]}',
        idempotent=False,
        status=StepStatus.INTENT,
        intended=at(41),
        deadline=at(101),
    )
    return replace(made, **changes)


def order(verb: Verb = Verb.MAINTENANCE, **changes: Any) -> Order:
    made = Order(
        id=0,
        verb=verb,
        selector="web1",
        reason="new disk",
        by="kim",
        given=at(0),
        starts=at(0),
        expires=at(3600),
    )
    return replace(made, **changes)


def ticket(of: int, **changes: Any) -> Ticket:
    made = Ticket(
        id=TicketId(0),
        incident=IncidentId(of),
        key=f"here-{of}",
        status=TicketStatus.OPEN,
        tier="L1",
        priority="P3",
        title="web1/site: no answer within 5 s",
        opened=at(60),
        updated=at(60),
    )
    return replace(made, **changes)


def message(of: int, backend: str = "hook", **changes: Any) -> OutboxItem:
    made = OutboxItem(
        id=0,
        backend=backend,
        incident=IncidentId(of),
        operation=Operation.OPEN,
        key=f"here-{of}",
        body='{"title":"web1/site"}',
        status=OutboxStatus.PENDING,
        created=at(60),
        due_at=at(60),
    )
    return replace(made, **changes)
