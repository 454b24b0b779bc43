"""The pydantic models of what a user writes: the one schema for errors, JSON Schema and docs.

What a probe, action or ticket backend takes is its own Spec and joins from the kinds' maps; all
else stands here. Models judge shape and value; names are resolved elsewhere.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from monitord.config.correlation_models import CorrelateModel, InhibitModel
from monitord.config.fields import (
    Count,
    Gap,
    Healthy,
    Listen,
    Names,
    ParentsField,
    Share,
    StoreUrl,
    Until,
    WebUrl,
    Zone,
    parse_checks,
    shown,
)
from monitord.config.login_models import PENDING, Login, LoginModel
from monitord.config.oidc_models import OidcModel
from monitord.config.policy_models import NotifyModel, RecurringModel, RouteModel
from monitord.config.status_models import StatusModel
from monitord.config.web_models import Proxies
from monitord.model.spec import Duration, Spec

Impact = Literal["low", "normal", "high"]
Mode = Literal["shadow", "approve", "auto"]


def _ref(name: str) -> Any:
    return WithJsonSchema({PENDING: name})


Checks = Annotated[Any, _ref("checks")]
Steps = Annotated[Any, _ref("steps")]
AnyMap = Annotated[Any, WithJsonSchema({"type": "object"})]


class FlapModel(Spec):
    """When flapping begins and ends, in percent of changed results (Icinga's weights)."""

    high: Annotated[float, Field(gt=0, le=100)] = 30.0
    low: Annotated[float, Field(ge=0, lt=100)] = 25.0

    @model_validator(mode="after")
    def _hysteresis(self) -> "FlapModel":
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must lie below high {self.high:g}")
        return self


class LimitsModel(Spec):
    """How often a runbook may run."""

    per_incident: Count = 1
    cooldown: Duration = timedelta(minutes=10)
    per_hour: Count | None = None
    per_day: Count | None = None


class VerifyModel(Spec):
    """What proves a repair: `oks` OKs of the same check after `settle`, all `within` the time."""

    settle: Duration = timedelta(seconds=15)
    oks: Count = 3
    within: Gap = timedelta(minutes=2)
    check: str = Field(
        default="",
        description="Another check that proves it: a name on the same host, or host/check.",
        examples=["site", "www/vip"],
    )


def _rung(value: object) -> object:
    if isinstance(value, str):
        return {"runbook": value}
    if isinstance(value, dict) and len(value) == 1:
        ((name, rest),) = value.items()
        if rest is None:
            return {"runbook": name}
        if isinstance(rest, dict):
            return {"runbook": name, **rest}
    raise ValueError(
        f"{shown(value)} is not a rung (write restart-nginx, or {{restart-nginx: {{mode: auto}}}})"
    )


class RungModel(Spec):
    """One place on a ladder: a runbook and what this check sets differently."""

    runbook: str
    mode: Mode | None = None
    limits: LimitsModel = LimitsModel()
    verify: VerifyModel = VerifyModel()
    parameters: Mapping[str, str] = Field(default={}, alias="with")


_RUNG_SCHEMA = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": {"anyOf": [{"type": "null"}, {PENDING: "rung"}]},
        },
    ]
}
Rungs = tuple[Annotated[RungModel, BeforeValidator(_rung), WithJsonSchema(_RUNG_SCHEMA)], ...]


class CheckModel(Spec):
    """What every check may say, whatever its kind; what is left out comes from defaults.py."""

    every: Gap
    retry_every: Gap | None = None
    timeout: Gap
    attempts: Count
    recoveries: Count
    first_rung_after: Duration = timedelta(seconds=30)
    flapping: bool | FlapModel = True
    fresh_for: Gap | None = None
    needs: ParentsField = None
    remediate: Rungs = ()
    mode: Mode | None = None
    means: str = ""
    by_hand: str = ""
    ticket: Literal["on_escalation", "at_once"] = "on_escalation"
    impact: Impact | None = None
    policy: str = ""
    was: str = ""
    if_exists: Annotated[str, Field(pattern="^/")] = Field(
        default="", description="Only where this path of monitord's own machine exists."
    )


class PlacementModel(Spec):
    """What a host or its group may say of where it stands and how it is reached."""

    login: Login = LoginModel(none=True)
    behind: ParentsField = None
    site: str = ""
    customer: str = ""
    impact: Impact = "normal"
    timezone: Zone = "UTC"


class HostModel(PlacementModel):
    """A machine or device; a range of names stands for several."""

    address: str = ""
    groups: Names = ()
    tags: Names = ()
    checks: Checks = None
    was: str = ""


