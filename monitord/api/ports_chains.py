"""What the API asks of the engine about chains; part of the one port (ports.py)."""

from collections.abc import Mapping
from typing import Any, Protocol


class Chains(Protocol):
    """What people order of a chain's run; `name` is its key, `host/chain`.

    Errors: NotFoundError for a chain or link that is none, CommandRefusedError with the reason.
    """

    async def preview(self, name: str, link: str, deed: str) -> Mapping[str, Any]:
        """Say what an order would do: {"chain", "link", "deed", "plan", "then"}."""
        ...

    async def rerun(self, name: str, link: str, *, by: str, reason: str) -> None:
        """Have a failed link started again."""
        ...

    async def skip(self, name: str, link: str, *, by: str, reason: str) -> None:
        """Count a link as done for this run."""
        ...

    async def hold(self, name: str, *, on: bool, by: str, reason: str) -> None:
        """Start nothing more of a run, or let it go on."""
        ...


class HasChains(Protocol):
    """The part of the engine that takes these orders."""

    @property
    def chains(self) -> Chains:
        """What people order of chains."""
        ...
