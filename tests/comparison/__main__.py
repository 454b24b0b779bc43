"""`make comparison`: each condition, the plugin's verdict and monitord's, and why they differ."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.comparison.condition import Table, both
from tests.comparison.conditions import conditions
from tests.comparison.world import world


def main() -> int:
    """Print the table; 1 when a pair is not as it should be."""
    with tempfile.TemporaryDirectory(prefix="compare-") as folder, world(Path(folder)) as there:
        table = Table([both(one) for one in conditions(there)])
    sys.stdout.write(table.text() + "\n")
    return 0 if all(row.as_it_should_be for row in table.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
