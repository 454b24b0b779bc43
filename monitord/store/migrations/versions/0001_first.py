"""0001: the first tables. Frozen: a later change is a later step."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _origin(*names: str) -> list[sa.Column[Any]]:
    return [
        sa.Column(name, NUMBER, nullable=False, server_default="0")
        if name == "epoch"
        else sa.Column(name, TEXT, nullable=False, server_default="")
        for name in names
    ]


def _partial(
    name: str, table: str, columns: list[str], *, where: str, unique: bool = False
) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _states() -> None:
    op.create_table(
        "states",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("hard", sa.Integer(), nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("since", NUMBER, nullable=False),
        sa.Column("first_failed", NUMBER, nullable=True),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=True),
        sa.Column("flap_bits", NUMBER, nullable=False),
        sa.Column("flapping", sa.Boolean(), nullable=False),
        sa.Column("unreachable", sa.Boolean(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("last_seen", NUMBER, nullable=False),
        sa.Column("memory", TEXT, nullable=False),
        sa.Column("judged", sa.Integer(), nullable=False),
        *_origin("customer", "site", "node", "epoch"),
    )


def _transitions() -> None:
    op.create_table(
        "transitions",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("change", TEXT, nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("first_failed", NUMBER, nullable=True),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=True),
        sa.Column("flapping", sa.Boolean(), nullable=False),
        sa.Column("unreachable", sa.Boolean(), nullable=False),
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("outcome", TEXT, nullable=True),
        *_origin("customer", "site", "node", "epoch"),
        sqlite_autoincrement=True,
    )
    op.create_index("transitions_key", "transitions", ["key", "id"])
    _partial("transitions_pending", "transitions", ["id"], where="outcome IS NULL")


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("opened", NUMBER, nullable=False),
        sa.Column("first_failed", NUMBER, nullable=False),
        sa.Column("due_at", NUMBER, nullable=True),
        sa.Column("rung", NUMBER, nullable=False),
        sa.Column("items", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("tier", TEXT, nullable=False),
        sa.Column("priority", TEXT, nullable=False),
        sa.Column("waiting_for", TEXT, nullable=False),
        sa.Column("escalated", NUMBER, nullable=True),
        sa.Column("resolved", NUMBER, nullable=True),
        sa.Column("closed", NUMBER, nullable=True),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("closed_by", TEXT, nullable=False),
        sa.Column("close_reason", TEXT, nullable=False),
        sa.Column("reopened", NUMBER, nullable=False),
        sa.Column("ticket", NUMBER, nullable=True),
        *_origin("node", "epoch"),
        sqlite_autoincrement=True,
    )
    op.create_index("incidents_due", "incidents", ["status", "due_at"])
    _partial("incidents_live", "incidents", ["key"], where="status <> 'CLOSED'", unique=True)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("runbook", TEXT, nullable=False),
        sa.Column("runbook_hash", TEXT, nullable=False),
        sa.Column("catalog", TEXT, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("plan", TEXT, nullable=False),
        sa.Column("targets", TEXT, nullable=False),
        sa.Column("locks", TEXT, nullable=False),
        sa.Column("planned", NUMBER, nullable=False),
        sa.Column("due_at", NUMBER, nullable=True),
        sa.Column("deadline", NUMBER, nullable=False),
        sa.Column("groups", TEXT, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("oks", NUMBER, nullable=False),
        sa.Column("started", NUMBER, nullable=True),
        sa.Column("effect_at", NUMBER, nullable=True),
        sa.Column("verifying", NUMBER, nullable=True),
        sa.Column("finished", NUMBER, nullable=True),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("epoch", NUMBER, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("items", TEXT, nullable=False),
        *_origin("customer", "site", "node"),
        sqlite_autoincrement=True,
    )
    op.create_index("attempts_due", "attempts", ["status", "due_at"])
    _partial("attempts_effect", "attempts", ["effect_at"], where="effect_at IS NOT NULL")
    op.create_index("attempts_incident", "attempts", ["incident"])
    op.create_index("attempts_runbook", "attempts", ["runbook", "host", "effect_at"])


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("phase", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("effect", TEXT, nullable=False),
        sa.Column("idempotent", sa.Boolean(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("intended", NUMBER, nullable=False),
        sa.Column("deadline", NUMBER, nullable=False),
        sa.Column("started", NUMBER, nullable=True),
        sa.Column("finished", NUMBER, nullable=True),
        sa.Column("exit_code", NUMBER, nullable=True),
        sa.Column("output", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("epoch", NUMBER, nullable=False),
        *_origin("node"),
        sqlite_autoincrement=True,
    )
    op.create_index("steps_attempt", "steps", ["attempt"])
    _partial("steps_open", "steps", ["id"], where="status = 'INTENT'")


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("verb", TEXT, nullable=False),
        sa.Column("selector", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("given", NUMBER, nullable=False),
        sa.Column("starts", NUMBER, nullable=False),
        sa.Column("expires", NUMBER, nullable=False),
        sa.Column("until_ok", sa.Boolean(), nullable=False),
        sa.Column("ended", NUMBER, nullable=True),
        sa.Column("ended_by", TEXT, nullable=False),
        *_origin("node", "epoch"),
        sqlite_autoincrement=True,
    )


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("tier", TEXT, nullable=False),
        sa.Column("priority", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("opened", NUMBER, nullable=False),
        sa.Column("updated", NUMBER, nullable=False),
        sa.Column("resolved", NUMBER, nullable=True),
        *_origin("customer", "site", "node", "epoch"),
        sqlite_autoincrement=True,
    )
    op.create_index("tickets_incident", "tickets", ["incident"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("id", NUMBER, primary_key=True),
        *_origin("node", "epoch"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_incident", "events", ["incident"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("backend", TEXT, nullable=False),
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("created", NUMBER, nullable=False),
        sa.Column("due_at", NUMBER, nullable=False),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("last_error", TEXT, nullable=False),
        sa.Column("external", TEXT, nullable=False),
        *_origin("node", "epoch"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_incident", "outbox", ["incident", "backend"])
    _partial("outbox_pending", "outbox", ["backend", "incident", "id"], where="status = 'PENDING'")


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("started", NUMBER, nullable=True),
        sa.Column("ended", NUMBER, nullable=True),
        sa.Column("exit_code", NUMBER, nullable=True),
        sa.Column("output", TEXT, nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("watched_since", NUMBER, nullable=False),
        sa.Column("key", TEXT, primary_key=True),
        *_origin("customer", "site", "node", "epoch"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("act", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("before", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("node", TEXT, nullable=False),
        *_origin("epoch"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_node", "audit", ["node", "id"])


def _locks() -> None:
    op.create_table(
        "locks",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("attempt", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        *_origin("node", "epoch"),
    )
    op.create_index("locks_attempt", "locks", ["attempt"])
    _partial("locks_held", "locks", ["name"], where="NOT released")


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("value", TEXT, nullable=False),
    )


def upgrade() -> None:
    """Make all tables."""
    _states()
    _transitions()
    _incidents()
    _attempts()
    _steps()
    _orders()
    _tickets()
    _events()
    _outbox()
    _jobs()
    _audit()
    _locks()
    _meta()
