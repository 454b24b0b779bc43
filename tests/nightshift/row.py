"""One line of the night's table: what came of a scenario."""

from __future__ import annotations

from dataclasses import dataclass

from tests.nightshift.scenarios import Scenario


@dataclass(frozen=True)
class Row:
    """What came of one scenario. Times are seconds since the fault was in, None: not seen.

    `wrong` are actions that should not have been, `short` what is missing; both empty: it passed.
    `broke` says that it could not be played to its end: nothing is known of the tool then.
    """

    scenario: Scenario
    found: float | None = None
    answers: float | None = None
    verified: float | None = None
    tickets: int = 0
    effects: int = 0
    wrong: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    story: str = ""
    broke: bool = False

    @property
    def passed(self) -> bool:
        """Whether all was as it should be."""
        return not self.wrong and not self.short
