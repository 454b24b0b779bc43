"""0002: who approved an attempt, its undo, who called it wrong; markers; details."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = ("approve_key", "approved_by", "undoing", "wrong", "wrong_by")


def upgrade() -> None:
    """Add the columns and the table."""
    for name in _TEXTS:
        op.add_column("attempts", sa.Column(name, TEXT, nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("approved", NUMBER, nullable=True))
    op.add_column("transitions", sa.Column("details", TEXT, nullable=False, server_default=""))
    op.create_table(
        "markers",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("selector", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("markers_at", "markers", ["at"])
