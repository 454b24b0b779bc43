"""Timers as systemd tells them, in the states that a test host does not come into by itself."""

from __future__ import annotations

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.result import Result, Status
from tests.probes_facts.looking import Watch, answer

NOW = 1_795_438_400  # Mon 2026-11-23 12:53:20 UTC


def told(ran: str = "", due: str = "", state: str = "waiting") -> PluginOutput:
    timer = (
        f"begin timers\nUnit=a.service\nNextElapseUSecRealtime={due}\nLastTriggerUSec={ran}\n"
        f"Result=success\nId=a.timer\nLoadState=loaded\nActiveState=active\nSubState={state}\n"
        "UnitFileState=enabled\n"
    )
    unit = "begin units\nId=a.service\nActiveState=inactive\nResult=success\n"
    return answer(f"now {NOW}", timer, "end timers 0", unit, "end units 0")


def judged(watched: Watch, output: PluginOutput) -> Result:
    return watched.judged(output)["a.timer"]


@pytest.mark.parametrize(
    ("ran", "due", "status", "said"),
    [("Mon 2026-11-23 12:00:00 UTC", "Mon 2026-11-23 13:00:00 UTC", "OK",
      "last ran 53 min ago, next in 6 min"),
     ("Mon 2026-11-23 11:00:00 UTC", "Mon 2026-11-23 12:00:00 UTC", "CRITICAL",
      "was due 53 min 20 s ago and has not run (limit 10m)"),
     ("Fri 2026-11-20 12:00:00 UTC", "Mon 2026-11-23 13:00:00 UTC", "CRITICAL",
      "last ran 3 d 53 min ago (limit 1d2h)"),
     ("", "Mon 2026-11-23 13:00:00 UTC", "OK", "has not run yet, next in 6 min"),
     ("rubbish", "rubbish", "OK", "has not run yet")],
)  # fmt: skip
def test_when_a_timer_ran_and_is_due(ran: str, due: str, status: str, said: str) -> None:
    result = judged(Watch("timers", {"ran_within": "26h"}), told(ran, due))
    assert (result.status.name, result.summary) == (status, f"a.timer: {said}")


def test_a_boot_does_not_make_a_timer_that_ran_one_that_never_did() -> None:
    watched = Watch("timers", {"ran_within": "26h"})
    judged(watched, told("Mon 2026-11-23 12:00:00 UTC"))
    assert judged(watched, told()).summary == "a.timer: last ran 53 min ago"


def test_one_that_never_ran_is_told_after_its_time() -> None:
    watched = Watch("timers", {"ran_within": "26h"})
    watched.memory["a.timer"] = {"watched": NOW - 100_000}
    result = judged(watched, told())
    assert result.status is Status.CRITICAL
    assert "has not run since it is watched, for 1 d 3 h (limit 1d2h)" in result.summary


def test_no_systemd_is_unknown() -> None:
    result = Watch("timers", {}).judged(answer("stop missing there is no systemctl: none"))[""]
    assert result.summary == "timers: there is no systemctl: none"
    assert result.status is Status.UNKNOWN
