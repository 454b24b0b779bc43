"""Where an answer comes from: the running core, or its database when none runs.

Asks the core first. Only when nobody answers is the database read, and stderr says so: what stands
there is what was believed when the core ended. A core that answers "no" is never gone around.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from monitord.cli import places
from monitord.control import Core, CoreDownError
from monitord.errors import StoreError

if TYPE_CHECKING:  # a question to the core needs no database and none of its imports
    from monitord.store.contract import View

_START = "start one with `monitord run` or `systemctl start monitord`"


class DaemonNeededError(CoreDownError):
    """The command needs a running core and there is none."""


def core(*, timeout: float = 20.0) -> Core:
    """Give a client of the core that is meant, whether it runs or not."""
    return Core(places.place().socket, timeout=timeout)


def get(route: str, offline: "Callable[[View], Any] | None" = None, **query: Any) -> Any:
    """Ask the core for a route; without one, give what `offline` makes of the database.

    Raises:
        DaemonNeededError: no core answers, and there is no other way.
        StoreError: nor can the database be read.
        CoreSaysNoError: the core refused.
    """
    try:
        return core().get(route, **query)
    except CoreDownError as down:
        if offline is None:
            raise needed(down) from down
        return _from_database(offline, down)


def post(route: str, body: Mapping[str, Any], *, timeout: float = 60.0) -> Any:
    """Have the core do something; errors as for `get`."""
    try:
        return core(timeout=timeout).post(route, body)
    except CoreDownError as down:
        raise needed(down) from down


def needed(down: CoreDownError) -> DaemonNeededError:
    """Say that a command needs the core, and what would help."""
    refused = isinstance(down.__cause__, PermissionError)  # it may well run; starting is no cure
    return DaemonNeededError(str(down) if refused else f"{down}; {_START}")


def pages(name: str, **query: Any) -> list[dict[str, Any]]:
    """Ask the core for all pages of a list."""
    rows: list[dict[str, Any]] = []
    after = None
    while True:
        answer = get(f"/v1/{name}", after=after, limit=1000, **query)
        rows += answer["rows" if "rows" in answer else name]
        after = answer.get("next")
        if after is None:
            return rows


def running() -> bool:
    """Tell whether a core answers."""
    try:
        core(timeout=5).get("/healthz")
    except CoreDownError:
        return False
    return True


def _from_database(offline: "Callable[[View], Any]", down: CoreDownError) -> Any:
    from monitord.store import open_reader
    from monitord.store.database import find

    where = places.place()
    reader = open_reader(where.store)
    try:
        answer = reader.read_now(offline)
    except StoreError as error:
        raise StoreError(f"{needed(down)}; and {error}") from error
    finally:
        reader.close()
    typer.echo(f"monitord: {down}: this is from the database {find(where.store)}", err=True)
    return answer
