"""`monitord marker`: tell of a change, so that it stands on the tickets of what breaks after it.

For people and for the last line of a deployment's script; it asks nothing and touches no host.
"""

from typing import Annotated

import typer

from monitord.cli.app import Json, command


@command("marker")
def marker(
    text: Annotated[str, typer.Argument(help="What was changed: 'deploy 42 of the shop'.")],
    *,
    on: Annotated[
        str, typer.Option("--on", help='What it is about: "group=web", "web1"; "*": everything.')
    ] = "*",
    json: Json = False,
) -> None:
    """Tell of a change, such as a deployment.

    It stands on every ticket of what it is about, under "what changed since it was last OK".
    """
    from monitord.cli import show, source

    answer = source.post("/v1/markers", {"text": text, "selector": on})
    if json:
        show.as_json(answer)
        return
    count = len(answer["touches"])
    about = "everything" if on == "*" else f"{count} check{'s' * (count != 1)}"
    show.line(f"marker {answer['marker']} at {answer['at']}, about {about}")
