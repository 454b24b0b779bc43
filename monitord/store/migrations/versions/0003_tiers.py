"""0003: how far a policy has gone with an incident, what people are told, problems."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=False)


def _instant(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, nullable=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def _origin() -> list[sa.Column[object]]:
    return [
        sa.Column("node", TEXT, nullable=False, server_default=""),
        sa.Column("epoch", NUMBER, nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    """Add the columns and the tables."""
    for name in ("paged", "problem"):
        op.add_column("incidents", sa.Column(name, NUMBER, nullable=False, server_default="0"))
    op.add_column("incidents", _instant("page_at"))
    op.add_column("incidents", sa.Column("cure", TEXT, nullable=False, server_default=""))
    _partial("incidents_page", "incidents", "page_at", "page_at IS NOT NULL")
    _notices()
    _problems()


def _partial(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, [column], unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", NUMBER, primary_key=True),
        _number("incident"),
        *(_text(name) for name in ("person", "kind", "priority", "title", "body", "status")),
        *(_number(name) for name in ("created", "due_at", "way", "tries")),
        _text("last_error"),
        _instant("sent"),
        _text("told_by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    _partial("notices_pending", "notices", "due_at", "status = 'PENDING'")
    op.create_index("notices_incident", "notices", ["incident"])


def _problems() -> None:
    op.create_table(
        "problems",
        sa.Column("id", NUMBER, primary_key=True),
        *(_text(name) for name in ("key", "status", "title")),
        *(_number(name) for name in ("opened", "last", "incidents")),
        *(_text(name) for name in ("tier", "owner", "cause", "cure")),
        _instant("closed"),
        _text("closed_by"),
        *_origin(),
        sqlite_autoincrement=True,
    )
    _partial("problems_live", "problems", "key", "status <> 'CLOSED'", unique=True)
