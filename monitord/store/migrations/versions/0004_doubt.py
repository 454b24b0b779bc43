"""0004: whether it is known what became of a message to a ticket backend."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column."""
    op.add_column("outbox", sa.Column("doubt", NUMBER, nullable=False, server_default="0"))
