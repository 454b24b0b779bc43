"""`process`: end one process that is stuck or runs away, through process.sh.

The plan says what it must be: its name and a condition that only the sick one meets. The script
finds exactly one, holds on to its pid with its start time and name, and ends that or nothing.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from monitord.actions.text import Switch, Text, fill, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Duration, Spec, parse_duration, parse_size

_SCRIPT = Path(__file__).with_name("process.sh").read_text(encoding="utf-8")
_COMM = 15  # characters that the kernel keeps of a name
_PERCENT = re.compile(r"\d{1,5}")
_SPARED = re.compile(
    r"(init|systemd.*|\(sd-pam\)|dbus-.*|sshd.*|agetty|login|monitord.*|"
    r"postgres|mysqld.*|mariadbd|redis-server|mongod|slapd|libvirtd|containerd.*|dockerd)"
)


class ProcessSpec(Spec):
    """`process: {name: convert, user: www-data, older: 1h}`.

    `name` is the kernel's (its first 15 characters). At least one of `older`, `memory` (resident)
    and `cpu` (percent of one core over two seconds) must hold; what is empty is not asked. TERM
    first, KILL after `grace`. With `look: true` it only says which one it would be.
    """

    name: Annotated[Text, Field(min_length=1)]
    user: Text = ""
    older: Text = ""
    memory: Text = ""
    cpu: Text = ""
    grace: Duration = timedelta(seconds=10)
    look: bool = False
    sudo: Switch = False

    @model_validator(mode="after")
    def _one_condition(self) -> "ProcessSpec":
        if not (self.older or self.memory or self.cpu):
            raise ValueError("says not what is wrong with it: give older, memory or cpu")
        return self


def process_name(spec: ProcessSpec, context: StepContext) -> str:
    """Give the process's name.

    Raises:
        ValueError: a slot has no value, or it is one that other programs stand on.
    """
    name = fill(spec.name, context)
    if not name or "/" in name:
        raise ValueError(f"name: {name!r} is not a process's name (write java)")
    if _SPARED.fullmatch(name):
        raise ValueError(f"name: {name!r} is never ended: the machine or its data stand on it")
    return name[:_COMM]


def render(spec: ProcessSpec, context: StepContext) -> Command:
    """Give the script and its arguments.

    Raises:
        ValueError: as `process_name`, or a condition cannot be read or none is left.
    """
    older, memory, cpu = (fill(text, context) for text in (spec.older, spec.memory, spec.cpu))
    if not (older or memory or cpu):
        raise ValueError("says not what is wrong with it: give older, memory or cpu")
    if cpu and not _PERCENT.fullmatch(cpu):
        raise ValueError(f"cpu: {cpu!r} is not a percentage of one core (write 95)")
    argv = (
        "sh", "-s", "--",
        "look" if spec.look else "",
        process_name(spec, context),
        fill(spec.user, context),
        str(int(parse_duration(older).total_seconds())) if older else "",
        str(parse_size(memory) // 1024) if memory else "",
        cpu,
        str(max(1, int(spec.grace.total_seconds()))),
    )  # fmt: skip
    return Command(argv, stdin=_SCRIPT, sudo=turned_on(spec.sudo, context))


def resource(spec: ProcessSpec, context: StepContext) -> str:
    """Name the process by its name: two repairs do not look for it at once."""
    return f"{context.host}:process:{process_name(spec, context)}"


KIND = ActionKind("process", ProcessSpec, render, resource)
