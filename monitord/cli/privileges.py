"""The commands that print what a host must let monitord do, and no more: sudoers.

They read the configuration alone; no daemon is asked and nothing is changed anywhere.
"""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from monitord.cli.app import Json, command

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
    from monitord.errors import NotFoundError
    from monitord.executor import sudoers as files

    catalog = composed.load(places.config())
    known = catalog.hosts.get(host)
    if known is None:
        raise NotFoundError(f"there is no host {host} (monitord hosts lists them)")
    found = files.privileges(catalog, known, composed.KINDS, user=user)
    if json:
        show.as_json({**asdict(found), "file": [*files.lines(found)]})
    else:
        sys.stdout.writelines(f"{line}\n" for line in files.lines(found))
    return 1 if found.gaps else 0
