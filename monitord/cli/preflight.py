"""`monitord preflight`: whether hosts can be checked and repaired, before it matters."""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_COLUMNS = (
    ("HOST", "host"),
    ("CAN CHECK", "can_check"),
    ("CAN REPAIR", "can_repair"),
    ("CLOCK", "offset"),
    ("WHAT IS WRONG", "wrong"),
)


@command("preflight")
def preflight(
    hosts: Annotated[str, typer.Argument(help="A selector: web1, group=web; left out: all.")] = "*",
    *,
    json: Json = False,
) -> int:
    """Look whether hosts can be checked and repaired: login, host key, clock, tools, sudo.

    It logs in as the executor does, so run it as its user. Exits 1 when a host cannot be checked,
    or cannot be repaired although its login acts.
    """
    from monitord.cli import show

    rows = [_row(one) for one in _looked(hosts)]
    if json:
        show.as_json({"hosts": rows})
    else:
        show.table(rows, _COLUMNS, none="no host of these is logged into")
        for row in rows:
            for note in row["notes"]:
                show.line(f"{row['host']}: {note}")
    return 0 if all(row["ready"] for row in rows) else 1


def _looked(text: str) -> Any:
    import asyncio

    from monitord.cli import composed, places
    from monitord.clock import SystemClock
    from monitord.decisions import selector as selectors
    from monitord.executor import preflight as looking
    from monitord.executor.hosts import Hosts

    catalog = composed.load(places.config())
    selector = selectors.parse(text)
    chosen = [
        host
        for host in catalog.hosts.values()
        if host.login.kind in ("ssh", "local") and selectors.matches(selector, host=host)
    ]

    async def look() -> Any:
        doors = Hosts(SystemClock())
        try:
            return await looking.look(catalog, chosen, composed.KINDS, doors)
        finally:
            doors.close()

    return asyncio.run(look())


def _row(one: Any) -> dict[str, Any]:
    wrong = [text for text in (one.host_key, one.login, one.act) if text]
    wrong += [f"missing: {', '.join(one.tools)}"] if one.tools else []
    wrong += [f"the clock is {one.clock:+.0f} s off"] if not one.in_time else []
    if one.sudo:
        more = f" and {len(one.sudo) - 1} more" if len(one.sudo) > 1 else ""
        cure = f"monitord sudoers {one.host}"
        wrong.append(f"sudo does not allow: {one.sudo[0]}{more} ({cure})")
    return {
        "host": one.host,
        "can_check": one.can_check,
        "can_repair": one.can_repair,
        "ready": one.can_check and (one.can_repair or not one.may_act),
        "offset": "" if one.clock is None else f"{one.clock:+.1f} s",
        "clock": one.clock,
        "login": one.login,
        "host_key": one.host_key,
        "acting_login": one.act,
        "tools": one.tools,
        "sudo": one.sudo,
        "wrong": "; ".join(wrong),
        "notes": one.notes,
    }
