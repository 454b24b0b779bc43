"""`link`: run a link of a chain, or what must run before it runs again. Its argv stands in YAML.

Which link is the item; the argvs are the rung's parameters, made from the chain. Nothing that a job
reported ever reaches it.
"""

import shlex
from pathlib import Path

from monitord.actions.text import Switch, fill_all, turned_on
from monitord.model.effect import Command, Effect, Pause, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_SCRIPT = Path(__file__).with_name("job.sh").read_text(encoding="utf-8")


class LinkSpec(Spec):
    """`link: {}` runs the link; `first: true` runs what its `safe_after:` names, if it names any.

    With `look: true` nothing is run: it is asked whether the link runs already, which is a refusal.
    """

    look: bool = False
    first: bool = False
    sudo: Switch = False


def render(spec: LinkSpec, context: StepContext) -> Effect:
    """Give the link's command.

    Raises:
        ValueError: others start this link, or a slot of its argv has no value.
    """
    before = context.parameters.get(f"before:{context.item}", "")
    if spec.first and not before:
        return Pause(0)
    if spec.look:
        return Command(("sh", "-s", "--", *_argv("run", context)), stdin=_SCRIPT)
    argv = _argv("before" if spec.first else "run", context)
    return Command(argv, sudo=turned_on(spec.sudo, context))


def resource(_spec: LinkSpec, context: StepContext) -> str:
    """Name the link by its argv, as a job: two runs of it exclude each other."""
    return f"{context.host}:job:{shlex.join(_argv('run', context))}"


def _argv(what: str, context: StepContext) -> tuple[str, ...]:
    words = context.parameters.get(f"{what}:{context.item}")
    if words is None:
        raise ValueError(f"{context.item or 'it'} has no run: in its chain (others start it)")
    return fill_all(tuple(shlex.split(words)), context)


KIND = ActionKind("link", LinkSpec, render, resource, ("require", "steps"), "rerun")
