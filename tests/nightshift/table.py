"""The table of a night: a line for each scenario, and the sums."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.nightshift.row import Row
from tests.nightshift.scenarios import Expected

COLUMNS = ("found", "answers", "verified", "tickets", "actions")


def show(console: Console, title: str, rows: Sequence[Row]) -> None:
    """Print the table, then what went wrong, then the sums."""
    table = Table("", "scenario", "expected", *COLUMNS, "outcome", title=title)
    for row in sorted(rows, key=lambda row: row.scenario.id):
        table.add_row(
            row.scenario.id,
            row.scenario.title[:48],
            row.scenario.expected.value,
            *(_seconds(value) for value in (row.found, row.answers, row.verified)),
            str(row.tickets),
            str(row.effects),
            "[green]as it should be[/]" if row.passed else "[red]NOT[/]",
        )
    console.print(table)
    for row in rows:
        for line in (*row.wrong, *row.short):
            console.print(f"{row.scenario.id}: {line}", style="red", markup=False)
    console.print(summed(rows), markup=False)


def line(row: Row) -> str:
    """Give what came of a scenario, in one line."""
    said = "as it should be" if row.passed else "; ".join((*row.wrong, *row.short))
    seen = (("found", row.found), ("answers", row.answers), ("verified", row.verified))
    times = [f"{word} after {_seconds(value)}" for word, value in seen if value is not None]
    return f"{said} ({', '.join(times)})" if times else said


def summed(rows: Sequence[Row]) -> str:
    """Give the sums in some lines of text."""
    repairs = [row for row in rows if row.scenario.expected is Expected.REPAIR]
    others = [row for row in rows if row.scenario.expected is not Expected.REPAIR]
    again = [row.answers for row in repairs if row.answers is not None]
    proven = [row.verified for row in repairs if row.verified is not None]
    wrong = sum(bool(row.wrong) for row in others)
    return (
        f"repaired {len(again)} of {len(repairs)}, verified {len(proven)};"
        f" wrong in {wrong} of {len(others)} that must not be repaired\n"
        f"answers again after {span(again)}; verified after {span(proven)}\n"
        f"as it should be: {sum(row.passed for row in rows)} of {len(rows)}"
    )


def write(path: Path, rows: Sequence[Row]) -> None:
    """Keep the rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([_plain(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def _plain(row: Row) -> dict[str, object]:
    return {**asdict(row), "scenario": row.scenario.id, "story": ""}


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def span(values: Sequence[float]) -> str:
    """Give the least, the most and the middle of some seconds."""
    if not values:
        return "(never)"
    return f"{min(values):.1f} to {max(values):.1f} s, {median(values):.1f} s in the middle"
