"""The catalog: one immutable snapshot of everything configured. config/ builds it; all read it.

Every name is resolved, every range expanded and every default applied; nobody downstream looks at
YAML. `Catalog.hash` covers all content, so that two processes can tell that they mean the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from monitord.model.calendar import Calendar
from monitord.model.correlation import Correlate, Inhibition
from monitord.model.ids import CheckKey, Instant
from monitord.model.inbound import Source
from monitord.model.inventory import Inventory
from monitord.model.login import LoginProvider
from monitord.model.oncall import Person, Rotation
from monitord.model.policy import Notify, Policy, Recurring, Route, Vendor
from monitord.model.result import Status
from monitord.model.service import Rule
from monitord.model.sla import PRIORITY_TABLE, Sla
from monitord.model.spec import Spec
from monitord.model.state import StatePolicy
from monitord.model.status_page import StatusPage
from monitord.secrets import SecretRef

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must be up: `any` of the check keys, or `all`. Empty keys are always met."""

    mode: str = "all"
    keys: tuple[CheckKey, ...] = ()


@dataclass(frozen=True, slots=True)
class SshLogin:
    """One SSH identity. `key` is a private key's path; empty means the agent.

    A `password`, which only devices may have, is used instead of keys.
    """

    user: str
    key: str = ""
    port: int = 22
    sudo: bool = False
    password: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """A jump host: it is logged into with its reading identity, and only passes on."""

    host: str
    address: str
    login: SshLogin
    known_hosts: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """How facts are read and steps are done. `kind` is none, local, ssh or device.

    Without `act` nothing may ever be changed on the host: it is only watched. A local login acts
    as the executor's own user (with sudo where `act` says so). A device is spoken to in its
    `dialect`. An SSH login goes through the jump hosts of `via`, the nearest to us first.
    """

    kind: str
    read: SshLogin | None = None
    act: SshLogin | None = None
    known_hosts: str = ""
    dialect: str = ""
    via: tuple[Hop, ...] = ()

    @property
    def has_shell(self) -> bool:
        """Tell whether facts can be read and commands be run: a network device has no shell."""
        return self.kind in {"local", "ssh"}

    @property
    def may_act(self) -> bool:
        """Tell whether steps are allowed on this host at all."""
        return self.act is not None


@dataclass(frozen=True, slots=True)
class Host:
    """A machine or device. `behind` names the parents' reach checks.

    `vantage` is any of the canaries: without one of them nothing that is seen of it is believed.
    `vanished` says since when its inventory does not list it any more; it is watched all the same.
    `of_service`: it is no machine, but bears the checks that the service of its name has itself.
    """

    name: str
    address: str
    groups: tuple[str, ...] = ()
    site: str = ""
    customer: str = ""
    behind: Requirement = field(default_factory=Requirement)
    login: Login = field(default_factory=lambda: Login("none"))
    impact: str = "normal"
    timezone: str = "UTC"
    vantage: Requirement = field(default_factory=Requirement)
    tags: tuple[str, ...] = ()
    vanished: str = ""
    of_service: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of hosts. `keep_healthy` is how many must stay so; None: the rule by size."""

    name: str
    hosts: tuple[str, ...] = ()
    keep_healthy: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a runbook may run. None: the fleet's default applies."""

    per_incident: int = 1
    cooldown: timedelta = timedelta(minutes=10)
    per_hour: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class VerifyPolicy:
    """Fixed means: `oks` OKs of the same check after `settle`, all `within` the time.

    `check` is the key of another check that proves it (in a runbook a check's name: of its host).
    """

    settle: timedelta
    oks: int
    within: timedelta
    check: str = ""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One action as configured: its kind, its validated spec, and how it may be treated.

    `undoes` is the number (from 1) of the step that an undo step takes back; 0: the whole.
    """

    kind: str
    spec: Spec
    idempotent: bool = False
    timeout: timedelta = timedelta(seconds=60)
    undoes: int = 0


@dataclass(frozen=True, slots=True)
class Trust:
    """When a runbook may rise and when it falls, by verified success (shares are 0 to 1).

    It may rise after `after` cases of which at least `success` were verified; it falls when the
    attempts of the last `window` show that its true rate is below `below`.
    """

    after: int = 20
    success: float = 0.95
    below: float = 0.80
    window: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Runbook:
    """A remediation. `mode` is shadow, approve or auto; `on` which hard statuses it may answer.

    `changes` tells what it does to a host: start, rerun, cleanup, change, network or reboot. `lock`
    is the resource that it holds alone (template text over the step context; empty: `unit of its
    steps` is unknown and the host itself is held). `owner` wrote it and may not promote it; without
    `trust` it does not fall by its record.
    """

    name: str
    hash: str
    source: str
    collect: tuple[StepSpec, ...]
    require: tuple[StepSpec, ...]
    steps: tuple[StepSpec, ...]
    undo: tuple[StepSpec, ...]
    verify: VerifyPolicy
    limits: Limits
    mode: str = "shadow"
    on: frozenset[Status] = frozenset({Status.CRITICAL})
    means: str = ""
    lock: str = ""
    owner: str = ""
    trust: Trust | None = None
    changes: str = "change"
    on_harm: str = "escalate"
    parameters: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    on_failure: str = "escalate"


@dataclass(frozen=True, slots=True)
class Rung:
    """One place on a check's ladder: a runbook, with what this check overrides and passes in.

    `ceiling` is the highest mode that profile and check allow it, whatever its record says.

    `limits` and `verify` are already merged with the runbook's. `mode` is the effective mode: the
    attached or own mode under the profile's ceiling.
    """

    runbook: str
    mode: str
    limits: Limits
    verify: VerifyPolicy
    parameters: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    ceiling: str = "auto"


@dataclass(frozen=True, slots=True)
class Composite:
    """What a check is made of: so many of these `keys` must work.

    `quiet`: while it is CRITICAL itself, people hear of it and not of those.
    """

    keys: tuple[CheckKey, ...]
    need: int
    quiet: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One check on one host, ready to run.

    `kind` names the probe, `spec` its validated mapping. `via` is the transport check that all
    checks of one login hang on (None for network probes). `needs` and the host's `behind` make it
    unreachable rather than bad. `was` carries state over a rename. `place` is file:line.
    `starts` is what starts the links of a chain.
    `escalation` is the policy by which people hear of it (empty: its services' or the one for all).
    `members` is what it is made of where its verdict comes from other checks.
    """

    key: CheckKey
    host: str
    name: str
    kind: str
    spec: Spec
    every: timedelta
    retry_every: timedelta
    timeout: timedelta
    policy: StatePolicy
    via: CheckKey | None = None
    needs: Requirement = field(default_factory=Requirement)
    remediate: tuple[Rung, ...] = ()
    starts: tuple[Rung, ...] = ()
    first_rung_after: timedelta = timedelta(seconds=30)
    means: str = ""
    by_hand: str = ""
    ticket: str = "on_escalation"
    impact: str = "normal"
    escalation: str = ""
    services: tuple[str, ...] = ()
    was: str = ""
    place: str = ""
    members: Composite | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A business service: the checks that it is made of, and the rules by which it is bad.

    `checks` are all of it, those of its rules too. Without rules a CRITICAL check is what is down.
    """

    name: str
    impact: str = "normal"
    sla: str = ""
    policy: str = ""
    checks: tuple[CheckKey, ...] = ()
    down_when: tuple[Rule, ...] = ()
    degraded_when: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much may be done by automation at all (DESIGN §10)."""

    rungs_per_incident: int = 2
    host_per_hour: int = 3
    host_per_day: int = 6
    fleet_per_hour: int = 10
    fleet_per_day: int = 30
    group_at_once: int = 1
    fleet_at_once: int = 3


