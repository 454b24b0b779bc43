"""`supervisor`: start, restart or stop one program of a supervisord, or look at it.

It goes through supervisorctl, and decides nothing about the program.
"""

import re
from typing import Annotated, Literal

from pydantic import Field

from monitord.actions.text import Argv, Switch, Text, Words, argv_of, fill, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_PROGRAM = re.compile(r"[A-Za-z0-9_.@+][A-Za-z0-9_.@+:*-]{0,250}")


class SupervisorSpec(Spec):
    """`supervisor: {program: worker, do: start, server: [supervisorctl, -c, /srv/s.conf]}`.

    `server` is the argv that reaches the right supervisord, as in the supervisor probe, or the
    parameter that holds its words. `status` and `tail` (of its stderr) only look: evidence.
    """

    program: Annotated[Text, Field(min_length=1)]
    do: Literal["start", "restart", "stop", "status", "tail"]
    server: Argv | Words = ("supervisorctl",)
    sudo: Switch = False


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
    argv = (*argv_of(spec.server, context), spec.do, program_name(spec, context))
    if spec.do == "tail":
        argv = (*argv, "stderr")
    ok_codes = (0, 3) if spec.do == "status" else (0,)  # 3: it does not run, which is what is asked
    return Command(argv, sudo=turned_on(spec.sudo, context), ok_codes=ok_codes)


def resource(spec: SupervisorSpec, context: StepContext) -> str:
    """Name the program."""
    return f"{context.host}:program:{program_name(spec, context)}"


KIND = ActionKind("supervisor", SupervisorSpec, render, resource)
