"""Answers without a core: the same JSON as the API's, from the database and the files.

States are those of the last commit. The catalog is None where the configuration cannot be loaded;
then hosts and checks are those that have states.
"""

import contextlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from monitord.api import shapes, views
from monitord.cli import places
from monitord.clock import between
from monitord.decisions import selector as selectors
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Host
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status
from monitord.model.spec import format_duration
from monitord.model.ticket import TicketStatus
from monitord.store.contract import View

_NEWEST = 1000  # incidents in one list


def status(view: View, catalog: Catalog | None, *, now: Instant) -> dict[str, Any]:
    """Give the page of `monitord status`: UNKNOWN, since what is stored is not watched.

    `newest` is when the last of the states changed, `age` how long ago that is.
    """
    states = view.states()
    newest = max((max(one.last_seen, one.since) for one in states), default=now)
    age = timedelta(seconds=max(0, int(between(newest, now).total_seconds())))
    hidden = views.hidden(view.orders(at=now), catalog, states)
    stored = {"core": False, "newest": iso(newest), "age": format_duration(age), "hidden": hidden}
    return {**views.status(view, states, now=now), "status": Status.UNKNOWN.name, **stored}


def hosts(view: View, catalog: Catalog | None) -> dict[str, Any]:
    """Give the hosts with their states."""
    states = view.states()
    known = dict(catalog.hosts) if catalog else {}
    for one in states:
        name = one.key.partition("/")[0]
        known.setdefault(name, Host(name, ""))
    checks: Iterable[CheckKey] = catalog.checks if catalog else shapes.by_check(states)
    return {
        "hosts": [
            shapes.host(
                host,
                [key for key in checks if key.startswith(f"{name}/")],
                [one for one in states if one.key.startswith(f"{name}/")],
            )
            for name, host in sorted(known.items())
        ]
    }


def checks(
    view: View, catalog: Catalog | None, select: str | None, status: str | None
) -> dict[str, Any]:
    """Give the checks, narrowed by selector and hard status."""
    states = shapes.by_check(view.states())
    configured = catalog.checks if catalog else {}
    rows = [
        shapes.check(key, configured.get(key), states.get(key, ()))
        for key in sorted({*configured, *states})
        if select is None or _selected(key, catalog, select)
    ]
    if status is not None:
        _must_be_status(status)
        rows = [row for row in rows if row["status"] == status.upper()]
    return {"checks": rows}


def _selected(key: CheckKey, catalog: Catalog | None, select: str) -> bool:
    name, _, check = key.partition("/")
    host = catalog.hosts.get(name) if catalog else None
    return selectors.matches(selectors.parse(select), host=host or Host(name, ""), check=check)


def _must_be_status(name: str) -> None:
    if name.upper() not in Status.__members__:
        raise NotFoundError(f"{name!r} is no status; use {', '.join(Status.__members__)}")


def incidents(view: View, *, every: bool) -> dict[str, Any]:
    """Give the incidents."""
    return views.incidents(view, every=every, limit=_NEWEST)


def tickets(view: View, *, every: bool) -> dict[str, Any]:
    """Give the tickets."""
    which = frozenset(TicketStatus) if every else views.LIVE_TICKETS
    return {"tickets": [shapes.ticket(one) for one in view.tickets(which)]}


def ticket(view: View, number: int, catalog: Catalog | None, *, now: Instant) -> dict[str, Any]:
    """Give one ticket, whole."""
    instance = catalog.settings.instance if catalog else "monitord"
    return views.ticket_document(view, number, catalog=catalog, instance=instance, now=now)


def incident(view: View, number: int, *, now: Instant) -> dict[str, Any]:
    """Give one incident with its rows."""
    return views.incident_document(view, number, now=now)


def orders(view: View, catalog: Catalog | None, *, every: bool, now: Instant) -> dict[str, Any]:
    """Give the orders, and what those in force keep from people."""
    return views.orders(view, view.states(), catalog, every=every, limit=_NEWEST, now=now)


def violations(view: View, catalog: Catalog | None) -> dict[str, Any]:
    """Give the broken invariants."""
    return views.violations(view, catalog)


def audit(view: View) -> dict[str, Any]:
    """Give the whole audit chain."""
    rows: list[dict[str, Any]] = []
    while page := view.audit_rows(after=rows[-1]["id"] if rows else 0):
        rows += [shapes.audit_row(one) for one in page]
    return {"rows": rows}


def available() -> list[dict[str, str]]:
    """Give the check definitions on the search path: name, what its first comment says, file."""
    from monitord.config.content import SYSTEM, Root, search, shipped_root

    roots = [Root(shipped_root(), shipped=True), Root(SYSTEM, shipped=False)]
    with contextlib.suppress(places.NowhereError):  # what is shipped can be listed all the same
        roots.append(Root(places.config().parent, shipped=False))
    found = search(roots).readings
    return [
        {"check": stem, "about": _about(reading.file), "file": reading.file}
        for (role, stem), (reading, _) in sorted(found.items())
        if role == "check"
    ]


def _about(file: str) -> str:
    with open(file, encoding="utf-8") as text:  # noqa: PTH123 - a path as the reader gave it
        first = text.readline()
    return first.lstrip("# ").strip() if first.startswith("#") else ""