@dataclass(frozen=True, slots=True)
class Backend:
    """One configured ticket or notification backend besides the embedded store."""

    name: str
    kind: str
    spec: Spec


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows are kept."""

    incidents: timedelta = timedelta(days=400)
    results: timedelta = timedelta(days=30)
    rollups: timedelta = timedelta(days=400)
    evidence: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing is changed on what the selector covers."""

    starts: Instant
    ends: Instant
    reason: str
    selector: str = "*"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is true of the whole instance.

    `profile` is cautious, standard or lab; `observe` takes every decision and lets nothing out.
    `state` is the folder of the store, sockets and run records. `store` is a database URL, empty
    for SQLite in `state`. `web` is host:port of monitord-web; links on tickets begin with `web_url`
    (empty: http and `web`); what a `trusted_proxy` (a network) says of who asks is believed. For
    `after_boot` a host that has come up is left to itself.
    """

    instance: str
    profile: str
    observe: bool
    state: str
    store: str
    web: str
    run: str = ""
    web_url: str = ""
    trusted_proxy: tuple[str, ...] = ()
    timezone: str = "UTC"
    reopen_within: timedelta = timedelta(hours=1)
    p1_ticket_after: timedelta = timedelta(minutes=5)
    budgets: Budgets = field(default_factory=Budgets)
    retention: Retention = field(default_factory=Retention)
    concurrency: int = 500
    after_boot: timedelta = timedelta(minutes=10)
    freeze: tuple[Freeze, ...] = ()
    policy: str = ""
    routes: tuple[Route, ...] = ()
    notify: Notify = field(default_factory=Notify)
    recurring: Recurring = field(default_factory=Recurring)
    correlate: Correlate = field(default_factory=Correlate)
    inhibit: tuple[Inhibition, ...] = ()
    ticket_cap: int = 20
    history: bool = True
    status: StatusPage | None = None
    oidc: LoginProvider | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """The snapshot. `warnings` are what check-config says without failing.

    `expires` is when the next exception ends: the content must be assembled anew then.
    """

    hash: str
    settings: Settings
    hosts: Mapping[str, Host]
    checks: Mapping[CheckKey, Check]
    runbooks: Mapping[str, Runbook]
    groups: Mapping[str, Group] = field(default_factory=lambda: _NOTHING)
    canaries: frozenset[CheckKey] = frozenset()
    services: Mapping[str, Service] = field(default_factory=lambda: _NOTHING)
    backends: Mapping[str, Backend] = field(default_factory=lambda: _NOTHING)
    policies: Mapping[str, Policy] = field(default_factory=lambda: _NOTHING)
    vendors: Mapping[str, Vendor] = field(default_factory=lambda: _NOTHING)
    calendars: Mapping[str, Calendar] = field(default_factory=lambda: _NOTHING)
    people: Mapping[str, Person] = field(default_factory=lambda: _NOTHING)
    rotations: Mapping[str, Rotation] = field(default_factory=lambda: _NOTHING)
    slas: Mapping[str, Sla] = field(default_factory=lambda: _NOTHING)
    priorities: Mapping[tuple[str, str], str] = field(default_factory=lambda: PRIORITY_TABLE)
    inbound: Mapping[str, Source] = field(default_factory=lambda: _NOTHING)
    inventory: Mapping[str, Inventory] = field(default_factory=lambda: _NOTHING)
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    expires: Instant | None = None
