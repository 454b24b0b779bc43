"""`monitord bundle`: an Ansible role that makes a group's hosts ready. It touches no host."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitord.cli.app import Json, command

if TYPE_CHECKING:  # reading the help loads no catalog
    from monitord.model.catalog import Host


@command("bundle")
def bundle(
    group: Annotated[str, typer.Argument(help="A group of the configuration.")],
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    *,
    json: Json = False,
) -> None:
    """Write an Ansible role that gives a group's hosts monitord's accounts, keys and sudo lines."""
    from monitord.cli import composed, places, show
    from monitord.config.names import nearest
    from monitord.errors import CommandRefusedError, NotFoundError
    from monitord.executor import bundle as making

    catalog = composed.load(places.config())
    if group not in catalog.groups:
        known = nearest(group, catalog.groups)
        raise NotFoundError(f"there is no group {group}{known} (the configuration's groups:)")
    if folder.exists() and any(folder.iterdir()):
        raise CommandRefusedError(f"{folder} is not empty; name a new folder")
    hosts = [host for host in catalog.hosts.values() if group in host.groups]
    files, notes = making.role(catalog, group, hosts, composed.KINDS, _public_keys(hosts))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if json:
        show.as_json({"folder": str(folder), "files": sorted(files), "notes": notes})
        return
    show.line(f"{len(files)} files in {folder}; README.md there says how to run it")
    for note in notes:
        show.line(f"! {note}", style="yellow")


def _public_keys(hosts: "list[Host]") -> dict[str, str]:
    """Read the public half that lies beside each login's key.

    Raises:
        CommandRefusedError: there is none, so nobody could be let in.
    """
    from monitord.errors import CommandRefusedError

    logins = [login for host in hosts for login in (host.login.read, host.login.act) if login]
    found = {}
    for key in {login.key for login in logins if login.user}:
        path = Path(f"{key}.pub").expanduser()
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandRefusedError(
                f"{path} cannot be read: {error} (its public key: ssh-keygen -yf {key or 'KEY'})"
            ) from error
        if not key or len(lines[0].split()) < 2:  # noqa: PLR2004 - kind and blob
            raise CommandRefusedError(f"{path} holds no public key (ssh-keygen -yf {key})")
        found[key] = lines[0].strip()
    return found
