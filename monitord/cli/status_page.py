"""The command `status-page`: the page for end users as files, for a web server elsewhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command


@command("status-page")
def status_page(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where to; it is made if need be.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Write the page for end users into a folder: index.html, status.css, status.json.

    Whoever opens it needs no monitord: copy the folder to a web server that stands when this
    machine does not. Each file is replaced whole. Without a folder it is printed in a few lines.
    """
    from monitord.cli import show, source

    answer = source.get("/v1/status-page", _stored)
    if folder is not None:
        _write(folder, answer)
    if json:
        show.as_json(answer)
    elif folder is not None:
        show.line(f"written to {folder}: {len(answer['services'])} services as of {answer['at']}")
    else:
        show.table(
            answer["services"],
            [("SERVICE", "service"), ("IS", "state"), ("SINCE", "since")],
            none="",
        )


def _stored(view: Any) -> Any:
    from monitord.api.status_page import document
    from monitord.cli.look import catalog_here
    from monitord.cli.places import NowhereError
    from monitord.clock import SystemClock

    catalog = catalog_here()
    if catalog is None:
        raise NowhereError(
            "the page stands in the configuration, which cannot be read here; name it with"
            " --config FILE"
        )
    return document(view, catalog, now=SystemClock().now())


def _write(folder: Path, answer: dict[str, Any]) -> None:
    from json import dumps

    from monitord.web.console.render import FOLDER, environment
    from monitord.web.console.status import render

    folder.mkdir(parents=True, exist_ok=True)
    style = (FOLDER / "static" / "status.css").read_text(encoding="utf-8")
    _replace(folder / "status.css", style)
    _replace(folder / "status.json", dumps(answer, indent=1) + "\n")
    _replace(folder / "index.html", render(environment(), answer, static=True))


def _replace(file: Path, text: str) -> None:
    """Write beside and rename: whoever reads meanwhile gets the old one or the new one, whole."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
