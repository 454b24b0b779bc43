"""`monitord kinds`: what can be looked at, and the page of each kind. It asks no daemon."""

from pathlib import Path
from typing import Annotated

import typer

from monitord.cli.app import Json, command

Name = Annotated[str, typer.Argument(help="A kind; left out: the list of all.")]
Write = Annotated[
    Path | None,
    typer.Option("--write", help="Write the pages of all into this folder.", metavar="DIR"),
]


@command("kinds")
def kinds(name: Name = "", *, write: Write = None, json: Json = False) -> None:
    """List the kinds of checks, or print the page of one: its settings, and an example."""
    from monitord.cli import composed, show
    from monitord.config.kind_pages import kind_pages
    from monitord.config.kind_words import nearest_kind
    from monitord.errors import NotFoundError

    pages = kind_pages(composed.KINDS.probes)
    if name and name not in pages:
        near = nearest_kind(name, composed.KINDS.probes) or " (monitord kinds lists them)"
        raise NotFoundError(f"there is no page of a kind {name}{near}")
    if write is not None:
        for each, text in pages.items():
            (write / f"{each}.md").write_text(text, encoding="utf-8")
    elif json:
        show.as_json({"kinds": [{"name": each, "page": text} for each, text in pages.items()]})
    else:
        typer.echo(pages[name or "README"], nl=False)
