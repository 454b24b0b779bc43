"""0007: pauses of SLA clocks, corrections of availability, maintenance that is excused."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def _origin() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
    )


def upgrade() -> None:
    """Add the tables and the column."""
    op.create_table(
        "pauses",
        sa.Column("id", NUMBER, primary_key=True),
        _number("incident"),
        _number("starts"),
        _number("expires"),
        _text("reason"),
        _text("by"),
        _text("vendor"),
        _number("answered", nullable=True),
        _number("ended", nullable=True),
        _text("ended_by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_index("pauses_incident", "pauses", ["incident"])
    op.create_table(
        "corrections",
        sa.Column("id", NUMBER, primary_key=True),
        _text("about"),
        _number("starts"),
        _number("ends"),
        _text("said"),
        _text("reason"),
        _text("by"),
        _number("given"),
        _text("approved_by"),
        _number("revoked", nullable=True),
        _text("revoked_by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_index("corrections_ends", "corrections", ["ends"])
    excused: sa.Column[bool] = sa.Column(
        "excused", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("orders", excused)
