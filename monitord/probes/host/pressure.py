"""Judges the kernel's own account of who had to wait (PSI): CPU, memory and disks, an item each.

Source: Documentation/accounting/psi.rst. `some` is time in which at least one task waited, `full`
time in which nobody got on; of a whole machine's CPU only `some` says anything.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Cause, Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.host.kernel import decimal
from monitord.probes.limits import over, show_percent, untold
from monitord.probes.verdict import verdict

_LINE = re.compile(r"(some|full) avg10=(\S+) avg60=(\S+) avg300=(\S+) total=[0-9]{1,20}")
_AVERAGES = ("10s", "1m", "5m")
_CAUSES = {
    "cpu": "more work than CPUs; see who: top",
    "memory": "programs wait for memory to be freed or swapped in",
    "io": "programs wait for disks; see disk_io for which",
}


class PressureSpec(Spec):
    """How long tasks may wait, in percent of the time; a limit set to null is off."""

    example: ClassVar[str] = "pressure:\n  io_warning: 60%\n  average: 5m\n"
    rhythm: ClassVar[Mapping[str, str | int]] = {"every": "60s", "attempts": 5}
    cpu_warning: Threshold | None = Field(
        default="70%", validate_default=True, description="Some task waited for a CPU, in percent."
    )
    cpu_critical: Threshold | None = Field(default=None, description="The same.")
    memory_warning: Threshold | None = Field(
        default="10%", validate_default=True, description="All tasks waited for memory, in percent."
    )
    memory_critical: Threshold | None = Field(
        default="30%", validate_default=True, description="The same."
    )
    io_warning: Threshold | None = Field(
        default="40%", validate_default=True, description="All tasks waited for disks, in percent."
    )
    io_critical: Threshold | None = Field(
        default="80%", validate_default=True, description="The same."
    )
    average: Literal["10s", "1m", "5m"] = Field(
        default="1m", description="Which of the kernel's three averages is judged."
    )


def parse(text: str) -> dict[str, tuple[float, float, float]]:
    """Give the averages over 10 s, 1 min and 5 min by `some` and `full`, in percent."""
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        numbers = [decimal(match[n]) for n in (2, 3, 4)] if match else [None]
        if match and None not in numbers:
            ten, sixty, long = (number or 0.0 for number in numbers)
            found[match[1]] = (ten, sixty, long)
    return found


def judge(spec: PressureSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result for each of cpu, memory and io that the kernel tells of."""
    unknown = untold(facts, "kernel")
    if unknown is not None:
        return [unknown]
    results = []
    for item in _CAUSES:
        told = parse(facts.kernel.get(f"/proc/pressure/{item}", ""))
        if told:
            results.append(_one(spec, item, told))
    if results:
        return results
    why = "the kernel tells no pressure: it is older than 4.20, or needs psi=1 on its command line"
    return [Result.unknown(why, Cause.MISSING)]


def _one(spec: PressureSpec, item: str, told: Mapping[str, tuple[float, ...]]) -> Result:
    place = _AVERAGES.index(spec.average)
    word = "some" if item == "cpu" else "full"
    share = told.get(word, (0.0, 0.0, 0.0))[place]
    who = "some task" if item == "cpu" else "everything"
    sentence = f"{who} waited {show_percent(share)} % of the last {spec.average}"
    limits = (getattr(spec, f"{item}_warning"), getattr(spec, f"{item}_critical"))
    found = over(sentence, share, *limits, "%")
    finding = None if found is None else (found[0], f"{found[1]}: {_CAUSES[item]}")
    measured = tuple(
        Measurement(name, averages[place], "%", minimum=0, maximum=100)
        for name, averages in sorted(told.items())
    )
    good = f"{who} waited {share:.0f} % of the last {spec.average}"
    return replace(verdict(item, [finding], good, measured), item=item)


KIND = FactProbe(
    "pressure",
    PressureSpec,
    lambda _: (Section("kernel", ("pressure",)),),
    judge,
)
