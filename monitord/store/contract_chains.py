"""The part of the store's contract about runs of chains (contract.py has the whole)."""

from collections.abc import Mapping
from typing import Any, Protocol

from monitord.model.chain import ChainRun, Link, LinkStatus, RunStatus
from monitord.model.ids import Instant


class ChainView(Protocol):
    """Questions about runs and their links."""

    def chain_run(self, number: int) -> ChainRun | None: ...
    def chain_runs(self, key: str = "", *, limit: int = 30) -> list[ChainRun]:
        """Give the newest runs first, of one chain or of all."""
        ...

    def unfinished_runs(self, *, due_by: Instant | None = None) -> list[ChainRun]:
        """Give those that wait or run; with `due_by` only what is to be looked at by then."""
        ...

    def links(self, run: int) -> list[Link]:
        """Give a run's links by id."""
        ...

    def link_of(self, attempt: int) -> Link | None:
        """Give the link that an attempt runs or ran last, if any."""
        ...

    def link_times(self, key: str, *, runs: int = 14) -> Mapping[str, list[float]]:
        """Give by link how many seconds each DONE one took in the newest runs that ended."""
        ...


class ChainTx(ChainView, Protocol):
    """Changes to them; a move is compare-and-swap, as of all rows."""

    def add_run(self, run: ChainRun) -> int: ...
    def move_run(self, run: int, before: RunStatus, after: RunStatus, **changes: Any) -> bool: ...
    def change_run(self, run: int, expected: RunStatus, **changes: Any) -> bool: ...
    def add_link(self, link: Link) -> int: ...
    def move_link(
        self, link: int, before: LinkStatus, after: LinkStatus, **changes: Any
    ) -> bool: ...
    def change_link(self, link: int, expected: LinkStatus, **changes: Any) -> bool: ...
