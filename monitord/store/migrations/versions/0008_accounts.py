"""0008: users of the console, their sessions, tokens and one-time links."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def _origin() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "users",
        sa.Column("id", NUMBER, primary_key=True),
        _text("name"),
        _text("role"),
        _number("created"),
        _text("created_by"),
        _text("password"),
        _number("failures"),
        _number("failed", nullable=True),
        _number("disabled", nullable=True),
        _text("disabled_by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_index("users_name", "users", ["name"], unique=True)
    op.create_table(
        "credentials",
        sa.Column("id", NUMBER, primary_key=True),
        _text("kind"),
        _text("digest"),
        _text("user"),
        _text("role"),
        _number("created"),
        _text("created_by"),
        _number("expires"),
        _number("seen"),
        _text("about"),
        _number("ended", nullable=True),
        _text("ended_by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_index("credentials_digest", "credentials", ["digest"], unique=True)
