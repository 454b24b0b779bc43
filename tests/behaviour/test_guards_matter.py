"""Take a guard away, and the promise that it keeps is broken. One promise for each guard.

That each promise holds with all guards in place is shown by test_promises.py.
"""

from pathlib import Path

import pytest

from monitord.daemon.kinds import KINDS
from monitord.decisions import guards
from monitord.engine.scenario import run_files

HERE = Path(__file__).parent
KEEPS = {
    "halt": "halted-before",
    "maintenance": "maintenance-in-mid-attempt",
    "taken": "taken-in-mid-attempt",
    "flapping": "flapping",
    "unreachable": "parent-dies-before-the-effect",
    "still failing": "recovers-before-the-effect",
    "seen once": "seen-once",
    "vantage": "network-lost-before-the-effect",
    "person": "person-at-work",
    "mode": "shadow",
    "budget": "budget-per-incident",
    "cooldown": "cooldown",
    "back-off": "back-off",
    "at once": "one-at-once-in-a-group",
    "lock": "one-at-once-under-a-lock",
    "keep healthy": "keep-healthy",
    "targets": "only-watched",
    "freeze": "freeze",
    "breaker": "breaker-opens",
    "recurring": "comes-back-a-third-time",
    "own host": "own-host",
    "boot": "just-booted",
}


def failures(promise: str) -> tuple[str, ...]:
    (report,) = run_files([HERE / f"{promise}.test.yaml"], KINDS)
    return report.failures


@pytest.mark.parametrize("guard", [guard.name for guard in guards.GUARDS])
def test_without_it_its_promise_is_broken(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = tuple(other for other in guards.GUARDS if other.name != guard)
    monkeypatch.setattr(guards, "GUARDS", rest)
    assert failures(KEEPS[guard]) != ()
