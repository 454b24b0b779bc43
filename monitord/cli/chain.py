"""The commands `chains` and `chain`: how the chains stand, and what a person orders of a run."""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_LIST = [
    ("STATUS", "status"), ("CHAIN", "key"), ("DATE", "date"), ("RUN", "stands"),
    ("READY", "ready_at"), ("DONE BY", "done_by"), ("", "summary"),
]  # fmt: skip
_HEAD = [
    ("chain", "key"), ("status", "status"), ("says", "summary"), ("date", "date"),
    ("run", "stands"), ("started", "started"), ("ready about", "ready_at"),
    ("done by", "done_by"), ("held by", "held_by"),
]  # fmt: skip
_LINKS = [
    ("STATUS", "status"), ("LINK", "name"), ("AFTER", "after"), ("STARTED", "started"),
    ("ENDED", "ended"), ("EXPECTED", "expected"), ("EXIT", "exit_code"), ("TRIES", "tries"),
    ("WAITS FOR", "waiting_for"),
]  # fmt: skip
_RUNS = [
    ("DATE", "business_date"), ("RUN", "status"), ("STARTED", "started"), ("ENDED", "ended"),
    ("DONE BY", "done_by"), ("", "reason"),
]  # fmt: skip
_OF_LINKS = ("rerun", "skip")
_VERBS = ("show", *_OF_LINKS, "hold", "go")


@command("chains")
def chains(*, json: Json = False) -> None:
    """List the chains: their run of this night, when it will be done, and what is wrong."""
    from monitord.cli import show

    rows = _all()
    if json:
        show.as_json({"chains": rows})
        return
    show.table([_flat(row) for row in rows], _LIST, none="no chain is configured")


@command("chain")
def chain(
    name: Annotated[str, typer.Argument(help="The chain: its name, or host/chain.")],
    verb: Annotated[str, typer.Argument(help="show, rerun, skip, hold or go")] = "show",
    link: Annotated[str, typer.Argument(help="The link to rerun or skip.")] = "",
    *,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    json: Json = False,
) -> None:
    """Show a chain, run a failed link again, skip one, hold the run or let it go on.

    `chain nightly rerun load --reason …` runs it under the usual guards, and the chain goes on from
    there; `skip` counts it as done for this run; `hold` starts nothing more until `go`.
    """
    from monitord.cli import show, source

    _must_make_sense(verb, link, reason, dry_run=dry_run)
    key = _key(name)
    if verb == "show":
        _show(key, json=json)
        return
    if dry_run:
        answer = source.get(f"/v1/chains/{key}/preview", _needs_core, link=link, deed=verb)
    else:
        body = {"reason": reason, **({"link": link} if verb in _OF_LINKS else {})}
        answer = source.post(f"/v1/chains/{key}/{verb}", body)
    if json:
        show.as_json(answer)
    elif dry_run:
        show.table(answer["plan"], [("PHASE", "phase"), ("DOES", "text")], none="nothing is run")
        show.line(f"then: {', '.join(answer['then']) or 'nothing'}")
    else:
        show.line(f"{key}: {verb} {link}".strip())


def _must_make_sense(verb: str, link: str, reason: str, *, dry_run: bool) -> None:
    if verb not in _VERBS:
        raise typer.BadParameter(f"{verb!r} is none of {', '.join(_VERBS)}")
    if verb in _OF_LINKS and not link:
        raise typer.BadParameter(f"{verb} which link? `monitord chain NAME` lists them")
    if dry_run and verb not in _OF_LINKS:
        raise typer.BadParameter("--dry-run goes with rerun and skip")
    if verb != "show" and not reason and not dry_run:
        raise typer.BadParameter(f"{verb} needs --reason '…'")


def _needs_core(_view: Any) -> Any:
    from monitord.cli.places import NowhereError

    raise NowhereError("what an order would do, only a running core can tell")


def _all() -> list[dict[str, Any]]:
    from monitord.cli import source

    def stored(view: Any) -> Any:
        from monitord.api import chains as documents

        catalog, now = _here()
        return documents.listed(view, catalog, now=now)

    rows: list[dict[str, Any]] = source.get("/v1/chains", stored)["chains"]
    return rows


def _here() -> tuple[Any, Any]:
    from monitord.cli.look import catalog_here
    from monitord.cli.places import NowhereError
    from monitord.clock import SystemClock

    catalog = catalog_here()
    if catalog is None:
        raise NowhereError("chains stand in the configuration; name it with --config FILE")
    return catalog, SystemClock().now()


def _key(name: str) -> str:
    """Give the key of a chain that is named by its key or, where that is unique, its name."""
    from monitord.config.names import nearest
    from monitord.errors import NotFoundError

    rows = _all()
    found = [row["key"] for row in rows if name in (row["key"], row["name"])]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise NotFoundError(f"{name} is a chain on several hosts; name one: {', '.join(found)}")
    raise NotFoundError(f"there is no chain {name}{nearest(name, [row['name'] for row in rows])}")


def _show(key: str, *, json: bool) -> None:
    from monitord.cli import show, source

    def stored(view: Any) -> Any:
        from monitord.api import chains as documents

        catalog, now = _here()
        return documents.document(view, catalog, key, now=now)

    answer = source.get(f"/v1/chains/{key}", stored)
    if json:
        show.as_json(answer)
        return
    show.fields(_flat(answer), _HEAD)
    show.heading("links")
    show.table(answer["links"], _LINKS, none="no link")
    show.heading("runs")
    show.table(answer["runs"], _RUNS, none="none yet")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    run = row["run"] or {}
    names = ("started", "done_by", "held_by")
    told = {name: run.get(name) for name in names}
    return {**row, **told, "date": run.get("business_date"), "stands": run.get("status")}
