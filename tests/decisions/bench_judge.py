"""Print what one result costs: `python tests/decisions/bench_judge.py` (aim: steady below 2 µs)."""

import sys
import timeit
from collections.abc import Callable

from monitord.decisions.reach import Reach
from monitord.decisions.state import changed, judge
from monitord.model.ids import EPOCH, Instant, StateKey
from monitord.model.result import Result, Status
from monitord.model.state import CheckState, StatePolicy

NOW = Instant(1_000_000)
POLICY = StatePolicy()
FINE = Result.ok("200 in 3 ms")
BAD = Result.critical("no answer within 5 s")
BLIND = Result(Status.UNKNOWN, "no resolver answered")


def _state(*results: Result) -> CheckState:
    state = CheckState(StateKey("web1/site"), since=EPOCH)
    for result in results:
        state, _ = judge(state, result, POLICY, at=NOW, reach=Reach.UP)
    return state


def _micros(work: Callable[[], object]) -> float:
    count = 50_000
    return min(timeit.repeat(work, number=count, repeat=5)) / count * 1e6


def _judging(state: CheckState, result: Result) -> Callable[[], object]:
    return lambda: judge(state, result, POLICY, at=NOW, reach=Reach.UP)


def main() -> None:
    steady = _state(FINE)
    cases = {
        "steady OK": _judging(steady, FINE),
        "steady OK, change bits in the window": _judging(_state(FINE, BAD, FINE), FINE),
        "steady hard CRITICAL": _judging(_state(BAD, BAD, BAD), BAD),
        "OK to soft CRITICAL": _judging(steady, BAD),
        "soft to hard CRITICAL": _judging(_state(FINE, BAD, BAD), BAD),
        "UNKNOWN over hard CRITICAL": _judging(_state(BAD, BAD, BAD), BLIND),
        "changed, of two steady beliefs": lambda: changed(steady, _AFTER),
    }
    for name, work in cases.items():
        sys.stdout.write(f"{_micros(work):6.2f} µs  {name}\n")


_AFTER = _state(FINE, FINE)

if __name__ == "__main__":
    main()
