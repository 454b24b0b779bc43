"""`monitord log verify`: whether the audit chain holds, and which of its rows does not."""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, app, command

log = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The audit chain: who did what."
)
app.add_typer(log, name="log")


@command("verify", log)
def verify(
    *,
    head: Annotated[
        str, typer.Option("--head", help="A digest that was sent or noted before: still in it?")
    ] = "",
    json: Json = False,
) -> int:
    """Look at every link of the audit chain, and name the first bad row.

    Exits 1 when one was changed, removed or put in, or when the chain does not know --head: then it
    was made anew, or that link is older than what is kept.
    """
    from monitord.cli import show, source

    answer = source.get("/v1/audit/verify", lambda view: _stored(view, head), head=head or None)
    if json:
        show.as_json(answer)
        return 0 if answer["holds"] else 1
    if answer["first"] is not None:
        show.line(f"first bad: {_told(answer['first'])}", style="bold red")
        more = answer["broken"] - 1
        if more:
            show.line(f"and {more} more")
    if answer["head_known"] is False:
        show.line(
            f"no link bears {head}: the chain was made anew, or that link is not kept any more",
            style="bold red",
        )
    if answer["holds"]:
        show.line(f"{answer['links']} links, every one holds")
    for one in answer["ends"]:
        show.line(f"end of node {one['node']!r}: link {one['id']} of {one['at']}, {one['digest']}")
    return 0 if answer["holds"] else 1


def _stored(view: Any, head: str) -> Any:
    from monitord.api.records import verified

    return verified(view, head)


def _told(broken: dict[str, Any]) -> str:
    row = broken["row"]
    if row is None:
        return str(broken["text"])
    said = " ".join(word for word in (row["act"], row["subject"], row["detail"]) if word)
    return f"{broken['text']} ({row['at']} {row['actor']}: {said})"
