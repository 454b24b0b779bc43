"""Our probes and the official plugins about the same conditions: the same verdict, or why not."""

from __future__ import annotations

from pathlib import Path

from tests.comparison.condition import Table, both
from tests.comparison.conditions import conditions
from tests.comparison.world import world
from tests.world.needs import requires

pytestmark = requires("plugins", "named", "dig", "dovecot", "chronyd")


def test_verdicts_are_the_same_or_the_difference_is_explained(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        table = Table([both(one) for one in conditions(there)])
    print(table.text())  # noqa: T201 - the table is what this test shows
    assert len(table.rows) >= 60
    assert [row.of.what for row in table.rows if not row.as_it_should_be] == []
