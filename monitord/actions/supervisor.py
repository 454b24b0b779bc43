"""`supervisor`: start, restart or stop one program of a supervisord, through supervisorctl."""

import re
from typing import Annotated, Literal

from pydantic import Field

from monitord.actions.command import Argv
from monitord.actions.text import Text, fill, fill_all
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_PROGRAM = re.compile(r"[A-Za-z0-9_.@+][A-Za-z0-9_.@+:*-]{0,250}")


class SupervisorSpec(Spec):
    """`supervisor: {program: worker, do: start, server: [supervisorctl, -c, /srv/s.conf]}`.

    `server` is the argv that reaches the right supervisord, as in the supervisor probe.
    """

    program: Annotated[Text, Field(min_length=1)]
    do: Literal["start", "restart", "stop"]
    server: Argv = ("supervisorctl",)
    sudo: bool = False


def program_name(spec: SupervisorSpec, context: StepContext) -> str:
    """Give the program's name (`group:name` too).

    Raises:
        ValueError: a slot has no value, or it cannot be one program's name (`all` is every one).
    """
    name = fill(spec.program, context)
    if not _PROGRAM.fullmatch(name) or name == "all" or "*" in name:
        raise ValueError(f"{name!r} is not the name of one program (group:name or name)")
    return name


def render(spec: SupervisorSpec, context: StepContext) -> Command:
    """Give the supervisorctl argv.

    Raises:
        ValueError: as `program_name`.
    """
    server = fill_all(spec.server, context)
    return Command((*server, spec.do, program_name(spec, context)), sudo=spec.sudo)


def resource(spec: SupervisorSpec, context: StepContext) -> str:
    """Name the program."""
    return f"{context.host}:program:{program_name(spec, context)}"


KIND = ActionKind("supervisor", SupervisorSpec, render, resource)
