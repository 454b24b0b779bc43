"""What the control API asks of the engine about end users; part of `monitord.api.ports.Engine`."""

from typing import Any, Protocol


class Hearing(Protocol):
    """What end users say."""

    async def report(self, service: str, text: str) -> None:
        """Note a report about a service; CommandRefusedError where too many came just now."""
        ...

    async def reports(self) -> list[dict[str, Any]]:
        """Give the newest, the newest first: {"at", "service", "text", "incident" or null}."""
        ...