class GroupModel(PlacementModel):
    """A named set of hosts: what they share. `hosts` adds members by name or pattern."""

    hosts: Names = ()
    checks: Checks = None
    keep_healthy: Healthy = None


ServiceChecks = Annotated[
    tuple[str, ...],
    BeforeValidator(parse_checks),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {PENDING: "checks"},
            ]
        }
    ),
]
"""Selectors of checks, or a map of checks that the service has itself."""


class ServiceModel(Spec):
    """A business service: the checks that together matter to somebody."""

    impact: Impact = "normal"
    sla: str = ""
    policy: str = ""
    checks: ServiceChecks = ()
    down_when: Names = ()
    degraded_when: Names = ()


class ExceptionModel(Spec):
    """A setting that differs for a while, and who answers for it."""

    hosts: Names
    checks: Names
    set: AnyMap
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    until: Until


class PromoteModel(Spec):
    """When a runbook may rise, by a person's word."""

    after: Count = 20
    success: Share = 0.95


class DemoteModel(Spec):
    """When a runbook falls by its record."""

    below: Share = 0.80
    window: Gap = timedelta(days=30)


class TrustModel(Spec):
    """How the record of a runbook moves its mode."""

    promote: PromoteModel = PromoteModel()
    demote: DemoteModel = DemoteModel()


class RunbookModel(Spec):
    """A remediation: evidence, preconditions, steps, proof, limits."""

    collect: Steps = None
    require: Steps = None
    steps: Steps
    undo: Steps = None
    verify: VerifyModel
    limits: LimitsModel
    mode: Mode = "shadow"
    on: Annotated[tuple[Literal["warning", "critical"], ...], Field(min_length=1)] = ("critical",)
    means: str = ""
    lock: str = ""
    owner: str = ""
    trust: TrustModel | None = None
    changes: Literal["start", "rerun", "cleanup", "change", "network", "reboot"] = "change"
    on_harm: Literal["escalate", "undo"] = "escalate"
    parameters: Mapping[str, str] = Field(default={}, alias="with")
    on_failure: Literal["escalate", "undo"] = "escalate"


class StepModel(Spec):
    """What every step may say beside its action."""

    idempotent: bool = False
    timeout: Gap = timedelta(seconds=60)
    undoes: Annotated[int, Field(ge=0)] = 0


class BudgetsModel(Spec):
    """How much automation may do at all."""

    rungs_per_incident: Count = 2
    host_per_hour: Count = 3
    host_per_day: Count = 6
    fleet_per_hour: Count = 10
    fleet_per_day: Count = 30
    group_at_once: Count = 1
    fleet_at_once: Count = 3


class RetentionModel(Spec):
    """How long rows are kept."""

    incidents: Gap = timedelta(days=400)
    results: Gap = timedelta(days=30)
    rollups: Gap = timedelta(days=400)
    evidence: Gap = timedelta(days=90)


class FreezeModel(Spec):
    """A time in which nothing is changed; what is dead is still started, jobs run again."""

    starts: Until = Field(alias="from")
    until: Until
    reason: Annotated[str, Field(min_length=1)]
    on: Annotated[str, Field(min_length=1)] = "*"
    timezone: Zone | None = None


class VantageModel(Spec):
    """What tells whether the monitor's own network is there."""

    canaries: Names = ()


class SettingsModel(Spec):
    """What is true of the whole instance."""

    instance: str = ""
    profile: Literal["cautious", "standard", "lab"] = "cautious"
    observe: bool = False
    state: str = ""
    run: str = ""
    store: StoreUrl = ""
    web: Listen = "127.0.0.1:9750"
    web_url: WebUrl = ""
    trusted_proxy: Proxies = ()
    timezone: Zone = "UTC"
    reopen_within: Gap = timedelta(hours=1)
    p1_ticket_after: Duration = timedelta(minutes=5)
    concurrency: Annotated[int, Field(ge=1, le=100_000)] = 500
    after_boot: Duration = timedelta(minutes=10)
    freeze: tuple[FreezeModel, ...] = ()
    policy: str = ""
    routes: tuple[RouteModel, ...] = ()
    notify: NotifyModel = NotifyModel()
    recurring: RecurringModel = RecurringModel()
    correlate: CorrelateModel = CorrelateModel()
    inhibit: tuple[InhibitModel, ...] = ()
    ticket_cap: Count = 20
    vantage: VantageModel = VantageModel()
    budgets: BudgetsModel = BudgetsModel()
    retention: RetentionModel = RetentionModel()
    history: bool = True
    status: StatusModel | None = None
    oidc: OidcModel | None = None
