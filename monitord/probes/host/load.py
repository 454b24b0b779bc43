"""Judges the run-queue average, divided by the number of CPUs that share it."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.limits import absent, over, untold
from monitord.probes.verdict import verdict


class LoadSpec(Spec):
    """How long the run queue may be, per CPU."""

    example: ClassVar[str] = """\
load: {warning: 2, critical: 4, average: 5m}
"""

    warning: Threshold | None = Field(
        default=2, validate_default=True, description="Load per CPU.", examples=[2]
    )
    critical: Threshold | None = Field(
        default=4, validate_default=True, description="Load per CPU.", examples=[4]
    )
    average: Literal["1m", "5m", "15m"] = Field(
        default="5m", description="Which of the kernel's three averages is judged."
    )


def judge(spec: LoadSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result with all three averages as measurements."""
    unknown = untold(facts, "load")
    if unknown is not None or facts.load is None:
        return [unknown or absent("load")]
    load = facts.load
    averages = {"1m": load.one, "5m": load.five, "15m": load.fifteen}
    each = averages[spec.average] / max(1, load.cpus)
    cpus = "1 CPU" if load.cpus == 1 else f"{load.cpus} CPUs"
    good = f"{each:.2f} per CPU over {spec.average}"
    finding = over(good, each, spec.warning, spec.critical)
    told = [Measurement(f"load{name}", round(value, 2)) for name, value in averages.items()]
    told.append(Measurement("per_cpu", round(each, 3), minimum=0))
    result = verdict("load", [finding], good, tuple(told))
    return [Result(result.status, f"{result.summary}, {cpus}", result.measurements)]


KIND = FactProbe("load", LoadSpec, lambda _: (Section("load"),), judge)
