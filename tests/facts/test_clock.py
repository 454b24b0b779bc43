"""The offset of a host's clock: never made up by a slow answer, and found where it is real."""

from __future__ import annotations

import pytest

from monitord.model.facts import Section
from monitord.model.ids import Instant
from monitord.transports.facts_remote import parse
from tests.facts.conftest import run_script
from tests.facts.test_framing import NONCE, answer, section
from tests.world.needs import requires
from tests.world.process import find_program

SECOND = 1_000_000


def offset(first: str, last: str, *, asked: float, answered: float) -> float:
    samples = (f"\n{NONCE} clock {first}\n", section("clock", ""), f"\n{NONCE} clock {last}\n")
    facts = parse(
        "far",
        answer(*samples),
        asked_at=Instant(int(asked * SECOND)),
        answered_at=Instant(int(answered * SECOND)),
    )
    assert facts.clock is not None
    return facts.clock.offset


@pytest.mark.parametrize(
    ("first", "last", "asked", "answered", "wanted"),
    [
        ("100.5", "100.6", 100.0, 101.0, 0.0),  # explained by the way there and back
        ("100.5", "104.5", 100.0, 105.0, 0.0),  # a slow script
        ("103.0", "103.1", 100.0, 101.0, 2.1),  # ahead by 2.1 s at least
        ("90.0", "90.1", 100.0, 101.0, -10.0),  # behind by 10 s at least
        ("100.N", "100.N", 100.0, 100.2, 0.0),  # busybox tells no fractions
        ("101.N", "101.N", 100.0, 100.2, 0.8),
        ("98.N", "98.N", 100.0, 100.2, -1.0),
    ],
)
def test_the_smallest_offset_that_explains_the_samples(
    first: str, last: str, asked: float, answered: float, wanted: float
) -> None:
    assert offset(first, last, asked=asked, answered=answered) == pytest.approx(wanted)


@requires("faketime")
@pytest.mark.parametrize("shift", [-3600, 90])
def test_a_host_with_a_wrong_clock_is_found(shift: int) -> None:
    faketime = find_program("faketime") or "faketime"
    shell = [faketime, "-f", f"{shift:+d}s", "sh"]
    facts, _ = run_script(shell, "/usr/bin:/bin", (Section("clock"),))
    assert facts.clock is not None
    assert facts.clock.offset == pytest.approx(shift, abs=1.0)


def test_our_own_clock_is_in_step_with_itself() -> None:
    facts, _ = run_script(["sh"], "/usr/bin:/bin", (Section("clock"),))
    assert facts.clock is not None
    assert facts.clock.offset == 0.0
