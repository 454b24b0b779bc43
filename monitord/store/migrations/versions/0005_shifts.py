"""0005: shifts that people have given, swapped or taken."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "shifts",
        sa.Column("id", NUMBER, primary_key=True),
        _text("rotation"),
        _text("person"),
        _number("starts"),
        _number("ends"),
        _text("kind"),
        _text("by"),
        _number("given"),
        _text("reason"),
        _text("instead"),
        sa.Column("beside", sa.Boolean(), nullable=False),
        _number("pair"),
        _text("agreed_by"),
        sa.Column("agreed", NUMBER, nullable=True),
        sa.Column("ended", NUMBER, nullable=True),
        _text("ended_by"),
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("shifts_ends", "shifts", ["ends"])
