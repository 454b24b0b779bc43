"""`monitord watch`: follow what happens, one line each, until interrupted."""

import json as json_
from datetime import UTC, datetime
from typing import Any

import typer

from monitord.cli.app import Json, command


@command("watch")
def watch(*, json: Json = False) -> int:
    """Follow what happens, one line each, until Ctrl-C."""
    from monitord.cli import source
    from monitord.control import CoreDownError

    try:
        for event in source.core(timeout=60).follow("/v1/events"):
            if event.get("kind") != "alive":
                typer.echo(json_.dumps(event) if json else _line(event))
    except KeyboardInterrupt:
        return 0
    except CoreDownError as down:
        raise source.needed(down) from down
    typer.echo("monitord: the core has ended", err=True)
    return 1


def _line(event: dict[str, Any]) -> str:
    from monitord.model.text import one_line

    at, number = event.get("at"), event.get("incident")
    when = datetime.fromtimestamp(at / 1e6, UTC).astimezone().strftime("%H:%M:%S") if at else ""
    what = f" #{number}" if number else ""
    return (
        f"{when}  {one_line(str(event.get('kind', '')))}{what}  {one_line(str(event['text']), 300)}"
    )
