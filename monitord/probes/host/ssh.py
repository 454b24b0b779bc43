"""Judges whether the executor can log in at all: the check that all others of a host hang on.

Facts that arrive are the proof. A login that fails never gets here: the engine turns it into
CRITICAL for this kind, and into UNKNOWN for every other.
"""

from collections.abc import Sequence
from typing import ClassVar

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result, Status
from monitord.model.spec import Spec
from monitord.probes.limits import show_age


class SshSpec(Spec):
    """Nothing to say: the host's `login` tells how to get in."""

    example: ClassVar[str] = """\
ssh: {}
"""


def judge(_spec: SshSpec, facts: Facts, target: Target) -> Sequence[Result]:
    """Give OK, and mention a reboot since the last look."""
    before = target.memory.get("", {}).get("boot_id")
    booted = isinstance(before, str) and before and facts.boot_id and before != facts.boot_id
    news = ", rebooted since the last look" if booted else ""
    return [
        Result(
            Status.OK,
            f"login works, up for {show_age(facts.uptime, 1)}{news}",
            (Measurement("uptime", round(facts.uptime, 1), "s", minimum=0),),
            memory={"boot_id": facts.boot_id},
        )
    ]


KIND = FactProbe("ssh", SshSpec, lambda _: (Section("ping"), Section("boot")), judge)
