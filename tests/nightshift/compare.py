"""The tools side by side, in one table: what became of each scenario, then the sums.

A sum has its denominator. A tool that has no counterpart of a scenario has an empty cell for it,
and it is not counted there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.nightshift.row import Row
from tests.nightshift.scenarios import Expected
from tests.nightshift.table import span

Nights = Mapping[str, Sequence[Row]]
_FOR_A_PERSON = (Expected.TICKET, Expected.REFUSE)


def show(console: Console, nights: Nights) -> None:
    """Print the table, and what was done wrongly by whom."""
    console.print(_table(nights))
    for name, rows in nights.items():
        for row in rows:
            for line in row.wrong:
                console.print(f"{name} {row.scenario.id} wrong: {line}", markup=False)


def write(path: Path, nights: Nights) -> None:
    """Keep as text what `show` prints."""
    with path.open("w", encoding="utf-8") as file:
        show(Console(file=file, width=140), nights)


def _table(nights: Nights) -> Table:
    table = Table("", "scenario", "expected", *nights, title="side by side")
    by_id = {name: {row.scenario.id: row for row in rows} for name, rows in nights.items()}
    scenarios = {row.scenario.id: row.scenario for rows in nights.values() for row in rows}
    for scenario in sorted(scenarios.values(), key=lambda scenario: scenario.id):
        cells = [_cell(rows.get(scenario.id)) for rows in by_id.values()]
        table.add_row(scenario.id, scenario.title[:44], scenario.expected.value, *cells)
    table.add_section()
    sums = {name: _sums(rows) for name, rows in nights.items()}
    for what in next(iter(sums.values())):
        table.add_row("", what, "", *(its[what] for its in sums.values()))
    return table


def _cell(row: Row | None) -> str:
    """Give what came of it: the repair and its proof, the wrong action, who was told."""
    if row is None or row.broke:
        return "" if row is None else "(broke off)"
    words = [f"told {row.tickets}"] if row.tickets else []
    if row.scenario.expected is Expected.REPAIR:
        proof = "" if row.verified is None else f", proof {row.verified:.1f} s"
        again = "not repaired" if row.answers is None else f"again {row.answers:.1f} s{proof}"
        words.insert(0, again)
    elif not row.wrong:
        words.insert(0, "left alone")
    if row.wrong:
        words.insert(0, "WRONG")
    return ", ".join(words)


def _sums(rows: Sequence[Row]) -> dict[str, str]:
    """Give each figure with its denominator, by what it counts; what broke off is not counted."""
    rows = [row for row in rows if not row.broke]
    repairs = [row for row in rows if row.scenario.expected is Expected.REPAIR]
    others = [row for row in rows if row.scenario.expected is not Expected.REPAIR]
    people = [row for row in rows if row.scenario.expected in _FOR_A_PERSON]
    quiet = [row for row in rows if row.scenario.expected not in _FOR_A_PERSON]
    again = [row.answers for row in repairs if row.answers is not None]
    proven = [row.verified for row in repairs if row.verified is not None]

    def share(counted: Sequence[Row], of: Sequence[Row]) -> str:
        return f"{len(counted)} of {len(of)}"

    return {
        "repaired": f"{len(again)} of {len(repairs)}",
        "repaired, and nothing else touched": share(
            [row for row in repairs if row.answers is not None and not row.wrong], repairs
        ),
        "repair verified by the tool": f"{len(proven)} of {len(repairs)}",
        "until it answers again": span(again),
        "until verified": span(proven),
        "wrong action where none is right": share([row for row in others if row.wrong], others),
        "a person told where one must decide": share(
            [row for row in people if row.tickets], people
        ),
        "a person told for nothing": share([row for row in quiet if row.tickets], quiet),
        "actions": str(sum(row.effects for row in rows)),
        "tickets or notifications": str(sum(row.tickets for row in rows)),
    }
