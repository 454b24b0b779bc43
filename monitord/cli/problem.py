"""The commands `problems` and `problem`: what keeps coming back, its cause, and its end."""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_HEAD = [
    ("status", "status"), ("tier", "tier"), ("title", "title"), ("about", "key"),
    ("incidents", "incidents"), ("opened", "opened"), ("last", "last"), ("owner", "owner"),
    ("cause", "cause"), ("cure", "cure"), ("closed", "closed"), ("closed by", "closed_by"),
]  # fmt: skip
_LATELY = [
    ("INCIDENT", "incident"), ("OPENED", "opened"), ("STATUS", "status"), ("ENDED", "cause"),
    ("CURE", "cure"), ("SUMMARY", "summary"),
]  # fmt: skip
_LIST = [
    ("PROBLEM", "id"), ("STATUS", "status"), ("TIER", "tier"), ("LAST", "last"),
    ("INCIDENTS", "incidents"), ("TITLE", "title"), ("CURE", "cure"),
]  # fmt: skip


@command("problems")
def problems(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    json: Json = False,
) -> None:
    """List what keeps coming back."""
    from monitord.cli import show, source

    def stored(view: Any) -> Any:
        from monitord.api import problems as documents

        return documents.listed(view, every=every)

    answer = source.get("/v1/problems", stored, all="1" if every else None)
    if json:
        show.as_json(answer)
        return
    show.table(answer["problems"], _LIST, none="nothing keeps coming back")


@command("problem")
def problem(
    number: Annotated[int, typer.Argument(min=1)],
    verb: Annotated[str, typer.Argument(help="show, known or close")] = "show",
    *,
    cause: Annotated[str, typer.Option("--cause", help="What the cause is.")] = "",
    cure: Annotated[str, typer.Option("--cure", help="What helps when it comes back.")] = "",
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why it is closed.")] = "",
    json: Json = False,
) -> None:
    """Show a problem, say its cause, or close it.

    `problem 3 known --cause … --cure …` lets automation act on it again; the cure stands on the
    ticket of the next such incident. `problem 3 close --reason …` when its cause is gone.
    """
    from monitord.cli import show, source

    if verb == "show":
        _show(number, json=json)
        return
    if verb == "known" and cause:
        answer = source.post(f"/v1/problems/{number}/known", {"cause": cause, "cure": cure})
    elif verb == "close" and reason:
        answer = source.post(f"/v1/problems/{number}/close", {"reason": reason})
    elif verb in ("known", "close"):
        wanted = "--cause" if verb == "known" else "--reason"
        raise typer.BadParameter(f"{verb} needs {wanted} '…'")
    else:
        raise typer.BadParameter(f"{verb!r}: a problem can be shown, known or closed")
    if json:
        show.as_json(answer)
    else:
        show.line(f"problem {number} is {'known' if verb == 'known' else 'closed'}")


def _show(number: int, *, json: bool) -> None:
    from monitord.cli import show, source

    def stored(view: Any) -> Any:
        from monitord.api import problems as documents

        return documents.document(view, number)

    document = source.get(f"/v1/problems/{number}", stored)
    if json:
        show.as_json(document)
        return
    show.line(f"problem {number}", style="bold")
    show.fields(document, _HEAD)
    show.heading("lately")
    show.table(document["lately"], _LATELY, none="no incident is kept any more")
