"""0011: runs of chains and their links, and the business date of an attempt's commands."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=nullable)


def _origin() -> tuple[sa.Column[str], sa.Column[int]]:
    node = sa.Column("node", TEXT, nullable=False, server_default="")
    return node, sa.Column("epoch", NUMBER, nullable=False, server_default="0")


def upgrade() -> None:
    """Add the tables and the column."""
    op.create_table(
        "chain_runs",
        sa.Column("id", NUMBER, primary_key=True),
        *(_text(name) for name in ("key", "business_date", "status")),
        _number("starts"),
        _number("done_by"),
        *(_number(name, nullable=True) for name in ("due_at", "started", "ended")),
        sa.Column("held", sa.Boolean(), nullable=False),
        _text("held_by"),
        _text("reason"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chain_links",
        sa.Column("id", NUMBER, primary_key=True),
        _number("run"),
        *(_text(name) for name in ("key", "name", "status")),
        *(_number(name, nullable=True) for name in ("started", "ended", "exit_code")),
        _text("output"),
        _number("attempt"),
        _number("tries"),
        _text("waiting_for"),
        _text("by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    unfinished = sa.text("status IN ('WAITING', 'RUNNING')")
    op.create_index(
        "chain_runs_unfinished",
        "chain_runs",
        ["key"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_index("chain_runs_key", "chain_runs", ["key", "id"])
    op.create_index("chain_links_run", "chain_links", ["run"])
    op.create_index("chain_links_key", "chain_links", ["key", "name", "id"])
    op.add_column("attempts", sa.Column("business_date", TEXT, nullable=False, server_default=""))
