"""0014: whom a login provider vouches for: a user's issuer and subject there."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; who is here already has a password of ours."""
    op.add_column("users", sa.Column("subject", TEXT, nullable=False, server_default=""))
