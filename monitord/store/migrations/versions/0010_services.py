"""0010: how services stood, change by change."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "service_changes",
        sa.Column("id", NUMBER, primary_key=True),
        _text("service"),
        sa.Column("at", NUMBER, nullable=False),
        *(_text(name) for name in ("state", "time", "text", "checks")),
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("service_changes_service", "service_changes", ["service", "id"])
