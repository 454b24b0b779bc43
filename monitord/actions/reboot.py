"""`reboot`: restart the machine, done when it answers again under another boot id.

The step itself is the bare argv `systemctl reboot`, so that sudoers can name it; what must hold
before stands in reboot.sh, which `look: true` runs as a precondition and which changes nothing.
"""

from datetime import timedelta
from pathlib import Path

from monitord.actions.text import Switch, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Duration, Spec

_SCRIPT = Path(__file__).with_name("reboot.sh").read_text(encoding="utf-8")


class RebootSpec(Spec):
    """`reboot: {}`; as a precondition `reboot: {look: true, up: 1h}`.

    Looking refuses on a machine that is up for less than `up` (another restart will not help), that
    is starting or stopping, installs packages, rebuilds a RAID, has a read-only root, or where
    somebody is logged in.
    """

    look: bool = False
    up: Duration = timedelta(hours=1)
    sudo: Switch = True


def render(spec: RebootSpec, context: StepContext) -> Command:
    """Give the argv.

    Raises:
        ValueError: the parameter of `sudo` has no value.
    """
    if spec.look:
        return Command(("sh", "-s", "--", str(int(spec.up.total_seconds()))), stdin=_SCRIPT)
    return Command(("systemctl", "reboot"), sudo=turned_on(spec.sudo, context), restarts=True)


def resource(_spec: RebootSpec, context: StepContext) -> str:
    """Name the whole host."""
    return f"{context.host}:host"


KIND = ActionKind("reboot", RebootSpec, render, resource)
