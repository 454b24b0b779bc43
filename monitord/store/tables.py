"""The tables. Their columns are the fields of the model's dataclasses, plus where a row comes from.

What a migration made must equal what stands here (a test compares them). Nothing is executed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic

from sqlalchemy import Boolean, Column, Index, MetaData, Table, select, text
from sqlalchemy.sql import Select

from monitord.model.account import Credential, User
from monitord.model.chain import ChainRun, Link
from monitord.model.inbound import Waiting
from monitord.model.incident import Attempt, Incident, Step
from monitord.model.kinds import JobRecord
from monitord.model.marker import Marker
from monitord.model.notice import Notice
from monitord.model.oncall import Override
from monitord.model.problem import Problem
from monitord.model.service import ServiceChange
from monitord.model.sla import Corrected, Paused, Sealed
from monitord.model.state import CheckState, Transition
from monitord.model.ticket import AuditRow, Event, Order, OutboxItem, Ticket
from monitord.store.columns import NUMBER, TEXT, Codec, Row

METADATA = MetaData()

_NODE = ("node", "epoch")
_ALL = ("customer", "site", *_NODE)


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Generic[Row]):
    """One table and the dataclass that its rows are. `origin`: its columns that the store fills."""

    table: Table
    codec: Codec[Row]
    origin: tuple[str, ...]

    def select(self) -> Select[Any]:
        """Select the dataclass's columns, in its order."""
        return _columns(self)


@cache
def _columns(rows: Rows[Any]) -> Select[Any]:
    # Kept, as each question begins with it: a statement never changes, conditions make new ones.
    return select(*(rows.table.c[name] for name in rows.codec.names))


def _origin(name: str) -> Column[Any]:
    """Make a column of where a row comes from."""
    if name == "epoch":
        return Column(name, NUMBER, nullable=False, server_default="0")
    return Column(name, TEXT, nullable=False, server_default="")


def _rows(
    name: str,
    kind: type[Row],
    *,
    key: str = "id",
    origin: Sequence[str],
    extra: Sequence[Column[Any]] = (),
) -> Rows[Row]:
    codec = Codec(kind)
    missing = tuple(column for column in origin if column not in codec.names)
    table = Table(
        name,
        METADATA,
        *codec.columns(key=[key]),
        *extra,
        *(_origin(column) for column in missing),
        sqlite_autoincrement=key == "id",  # or SQLite gives the number of a deleted row again
    )
    return Rows(table, codec, missing)


STATES = _rows("states", CheckState, key="key", origin=_ALL)
TRANSITIONS = _rows("transitions", Transition, origin=_ALL, extra=[Column("outcome", TEXT)])
INCIDENTS = _rows("incidents", Incident, origin=_ALL)
ATTEMPTS = _rows("attempts", Attempt, origin=_ALL)
STEPS = _rows("steps", Step, origin=_NODE)
ORDERS = _rows("orders", Order, origin=_NODE)
TICKETS = _rows("tickets", Ticket, origin=_ALL)
EVENTS = _rows("events", Event, origin=_NODE)
OUTBOX = _rows("outbox", OutboxItem, origin=_NODE)
JOBS = _rows("jobs", JobRecord, key="", origin=_ALL, extra=[Column("key", TEXT, primary_key=True)])
AUDIT = _rows("audit", AuditRow, origin=_NODE)
MARKERS = _rows("markers", Marker, origin=_NODE)
NOTICES = _rows("notices", Notice, origin=_NODE)
PROBLEMS = _rows("problems", Problem, origin=_NODE)
SHIFTS = _rows("shifts", Override, origin=_NODE)
PAUSES = _rows("pauses", Paused, origin=_NODE)
CORRECTIONS = _rows("corrections", Corrected, origin=_NODE)
SEALS = _rows("seals", Sealed, origin=_NODE)
USERS = _rows("users", User, origin=_NODE)
CREDENTIALS = _rows("credentials", Credential, origin=_NODE)
SERVICES = _rows("service_changes", ServiceChange, origin=_NODE)
CHAIN_RUNS = _rows("chain_runs", ChainRun, origin=_NODE)
CHAIN_LINKS = _rows("chain_links", Link, origin=_NODE)
WAITING = _rows("waiting", Waiting, origin=_NODE)

