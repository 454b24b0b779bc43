"""`database`: bring a PostgreSQL dump back into a side database, through database.sh.

Beside the live one, which is only read; the rows of both are counted and compared. A person swaps
them, or does not: nothing here renames, drops or writes the live one.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from monitord.actions.text import Switch, Text, fill, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_SCRIPT = Path(__file__).with_name("database.sh").read_text(encoding="utf-8")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,49}")
_PERCENT = re.compile(r"\d{1,3}")
_ALL = 100
_SERVERS_OWN = frozenset({"postgres", "template0", "template1"})


class DatabaseSpec(Spec):
    """`database: {dump: /backup/shop.dump, database: shop}`.

    `dump` is what pg_dump wrote on the host: custom, directory, tar, or SQL, also with gzip. It
    becomes `side` (left out: NAME_restored, or NAME_restored_2 where that is taken), and must hold
    each table of the live one and `least` percent of its rows. `become` is the system user that
    may (peer login; root becomes it). `server` and `port`: where PostgreSQL listens, left out as
    psql has them. `role` is the database's user. With `look: true` it only says whether it could
    begin.
    """

    dump: Annotated[Text, Field(min_length=1)]
    database: Annotated[Text, Field(min_length=1)]
    side: Text = ""
    least: Text = "90"
    become: Text = "postgres"
    server: Text = ""
    port: Text = ""
    role: Text = ""
    look: bool = False
    sudo: Switch = False


def render(spec: DatabaseSpec, context: StepContext) -> Command:
    """Give the script and its arguments.

    Raises:
        ValueError: a slot has no value, or a value cannot be what it stands for.
    """
    dump, least = fill(spec.dump, context), fill(spec.least, context)
    if not dump.startswith("/"):
        raise ValueError(f"dump: {dump!r} is not an absolute path")
    if not _PERCENT.fullmatch(least) or int(least) > _ALL:
        raise ValueError(f"least: {least!r} is not a percentage from 0 to 100")
    argv = (
        "sh", "-s", "--",
        "look" if spec.look else "",
        dump,
        _name(spec, context),
        _side(spec, context),
        least,
        *(fill(text, context) for text in (spec.become, spec.server, spec.port, spec.role)),
    )  # fmt: skip
    return Command(argv, stdin=_SCRIPT, sudo=turned_on(spec.sudo, context))


def _name(spec: DatabaseSpec, context: StepContext) -> str:
    name = fill(spec.database, context)
    if not _NAME.fullmatch(name) or name in _SERVERS_OWN:
        raise ValueError(f"database: {name!r} is not the name of a database of yours")
    return name


def _side(spec: DatabaseSpec, context: StepContext) -> str:
    live, side = _name(spec, context), fill(spec.side, context)
    side = side or f"{live[:40]}_restored"
    if not _NAME.fullmatch(side) or side in _SERVERS_OWN or side == live:
        raise ValueError(f"side: {side!r} is not the name of a new database beside {live}")
    return side


def resource(spec: DatabaseSpec, context: StepContext) -> str:
    """Name the database."""
    return f"{context.host}:database:{_name(spec, context)}"


KIND = ActionKind("database", DatabaseSpec, render, resource)
