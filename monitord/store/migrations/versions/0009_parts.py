"""0009: which incident tells people of another one too, and by which rule."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("incidents", sa.Column("part_of", NUMBER, nullable=False, server_default="0"))
    op.add_column("incidents", sa.Column("inhibited_by", TEXT, nullable=False, server_default=""))
    condition = sa.text("part_of <> 0")
    op.create_index(
        "incidents_parts",
        "incidents",
        ["part_of"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
