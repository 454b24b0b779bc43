"""`make nightshift`: the faults of scenarios.json, one after the other, with monitord on duty."""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich import console as terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.nightshift import table
from tests.nightshift.console import Console
from tests.nightshift.fault import Stage
from tests.nightshift.machines import Machines, machines
from tests.nightshift.monit import Monit
from tests.nightshift.night import FAULTS, in_order, played
from tests.nightshift.ours import Monitord
from tests.nightshift.row import Row
from tests.nightshift.scenarios import Scenario, load
from tests.nightshift.tool import Tool

BUILD = Path(__file__).parents[2] / "build" / "nightshift"
CONSOLE = terminal.Console(width=140 if not sys.stdout.isatty() else None)


def main() -> int:
    """Play the night; exit 1 when anything was not as it should be."""
    words = argparse.ArgumentParser(prog="make nightshift", description=__doc__)
    words.add_argument("--only", default="", help="ids, with commas between them")
    words.add_argument("--seed", type=int, default=random.randrange(10_000))  # noqa: S311 - an order
    words.add_argument("--tools", default=Monitord.name, help="monitord, Monit, or both")
    words.add_argument("--story", action="store_true", help="tell the logs of what failed")
    given = words.parse_args()
    chosen = [one for name, one in load().items() if name in FAULTS]
    if given.only:
        chosen = [one for one in chosen if one.id in given.only.split(",")]
    order = in_order(chosen, given.seed)
    CONSOLE.print(f"{len(order)} scenarios, seed {given.seed}", markup=False)
    nights: dict[str, list[Row]] = {}
    for make in [one for one in (Monitord, Monit) if one.name in given.tools.split(",")]:
        # Fresh hosts for each tool: none inherits what another has left.
        with machines() as ground, Console(ground) as console:
            tool = make(ground, console.url)
            its = [one for one in order if make is Monitord or not FAULTS[one.id].ours_alone]
            nights[tool.name] = rows = night(ground, tool, its, story=given.story)
        table.write(BUILD / f"{tool.name.lower()}.json", rows)
        table.show(CONSOLE, tool.name, rows)
    if len(nights) > 1:
        table.compare(CONSOLE, nights)
    return 0 if all(row.passed for row in nights.get(Monitord.name, ())) else 1


def night(ground: Machines, tool: Tool, scenarios: Sequence[Scenario], *, story: bool) -> list[Row]:
    """Play the scenarios in this order with one tool on duty; a day of its own for each.

    Ctrl-C ends the night after the scenario that is being undone; what was played is given.
    """
    rows: list[Row] = []
    stage = Stage(ground, tool)
    with (
        Progress(
            TextColumn(tool.name),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=CONSOLE,
        ) as progress,
        contextlib.suppress(KeyboardInterrupt),
    ):
        task = progress.add_task("", total=len(scenarios))
        for scenario in scenarios:

            def step(what: str, name: str = scenario.id) -> None:
                progress.update(task, description=f"{name} {what}")

            began = time.monotonic()
            row = played(stage, scenario, step=step)
            rows.append(row)
            took = time.monotonic() - began
            progress.console.print(f"{scenario.id} {took:.0f} s: {table.line(row)}", markup=False)
            if story and not row.passed:
                progress.console.print(row.story, markup=False)
            progress.advance(task)
    return rows


sys.exit(main())
