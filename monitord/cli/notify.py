"""The command `notify`: what people were told, counted, and a test of how one of them is told."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_WAIT = 30.0  # s; a mail server may take that long to say no
_PAUSE = 0.2
_SOON = timedelta(seconds=5)  # what is tried later than that is not waited for
_COLUMNS = [
    ("PERSON", "person"), ("PAGES", "pages"), ("REMINDERS", "reminders"), ("OVER", "over"),
    ("DIGESTS", "digests"), ("TESTS", "tests"), ("BY", "by"), ("WAITING", "waiting"),
    ("FAILED", "failed"), ("FAILED TRIES", "tries"), ("LAST ERROR", "last_error"),
]  # fmt: skip


@command("notify")
def notify(
    *,
    test: Annotated[
        str | None, typer.Option("--test", help="Tell this person that it is a test.")
    ] = None,
    way: Annotated[
        int | None, typer.Option("--way", min=1, help="Begin with this way of theirs, from 1.")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help="From when on: 7d, 2027-01-31; left out: 7d.")
    ] = "7d",
    json: Json = False,
) -> int:
    """Count what each person was told, by which way, and what failed; or try it.

    `notify --test kim` tells kim so, in your name, and says which way took it. Exits 1 when none
    has within half a minute.
    """
    if test is not None:
        return _test(test, way, json=json)
    if way is not None:
        raise typer.BadParameter("--way belongs to a test: monitord notify --test kim --way 2")
    _count(since, json=json)
    return 0


def _count(since: str, *, json: bool) -> None:
    from monitord.cli import show, source
    from monitord.cli.ledger import start_of
    from monitord.clock import as_instant

    start = start_of(since)

    def stored(view: Any) -> Any:
        from monitord.api import notices
        from monitord.cli.look import catalog_here

        catalog = catalog_here()
        people = catalog.people if catalog else ()
        return notices.document(view, people, since=as_instant(start))

    answer = source.get("/v1/notices", stored, since=start.isoformat())
    if json:
        show.as_json(answer)
        return
    rows = [
        {**one, "by": ", ".join(f"{way} {count}" for way, count in one["ways"].items())}
        for one in answer["people"]
    ]
    show.table(rows, _COLUMNS, none="nobody was told anything, and nobody is configured")


def _test(person: str, way: int | None, *, json: bool) -> int:
    from monitord.cli import show, source

    number = source.post("/v1/notices/test", {"person": person, "way": way})["notice"]
    notice = _await(number)
    if json:
        show.as_json(notice)
    else:
        show.line(_sentence(notice))
    return 0 if notice["status"] == "SENT" else 1


def _await(number: int) -> Any:
    """Give the notice once it is sent, given up or rests, or as it stands after half a minute."""
    from monitord.cli import source

    until = time.monotonic() + _WAIT
    while True:
        notice = source.get(f"/v1/notices/{number}")
        rests = datetime.fromisoformat(notice["due"]) > datetime.now(UTC) + _SOON
        if notice["status"] != "PENDING" or rests or time.monotonic() > until:
            return notice
        time.sleep(_PAUSE)


def _sentence(notice: dict[str, Any]) -> str:
    person, error = notice["person"], notice["last_error"]
    match notice["status"]:
        case "SENT":
            before = f"; before that: {error}" if error else ""
            return f"{person} was told by {notice['told_by']}{before}"
        case "PENDING":
            why = error or "every way is silent now, or they have heard too much"
            return f"{person} is not told yet: {why}; it is tried at {notice['due']}"
    return f"{person} was not told: {error}"
