"""0012: what the availability of a month was sealed as, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=False)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "seals",
        sa.Column("id", NUMBER, primary_key=True),
        *(_text(name) for name in ("service", "month", "seal", "account")),
        _number("made"),
        _number("replaces"),
        _text("reason"),
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("seals_month", "seals", ["service", "month", "replaces"], unique=True)
