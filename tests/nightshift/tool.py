"""What the night asks of a tool that is on duty: ours, and each peer beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Told:
    """What a tool says of one scenario. Instants are seconds of the wall clock, None: never.

    `opened` are the incidents by key with the instant; `tickets` the text of each ticket by key;
    `effects` what it did, a line for each repair; `refused` what it refused to do, a line each;
    `broken` what it did against its own rules.
    """

    found: float | None = None
    verified: float | None = None
    opened: Mapping[str, float] = field(default_factory=dict)
    tickets: Mapping[str, str] = field(default_factory=dict)
    effects: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


class Tool(Protocol):
    """A tool on duty.

    `name` stands over its column, `proves` says whether it verifies repairs, `tells` whether what
    it tells a person bears the key of the check, so that it can be waited for.
    """

    name: str
    proves: bool
    tells: bool

    def begin(self) -> None:
        """Start it on a day of its own, and wait until all it watches is well."""

    def end(self) -> None:
        """Stop it and forget the day. Nothing happens when it is not on duty."""

    def told(self, key: str, since: float) -> Told:
        """Give what it says since an instant; `key` is the check that should have found it."""

    def unwell(self) -> list[str]:
        """Give what of all that it watches is not well, or still open."""

    def announce(self, key: str, reason: str) -> None:
        """Put a check into maintenance, as a person would before a planned stop."""

    def ping(self, key: str) -> str:
        """Give the command by which a job tells its `$out` and `$code`; "" without any."""

    def story(self) -> str:
        """Give its logs, for a person who reads why a scenario failed."""
