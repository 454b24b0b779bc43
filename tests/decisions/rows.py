"""Rows of results in one line of text, so that a test of the state rules reads as a table.

Results: O W C U P (OK, WARNING, CRITICAL, UNKNOWN, PENDING); `?` after it: a parent is UNSURE,
`!`: a parent is DOWN. Beliefs: the hard status, then the attempt, then u (unreachable), s (stale).
"""

from typing import Any

from monitord.decisions.reach import Reach
from monitord.decisions.state import judge
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Cause, Result, Status
from monitord.model.state import CheckState, StatePolicy, Transition

LETTERS = {"O": Status.OK, "W": Status.WARNING, "C": Status.CRITICAL, "U": Status.UNKNOWN}
LETTERS["P"] = Status.PENDING
REACH = {"": Reach.UP, "?": Reach.UNSURE, "!": Reach.DOWN}
FRESH = CheckState(StateKey("web1/disk/var"))
CALM = StatePolicy(attempts=3, recoveries=2, flapping=False)


def result_of(letter: str, **more: Any) -> Result:
    cause = Cause.TIMEOUT if letter == "U" else None
    return Result(LETTERS[letter], f"it is {letter}", cause=cause, **more)


def run(
    words: str, state: CheckState = FRESH, policy: StatePolicy = CALM, start: int = 1
) -> tuple[list[CheckState], list[Transition]]:
    """Judge results one second apart; the first comes at second `start`."""
    states: list[CheckState] = []
    transitions: list[Transition] = []
    for second, word in enumerate(words.split(), start):
        at = Instant(second * 1_000_000)
        state, new = judge(state, result_of(word[0]), policy, at=at, reach=REACH[word[1:]])
        states.append(state)
        transitions += new
    return states, transitions


def last(words: str, **more: Any) -> CheckState:
    return run(words, **more)[0][-1]


def belief(state: CheckState) -> str:
    letter = next(letter for letter, status in LETTERS.items() if status is state.hard)
    return f"{letter}{state.attempt}{'u' * state.unreachable}{'s' * state.stale}"


def changes(words: str, **more: Any) -> list[tuple[str, str, str, int]]:
    """Give each transition: its change, the hard status before and after, the second."""
    return [
        (str(one.change), one.before.name, one.after.name, one.at // 1_000_000)
        for one in run(words, **more)[1]
    ]
