"""`make nightshift`: the faults of scenarios.json, one after the other, with monitord on duty.

With more tools than one each has hosts of its own, and all have the same fault at the same instant.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich import console as terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.nightshift import compare, table
from tests.nightshift.console import Console
from tests.nightshift.fault import Stage
from tests.nightshift.icinga import Icinga
from tests.nightshift.machines import machines
from tests.nightshift.monit import Monit
from tests.nightshift.night import FAULTS, in_order, played
from tests.nightshift.ours import Monitord
from tests.nightshift.row import Row
from tests.nightshift.scenarios import Scenario, load

BUILD = Path(__file__).parents[2] / "build" / "nightshift"
CONSOLE = terminal.Console(width=140 if not sys.stdout.isatty() else None)
TOOLS = {one.name: one for one in (Monitord, Monit, Icinga)}


def main() -> int:
    """Play the night; exit 1 when anything of monitord's was not as it should be."""
    words = argparse.ArgumentParser(prog="make nightshift", description=__doc__)
    words.add_argument("--only", default="", help="ids, with commas between them")
    words.add_argument("--seed", type=int, default=random.randrange(10_000))  # noqa: S311 - an order
    words.add_argument(
        "--tools", type=_tools, default=_tools(Monitord.name), help=f"some of {','.join(TOOLS)}"
    )
    words.add_argument("--story", action="store_true", help="tell the logs of what failed")
    given = words.parse_args()
    chosen = [one for name, one in load().items() if name in FAULTS]
    if given.only:
        chosen = [one for one in chosen if one.id in given.only.split(",")]
    order = in_order(chosen, given.seed)
    names = ", ".join(given.tools)
    CONSOLE.print(f"{len(order)} scenarios, seed {given.seed}, on duty: {names}", markup=False)
    with contextlib.ExitStack() as grounds:
        stages = [_stage(grounds, name) for name in given.tools]
        nights = night(stages, order, story=given.story)
    for name, rows in nights.items():
        table.write(BUILD / f"{name.lower()}.json", rows)
        table.show(CONSOLE, name, rows)
    if len(nights) > 1:
        compare.show(CONSOLE, nights)
        compare.write(BUILD / "side-by-side.txt", nights)
    return 0 if all(row.passed for row in nights.get(Monitord.name, ())) else 1


def _tools(text: str) -> list[str]:
    unknown = [name for name in text.split(",") if name not in TOOLS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no tool {unknown[0]!r}: there are {', '.join(TOOLS)}")
    return text.split(",")


def _stage(grounds: contextlib.ExitStack, name: str) -> Stage:
    """Boot hosts for one tool: none has those of another."""
    ground = grounds.enter_context(machines())
    console = grounds.enter_context(Console(ground))
    return Stage(ground, TOOLS[name](ground, console.url))


def night(
    stages: Sequence[Stage], scenarios: Sequence[Scenario], *, story: bool
) -> dict[str, list[Row]]:
    """Play the scenarios in this order with each tool on duty at once; the rows by tool.

    Ctrl-C ends the night after the scenario that is being undone; what was played is given.
    """
    rows: dict[str, list[Row]] = {stage.tool.name: [] for stage in stages}
    columns = (TextColumn("night"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, TextColumn("{task.description}"), console=CONSOLE) as progress,
        contextlib.suppress(KeyboardInterrupt),
    ):
        task = progress.add_task("", total=len(scenarios))
        for scenario in scenarios:
            progress.update(task, description=scenario.id)
            began = time.monotonic()
            for name, row in at_once(stages, scenario).items():
                rows[name].append(row)
                took = time.monotonic() - began
                said = f"{scenario.id} {name} {took:.0f} s: {table.line(row)}"
                progress.console.print(said, markup=False)
                if story and not row.passed:
                    progress.console.print(row.story, markup=False)
            progress.advance(task)
    return rows


def at_once(stages: Sequence[Stage], scenario: Scenario) -> dict[str, Row]:
    """Play one scenario on all the stages that have a counterpart of it, at the same time."""
    alone = FAULTS[scenario.id].ours_alone
    playing = [stage for stage in stages if not alone or stage.tool.name == Monitord.name]
    together = threading.Barrier(max(1, len(playing)))
    with ThreadPoolExecutor(max_workers=max(1, len(playing))) as pool:
        for stage in playing:
            stage.together = together
        rows = list(pool.map(lambda stage: played(stage, scenario), playing))
    return {stage.tool.name: row for stage, row in zip(playing, rows, strict=True)}


sys.exit(main())
