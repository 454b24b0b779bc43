"""Judges how much memory is left, by the kernel's own estimate, and how full the swap is."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, MemoryFact, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.limits import absent, over, show_bytes, show_percent, untold
from monitord.probes.verdict import verdict


class MemorySpec(Spec):
    """How little memory may be left; a limit set to null is off."""

    example: ClassVar[str] = """\
memory:
  warning: "10:"                # percent available: below 10
  critical: "5:"
  swap_critical: 90%            # used
"""

    warning: Threshold | None = Field(
        default="10:",
        validate_default=True,
        description="Available memory in percent, a range: 10: warns below 10 %.",
        examples=["10:"],
    )
    critical: Threshold | None = Field(
        default="5:", validate_default=True, description="The same.", examples=["5:"]
    )
    swap_warning: Threshold | None = Field(
        default="60%", validate_default=True, description="Used swap in percent.", examples=["60%"]
    )
    swap_critical: Threshold | None = Field(
        default="90%", validate_default=True, description="The same.", examples=["90%"]
    )


def judge(spec: MemorySpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result; a machine without swap is judged by its memory alone."""
    unknown = untold(facts, "memory")
    if unknown is not None or facts.memory is None:
        return [unknown or absent("memory")]
    memory = facts.memory
    left = 100 * memory.available / memory.total if memory.total else 0.0
    swap = _swap_used(memory)
    of = f"{show_bytes(memory.available)} of {show_bytes(memory.total)}"
    findings = [over(f"{show_percent(left)} % available", left, spec.warning, spec.critical, "%")]
    measurements = [
        Measurement("available", memory.available, "B", minimum=0, maximum=memory.total)
    ]
    if swap is not None:
        sentence = f"{show_percent(swap)} % of {show_bytes(memory.swap_total)} swap used"
        findings.append(over(sentence, swap, spec.swap_warning, spec.swap_critical, "%"))
        measurements.append(Measurement("swap", round(swap, 2), "%", minimum=0, maximum=100))
    told = tuple(measurements)
    result = verdict("memory", findings, f"{left:.0f} % available", told)
    return [Result(result.status, f"{result.summary}, {of}", told)]


def _swap_used(memory: MemoryFact) -> float | None:
    if memory.swap_total <= 0:
        return None
    return 100 * (memory.swap_total - memory.swap_free) / memory.swap_total


KIND = FactProbe("memory", MemorySpec, lambda _: (Section("memory"),), judge)
