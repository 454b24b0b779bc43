"""`monitord runbooks`: what can be done about what is bad, and the page of each runbook.

It reads the configuration alone; no daemon is asked.
"""

from pathlib import Path
from typing import Annotated

import typer

from monitord.cli.app import Json, command

Name = Annotated[str, typer.Argument(help="A runbook; left out: the list of all.")]
Write = Annotated[
    Path | None,
    typer.Option("--write", help="Write the pages of all into this folder.", metavar="DIR"),
]


@command("runbooks")
def runbooks(name: Name = "", *, write: Write = None, json: Json = False) -> None:
    """List the runbooks that a check may name, or print the page of one."""
    from monitord import config
    from monitord.cli import composed, places, show
    from monitord.errors import NotFoundError

    sources = config.read(places.config())
    catalog = config.assemble(sources, composed.KINDS)
    pages = config.pages(catalog, sources.documents)
    if name and name not in pages:
        raise NotFoundError(f"there is no runbook {name} in a file of its own (monitord runbooks)")
    if write is not None:
        for each, text in pages.items():
            (write / f"{each}.md").write_text(text, encoding="utf-8")
    elif json:
        show.as_json({"runbooks": [{"name": n, "page": text} for n, text in pages.items()]})
    elif name:
        typer.echo(pages[name], nl=False)
    else:
        for each in pages:
            book = catalog.runbooks[each]
            show.line(f"{each:24} {book.mode:8} {book.changes:8} {book.means.strip()}")
