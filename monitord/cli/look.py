"""The commands that only look: status, hosts, checks, incidents, tickets, orders, explain, audit.

Each asks the core, or reads the database when none runs; `--json` prints the answer as it came.
"""

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command
from monitord.errors import ConfigError
from monitord.model.ids import Instant

_EXIT = {"OK": 0, "PENDING": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
_UNKNOWN = 3

All = Annotated[bool, typer.Option("--all", "-a", help="Those that are over as well.")]


def _now() -> Instant:
    from monitord.clock import SystemClock

    return SystemClock().now()


def _stored() -> ModuleType:
    """Import what answers without a core, which costs half a second, only then."""
    from monitord.cli import offline

    return offline


def catalog_here() -> Any:
    """Load the configuration for an answer without a core; None where there is none to use."""
    from monitord.cli import composed, places

    try:
        catalog = composed.load(places.config())
    except (ConfigError, places.NowhereError):
        return None
    # The files that lie here may be another monitord's than the folder that was named.
    same = Path(catalog.settings.state).resolve() == places.place().state.resolve()
    return catalog if same else None


@command("status", failed=_UNKNOWN)
def status(*, json: Json = False) -> int:
    """Tell how everything is, on one page.

    Exits 0, 1, 2, 3 as a Nagios plugin does; without a core 3: nothing is watched then.
    """
    from monitord.cli import show, source

    answer = source.get("/v1/status", lambda v: _stored().status(v, catalog_here(), now=_now()))
    if json:
        show.as_json(answer)
    else:
        _print_status(answer)
    return _EXIT[answer["status"]]


def _print_status(answer: dict[str, Any]) -> None:
    from monitord.cli import show

    counts = answer["states"]
    total = sum(counts.values())
    shown = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "nothing is watched yet"
    word = "OK" if answer["status"] == "PENDING" else answer["status"]
    dead = (
        f"no core answers; last change {answer['age']} ago: " if answer.get("core") is False else ""
    )
    show.line(f"MONITORD {word} - {dead}{total} states: {shown}")
    show.fields(
        {**answer, "observe": "every decision is taken, none let out" * answer.get("observe", 0)},
        [
            ("instance", "instance"),
            ("profile", "profile"),
            ("observe", "observe"),
            ("since", "started"),
            ("incidents", "incidents"),
            ("tickets", "tickets"),
            ("outbox", "outbox"),
        ],
    )
    for text in _warnings(answer):
        show.line(f"! {text}", style="yellow")
    if answer["orders"]:
        show.table(answer["orders"], _ORDERS, none="")
    if answer["bad"]:
        show.table(answer["bad"], _STATES, none="")
    left = answer["bad_total"] - len(answer["bad"])
    if left > 0:
        show.line(f"… and {left} more: monitord checks --status critical")


def _warnings(answer: dict[str, Any]) -> list[str]:
    found = [*answer.get("hidden", ()), *answer.get("problems", ()), *answer.get("warnings", ())]
    if answer.get("halt_file"):
        found.append("the file HALT stops all actions; `monitord resume` removes it")
    if answer.get("executor") is False:
        found.append("the executor does not answer: no repair and no check by login runs")
    return found


_STATES = [
    ("STATUS", "hard"),
    ("KEY", "key"),
    ("SINCE", "since"),
    ("UNREACHABLE", "unreachable"),
    ("SUMMARY", "summary"),
]
_ORDERS = [
    ("ORDER", "order"),
    ("VERB", "verb"),
    ("SELECTOR", "selector"),
    ("BY", "by"),
    ("UNTIL", "expires"),
    ("IN FORCE", "in_force"),
    ("REASON", "reason"),
]


@command("hosts")
def hosts(*, json: Json = False) -> None:
    """List the hosts and how they are."""
    from monitord.cli import show, source

    rows = (
        source.pages("hosts")
        if source.running()
        else source.get("/v1/hosts", lambda v: _stored().hosts(v, catalog_here()))["hosts"]
    )
    if json:
        show.as_json({"hosts": rows})
        return
    columns = [("STATUS", "status"), ("HOST", "host"), ("ADDRESS", "address")]
    more = [("GROUPS", "groups"), ("LOGIN", "login"), ("CHECKS", "checks"), ("STATES", "states")]
    show.table(rows, [*columns, *more], none="no host is configured")


@command("checks")
def checks(
    select: Annotated[str | None, typer.Argument(help="A selector: group=web & site=ulm")] = None,
    *,
    status: Annotated[str | None, typer.Option(help="Only this hard status.")] = None,
    available: Annotated[
        bool, typer.Option("--available", help="The shipped and own definitions to choose from.")
    ] = False,
    json: Json = False,
) -> None:
    """List the checks and how they are.

    With --available: the definitions that a host or group can be given by name.
    """
    from monitord.cli import show, source

    if available:
        found = _stored().available()
        columns = [("CHECK", "check"), ("ABOUT", "about"), ("FILE", "file")]
    else:
        columns = [("STATUS", "status"), ("CHECK", "key"), ("SUMMARY", "summary")]
        found = (
            source.pages("checks", select=select, status=status)
            if source.running()
            else source.get(
                "/v1/checks", lambda v: _stored().checks(v, catalog_here(), select, status)
            )["checks"]
        )
    if json:
        show.as_json({"checks": found})
    else:
        show.table(found, columns, none="no check is there to show")


@command("incidents")
def incidents(*, all_: All = False, json: Json = False) -> None:
    """List the incidents that are not closed."""
    from monitord.cli import show, source

    answer = source.get(
        "/v1/incidents", lambda v: _stored().incidents(v, every=all_), all=int(all_), limit=1000
    )
    if json:
        show.as_json(answer)
        return
    columns = [("INCIDENT", "incident"), ("STATUS", "status"), ("SEVERITY", "severity")]
    more = [("PRIO", "priority"), ("TIER", "tier"), ("KEY", "key"), ("SINCE", "opened")]
    more += [("PART OF", "part_of")] if any(one["part_of"] for one in answer["incidents"]) else []
    show.table(
        answer["incidents"], [*columns, *more, ("SUMMARY", "summary")], none="no incident is on"
    )


@command("tickets")
def tickets(*, all_: All = False, json: Json = False) -> None:
    """List the tickets that are not closed."""
    from monitord.cli import show, source

    answer = source.get(
        "/v1/tickets", lambda v: _stored().tickets(v, every=all_), all=int(all_), limit=1000
    )
    if json:
        show.as_json(answer)
        return
    columns = [("TICKET", "ticket"), ("STATUS", "status"), ("TIER", "tier"), ("PRIO", "priority")]
    show.table(
        answer["tickets"],
        [*columns, ("OPENED", "opened"), ("INCIDENT", "incident"), ("TITLE", "title")],
        none="no ticket is open",
    )


@command("ticket")
def ticket(number: Annotated[int, typer.Argument(min=1)], *, json: Json = False) -> None:
    """Show one ticket, whole.

    Evidence, what was tried, what was refused and why, and what to do next.
    """
    from monitord.cli import show, source

    document = source.get(
        f"/v1/tickets/{number}", lambda v: _stored().ticket(v, number, catalog_here(), now=_now())
    )
    if json:
        show.as_json(document)
        return
    from monitord.tickets.text import render

    show.paragraph(render(document))


@command("orders")
def orders(*, all_: All = False, json: Json = False) -> None:
    """List the orders in force: acks, takes, mutes, maintenance, halts."""
    from monitord.cli import show, source

    answer = source.get(
        "/v1/orders",
        lambda v: _stored().orders(v, catalog_here(), every=all_, now=_now()),
        all=int(all_),
    )
    if json:
        show.as_json(answer)
        return
    show.table(answer["orders"], _ORDERS, none="no order is in force")
    for text in answer["hidden"]:
        show.line(f"! {text}", style="yellow")


@command("audit")
def audit(
    *,
    rows: Annotated[int, typer.Option(help="Also show so many of the newest acts.")] = 0,
    json: Json = False,
) -> int:
    """Prove the invariants over the journal.

    Exits 1 when one is broken or the audit chain does not verify.
    """
    from monitord.cli import show, source

    violations = source.get(
        "/v1/audit/violations", lambda v: _stored().violations(v, catalog_here())
    )["violations"]
    acts: list[dict[str, Any]] = []
    if rows > 0:
        every = (
            source.pages("audit")
            if source.running()
            else source.get("/v1/audit", lambda v: _stored().audit(v))["rows"]
        )
        acts = every[-rows:]
    if json:
        show.as_json({"violations": violations, "rows": acts})
        return 1 if violations else 0
    columns = [("AT", "at"), ("BY", "actor"), ("ACT", "act"), ("ON", "subject")]
    if acts:
        show.table(acts, [*columns, ("DETAIL", "detail")], none="")
    for text in violations:
        show.line(text, style="bold red")
    show.line(f"{len(violations)} broken" if violations else "every invariant holds")
    return 1 if violations else 0


@command("explain")
def explain(
    key: Annotated[str, typer.Argument(help="host/check, host/check/item or a service.")],
    *,
    config: Annotated[
        bool,
        typer.Option(
            "--config",
            help="Only where each value was written. (A file is given before the command: "
            "monitord --config FILE explain KEY.)",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Tell all that bears on a check, or on a service.

    Its state, policy, what it hangs on, its ladder, each guard's verdict, and where each value
    was written.
    """
    from monitord.cli import explained, show, source

    if config and not source.running():
        answer: dict[str, Any] = {"key": key, "config": explained.from_files(key)}
    else:
        answer = source.get(f"/v1/explain/{key}")
    if config:
        answer = {"key": key, "config": answer["config"]}
    if json:
        show.as_json(answer)
    else:
        explained.show_all(answer)
