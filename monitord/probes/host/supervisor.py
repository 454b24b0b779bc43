"""Judges the programs of a supervisord, as its own supervisorctl tells them: each an item."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from monitord.model.facts import Facts, ProgramFact, Section
from monitord.model.kinds import FactProbe, Target
from monitord.model.result import Cause, Result, Status
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.limits import absent

Word = Literal["ok", "warning", "critical"]

_STATUS: Mapping[str, Status] = MappingProxyType(
    {"ok": Status.OK, "warning": Status.WARNING, "critical": Status.CRITICAL}
)
_STATES: Mapping[str, tuple[Status, str]] = MappingProxyType(
    {
        "RUNNING": (Status.OK, "running"),
        "STARTING": (Status.WARNING, "is starting"),
        "STOPPING": (Status.WARNING, "is stopping"),
        "BACKOFF": (Status.CRITICAL, "ends at once each time it starts (BACKOFF)"),
        "FATAL": (Status.CRITICAL, "could not be started and was given up (FATAL)"),
        "STOPPED": (Status.CRITICAL, "was stopped (must be running)"),
        "EXITED": (Status.CRITICAL, "has exited (must be running)"),
        "UNKNOWN": (Status.CRITICAL, "is in a state that supervisor does not know"),
    }
)


def _argv(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0].strip() or any("\0" in word for word in words):
        raise ValueError("names no program: give [supervisorctl, -c, /etc/supervisor/….conf]")
    return words


class SupervisorSpec(Spec):
    """Which supervisord is asked, and for which programs."""

    example: ClassVar[str] = """\
supervisor:
  server: [supervisorctl, -c, /etc/supervisor/supervisord.conf]
  programs: ["web:*", worker]   # left out: all; one that is not there is CRITICAL
  exited: ok                    # for programs that run once
"""

    server: Annotated[tuple[str, ...], AfterValidator(_argv)] = Field(
        default=("supervisorctl",),
        description="The supervisorctl command to ask with, one word each; `status` is added.",
        examples=[["supervisorctl", "-c", "/etc/supervisor/supervisord.conf"]],
    )
    programs: tuple[str, ...] = Field(
        default=(),
        description="Programs that must be there, as supervisorctl names them (group:name; "
        "patterns too). Empty: all.",
        examples=[["worker", "web:*"]],
    )
    stopped: Word = Field(default="critical", description="What a stopped program is.")
    exited: Word = Field(
        default="critical", description="What one that has ended is; ok for those that run once."
    )


def sections(spec: SupervisorSpec) -> tuple[Section, ...]:
    """Ask this supervisord."""
    return (Section("program", spec.server),)


def judge(spec: SupervisorSpec, facts: Facts, _target: Target) -> Sequence[Result]:
    """Give one result per program; UNKNOWN without an item where supervisord does not answer."""
    reason = facts.errors.get(f"program:{' '.join(spec.server)}")
    if reason is not None:
        text = f"supervisor does not answer: {one_line(reason)}"
        return [Result.unknown(text, Cause.MISSING)]
    told = facts.programs.get(spec.server)
    if told is None:
        return [absent("programs")]
    results = [_program(spec, program) for program in told if _wanted(spec, program.name)]
    results += _missing(spec, told)
    if not results:
        return [Result.unknown("this supervisor has no programs", Cause.MISSING)]
    return results


def _wanted(spec: SupervisorSpec, name: str) -> bool:
    return not spec.programs or any(fnmatchcase(name, wish) for wish in spec.programs)


def _program(spec: SupervisorSpec, program: ProgramFact) -> Result:
    name = one_line(program.name, 100)
    status, sentence = _STATES.get(program.state, _STATES["UNKNOWN"])
    if program.state == "STOPPED":
        status = _STATUS[spec.stopped]
    if program.state == "EXITED":
        status = _STATUS[spec.exited]
    told = one_line(program.description, 120)
    return Result(status, f"{name}: {sentence}{f', {told}' if told else ''}", item=name)


def _missing(spec: SupervisorSpec, told: Sequence[ProgramFact]) -> list[Result]:
    gone = [
        one_line(wish, 100)
        for wish in spec.programs
        if not any(fnmatchcase(program.name, wish) for program in told)
    ]
    text = "supervisor knows no such program (its configuration has lost it)"
    return [replace(Result.critical(f"{name}: {text}"), item=name) for name in gone]


def items(spec: SupervisorSpec) -> tuple[str, ...] | None:
    """Give the named programs; which a pattern means only the host knows."""
    open_end = not spec.programs or any(sign in wish for wish in spec.programs for sign in "*?[")
    return None if open_end else spec.programs


KIND = FactProbe("supervisor", SupervisorSpec, sections, judge, sees_death=True, items=items)
