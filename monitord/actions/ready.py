"""`ready`: is there what a start needs? A precondition that only looks, through ready.sh.

It says every obstacle in one line: a unit that runs already, a data folder of somebody else, a full
disk, a port that another process holds. It never removes one.
"""

import re
from pathlib import Path

from pydantic import model_validator

from monitord.actions.systemd import full_name
from monitord.actions.text import Switch, Text, fill, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_SCRIPT = Path(__file__).with_name("ready.sh").read_text(encoding="utf-8")
_PERCENT = re.compile(r"\d{1,2}")
_PORT = re.compile(r"\d{1,5}")
_MOST = 65535


class ReadySpec(Spec):
    """`ready: {unit: redis-server, folder: /var/lib/redis, owner: redis, free: "2", port: "6379"}`.

    What is empty is not asked. The unit must be one that may be started and does not run; with
    `running: true` it may. `folder` belongs to `owner`, who may write it, and its filesystem has
    `free` percent of space and inodes left. Nobody but the unit listens on `port`.
    """

    unit: Text = ""
    running: bool = False
    folder: Text = ""
    owner: Text = ""
    free: Text = ""
    port: Text = ""
    sudo: Switch = False

    @model_validator(mode="after")
    def _asks_something(self) -> "ReadySpec":
        if not (self.unit or self.folder or self.port):
            raise ValueError("asks nothing: give unit, folder or port")
        if not self.folder and (self.owner or self.free):
            raise ValueError("owner and free are those of a folder: give folder")
        return self


def render(spec: ReadySpec, context: StepContext) -> Command:
    """Give the script and its arguments.

    Raises:
        ValueError: a slot has no value, or a value cannot be what it stands for.
    """
    unit = fill(spec.unit, context)
    folder = fill(spec.folder, context)
    if folder and not folder.startswith("/"):
        raise ValueError(f"folder: {folder!r} is not an absolute path")
    free, port = fill(spec.free, context), fill(spec.port, context)
    if free and not _PERCENT.fullmatch(free):
        raise ValueError(f"free: {free!r} is not a percentage (write 2)")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) <= _MOST):
        raise ValueError(f"port: {port!r} is not a port (write 5432)")
    asked = (
        full_name(unit) if unit else "",
        "may-run" if spec.running else "",
        folder,
        fill(spec.owner, context),
        free,
        port,
    )
    argv = ("sh", "-s", "--", *asked)
    return Command(argv, stdin=_SCRIPT, sudo=turned_on(spec.sudo, context))


def resource(_spec: ReadySpec, _context: StepContext) -> str:
    """Name nothing: looking touches nothing."""
    return ""


KIND = ActionKind("ready", ReadySpec, render, resource)
