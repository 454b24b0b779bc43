"""`systemd`: start, restart, reload, stop or reset one unit. It does not judge the unit's state."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from monitord.actions.text import Switch, Text, fill, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_UNIT = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,250}")
_SUFFIXES = ("service", "socket", "timer", "mount", "automount", "swap", "path", "slice", "target")


class SystemdSpec(Spec):
    """`systemd: {unit: nginx, do: restart}`. A unit without a suffix is a service.

    `user` speaks to the acting login's own service manager; system units are reached with sudo,
    unless `sudo: false` says that the login may by itself (polkit).
    """

    unit: Annotated[Text, Field(min_length=1)]
    do: Literal["start", "restart", "reload", "stop", "reset-failed"]
    user: bool = False
    sudo: Switch | None = None

    @model_validator(mode="after")
    def _no_sudo_for_user(self) -> "SystemdSpec":
        if self.user and self.sudo:
            raise ValueError("user and sudo exclude each other: root's user manager is not meant")
        return self


def unit_name(spec: SystemdSpec, context: StepContext) -> str:
    """Give the full unit name.

    Raises:
        ValueError: a slot has no value, or the text cannot be a unit's name.
    """
    return full_name(fill(spec.unit, context))


def full_name(name: str) -> str:
    """Give a unit's name with its suffix; without one it is a service.

    Raises:
        ValueError: the text cannot be a unit's name.
    """
    if not _UNIT.fullmatch(name):
        raise ValueError(f"{name!r} is not a unit name (letters, digits and :_.@-)")
    return name if name.rpartition(".")[2] in _SUFFIXES and "." in name else f"{name}.service"


def render(spec: SystemdSpec, context: StepContext) -> Command:
    """Give the systemctl argv.

    Raises:
        ValueError: as `unit_name`.
    """
    scope = ("--user",) if spec.user else ()
    sudo = not spec.user if spec.sudo is None else turned_on(spec.sudo, context)
    return Command(("systemctl", *scope, spec.do, unit_name(spec, context)), sudo=sudo)


def resource(spec: SystemdSpec, context: StepContext) -> str:
    """Name the unit; a login's own units are told apart from the system's."""
    scope = "user-unit" if spec.user else "unit"
    return f"{context.host}:{scope}:{unit_name(spec, context)}"


KIND = ActionKind("systemd", SystemdSpec, render, resource)
