"""`monitord inventory`: where hosts come from besides YAML, and letting vanished ones go."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitord.cli.app import Json, app, command

if TYPE_CHECKING:  # reading the help loads no catalog
    from monitord.model.inventory import Inventory

inventories = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Where hosts come from besides YAML: CSV, Ansible, NetBox, a script.",
)
app.add_typer(inventories, name="inventory")

Source = Annotated[str, typer.Argument(help="A source of the configuration; left out: all.")]


@command("list", inventories)
def show_sources(*, json: Json = False) -> None:
    """Show each source, when it was asked, and what is wrong."""
    from monitord.cli import show
    from monitord.config import kept
    from monitord.decisions.ticket_document import iso

    rows: list[dict[str, Any]] = []
    for source in _sources("").values():
        hosts, last = kept.hosts(source), kept.asked(source)
        gone = [name for name, host in hosts.items() if "vanished" in host]
        about = {
            "asked": iso(last.at) if last else "never",
            "problem": last.problem if last else "",
        }
        rows.append({"source": source.name, "hosts": len(hosts), "vanished": gone, **about})
    if json:
        show.as_json({"sources": rows})
        return
    for row in rows:
        missing = f", vanished: {', '.join(row['vanished'])}" if row["vanished"] else ""
        show.line(f"{row['source']}: {row['hosts']} hosts, asked {row['asked']}{missing}")
        if row["problem"]:
            show.line(f"! {row['problem']}", style="yellow")


@command("refresh", inventories)
def refresh(
    name: Source = "",
    *,
    smaller: Annotated[
        bool, typer.Option("--smaller", help="Believe an answer with far fewer hosts.")
    ] = False,
    json: Json = False,
) -> int:
    """Ask the sources now and keep their answers; `monitord plan` then shows what they change."""
    import asyncio
    from dataclasses import asdict

    from monitord.cli import show
    from monitord.cli.app import complain
    from monitord.clock import SystemClock
    from monitord.errors import MonitordError
    from monitord.executor import inventory

    told, failed = [], 0
    for source in _sources(name).values():
        try:
            told.append(asyncio.run(inventory.refresh(source, SystemClock(), smaller=smaller)))
        except MonitordError as error:
            complain(error)
            failed = 1
    if json:
        show.as_json({"sources": [asdict(one) for one in told]})
        return failed
    for one in told:
        changes = [
            f"{word}: {', '.join(names)}"
            for word, names in (
                ("new", one.new),
                ("changed", one.changed),
                ("vanished, still watched", one.vanished),
                ("back", one.returned),
            )
            if names
        ]
        show.line(f"{one.source}: {one.hosts} hosts; {'; '.join(changes) or 'nothing changed'}")
    return failed


@command("accept", inventories)
def accept(
    name: Annotated[str, typer.Argument(help="A source of the configuration.")],
    hosts: Annotated[
        list[str] | None, typer.Argument(help="Hosts that vanished; left out: all of them.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Let hosts go that vanished from a source: the next reload drops their checks."""
    from monitord.cli import show
    from monitord.clock import SystemClock
    from monitord.executor import inventory

    gone = inventory.accept(_sources(name)[name], hosts or [], SystemClock())
    if json:
        show.as_json({"source": name, "gone": gone})
    else:
        show.line(f"{name}: let go: {', '.join(gone)} (monitord plan, then: monitord reload)")


def _sources(name: str) -> "dict[str, Inventory]":
    from monitord.cli import places
    from monitord.config import load_inventories
    from monitord.config.names import nearest
    from monitord.errors import NotFoundError

    known = load_inventories(places.config())
    if not known:
        raise NotFoundError("the configuration has no `inventory:` (docs/configuration.md)")
    if name and name not in known:
        raise NotFoundError(f"there is no inventory {name}{nearest(name, known)}")
    return {name: known[name]} if name else dict(known)
