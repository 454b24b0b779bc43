"""`monitord trust`: which host keys are known, and taking them from a source that vouches for them.

It never takes what a host offers by itself: without a source it only shows, and names the command.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitord.cli.app import Json, Yes, command

if TYPE_CHECKING:  # reading the help loads no catalog
    from monitord.model.catalog import Host
    from monitord.transports.host_keys import HostKey


@command("trust")
def trust(
    hosts: Annotated[str, typer.Argument(help="A selector: web1, group=web, '*'.")],
    *,
    known: Annotated[
        Path | None, typer.Option("--known-hosts", help="Take keys from this known_hosts file.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Take keys that this SSH CA has certified.")
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option("--fingerprints", help="Take keys of this list: `host SHA256:…` a line."),
    ] = None,
    sshfp: Annotated[
        bool, typer.Option("--sshfp", help="Take keys that DNS publishes, if DNSSEC proves it.")
    ] = False,
    unvalidated: Annotated[
        bool, typer.Option("--unvalidated", help="Believe SSHFP records without DNSSEC.")
    ] = False,
    rekey: Annotated[
        bool, typer.Option("--rekey", help="Put the new key in the place of the old ones.")
    ] = False,
    expect: Annotated[
        str, typer.Option("--expect", help="The fingerprint (SHA256:…) that the host must show.")
    ] = "",
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Show which host keys are known, or take them from a source that vouches for them."""
    from monitord.cli import show
    from monitord.cli.trusting import Source

    if rekey and not expect:
        raise typer.BadParameter("--rekey needs --expect SHA256:… (read it on the host's console)")
    source = Source(known, ca, listed, expect, sshfp=sshfp, unvalidated=unvalidated)
    source.must_be_one()
    rows = [_one(host, source, rekey=rekey, yes=yes) for host in _chosen(hosts)]
    if json:
        show.as_json({"hosts": rows})
    else:
        for row in rows:
            show.line(f"{row['host']}: {row['said']}")
            for line in row["keys"]:
                show.line(line, indent=2)
            if row["next"]:
                show.line(f"then: {row['next']}", indent=2)
    return 0 if all(row["trusted"] for row in rows) else 1


def _chosen(text: str) -> "list[Host]":
    from monitord.cli import composed, places
    from monitord.decisions import selector as selectors
    from monitord.errors import NotFoundError

    catalog = composed.load(places.config())
    selector = selectors.parse(text)
    found = [
        host
        for host in catalog.hosts.values()
        if selectors.matches(selector, host=host) and host.login.kind in ("ssh", "device")
    ]
    if not found:
        raise NotFoundError(f"no host with an SSH login matches {text!r} (monitord hosts)")
    return found


def _one(host: "Host", source: Any, *, rekey: bool, yes: bool) -> dict[str, Any]:
    from monitord.cli.trusting import Standing, look
    from monitord.errors import MonitordError
    from monitord.transports import host_keys

    try:
        standing: Standing = look(host)
        if not source.given:
            return standing.row()
        keys = source.vouched(host, standing)
    except MonitordError as error:
        return {"host": host.name, "trusted": False, "said": str(error), "keys": [], "next": ""}
    if standing.known and not rekey and not set(keys) <= set(standing.known):
        return standing.changed()
    if not keys:
        return {**standing.row(), "trusted": False, "said": source.refusal(host)}
    fresh = [key for key in keys if rekey or key not in standing.known]
    if fresh and _agreed(host, fresh, standing.file, rekey=rekey, yes=yes):
        host_keys.write(standing.file, standing.name, fresh, instead=rekey)
        said = f"trusted by {source.word}; written to {standing.file}"
        shown = [f"{key.kind} {key.fingerprint}" for key in fresh]
        return {"host": host.name, "trusted": True, "said": said, "keys": shown, "next": ""}
    return standing.row()


def _agreed(host: "Host", keys: "list[HostKey]", file: Path, *, rekey: bool, yes: bool) -> bool:
    if yes or not sys.stdin.isatty():
        return True
    shown = ", ".join(f"{key.kind} {key.fingerprint}" for key in keys)
    word = "Replace all keys" if rekey else "Trust these keys"
    return typer.confirm(f"{word} of {host.name} in {file}: {shown}?", err=True)
