"""`monitord retire`: a host goes for good, and nobody is paged for it nor blind without it.

It says what hangs on the host and what to remove where; files of the configuration are for people.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitord.cli.app import For, Json, Preview, Reason, Until, Yes, command

if TYPE_CHECKING:  # reading the help loads no catalog
    from monitord.model.catalog import Host


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands in the way of a host's end, what is open there, and what is left to do."""

    host: str
    hanging: list[str]
    open: list[str]
    then: list[str]

    def told(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"host": self.host, "first": self.hanging, "open": self.open, "then": self.then}


@command("retire")
def retire(
    host: Annotated[str, typer.Argument(help="The host that goes for good.")],
    *,
    reason: Reason,
    for_: For = None,
    until: Until = None,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Take a host out of service: what hangs on it, maintenance until it is gone, what to remove.

    Exits 1, and does nothing, while something hangs on the host.
    """
    from monitord.cli import order, show, source

    found = _look(host)
    if not found.hanging and not preview:
        body = order.terms(host, f"retired: {reason}", for_ or (None if until else "7d"), until)
        touches = source.get("/v1/preview", selector=host)["touches"]
        order.confirm(f"Neither act on nor page for {host} until it is gone?", touches, yes=yes)
        given = source.post("/v1/maintenance", body)["order"] if touches else None
    else:
        given = None
    if json:
        show.as_json({**found.told(), "order": given})
    else:
        _say(found, given)
    return 1 if found.hanging else 0


def _say(found: _Found, given: dict[str, Any] | None) -> None:
    from monitord.cli import show

    for title, lines in (
        (f"before {found.host} may go", found.hanging),
        ("open there", found.open),
    ):
        if lines:
            show.line(f"{title}:")
        for line in lines:
            show.line(line, indent=2)
    if given:
        show.line(f"order {given['order']}: maintenance of {found.host} to {given['expires']}")
    if not found.hanging:
        show.line("then:")
        for line in found.then:
            show.line(line, indent=2)


def _look(name: str) -> _Found:
    from monitord import config
    from monitord.cli import composed, places, source
    from monitord.config.explain import host_place
    from monitord.config.names import nearest
    from monitord.decisions.retirement import hanging_on
    from monitord.errors import NotFoundError

    path = places.config()
    catalog = composed.load(path)
    if name not in catalog.hosts:
        raise NotFoundError(f"there is no host {name}{nearest(name, catalog.hosts)}")
    incidents = source.get("/v1/incidents")["incidents"]
    mine = [one for one in incidents if one["key"].partition("/")[0] == name]
    return _Found(
        name,
        hanging_on(catalog, name),
        [f"incident {one['incident']}: {one['key']} {one['status']}" for one in mine],
        _then(catalog.hosts[name], host_place(config.read(path), name)),
    )


def _then(host: "Host", place: str) -> list[str]:
    """Give what a person does next, in order."""
    from monitord.transports.host_keys import known_name

    if place:
        gone = f"remove {host.name} at {place}"
    else:
        gone = f"remove it where it is listed, then: monitord inventory accept SOURCE {host.name}"
    lines = [gone, "monitord plan, then: monitord reload (its incidents are closed by it)"]
    if host.login.kind in ("ssh", "device") and host.login.read is not None:
        file = host.login.known_hosts or "~/.ssh/known_hosts"
        name = known_name(host.address, host.login.read.port)
        lines.append(f"ssh-keygen -R '{name}' -f {file}")
        users = dict.fromkeys(
            one.user for one in (host.login.read, host.login.act) if one and one.user
        )
        lines.append(f"on {host.name}, if it lives on: remove the logins {', '.join(users)}")
    return lines
