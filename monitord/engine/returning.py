"""Remembers when what others hang on came back: what failed before that was no fault of theirs.

In memory only: after a restart all that is bad is looked at anew. How a result counts is not its
business.
"""

from collections.abc import Sequence

from monitord.decisions.state import begun_anew
from monitord.model.catalog import Requirement
from monitord.model.ids import CheckKey, Instant, split_state_key
from monitord.model.result import Status
from monitord.model.state import CheckState

_DOWN = (Status.CRITICAL, Status.UNKNOWN)


class Returns:
    """When each check was last seen to come back from an outage."""

    def __init__(self) -> None:
        self._at: dict[CheckKey, Instant] = {}

    def note(self, before: CheckState, after: CheckState) -> None:
        """Take in a change of what is believed."""
        if _is_down(before) and not _is_down(after):
            self._at[split_state_key(after.key)[0]] = after.last_seen

    def excuse(self, state: CheckState, requirements: Sequence[Requirement]) -> CheckState:
        """Give the state without its soft failures, if these were not all met since the first."""
        if state.first_failed is None or not self._since(requirements, state.first_failed):
            return state
        return begun_anew(state)

    def _since(self, requirements: Sequence[Requirement], first_failed: Instant) -> bool:
        # Of several of which one suffices, all must have been away.
        for requirement in requirements:
            away = [self._at.get(key, Instant(0)) >= first_failed for key in requirement.keys]
            if away and (all(away) if requirement.mode == "any" else any(away)):
                return True
        return False


def _is_down(state: CheckState) -> bool:
    return state.unreachable or state.hard in _DOWN
