"""The changes to runs of chains and their links; part of the one tx (tx.py)."""

from typing import Any

from monitord.model.chain import (
    LINK_MOVES,
    RUN_MOVES,
    ChainRun,
    Link,
    LinkStatus,
    RunStatus,
)
from monitord.store import tables as t
from monitord.store.tx_rows import RowWriter


class ChainTx(RowWriter):
    """Changes to the writer's connection."""

    def add_run(self, run: ChainRun) -> int:
        """Insert."""
        return self._add(t.CHAIN_RUNS, run)

    def move_run(self, run: int, before: RunStatus, after: RunStatus, **changes: Any) -> bool:
        """Compare-and-swap."""
        return self._move(t.CHAIN_RUNS, run, (before, after), RUN_MOVES, changes)

    def change_run(self, run: int, expected: RunStatus, **changes: Any) -> bool:
        """Change columns of a run in `expected`."""
        return self._change(t.CHAIN_RUNS, run, expected, changes)

    def add_link(self, link: Link) -> int:
        """Insert."""
        return self._add(t.CHAIN_LINKS, link)

    def move_link(self, link: int, before: LinkStatus, after: LinkStatus, **changes: Any) -> bool:
        """Compare-and-swap."""
        return self._move(t.CHAIN_LINKS, link, (before, after), LINK_MOVES, changes)

    def change_link(self, link: int, expected: LinkStatus, **changes: Any) -> bool:
        """Change columns of a link in `expected`."""
        return self._change(t.CHAIN_LINKS, link, expected, changes)
