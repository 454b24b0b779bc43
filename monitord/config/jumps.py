"""Jump hosts: whose login goes through whom, and that the check of a login hangs on theirs.

It decides the way and refuses one that cannot be gone; connections are for others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from monitord.config.context import Context
from monitord.config.defaults import TRANSPORT
from monitord.config.names import nearest
from monitord.config.tree import Place
from monitord.model.catalog import Check, Hop, Host, Requirement
from monitord.model.ids import check_key

_MOST = 3
"""Jump hosts in a row: each is one more connection to make within a check's timeout."""


def settle(
    context: Context, hosts: Mapping[str, Host], wanted: Mapping[str, tuple[str, Place]]
) -> dict[str, Host]:
    """Give the hosts with the way of their logins.

    Args:
        context: takes the mistakes.
        hosts: all of them.
        wanted: by host: the name of its jump host, and where that is written.
    """
    settled = dict(hosts)
    for name, (_, place) in wanted.items():
        row = _row(name, wanted)
        fault = _fault(name, row, hosts)
        if fault:
            context.add_once(place, f"{name}: login: via: {fault}")
            continue
        hops = tuple(hop for one in reversed(row) if (hop := _hop(hosts[one])) is not None)
        settled[name] = replace(hosts[name], login=replace(hosts[name].login, via=hops))
    return settled


def parent(check: Check, host: Host) -> Requirement | None:
    """Give what the check of a login through jump hosts needs: that the last lets us in.

    None where there is nothing to add: it goes straight, or has an `any` of its own.
    """
    if check.name != TRANSPORT or not host.login.via or check.needs.mode == "any":
        return None
    jump = check_key(host.login.via[-1].host, TRANSPORT)
    return Requirement("all", tuple(dict.fromkeys((*check.needs.keys, jump))))


def _row(name: str, wanted: Mapping[str, tuple[str, Place]]) -> list[str]:
    """Give the jump hosts from the host's own outwards; one more than is allowed ends it."""
    row: list[str] = []
    while name in wanted and len(row) <= _MOST:
        name = wanted[name][0]
        row.append(name)
    return row


def _fault(name: str, row: Sequence[str], hosts: Mapping[str, Host]) -> str:
    for one in row:
        if one not in hosts:
            return f"there is no host {one}{nearest(one, hosts)}"
        if hosts[one].login.kind != "ssh":
            return f"{one} has no SSH login to go through (give it login: {{ssh: {{user: …}}}})"
    if name in row:
        return f"it goes in a circle: {' → '.join([name, *row[: row.index(name) + 1]])}"
    if len(row) > _MOST:
        return f"more than {_MOST} jump hosts in a row ({' → '.join([name, *row])})"
    return ""


def _hop(host: Host) -> Hop | None:
    read = host.login.read
    return Hop(host.name, host.address, read, host.login.known_hosts) if read else None
