"""The table of a night: a line for each scenario, and the sums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


def compare(console: Console, nights: Mapping[str, Sequence[Row]]) -> None:
    """Print the tools side by side: how soon it answered again, or what was done wrongly."""
    table = Table("", "scenario", "expected", *nights, title="side by side")
    by_id = {name: {row.scenario.id: row for row in rows} for name, rows in nights.items()}
    for row in sorted(next(iter(nights.values())), key=lambda row: row.scenario.id):
        cells = [_cell(rows.get(row.scenario.id)) for rows in by_id.values()]
        table.add_row(row.scenario.id, row.scenario.title[:48], row.scenario.expected.value, *cells)
    console.print(table)
    for name, rows in nights.items():
        console.print(f"{name}: {summed(rows)}", markup=False)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if row.wrong:
        return "[red]wrong[/]"
    if row.scenario.expected is Expected.REPAIR:
        return f"again after {row.answers:.1f} s" if row.answers else "[red]not repaired[/]"
    return "left alone"


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
        f"answers again after {_span(again)}; verified after {_span(proven)}\n"
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


def _span(values: Sequence[float]) -> str:
    if not values:
        return "(never)"
    return f"{min(values):.1f} to {max(values):.1f} s, {median(values):.1f} s in the middle"
