"""`job`: run a job again. Its argv stands in YAML; nothing of a ping ever reaches it."""

import shlex
from typing import Any

from monitord.actions.command import CommandSpec, argv, render
from monitord.model.effect import StepContext
from monitord.model.kinds import ActionKind


class JobSpec(CommandSpec):
    """`job: [/usr/local/bin/nightly, --full]`, or a mapping with `run:` or `words:`."""


def resource(spec: Any, context: StepContext) -> str:
    """Name the job by its argv: two runs of one job exclude each other, other jobs do not."""
    return f"{context.host}:job:{shlex.join(argv(spec, context))}"


KIND = ActionKind("job", JobSpec, render, resource)
