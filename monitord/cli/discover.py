"""`monitord discover`: what answers at an address, as YAML for a person to review."""

import json as json_text
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitord.cli.app import Json, command

if TYPE_CHECKING:  # reading the help loads nothing
    from monitord.executor.discover import Discovered
    from monitord.model.catalog import Host


@command("discover")
def discover(
    where: Annotated[str, typer.Argument(help="A host, an address, or a network: 10.0.0.0/24.")],
    *,
    rate: Annotated[
        int, typer.Option("--rate", min=1, max=1000, help="Connections a second at most.")
    ] = 100,
    json: Json = False,
) -> int:
    """Propose checks for what answers at an address, as YAML to review; exits 1 when nothing does.

    It connects to well-known ports and reads first pages of web servers. It looks inside a host
    only over the login that the configuration gives it.
    """
    import asyncio
    import sys

    from monitord.cli import show

    found = asyncio.run(_looked(where, rate))
    answered = [one for one in found if one.ports or one.looked_inside]
    if json:
        show.as_json({"hosts": [asdict(one) for one in answered]})
    else:
        sys.stdout.write(_yaml(where, answered, len(found)))
    return 0 if answered else 1


async def _looked(where: str, rate: int) -> "list[Discovered]":
    import asyncio

    from monitord.clock import SystemClock
    from monitord.executor import discover as looking
    from monitord.executor.hosts import Hosts

    known = _known()
    by_address = {host.address: host for host in known.values()}
    if where in known:
        wanted = [(where, known[where].address)]
    else:
        named = [(one, by_address.get(one)) for one in looking.addresses(where)]
        wanted = [(host.name if host else _name(one), one) for one, host in named]
    scanner, doors = looking.Scanner(rate), Hosts(SystemClock())

    async def one(name: str, address: str) -> "Discovered":
        found = await scanner.look(name, address)
        host = known.get(name)
        if host is not None and host.login.kind in ("ssh", "local"):
            await looking.look_inside(found, host, doors)
        return found

    try:
        return list(await asyncio.gather(*(one(*each) for each in wanted)))
    finally:
        doors.close()


def _name(address: str) -> str:
    """Give a name for an address that has none: no name begins with a colon, as ::1 does."""
    from monitord.config.names import address_fault, is_name
    from monitord.errors import CommandRefusedError

    if fault := address_fault(address):
        raise CommandRefusedError(f"{address!r}: {fault}")
    return address if is_name(address) else f"host-{address}"


def _known() -> "dict[str, Host]":
    """Give the hosts of the configuration; none where there is none."""
    from monitord.cli import composed, places

    try:
        path = places.config()
    except places.NowhereError:
        return {}
    return dict(composed.load(path).hosts)


def _yaml(where: str, found: "list[Discovered]", asked: int) -> str:
    lines = [
        f"# Proposed by: monitord discover {where} ({len(found)} of {asked} addresses answered).",
        "# Review it: keep what matters to somebody, give names and groups. A host that stands in",
        "# the configuration already takes these checks under its own name there.",
        "hosts:" if found else "hosts: {}",
    ]
    for one in found:
        lines.append(f"  {_quoted(one.name)}:")
        lines.append(f"    address: {_quoted(one.address)}")
        lines.extend(f"    # {note}" for note in one.notes)
        if one.looked_inside:
            lines.append(f"    login: {json_text.dumps(one.login)}  # as it has now")
        lines.append("    checks:")
        lines.extend(f"      {line}" for line in _checks(one))
    return "\n".join(lines) + "\n"


def _checks(one: "Discovered") -> list[str]:
    from monitord.executor.discover import PORTS, TLS

    lines = []
    for port in one.ports:
        name, title = f"{PORTS[port]}-port", one.titles.get(port)  # no shipped check has it
        if title is not None:
            scheme = "https" if port in TLS else "http"
            spec: dict[str, Any] = {"http": {"url": f"{scheme}://{{address}}:{port}/"}}
        elif port in TLS:
            spec = {"tcp": {"port": port, "tls": {"expires": {"warning": "21d"}}}}
        else:
            spec = {"tcp": {"port": port}}
        said = f"  # its first page: {title}" if title else ""
        lines.append(f"{name}: {json_text.dumps(spec)}{said}")
    if one.looked_inside:
        mounts = f"  # {', '.join(one.mounts)}" if one.mounts else ""
        lines.append(f"disk-space: {mounts}".rstrip())
        lines += ["memory:", "load:", "failed-units:", "clock:"]
    if one.units:
        lines.append(f"services: {json_text.dumps({'systemd': {'units': one.units}})}")
    return lines


def _quoted(text: str) -> str:
    return json_text.dumps(text)
