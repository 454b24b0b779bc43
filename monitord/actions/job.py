"""`job`: run a job again. Its argv stands in YAML; nothing of a ping ever reaches it."""

import shlex
from pathlib import Path

from pydantic import model_validator

from monitord.actions import command
from monitord.actions.command import CommandSpec, argv
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind

_SCRIPT = Path(__file__).with_name("job.sh").read_text(encoding="utf-8")


class JobSpec(CommandSpec):
    """`job: [/usr/local/bin/nightly, --full]`, or a mapping with `run:` or `words:`.

    With `look: true` it is not run: it is asked whether it runs already, which is a refusal.
    """

    look: bool = False

    @model_validator(mode="after")
    def _looks_only(self) -> "JobSpec":
        if self.look and (self.env or self.cwd):
            raise ValueError("look: runs nothing, so env: and cwd: mean nothing (leave them out)")
        return self


def render(spec: JobSpec, context: StepContext) -> Command:
    """Give the job's command, or the question for it.

    Raises:
        ValueError: as `argv`.
    """
    if spec.look:
        return Command(("sh", "-s", "--", *argv(spec, context)), stdin=_SCRIPT)
    return command.render(spec, context)


def resource(spec: JobSpec, context: StepContext) -> str:
    """Name the job by its argv: two runs of one job exclude each other, other jobs do not."""
    return f"{context.host}:job:{shlex.join(argv(spec, context))}"


KIND = ActionKind("job", JobSpec, render, resource)
