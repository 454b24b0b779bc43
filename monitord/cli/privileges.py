"""The commands that print what a host must let monitord do, and no more: sudoers, locked-login.

They read the configuration alone; no daemon is asked and nothing is changed anywhere.
"""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from monitord.cli.app import Json, command

if TYPE_CHECKING:  # reading the help loads no catalog
    from monitord.model import catalog as model

Host = Annotated[str, typer.Argument(help="A host of the configuration.")]


@command("sudoers")
def sudoers(
    host: Host,
    *,
    user: Annotated[
        str, typer.Option(help="Who acts there; left out: the host's acting login.")
    ] = "",
    json: Json = False,
) -> int:
    """Print the sudoers file for the repairs that may run on a host, exact to the argument.

    What cannot be exact is left out, told as a comment with its cure, and makes the exit code 1.
    """
    from monitord.cli import composed, places, show
    from monitord.executor import sudoers as files

    catalog = composed.load(places.config())
    known = _known(catalog, host)
    found = files.privileges(catalog, known, composed.KINDS, user=user)
    if json:
        show.as_json({**asdict(found), "file": [*files.lines(found)]})
    else:
        sys.stdout.writelines(f"{line}\n" for line in files.lines(found))
    return 1 if found.gaps else 0


@command("locked-login")
def locked_login(host: Host, *, json: Json = False) -> None:
    """Print the forced command that locks a host's login to what monitord asks of it."""
    from monitord.cli import composed, places, show
    from monitord.errors import NotFoundError
    from monitord.executor import locked

    catalog = composed.load(places.config())
    known = _known(catalog, host)
    if known.login.kind == "device":
        raise NotFoundError(
            f"{host} is a network device and has no forced command (monitord sudoers {host} lists "
            "the lines that its account must be allowed)"
        )
    text = locked.lock(catalog, known, composed.KINDS)
    if json:
        show.as_json({"host": host, "keys": locked.keys(known), "file": text})
    else:
        sys.stdout.write(text)


def _known(catalog: "model.Catalog", name: str) -> "model.Host":
    from monitord.errors import NotFoundError

    host = catalog.hosts.get(name)
    if host is None:
        raise NotFoundError(f"there is no host {name} (monitord hosts lists them)")
    return host
