"""0013: what was told of a held check, until the hold ends: the newest report of each alert."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "waiting",
        sa.Column("id", NUMBER, primary_key=True),
        *(_text(name) for name in ("key", "item", "alert", "report")),
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("waiting_alert", "waiting", ["key", "item", "alert"], unique=True)
