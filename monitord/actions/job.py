"""`job`: run a job again. Its argv stands in YAML; nothing of a ping ever reaches it."""

import shlex
from typing import Annotated, Any

from pydantic import Field, model_validator

from monitord.actions.command import Argv, CommandSpec
from monitord.actions.text import Text, fill, fill_all, fill_secrets, slots, value_of
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind


class JobSpec(CommandSpec):
    """`job: [/usr/local/bin/nightly, --full]`, or a mapping with `run:` or `words:`.

    `words: "{command}"` is for a runbook that serves many jobs: it is exactly one slot, a parameter
    of the rung, and the one text that holds several words; they are told apart as a shell would
    by quotes and spaces, and nothing in them is expanded.
    """

    run: Annotated[Argv, Field(min_length=0)] = ()
    words: Text = ""

    @model_validator(mode="after")
    def _one_source(self) -> "JobSpec":
        if bool(self.run) == bool(self.words):
            raise ValueError("needs either run: [program, argument] or words: '{parameter}'")
        if self.words and (len(slots(self.words)) != 1 or not _is_one_parameter(self.words)):
            raise ValueError(f"words: {self.words!r} is not one parameter (write '{{command}}')")
        return self


def _is_one_parameter(text: str) -> bool:
    (slot,) = slots(text)
    return text == f"{{{slot}}}" and slot not in {"host", "address", "item"}


def argv(spec: JobSpec, context: StepContext) -> tuple[str, ...]:
    """Give the job's argv.

    Raises:
        ValueError: a slot has no value, or the parameter's quotes do not close or hold nothing.
    """
    if spec.run:
        return fill_all(spec.run, context)
    (slot,) = slots(spec.words)
    text = value_of(slot, spec.words, context)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{slot}: {text!r}: {error} (close the quote)") from None
    if not words:
        raise ValueError(f"{slot}: the command of the job is empty")
    return tuple(words)


def render(spec: JobSpec, context: StepContext) -> Command:
    """Give the job's command.

    Raises:
        ValueError: as `argv`.
    """
    return Command(
        argv=argv(spec, context),
        env=fill_secrets(spec.env, context),
        cwd=fill(spec.cwd, context),
        sudo=spec.sudo,
        ok_codes=spec.ok_codes,
    )


def resource(spec: Any, context: StepContext) -> str:
    """Name the job by its argv: two runs of one job exclude each other, other jobs do not."""
    return f"{context.host}:job:{shlex.join(argv(spec, context))}"


KIND = ActionKind("job", JobSpec, render, resource)
