"""0006: indexes by which a storm of tickets and the incidents of one key are found."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the indexes."""
    opens = sa.text("operation = 'open'")
    op.create_index(
        "outbox_opens", "outbox", ["created"], sqlite_where=opens, postgresql_where=opens
    )
    op.create_index("incidents_key", "incidents", ["key", "id"])