LOCKS = Table(
    "locks",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("attempt", NUMBER, primary_key=True, autoincrement=False),
    Column("exclusive", Boolean, nullable=False),
    # A released lock stays as a row until its incident is pruned: the audit proves I3 from it.
    Column("released", Boolean, nullable=False),
    *(_origin(column) for column in _NODE),
)
META = Table(
    "meta",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
)


def _partial(name: str, *columns: Column[Any], where: str, unique: bool = False) -> Index:
    """Make an index over the few rows that a stage looks for."""
    return Index(
        name,
        *columns,
        unique=unique,
        sqlite_where=text(where),
        postgresql_where=text(where),
    )


_I, _A, _O = INCIDENTS.table.c, ATTEMPTS.table.c, OUTBOX.table.c

_partial("transitions_pending", TRANSITIONS.table.c.id, where="outcome IS NULL")
Index("transitions_key", TRANSITIONS.table.c.key, TRANSITIONS.table.c.id)
# Two live incidents of one key would be two tickets for one outage: the database refuses them.
_partial("incidents_live", _I.key, where="status <> 'CLOSED'", unique=True)
Index("incidents_due", _I.status, _I.due_at)
Index("incidents_key", _I.key, _I.id)
_partial("incidents_page", _I.page_at, where="page_at IS NOT NULL")
_partial("incidents_parts", _I.part_of, where="part_of <> 0")
Index("attempts_incident", _A.incident)
Index("attempts_due", _A.status, _A.due_at)
_partial("attempts_effect", _A.effect_at, where="effect_at IS NOT NULL")
Index("attempts_runbook", _A.runbook, _A.host, _A.effect_at)
Index("steps_attempt", STEPS.table.c.attempt)
_partial("steps_open", STEPS.table.c.id, where="status = 'INTENT'")
_partial("locks_held", LOCKS.c.name, where="NOT released")
Index("locks_attempt", LOCKS.c.attempt)
Index("tickets_incident", TICKETS.table.c.incident)
Index("events_incident", EVENTS.table.c.incident)
_partial("outbox_pending", _O.backend, _O.incident, _O.id, where="status = 'PENDING'")
_partial("outbox_opens", _O.created, where="operation = 'open'")
Index("outbox_incident", _O.incident, _O.backend)
Index("audit_node", AUDIT.table.c.node, AUDIT.table.c.id)
Index("markers_at", MARKERS.table.c.at)
Index("shifts_ends", SHIFTS.table.c.ends)
Index("pauses_incident", PAUSES.table.c.incident)
Index("corrections_ends", CORRECTIONS.table.c.ends)
# Two heirs of one seal would be two truths about a month: the database refuses them.
_S = SEALS.table.c
Index("seals_month", _S.service, _S.month, _S.replaces, unique=True)
Index("users_name", USERS.table.c.name, unique=True)
Index("credentials_digest", CREDENTIALS.table.c.digest, unique=True)
Index("service_changes_service", SERVICES.table.c.service, SERVICES.table.c.id)
_R, _L = CHAIN_RUNS.table.c, CHAIN_LINKS.table.c
_UNFINISHED = "status IN ('WAITING', 'RUNNING')"
_partial("chain_runs_unfinished", _R.key, where=_UNFINISHED, unique=True)
Index("chain_runs_key", _R.key, _R.id)
Index("chain_links_run", _L.run)
Index("chain_links_key", _L.key, _L.name, _L.id)
# Of one alert only the newest report counts: two would be two truths about it.
_W = WAITING.table.c
Index("waiting_alert", _W.key, _W.item, _W.alert, unique=True)
_partial("notices_pending", NOTICES.table.c.due_at, where="status = 'PENDING'")
Index("notices_incident", NOTICES.table.c.incident)
# Two open problems of one key would be two causes of the same incidents.
_partial("problems_live", PROBLEMS.table.c.key, where="status <> 'CLOSED'", unique=True)
