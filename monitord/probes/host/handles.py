"""Judges how much is left of what a kernel gives out by number: open files, and tasks."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from monitord.model.facts import Facts, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.host import kernel
from monitord.probes.limits import absent, over, show_percent, untold
from monitord.probes.verdict import Finding, verdict

_FILES = 3  # allocated, free, most
_TASKS = 3  # the field of /proc/loadavg: running/all


class HandlesSpec(Spec):
    """How full the kernel's tables of open files and of tasks may be."""

    example: ClassVar[str] = "handles:\n  warning: 70%\n"
    warning: Threshold | None = Field(
        default="80%", validate_default=True, description="In use, in percent of the kernel's most."
    )
    critical: Threshold | None = Field(
        default="95%", validate_default=True, description="The same."
    )


def judge(spec: HandlesSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result about both tables."""
    unknown = untold(facts, "kernel")
    files = kernel.wholes(facts.kernel.get("/proc/sys/fs/file-nr", "").split())
    if unknown is not None or files is None or len(files) != _FILES or files[2] <= 0:
        return [unknown or absent("handles")]
    used = 100 * (files[0] - files[1]) / files[2]
    told = [Measurement("files", files[0] - files[1], minimum=0, maximum=files[2])]
    sentence = f"{show_percent(used)} % of the {files[2]} open files"
    findings: list[Finding | None] = [
        _cause(over(sentence, used, spec.warning, spec.critical, "%"), "a program leaks them: lsof")
    ]
    tasks, most = _tasks(facts)
    if most:
        share = 100 * tasks / most
        told.append(Measurement("tasks", tasks, minimum=0, maximum=most))
        sentence = f"{show_percent(share)} % of the {most} tasks"
        found = over(sentence, share, spec.warning, spec.critical, "%")
        findings.append(_cause(found, "a program forks or starts threads without end"))
    good = f"{used:.0f} % of the open files in use"
    return [verdict("handles", findings, good, tuple(told))]


def _cause(found: Finding | None, cause: str) -> Finding | None:
    return None if found is None else (found[0], f"{found[1]}: {cause}")


def _tasks(facts: Facts) -> tuple[int, int]:
    words = facts.kernel.get("/proc/loadavg", "").split()
    now = kernel.whole(words[_TASKS].partition("/")[2]) if len(words) > _TASKS else None
    limits = [
        limit
        for name in ("pid_max", "threads-max")
        if (limit := kernel.value(facts, f"/proc/sys/kernel/{name}"))
    ]
    return (now, min(limits)) if now and limits else (0, 0)


KIND = FactProbe("handles", HandlesSpec, lambda _: (Section("kernel", ("limits",)),), judge)
