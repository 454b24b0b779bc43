"""Sound values to spoil: a check with a ladder, an incident of it, a situation that no guard minds.

Instants are seconds of the story.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from monitord.decisions.guards import Situation
from monitord.decisions.reach import Reach
from monitord.model.catalog import (
    Budgets,
    Check,
    Host,
    Limits,
    Login,
    Runbook,
    Rung,
    SshLogin,
    VerifyPolicy,
)
from monitord.model.ids import CheckKey, IncidentId, Instant, StateKey
from monitord.model.incident import Incident, IncidentStatus
from monitord.model.result import Status
from monitord.model.spec import Spec
from monitord.model.state import CheckState, StatePolicy
from monitord.model.ticket import Order, Verb

SITE = StateKey("web1/site")
VERIFY = VerifyPolicy(timedelta(seconds=15), 3, timedelta(minutes=2))
LIMITS = Limits(per_incident=1, cooldown=timedelta(minutes=10), per_hour=3, per_day=6)
ACTS = Login("ssh", SshLogin("monitord"), SshLogin("repair"))
WEB1 = Host("web1", "10.1.1.1", groups=("linux", "web"), login=ACTS)


def at(seconds: float) -> Instant:
    return Instant(round(seconds * 1_000_000))


def rung(runbook: str = "restart-nginx", mode: str = "auto", **changes: Any) -> Rung:
    return replace(Rung(runbook, mode, LIMITS, VERIFY), **changes)


def runbook(name: str, *on: Status) -> Runbook:
    answers = frozenset(on or {Status.CRITICAL})
    return Runbook(name, "h", "f", (), (), (), (), VERIFY, LIMITS, mode="auto", on=answers)


def check(*ladder: Rung, **changes: Any) -> Check:
    made = Check(
        key=CheckKey(SITE),
        host="web1",
        name="site",
        kind="http",
        spec=Spec(),
        every=timedelta(seconds=30),
        retry_every=timedelta(seconds=10),
        timeout=timedelta(seconds=5),
        policy=StatePolicy(),
        remediate=ladder,
        means="customers see an error page",
        by_hand="look at the error log",
    )
    return replace(made, **changes)


def state(status: Status = Status.CRITICAL, **changes: Any) -> CheckState:
    return replace(CheckState(SITE, status=status, hard=Status.CRITICAL, since=at(60)), **changes)


def incident(**changes: Any) -> Incident:
    made = Incident(
        id=IncidentId(7),
        key=SITE,
        status=IncidentStatus.OPEN,
        severity=Status.CRITICAL,
        summary="no answer within 5 s",
        opened=at(60),
        first_failed=at(40),
        due_at=at(60),
        items=(SITE,),
        host="web1",
    )
    return replace(made, **changes)


def order(verb: Verb, **changes: Any) -> Order:
    made = Order(1, verb, "web1", "new disks", "kim", at(0), at(0), at(3600))
    return replace(made, **changes)


def situation(**changes: Any) -> Situation:
    made = Situation(
        now=at(100),
        check=check(rung()),
        host=WEB1,
        rung=rung(),
        budgets=Budgets(),
        states=(state(),),
        reach=Reach.UP,
        targets=("web1",),
    )
    return replace(made, **changes)
